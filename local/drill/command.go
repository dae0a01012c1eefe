package drill

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/local/up"
)

// Streams are where the command prints.
type Streams struct {
	Out io.Writer // the table
	Err io.Writer // how it goes
}

// Command is `local drill`: it lists the scenarios, or plays those that are
// named and writes a report. It fails unless every promise held.
func Command(ctx context.Context, args []string, s Streams) error {
	flags := flag.NewFlagSet("drill", flag.ContinueOnError)
	flags.SetOutput(s.Err)
	flags.Usage = func() {
		fmt.Fprint(s.Err, "Break a stack on purpose, and see whether the promises hold.\n\nusage: go run ./local drill [flags] [scenario … | all]\n\n")
		flags.PrintDefaults()
	}
	stack := flags.String("stack", "prod", "stack to drill: the `name` in Pulumi.<name>.yaml")
	report := flags.String("report", "report.html", "`file` to write the pictures to")
	speed := flags.Float64("speed", 10, "how many times as fast as the machine's the cloud's time runs, 1 to 20")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return fmt.Errorf("%w; see go run ./local drill -h", err)
	case *speed < 1 || *speed > 20:
		return fmt.Errorf("speed %v is out of range: give 1 to 20", *speed)
	}
	if flags.NArg() == 0 {
		return list(s.Out)
	}
	chosen, err := choose(flags.Args())
	if err != nil {
		return err
	}
	root, err := deploy.FindRoot()
	if err != nil {
		return err
	}
	var pictures []picture
	for _, one := range chosen {
		p, err := play(ctx, one, up.Options{Root: root, Stack: *stack, Listen: "127.0.0.1:0", Speed: *speed, Settings: settings(*speed)}, s.Err)
		if err != nil {
			return fmt.Errorf("drill %s: %w", one.name, err)
		}
		pictures = append(pictures, p)
	}
	return conclude(pictures, *report, s.Out)
}

func list(w io.Writer) error {
	var b strings.Builder
	for _, one := range scenarios() {
		fmt.Fprintf(&b, "%-18s %s\n", one.name, one.what)
	}
	b.WriteString("\nPlay some of them with go run ./local drill <scenario> …, or all.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func choose(names []string) ([]scenario, error) {
	all := scenarios()
	if slices.Equal(names, []string{"all"}) {
		return all, nil
	}
	var chosen []scenario
	for _, name := range names {
		i := slices.IndexFunc(all, func(s scenario) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no scenario is called %q; go run ./local drill lists them", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// play deploys a stack of its own for a scenario, so that none finds what
// another has left.
func play(ctx context.Context, one scenario, o up.Options, status io.Writer) (_ picture, err error) {
	fmt.Fprintf(status, "%s: deploying stack %s\n", one.name, o.Stack)
	running, err := up.Start(ctx, o)
	if err != nil {
		return picture{}, err
	}
	defer func() { err = errors.Join(err, running.Close()) }()
	d, err := newDrill(one, running, o.Speed)
	if err != nil {
		return picture{}, err
	}
	err = d.run(ctx, live(status))
	fmt.Fprintln(status)
	if err == nil {
		err = ctx.Err() // an interruption has shown nothing
	}
	return d.picture(d.judge()), err
}

// live keeps one line of a terminal up to date; anything else hears nothing until
// the end.
func live(w io.Writer) func(string) {
	f, ok := w.(*os.File)
	if !ok {
		return func(string) {}
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return func(string) {}
	}
	return func(line string) { fmt.Fprintf(f, "\r%-100s", line) }
}

// farAway are places of clients besides those in the stack's own regions.
var farAway = map[string][]string{"us": {"ca-central-1", "sa-east-1"}, "eu": {"eu-south-1", "eu-west-2"}}

func newDrill(one scenario, running *up.Running, speed float64) (*drill, error) {
	if running.Domain == "" || len(running.RegionNames) < 3 {
		return nil, fmt.Errorf("stack %s: a drill needs a domain and three regions", running.Stack)
	}
	return &drill{
		scenario: one, running: running, faults: running.Account.Faults, bedrock: running.Account.Bedrock, speed: speed,
		regions: running.RegionNames, places: append(slices.Clone(running.RegionNames), farAway[running.Jurisdiction]...),
	}, nil
}

// conclude prints the table, writes the report, and fails if a promise did not
// hold.
func conclude(pictures []picture, file string, w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%-18s %9s %12s %13s %10s %12s %10s %9s  %s\n",
		"scenario", "requests", "failed once", "failed twice", "in window", "whole turns", "elsewhere", "back", "promises")
	var broken []string
	for _, p := range pictures {
		v, verdict := p.Verdict, "held"
		if len(v.Broken) > 0 {
			verdict = "BROKEN"
			broken = append(broken, v.Scenario)
		}
		fmt.Fprintf(&b, "%-18s %9d %12d %13d %10d %12d %10s %9s  %s\n", v.Scenario, v.Requests, v.First, v.Failed, v.Allowed, v.Turns,
			v.Away.Round(100*time.Millisecond), v.Back.Round(100*time.Millisecond), verdict)
		for _, why := range v.Broken[:min(len(v.Broken), 5)] {
			fmt.Fprintf(&b, "    %s\n", why)
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := errors.Join(writeReport(out, pictures), out.Close()); err != nil {
		return err
	}
	fmt.Fprintf(w, "The pictures are in %s. Times are the embedded cloud's.\n", file)
	if len(broken) > 0 {
		return fmt.Errorf("promises did not hold in %s", strings.Join(broken, ", "))
	}
	return nil
}
