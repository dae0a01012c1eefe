package drill

import (
	"slices"
	"sync"
	"time"
)

// record is what was seen of a stack while clients worked with it. Durations in
// it are the cloud's, moments the machine's.
type record struct {
	title   string
	speed   float64 // by which the cloud's time is faster
	window  time.Duration
	start   time.Time
	length  time.Duration
	places  []string // of clients, in the order of the picture
	regions []string // of the stack

	mu      sync.Mutex
	samples []sample
	health  []reading
	done    []happened
}

// happened is a step with its time.
type happened struct {
	step
	time time.Time
}

// reading is whether Route 53 sent clients of a region there at some time.
type reading struct {
	at      time.Time
	region  string
	healthy bool
}

func (r *record) add(s sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples = append(r.samples, s)
}

// real turns the cloud's time into this machine's.
func (r *record) real(t time.Duration) time.Duration { return time.Duration(float64(t) / r.speed) }

// scaled turns this machine's time into the cloud's.
func (r *record) scaled(t time.Duration) time.Duration {
	return time.Duration(float64(t) * r.speed)
}

// since turns a moment into the cloud's time since the start.
func (r *record) since(t time.Time) time.Duration { return r.scaled(t.Sub(r.start)) }

// moment is since as a reader wants it.
func (r *record) moment(t time.Time) time.Duration { return r.since(t).Round(time.Second) }

// progress is how many requests there were so far, how many of them failed, and
// what was done last.
func (r *record) progress() (requests, failed int, last string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.samples {
		if s.failed() {
			failed++
		}
	}
	if n := len(r.done); n > 0 {
		last = ", " + r.done[n-1].what
	}
	return len(r.samples), failed, last
}

// sort puts the samples into the order in which they were sent.
func (r *record) sort() {
	slices.SortStableFunc(r.samples, func(a, b sample) int { return a.at.Compare(b.at) })
}

// gap is a time in which a client had no answer: from a request that failed twice
// to the end of the next that did not, or of the last.
type gap struct {
	place    string
	client   int
	from, to time.Time
	closed   bool
}

func (g gap) covers(s sample) bool {
	return g.place == s.place && g.client == s.client && !s.at.Before(g.from) && !s.at.After(g.to)
}

// gaps are those of all clients.
func (r *record) gaps() []gap {
	var all []gap
	for _, s := range r.samples {
		open := slices.IndexFunc(all, func(g gap) bool { return !g.closed && g.place == s.place && g.client == s.client })
		switch {
		case open >= 0:
			all[open].to, all[open].closed = s.answered(), !s.failed()
		case s.failed():
			all = append(all, gap{place: s.place, client: s.client, from: s.at, to: s.answered()})
		}
	}
	return all
}

// trouble is the gaps of one client of which none came a window or more after the
// one before: what broke has not been over for long enough to tell.
type trouble []gap

func (t trouble) covers(s sample) bool {
	return slices.ContainsFunc(t, func(g gap) bool { return g.covers(s) })
}

// lasted is how long the client had no answer, in the machine's time.
func (t trouble) lasted() time.Duration {
	var all time.Duration
	for _, g := range t {
		all += g.to.Sub(g.from)
	}
	return all
}

// troubles are those of all clients.
func (r *record) troubles() []trouble {
	var all []trouble
	for _, g := range r.gaps() {
		i := slices.IndexFunc(all, func(t trouble) bool {
			last := t[len(t)-1]
			return last.place == g.place && last.client == g.client && r.scaled(g.from.Sub(last.to)) < r.window
		})
		if i < 0 {
			all = append(all, trouble{g})
			continue
		}
		all[i] = append(all[i], g)
	}
	return all
}
