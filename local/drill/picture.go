package drill

import (
	"fmt"
	"slices"
	"time"
)

// Measures of the picture, in pixels.
const (
	left      = 170 // of the time axis
	width     = 860
	rowHeight = 13
	between   = 14 // between two places
	top       = 52 // of the lanes, below the faults
)

// picture is a timeline: a lane for each place, in which every request stands in
// the row of the region that served it.
type picture struct {
	Verdict  verdict
	What     string
	Promises string
	Expected string
	Regions  []string
	Lanes    []lane
	Health   []lane
	Faults   []mark
	Windows  []mark
	Ticks    []mark
	Height   int
	Slices   []slice
}

// lane is a row of marks with its name. That of a place has a row for each
// region, and one for no answer.
type lane struct {
	Name  string
	Y     int
	Rows  []mark
	Marks []mark
}

// mark is one thing in the picture.
type mark struct {
	X, Y, W int
	Text    string
	Kind    string // id of its symbol, for a request
}

// slice is the timeline as a table: who was served by which region in one of its
// parts.
type slice struct {
	From, To time.Duration
	Done     string
	Places   []tally
}

// picture draws what was seen, with what the samples were found to be.
func (r *record) picture(v verdict, excused func(sample) bool) picture {
	p := picture{Verdict: v, Regions: r.regions}
	y := top
	for _, place := range r.places {
		p.Lanes = append(p.Lanes, r.lane(place, y, excused))
		y += rowHeight*(len(r.regions)+1) + between
	}
	if len(r.health) > 0 {
		for _, region := range r.regions {
			p.Health = append(p.Health, r.healthLane(region, y))
			y += 16
		}
	}
	r.drawSteps(&p)
	every := r.tick()
	for t := time.Duration(0); t <= r.length; t += every {
		p.Ticks = append(p.Ticks, mark{X: left + int(t*width/r.length), Y: y + 12, Text: clock(t)})
	}
	p.Height = y + 20
	p.Slices = r.parts(every)
	return p
}

// tick is the time between two marks of the axis: at most a dozen of them.
func (r *record) tick() time.Duration {
	for _, every := range []time.Duration{1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600} {
		if every *= time.Second; r.length/every <= 14 {
			return every
		}
	}
	return r.length / 12
}

func clock(t time.Duration) string {
	if t < 10*time.Minute {
		return fmt.Sprintf("%.0f s", t.Seconds())
	}
	return fmt.Sprintf("%.0f min", t.Minutes())
}

// x is where a moment stands on the time axis.
func (r *record) x(t time.Time) int {
	return left + int(min(max(0, r.since(t)), r.length)*width/r.length)
}

func (r *record) lane(place string, y int, excused func(sample) bool) lane {
	l := lane{Name: place, Y: y}
	for i, region := range append(slices.Clone(r.regions), "no answer") {
		l.Rows = append(l.Rows, mark{X: left, Y: y + i*rowHeight, W: width, Text: region})
	}
	for _, s := range r.samples {
		if s.place == place {
			l.Marks = append(l.Marks, r.mark(s, y, excused))
		}
	}
	return l
}

func (r *record) mark(s sample, y int, excused func(sample) bool) mark {
	row := slices.Index(r.regions, s.region)
	m := mark{X: r.x(s.at), Kind: "ok", Text: fmt.Sprintf("%s: served by %s", r.moment(s.at), s.region)}
	if s.target != "" {
		m.Text += ", model in " + s.target
	}
	switch {
	case s.wrong != "":
		m.Kind, m.Text = "wrong", m.Text+": "+s.wrong
	case s.failed() && excused(s):
		m.Kind = "failed"
	case s.failed():
		m.Kind = "broken"
	case len(s.failures) > 0:
		m.Kind = "retried"
	case s.target != "" && s.target != s.region:
		m.Kind = "moved"
	}
	if s.failed() || row < 0 {
		row = len(r.regions)
	}
	if len(s.failures) > 0 {
		m.Text += fmt.Sprintf(" (failed: %v)", s.failures)
	}
	if s.failed() {
		m.Text = fmt.Sprintf("%s: failed: %v", r.moment(s.at), s.failures)
	}
	m.Y = y + row*rowHeight + rowHeight/2
	return m
}

// healthLane is a bar for each time in which DNS led a region's clients
// elsewhere.
func (r *record) healthLane(region string, y int) lane {
	l := lane{Name: region, Y: y}
	from := -1
	bar := func(to int) {
		if from >= 0 {
			l.Marks = append(l.Marks, mark{X: from, Y: y, W: max(2, to-from), Text: "DNS leads elsewhere"})
		}
		from = -1
	}
	for _, h := range r.health {
		switch {
		case h.region != region:
		case h.healthy:
			bar(r.x(h.at))
		case from < 0:
			from = r.x(h.at)
		}
	}
	bar(left + width)
	return l
}

// drawSteps draws when something was broken, and the windows in which clients may
// fail for it.
func (r *record) drawSteps(p *picture) {
	end := left + width
	for _, h := range slices.Backward(r.done) {
		x := r.x(h.time)
		if !h.mends {
			p.Faults = append(p.Faults, mark{X: x, W: max(2, end-x), Text: h.what})
		}
		if len(h.loses) > 0 {
			p.Windows = append(p.Windows, mark{X: x, W: r.x(h.time.Add(r.real(r.window))) - x, Text: fmt.Sprintf("W = %.0f s", r.window.Seconds())})
		}
		end = x
	}
	slices.Reverse(p.Faults)
	slices.Reverse(p.Windows)
}

// parts cuts the time into parts of so long, and counts in each who was served
// by which region.
func (r *record) parts(every time.Duration) []slice {
	var all []slice
	for from := time.Duration(0); from < r.length; from += every {
		s := slice{From: from, To: min(from+every, r.length)}
		for _, h := range r.done {
			if at := r.since(h.time); at >= from && at < s.To {
				s.Done = join(s.Done, h.what)
			}
		}
		for _, place := range r.places {
			t := tally{Place: place, By: map[string]int{}}
			for _, one := range r.samples {
				if at := r.since(one.at); one.place == place && at >= from && at < s.To {
					t.add(one, r)
				}
			}
			s.Places = append(s.Places, t)
		}
		all = append(all, s)
	}
	return all
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}
