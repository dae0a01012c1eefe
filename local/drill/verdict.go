package drill

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// verdict is what a drill has shown. Durations are the cloud's.
type verdict struct {
	Title       string
	Speed       float64
	Window      time.Duration
	Interrupted bool
	tally
	Places []tally       // by place
	Gap    time.Duration // the longest in which a client had no answer
	Away   time.Duration // to the first answer from elsewhere
	Back   time.Duration // from the mending to the first answer from home
	Broken []string      // promises that did not hold
}

// tally counts the requests of one place, or of all.
type tally struct {
	Place    string
	Requests int
	First    int // failed at their first try
	Failed   int // and at their only retry too
	Allowed  int // of those that failed twice: within the window, or as expected
	Turns    int // turns that were checked against their conversation, and right
	Median   time.Duration
	Slow     time.Duration // 95 of 100 first contents came sooner
	By       map[string]int
	contents []time.Duration
}

func (t *tally) add(s sample, r *record) {
	t.Requests++
	if len(s.failures) > 0 {
		t.First++
	}
	if s.failed() {
		t.Failed++
	} else {
		t.By[s.region]++
	}
	if s.checked && s.wrong == "" {
		t.Turns++
	}
	if s.first > 0 {
		t.contents = append(t.contents, r.scaled(s.first))
	}
}

// close works out what needs all samples.
func (t *tally) close() {
	if n := len(t.contents); n > 0 {
		slices.Sort(t.contents)
		t.Median, t.Slow = t.contents[n/2], t.contents[n*95/100]
	}
}

// count holds every sample against the promises: which failures are excused is
// the caller's to say.
func (r *record) count(excused func(sample) bool) verdict {
	v := verdict{Title: r.title, Speed: r.speed, Window: r.window, tally: tally{By: map[string]int{}}}
	for _, place := range r.places {
		v.Places = append(v.Places, tally{Place: place, By: map[string]int{}})
	}
	r.sort()
	for _, s := range r.samples {
		of := &v.Places[slices.Index(r.places, s.place)]
		v.add(s, r)
		of.add(s, r)
		switch {
		case s.wrong != "": // which nothing excuses
			v.broke("R3: at %s a client in %s: %s", r.moment(s.at), s.place, s.wrong)
		case s.failed() && excused(s):
			v.Allowed++
			of.Allowed++
		case s.failed():
			v.broke("R2: at %s a client in %s failed twice (%s; %s)", r.moment(s.at), s.place, s.failures[0], s.failures[1])
		}
	}
	for _, g := range r.gaps() {
		v.Gap = max(v.Gap, r.scaled(g.to.Sub(g.from)))
	}
	v.close()
	for i := range v.Places {
		v.Places[i].close()
	}
	if v.Turns == 0 {
		v.broke("no turn was checked: nothing was shown")
	}
	return v
}

// judge holds a drill against what its scenario lets its clients see.
func (d *drill) judge() verdict {
	v := d.count(d.excused)
	v.Away, v.Back = d.moved()
	v.within("served by another region", v.Away, d.away)
	v.within("back", v.Back, d.back)
	if d.check != nil {
		v.Broken = append(v.Broken, d.check(d)...)
	}
	return v
}

func (v *verdict) broke(format string, args ...any) {
	v.Broken = append(v.Broken, fmt.Sprintf(format, args...))
}

// within holds a time against the most that it may be, 0 for any.
func (v *verdict) within(what string, took, most time.Duration) {
	switch {
	case most == 0:
	case took == 0:
		v.broke("the clients of the region were never %s", what)
	case took > most:
		v.broke("the clients of the region were %s after %.1f s, later than %.0f s", what, took.Seconds(), most.Seconds())
	}
}

// excused tells whether a request may have failed: the region that DNS led its
// client to had gone, and DNS could not have led it elsewhere yet. One that was
// underway when the region went counts as well.
func (d *drill) excused(s sample) bool {
	if d.suffers != nil && d.suffers(d, s) {
		return true
	}
	home := slices.Index(d.regions, d.home[s.place])
	return slices.ContainsFunc(d.done, func(h happened) bool {
		return slices.Contains(h.loses, home) && !s.answered().Before(h.time) && d.scaled(s.at.Sub(h.time)) <= d.window
	})
}

// broken tells whether something was broken while the request was underway, or
// had been within the window before it.
func (d *drill) broken(s sample) bool {
	broken := false
	for _, h := range d.done {
		switch {
		case !h.mends && !h.time.After(s.answered()):
			broken = true
		case h.mends && d.scaled(s.at.Sub(h.time)) > d.window:
			broken = false
		}
	}
	return broken
}

// moved is how long it took until clients near the region that suffers were
// first served by another, and after the last mending by it again.
func (d *drill) moved() (away, back time.Duration) {
	var mended time.Time
	for _, h := range d.done {
		if h.mends {
			mended = h.time
		}
	}
	for _, s := range d.samples {
		if s.place != d.regions[0] || s.failed() || !s.turn {
			continue
		}
		elsewhere := s.region != d.regions[0] || s.target != d.regions[0]
		if broke := d.broke(); away == 0 && !broke.IsZero() && s.answered().After(broke) && elsewhere {
			away = d.scaled(s.answered().Sub(broke))
		}
		if back == 0 && !mended.IsZero() && s.at.After(mended) && !elsewhere {
			back = d.scaled(s.answered().Sub(mended))
		}
	}
	return away, back
}

// broke is when the region began to suffer: when its clients lost it, or else
// when something broke first. It is zero if nothing did.
func (d *drill) broke() time.Time {
	steps := slices.SortedStableFunc(slices.Values(d.done), func(a, b happened) int {
		return cmp.Compare(min(1, len(b.loses)), min(1, len(a.loses)))
	})
	if len(steps) == 0 || steps[0].mends {
		return time.Time{}
	}
	return steps[0].time
}
