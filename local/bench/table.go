package bench

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// writeTable writes the figures for a terminal, part by part.
func writeTable(w io.Writer, figures []Figure) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	part := ""
	for _, f := range figures {
		if f.Part != part {
			part = f.Part
			fmt.Fprintf(t, "\n%s\tvalue\tfloor\tratio\ttarget\t\n", strings.ToUpper(part))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", f.Name, amount(f.Value, f.Unit), f.floor(), f.ratio(), f.wanted(), f.verdict())
	}
	return t.Flush()
}

// amount writes a number with three digits that count, and its unit.
func amount(v float64, unit string) string {
	digits := 0
	if v != 0 {
		digits = max(0, 2-int(math.Floor(math.Log10(math.Abs(v)))))
	}
	s := fmt.Sprintf("%.*f", min(digits, 6), v)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return strings.TrimSpace(s + " " + unit)
}

func (f Figure) floor() string {
	if f.Floor == nil {
		return "–"
	}
	return amount(*f.Floor, f.Unit)
}

func (f Figure) ratio() string {
	if f.Ratio == nil {
		return "–"
	}
	return fmt.Sprintf("%.2f", *f.Ratio)
}

func (f Figure) wanted() string {
	if f.Target == nil {
		return ""
	}
	return *f.Target
}

// verdict is a word, so that it can be read without colour.
func (f Figure) verdict() string {
	switch {
	case f.Met == nil:
		return ""
	case *f.Met:
		return "met"
	default:
		return "MISSED"
	}
}
