package drill

import (
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

//go:embed report.html
var page string

// writeReport writes one page about all drills.
func writeReport(w io.Writer, pictures []picture) error {
	t, err := template.New("report").Funcs(template.FuncMap{"seconds": seconds, "add": func(a, b int) int { return a + b }}).Parse(page)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return t.Execute(w, pictures)
}

// checkReport finds out early whether a report could be written there.
func checkReport(file string) error {
	folder, err := os.Stat(filepath.Dir(file))
	if err == nil && !folder.IsDir() {
		err = fmt.Errorf("%s is no folder", filepath.Dir(file))
	}
	if err != nil {
		return fmt.Errorf("report: %w; choose another file with --report", err)
	}
	return nil
}

func saveReport(file string, pictures []picture) error {
	out, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("report: %w; choose another file with --report", err)
	}
	return errors.Join(writeReport(out, pictures), out.Close())
}

// seconds words a time; none for one that was not seen.
func seconds(d time.Duration) string {
	switch {
	case d == 0:
		return "–"
	case d < 10*time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	default:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
}

// Word is the verdict in a word.
func (v verdict) Word() string {
	switch {
	case len(v.Broken) > 0:
		return "BROKEN"
	case v.Interrupted:
		return "interrupted"
	default:
		return "held"
	}
}

// writeTable prints what all drills have shown, and each place of them.
func writeTable(w io.Writer, pictures []picture) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "drill\trequests\tfailed once\tand their retry\tof these allowed\tturns checked\tlongest gap\telsewhere after\tback after\tpromises\t\n")
	for _, p := range pictures {
		v := p.Verdict
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t\n",
			v.Title, v.Requests, v.First, v.Failed, v.Allowed, v.Turns, seconds(v.Gap), seconds(v.Away), seconds(v.Back), v.Word())
	}
	fmt.Fprint(t, "\nfirst content\tplace\trequests\tfailed once\tand their retry\tmedian\t95 of 100\t\n")
	for _, p := range pictures {
		for _, at := range p.Verdict.Places {
			fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%s\t%s\t\n", p.Verdict.Title, at.Place, at.Requests, at.First, at.Failed, seconds(at.Median), seconds(at.Slow))
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	var b strings.Builder
	for _, p := range pictures {
		const most = 5
		for i, why := range p.Verdict.Broken {
			if i == most {
				fmt.Fprintf(&b, "%s: and %d more\n", p.Verdict.Title, len(p.Verdict.Broken)-most)
				break
			}
			fmt.Fprintf(&b, "%s: %s\n", p.Verdict.Title, why)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// conclude prints the tables, writes the report, and fails if a promise did not
// hold.
func conclude(pictures []picture, file string, w io.Writer) error {
	if err := writeTable(w, pictures); err != nil {
		return err
	}
	if err := saveReport(file, pictures); err != nil {
		return err
	}
	fmt.Fprintf(w, "The pictures are in %s.\n", file)
	var broken []string
	for _, p := range pictures {
		if len(p.Verdict.Broken) > 0 {
			broken = append(broken, p.Verdict.Title)
		}
	}
	if len(broken) > 0 {
		return fmt.Errorf("promises did not hold in %s", strings.Join(broken, ", "))
	}
	return nil
}
