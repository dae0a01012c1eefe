package bench

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/crossregion/crossregion/command"
	"github.com/crossregion/crossregion/local/deploy"
)

// Streams are where [Command] writes: results to Out, progress to Err.
type Streams struct{ Out, Err io.Writer }

// Command runs the bench with the arguments of the command line.
func Command(ctx context.Context, args []string, s Streams) error {
	line := command.Line{
		Name:     "go run ./local bench",
		Does:     "Measure what the gateway costs, next to the least that could do the work and to other gateways.",
		Examples: []string{"", "--quick", "--only overhead,coldstart"},
	}
	flags := line.Flags()
	only := flags.String("only", "", "`parts` to run, with commas: "+strings.Join(names(), ", "))
	fast := flags.Bool("quick", false, "measure less, within a minute")
	profiles := flags.String("cpuprofile", "", "`folder` for profiles of the processes in part overhead")
	list := flags.String("json", "bench.json", "`file` for the figures")
	page := flags.String("html", "bench.html", "`file` for the pictures")
	switch _, err := line.Parse(flags, args, s.Out); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	}
	root, err := deploy.FindRoot()
	if err != nil {
		return err
	}
	o := Options{Root: root, Quick: *fast, Profiles: *profiles, Progress: func(line string) { fmt.Fprintln(s.Err, line) }}
	if *only != "" {
		o.Parts = strings.Split(*only, ",")
	}
	if *profiles != "" {
		if err := os.MkdirAll(*profiles, 0o755); err != nil {
			return fmt.Errorf("make a folder for profiles: %w", err)
		}
	}
	r, err := Run(ctx, o)
	if err != nil && len(r.Figures) == 0 {
		return err
	}
	// What was found before an error took minutes.
	return errors.Join(err, conclude(r, *list, *page, s.Out))
}

func names() []string {
	var all []string
	for _, p := range parts() {
		all = append(all, p.name)
	}
	return all
}

// conclude prints the table and writes both files.
func conclude(r Result, list, page string, w io.Writer) error {
	if err := writeTable(w, r.Figures); err != nil {
		return err
	}
	for _, n := range r.Notes {
		fmt.Fprintln(w, "\nNote:", n)
	}
	if err := writeFile(list, func(w io.Writer) error { return writeJSON(w, r.Figures) }); err != nil {
		return err
	}
	if err := writeFile(page, func(w io.Writer) error { return writePage(w, r) }); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d figures, %d targets missed. They are in %s, the pictures in %s; docs/performance.md says how to read them.\n",
		len(r.Figures), missed(r.Figures), list, page)
	return err
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return errors.Join(write(f), f.Close())
}

// writeJSON writes the figures as one list.
func writeJSON(w io.Writer, figures []Figure) error {
	if figures == nil {
		figures = []Figure{}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(figures)
}
