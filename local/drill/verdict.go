package drill

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// verdict is what a drill has shown. Durations are the cloud's.
type verdict struct {
	Scenario string `json:"scenario"`
	Speed    float64
	Requests int
	First    int // failed at their first try
	Failed   int // and at their only retry too
	Allowed  int // of those that failed, within the window or as the scenario says
	Turns    int // answers that showed that they knew the whole conversation
	Away     time.Duration
	Back     time.Duration
	Latency  map[string]time.Duration // median of the first content, by place
	Broken   []string                 // promises that did not hold
}

// judge holds every sample against the promises.
func (d *drill) judge() verdict {
	v := verdict{Scenario: d.name, Speed: d.speed, Requests: len(d.samples), Latency: map[string]time.Duration{}}
	firsts := map[string][]time.Duration{}
	for _, s := range d.samples {
		switch {
		case len(s.failures) > 0 && !s.failed():
			v.First++
		case s.failed():
			v.First++
			v.Failed++
			if d.excused(s) {
				v.Allowed++
			} else {
				v.broke("R2: at %s a client in %s failed twice (%s; %s)", d.moment(s.at), s.place, s.failures[0], s.failures[1])
			}
		}
		if s.lost != "" {
			v.broke("R3: at %s a client in %s: %s", d.moment(s.at), s.place, s.lost)
		} else if !s.failed() {
			v.Turns++
		}
		if s.first > 0 {
			firsts[s.place] = append(firsts[s.place], d.scaled(s.first))
		}
	}
	for place, all := range firsts {
		slices.Sort(all)
		v.Latency[place] = all[len(all)/2]
	}
	v.Away, v.Back = d.moved()
	if v.Requests == 0 {
		v.broke("nothing was asked")
	}
	return v
}

func (v *verdict) broke(format string, args ...any) {
	v.Broken = append(v.Broken, fmt.Sprintf(format, args...))
}

func (d *drill) scaled(t time.Duration) time.Duration { return time.Duration(float64(t) * d.speed) }

func (d *drill) moment(t time.Time) time.Duration { return d.cloud(t).Round(time.Second) }

// excused tells whether a client may have failed: its region had gone, and DNS
// could not have led it elsewhere yet. A request that was underway when the
// region went counts as well.
func (d *drill) excused(s sample) bool {
	if d.suffers != nil && d.suffers(d, s) {
		return true
	}
	end := d.cloud(s.at.Add(s.took))
	return slices.ContainsFunc(d.done, func(h happened) bool {
		from := d.cloud(h.time)
		return h.moves && end >= from && d.cloud(s.at) <= from+window
	})
}

// broken tells whether something was broken at the time, or had been within the
// window before it.
func (d *drill) broken(t time.Time) bool {
	at, from := d.cloud(t), time.Duration(-1)
	for _, h := range d.done {
		switch then := d.cloud(h.time); {
		case !h.mends && then <= at+d.scaled(tryTimeout):
			from = then
		case h.mends && then+window < at:
			from = -1
		}
	}
	return from >= 0
}

// moved is how long it took until the nearest clients of the region that
// suffers were first served by another, and after the mending by it again.
func (d *drill) moved() (away, back time.Duration) {
	var broke, mended time.Time
	for _, h := range d.done {
		if h.mends {
			mended = h.time
		} else if broke.IsZero() {
			broke = h.time
		}
	}
	for _, s := range slices.SortedFunc(slices.Values(d.samples), func(a, b sample) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) }) {
		end := s.at.Add(s.took)
		if s.place != d.regions[0] || s.failed() {
			continue
		}
		elsewhere := s.region != d.regions[0] || s.target != d.regions[0]
		if away == 0 && !broke.IsZero() && s.at.After(broke) && elsewhere {
			away = d.scaled(end.Sub(broke))
		}
		if back == 0 && !mended.IsZero() && s.at.After(mended) && !elsewhere {
			back = d.scaled(end.Sub(mended))
		}
	}
	return away, back
}
