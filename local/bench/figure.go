package bench

import "fmt"

// Figure is one measured number, next to the least that it could be.
type Figure struct {
	Part  string  `json:"part"` // which part of the bench
	Name  string  `json:"name"` // unique within its part
	Unit  string  `json:"unit"`
	Value float64 `json:"value"`
	// Floor is the same figure of the least that could do the work, measured
	// in the same run; nil where there is none.
	Floor *float64 `json:"floor"`
	// Ratio is Value over Floor; nil without a Floor above 0.
	Ratio *float64 `json:"ratio"`
	// Target says in words what is wanted; nil where nothing is.
	Target *string `json:"target"`
	// Met tells whether Value is as wanted; nil without a Target.
	Met *bool `json:"met"`

	bound bound // of the Target, for pictures
}

// bound is a number that a figure is not to exceed: as a ratio, or itself.
type bound struct{ times, value float64 }

// figure returns a Figure without floor and target.
func figure(name, unit string, value float64) Figure {
	return Figure{Name: name, Unit: unit, Value: value}
}

// over returns f with its floor.
func (f Figure) over(floor float64) Figure {
	f.Floor = &floor
	if floor > 0 {
		ratio := f.Value / floor
		f.Ratio = &ratio
	}
	return f
}

// atMostTimes returns f with a bound on its ratio, which is missed without one.
func (f Figure) atMostTimes(n float64) Figure {
	return f.target(fmt.Sprintf("≤ %g × floor", n), bound{times: n}, f.Ratio != nil && *f.Ratio <= n)
}

// atMostBeyond returns f with a bound on what it has more than its floor.
func (f Figure) atMostBeyond(n float64) Figure {
	if f.Floor == nil {
		return f.target(fmt.Sprintf("≤ floor + %g %s", n, f.Unit), bound{}, false)
	}
	return f.target(fmt.Sprintf("≤ floor + %g %s", n, f.Unit), bound{value: *f.Floor + n}, f.Value <= *f.Floor+n)
}

// atMost returns f with a bound on its value.
func (f Figure) atMost(n float64) Figure {
	return f.target(fmt.Sprintf("≤ %g %s", n, f.Unit), bound{value: n}, f.Value <= n)
}

// less returns f, which is to be below its floor.
func (f Figure) less() Figure {
	return f.target("< floor", bound{times: 1}, f.Floor != nil && f.Value < *f.Floor)
}

func (f Figure) target(words string, b bound, met bool) Figure {
	f.Target, f.bound, f.Met = &words, b, &met
	return f
}

// missed counts the figures that are not as wanted.
func missed(figures []Figure) int {
	n := 0
	for _, f := range figures {
		if f.Met != nil && !*f.Met {
			n++
		}
	}
	return n
}
