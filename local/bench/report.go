package bench

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
)

//go:embed report.html
var page string

// Measures of a picture, in pixels.
const (
	rowHeight = 22
	labels    = 430
	barWidth  = 420
	margin    = 130 // for the numbers at the end of a bar
)

// chapter is one part, as the page shows it.
type chapter struct {
	Name, What string
	Figures    []Figure
	Bars       []bar
	Ticks      []mark
	Height     int
}

// bar is a figure's ratio to its floor.
type bar struct {
	Y, W    int
	Name    string
	Text    string
	Verdict string
	Target  *mark // where the target stands; nil without one on the ratio
}

type mark struct {
	X    int
	Text string
}

// chapters are the parts that have figures, in the order in which they ran.
func chapters(figures []Figure) []chapter {
	var all []chapter
	for _, p := range parts() {
		c := chapter{Name: p.name, What: p.what}
		for _, f := range figures {
			if f.Part == p.name {
				c.Figures = append(c.Figures, f)
			}
		}
		if len(c.Figures) > 0 {
			c.draw()
			all = append(all, c)
		}
	}
	return all
}

// axis maps ratios to pixels: in powers of two, so that half and twice as much
// are as far from the floor.
type axis struct{ low, high float64 }

func newAxis(figures []Figure) axis {
	a := axis{-1, 1}
	for _, f := range figures {
		if f.Ratio != nil && *f.Ratio > 0 {
			e := math.Log2(*f.Ratio)
			a.low, a.high = min(a.low, math.Floor(e)), max(a.high, math.Ceil(e))
		}
	}
	return a
}

func (a axis) x(ratio float64) int {
	return labels + int(math.Round((math.Log2(ratio)-a.low)/(a.high-a.low)*barWidth))
}

func (c *chapter) draw() {
	a := newAxis(c.Figures)
	y := 30
	for _, f := range c.Figures {
		if f.Ratio == nil || *f.Ratio <= 0 {
			continue
		}
		b := bar{Y: y, W: max(2, a.x(*f.Ratio)-labels), Name: f.Name, Verdict: f.verdict(),
			Text: fmt.Sprintf("%.2f × (%s)", *f.Ratio, amount(f.Value, f.Unit))}
		if at := f.targetRatio(); at > 0 {
			b.Target = &mark{X: min(a.x(at), labels+barWidth)}
		}
		c.Bars = append(c.Bars, b)
		y += rowHeight
	}
	for e := a.low; e <= a.high; e++ {
		c.Ticks = append(c.Ticks, mark{a.x(math.Exp2(e)), fmt.Sprintf("%g×", math.Exp2(e))})
	}
	c.Height = y + 10
}

// targetRatio is where the target stands on the axis of ratios; 0 for nowhere.
func (f Figure) targetRatio() float64 {
	switch {
	case f.bound.times > 0:
		return f.bound.times
	case f.Floor == nil || *f.Floor <= 0:
		return 0
	default:
		return f.bound.value / *f.Floor
	}
}

// writePage writes one page that needs nothing else.
func writePage(w io.Writer, r Result) error {
	funcs := template.FuncMap{
		"amount": amount, "floor": Figure.floor, "ratio": Figure.ratio, "wanted": Figure.wanted, "verdict": Figure.verdict,
		"width": func() int { return labels + barWidth + margin }, "labels": func() int { return labels },
		"add": func(a, b int) int { return a + b },
	}
	t, err := template.New("page").Funcs(funcs).Parse(page)
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	return t.Execute(w, map[string]any{"Chapters": chapters(r.Figures), "Notes": r.Notes, "Missed": missed(r.Figures), "Figures": len(r.Figures)})
}
