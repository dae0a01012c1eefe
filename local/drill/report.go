package drill

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"slices"
	"time"
)

//go:embed report.html
var page string

// Measures of the picture, in pixels.
const (
	laneHeight = 46
	rowHeight  = 9 // of one region within a place's lane
	left       = 130
	width      = 900
)

// picture is a drill's timeline: a lane for each place, in which every request
// stands in the row of the region that served it.
type picture struct {
	Verdict verdict
	What    string
	Window  time.Duration
	Height  int
	Lanes   []lane
	Health  []lane
	Steps   []mark
	Ticks   []mark
	Rows    []string // regions, in the order of the rows of a lane
}

type lane struct {
	Name  string
	Y     int
	Marks []mark
}

type mark struct {
	X, Y, W int
	Text    string
	Kind    string // ok, retried, failed, down; step or tick
}

func (d *drill) picture(v verdict) picture {
	p := picture{Verdict: v, What: d.what, Window: window, Rows: d.regions}
	y := 40
	for _, place := range d.places {
		p.Lanes = append(p.Lanes, d.lane(place, y))
		y += laneHeight
	}
	for _, region := range d.regions {
		p.Health = append(p.Health, d.healthLane(region, y))
		y += 18
	}
	for i, h := range d.done {
		p.Steps = append(p.Steps, mark{X: d.x(h.time), Y: 14 + 12*(i%2), Text: h.what, Kind: "step"})
	}
	for t := time.Duration(0); t <= d.length(); t += 30 * time.Second {
		p.Ticks = append(p.Ticks, mark{X: left + int(t*width/d.length()), Y: y + 14, Text: fmt.Sprintf("%.0f s", t.Seconds()), Kind: "tick"})
	}
	p.Height = y + 24
	return p
}

// x is where a moment stands on the time axis.
func (d *drill) x(t time.Time) int { return left + int(d.cloud(t)*width/d.length()) }

func (d *drill) lane(place string, y int) lane {
	l := lane{Name: place, Y: y}
	for _, s := range d.samples {
		if s.place != place {
			continue
		}
		m := mark{X: d.x(s.at), Y: y + rowHeight*max(0, slices.Index(d.regions, s.region)), Kind: "ok",
			Text: fmt.Sprintf("%s: %s served by %s, model in %s", d.moment(s.at), place, s.region, s.target)}
		switch {
		case s.failed():
			m.Kind, m.Y, m.Text = "failed", y+rowHeight*len(d.regions), fmt.Sprintf("%s: %s failed: %v", d.moment(s.at), place, s.failures)
		case len(s.failures) > 0:
			m.Kind = "retried"
		}
		l.Marks = append(l.Marks, m)
	}
	return l
}

// healthLane is a bar for each time in which DNS led a region's clients
// elsewhere.
func (d *drill) healthLane(region string, y int) lane {
	l := lane{Name: "DNS of " + region, Y: y}
	open := -1
	for _, r := range d.health {
		switch {
		case r.region != region:
		case !r.healthy && open < 0:
			open = d.x(r.at)
		case r.healthy && open >= 0:
			l.Marks = append(l.Marks, mark{X: open, Y: y, W: max(2, d.x(r.at)-open), Text: "unhealthy", Kind: "down"})
			open = -1
		}
	}
	if open >= 0 {
		l.Marks = append(l.Marks, mark{X: open, Y: y, W: max(2, left+width-open), Text: "unhealthy", Kind: "down"})
	}
	return l
}

// writeReport writes one page about all drills.
func writeReport(w io.Writer, pictures []picture) error {
	funcs := template.FuncMap{
		"seconds": func(d time.Duration) string {
			if d == 0 {
				return "–"
			}
			return fmt.Sprintf("%.1f s", d.Seconds())
		},
		"places": func(m map[string]time.Duration) []string { return slices.Sorted(maps.Keys(m)) },
		"mid":    func(y int) int { return y + rowHeight*2 },
		"add":    func(a, b int) int { return a + b },
	}
	t, err := template.New("report").Funcs(funcs).Parse(page)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return t.Execute(w, pictures)
}
