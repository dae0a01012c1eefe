package soak

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crossregion/crossregion/command"
	"github.com/crossregion/crossregion/local/deploy"
)

// Streams are where the command prints.
type Streams struct {
	Out io.Writer // the result
	Err io.Writer // what breaks and is mended
}

var line = command.Line{
	Name: "go run ./local soak",
	Does: `Keep a stack under a mixed load while random parts of it break, and check every
answer. Its clients call with API keys, whatever auth.mode its file says.`,
	Examples: []string{"", "--for 10m --inflight 200", "--stack eu --seed 7"},
}

// Command is `local soak`: it keeps a stack under load while random parts of it
// break. It fails, and prints the seed, unless every promise held and nothing was
// left.
func Command(ctx context.Context, args []string, s Streams) error {
	o := Options{}
	flags := line.Flags()
	flags.StringVar(&o.Stack, "stack", "prod", "stack to soak: the `name` in Pulumi.<name>.yaml")
	flags.DurationVar(&o.For, "for", 40*time.Second, "how `long`")
	flags.IntVar(&o.InFlight, "inflight", 50, "`number` of requests at once, 1 to 500")
	flags.Uint64Var(&o.Seed, "seed", uint64(time.Now().UnixNano()), "`number` that decides what is asked and what breaks (default: another each time)")
	switch _, err := line.Parse(flags, args, s.Out); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case o.For <= 0:
		return line.Mistake("for %s is too short: give more than nothing", o.For)
	case o.InFlight < 1 || o.InFlight > 500:
		return line.Mistake("inflight %d is out of range: give 1 to 500", o.InFlight)
	}
	root, err := deploy.FindRoot()
	if err != nil {
		return err
	}
	began := time.Now()
	o.Root, o.Tell = root, func(what string) { fmt.Fprintf(s.Err, "%6.1fs  %s\n", time.Since(began).Seconds(), what) }
	o.Tell(fmt.Sprintf("deploying stack %s; seed %d", o.Stack, o.Seed))
	r, err := Run(ctx, o)
	if err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted; nothing is left running")
		}
		return err
	}
	if err := r.print(s.Out); err != nil {
		return err
	}
	switch {
	case len(r.Broken) > 0:
		return fmt.Errorf("%d promises did not hold or were not tested; repeat with --stack %s --for %s --inflight %d --seed %d", len(r.Broken), o.Stack, o.For, o.InFlight, o.Seed)
	case r.Interrupted:
		return errors.New("interrupted; nothing is left running")
	}
	return nil
}

// print tells what a soak has shown.
func (r Result) print(w io.Writer) error {
	var b strings.Builder
	total := 0
	for _, what := range slices.Sorted(maps.Keys(r.Requests)) {
		fmt.Fprintf(&b, "%7d  %s\n", r.Requests[what], what)
		total += r.Requests[what]
	}
	fmt.Fprintf(&b, "%7d  requests: %d answered at their retry, %d failed twice while only DNS could have helped,\n", total, r.Retried, r.Excused)
	fmt.Fprintf(&b, "         %d of another tenant's ids could not be looked up\n\n", r.Unknown)
	for _, k := range kinds() {
		fmt.Fprintf(&b, "%7d  times %s\n", r.Faults[k.name], k.name)
	}
	l := r.Leaks
	fmt.Fprintf(&b, "\n%7d  processes, %d at once; the largest had %.1f MiB, and the median of %d grew by %.1f MiB;\n", l.Processes, l.Peak, mib(l.Memory), l.Measured, mib(l.Growth))
	fmt.Fprintf(&b, "         once quiet none had more than %d files open, %d were stuck, %d outlived the stack\n", l.Files, l.Stuck, l.Orphans)
	const most = 20
	for i, why := range r.Broken {
		if i == most {
			fmt.Fprintf(&b, "and %d more\n", len(r.Broken)-most)
			break
		}
		fmt.Fprintln(&b, why)
	}
	switch {
	case len(r.Broken) > 0:
	case r.Interrupted:
		fmt.Fprintln(&b, "Interrupted. All promises held until then, as far as they were put to the test.")
	default:
		fmt.Fprintln(&b, "All promises held.")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
