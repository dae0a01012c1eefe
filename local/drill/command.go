package drill

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/crossregion/crossregion/command"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/local/up"
)

// Streams are where the command prints.
type Streams struct {
	Out io.Writer // the tables
	Err io.Writer // how it goes
}

var line = command.Line{
	Name:      "go run ./local drill",
	Arguments: "[SCENARIO … | all | watch]",
	Does: `Break a stack on purpose, and see whether the promises hold. Its clients call with
API keys, whatever auth.mode its file says. Without an argument it lists the
scenarios. With watch it looks on while others break a deployed
stack; watch -h lists the flags of that.`,
	Examples: []string{"", "region-lost bedrock-throttled", "all --stack eu --report eu.html", "watch --endpoint https://us.llm.example.com --for 30m"},
	Max:      len(scenarios()) + 1,
}

// Command is `local drill`: it lists the scenarios, or plays those that are
// named and writes a report, or watches a deployed stack. It fails unless every
// promise held.
func Command(ctx context.Context, args []string, s Streams) error {
	if len(args) > 0 && args[0] == "watch" {
		return watchCommand(ctx, args[1:], s)
	}
	flags := line.Flags()
	stack := flags.String("stack", "prod", "stack to drill: the `name` in Pulumi.<name>.yaml")
	report := flags.String("report", "report.html", "`file` to write the pictures to")
	speed := flags.Float64("speed", 10, "how many `times` as fast as the machine's the cloud's time runs, 1 to 20")
	names, err := line.Parse(flags, args, s.Out)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case !(*speed >= 1 && *speed <= 20):
		return line.Mistake("speed %v is out of range: give 1 to 20", *speed)
	case len(names) == 0:
		return list(s.Out)
	}
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	if err := checkReport(*report); err != nil {
		return err
	}
	root, err := deploy.FindRoot()
	if err != nil {
		return err
	}
	return playAll(ctx, chosen, up.Options{Root: root, Stack: *stack, Listen: "127.0.0.1:0", Speed: *speed, Settings: settings(*speed)}, *report, s)
}

func list(w io.Writer) error {
	var b strings.Builder
	for _, one := range scenarios() {
		fmt.Fprintf(&b, "%-22s %s\n%-22s %s: %s\n", one.name, one.what, "", one.promises, one.text)
	}
	b.WriteString("\nPlay some of them with go run ./local drill <scenario> …, or all.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func choose(names []string) ([]scenario, error) {
	all := scenarios()
	known := map[string]scenario{"all": {}}
	for _, s := range all {
		known[s.name] = s
	}
	var chosen []scenario
	for _, name := range names {
		s, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("no scenario is called %q%s; go run ./local drill lists them",
				name, command.Suggest(name, slices.Sorted(maps.Keys(known))))
		}
		chosen = append(chosen, s)
	}
	if slices.Contains(names, "all") {
		return all, nil
	}
	return chosen, nil
}

// playAll plays one scenario after another. An interruption ends the one that is
// playing, and is reported with what has been seen by then; so is what was played
// before one that could not be.
func playAll(ctx context.Context, chosen []scenario, o up.Options, file string, s Streams) error {
	var pictures []picture
	for _, one := range chosen {
		p, err := play(ctx, one, o, s.Err)
		if err != nil {
			err = fmt.Errorf("drill %s: %w", one.name, err)
		}
		switch interrupted := ctx.Err() != nil; {
		case interrupted && p.Verdict.Interrupted:
			pictures = append(pictures, p)
			err = errors.Join(errInterrupted, err)
		case interrupted:
			err = errInterrupted // which whatever failed has failed for
		case err == nil:
			pictures = append(pictures, p)
			continue
		}
		if len(pictures) == 0 {
			return err
		}
		return errors.Join(err, conclude(pictures, file, s.Out))
	}
	return conclude(pictures, file, s.Out)
}

var errInterrupted = errors.New("interrupted; nothing is left running")

// play deploys a stack of its own for a scenario, so that none finds what
// another has left.
func play(ctx context.Context, one scenario, o up.Options, status io.Writer) (_ picture, err error) {
	fmt.Fprintf(status, "%s: deploying stack %s\n", one.name, o.Stack)
	running, err := start(ctx, o)
	if err != nil {
		return picture{}, err
	}
	defer func() { err = errors.Join(err, running.Close()) }()
	d, err := newDrill(one, running, o.Speed)
	if err != nil {
		return picture{}, err
	}
	fmt.Fprintf(status, "%s: running for %.0f s\n", one.name, d.real(d.length).Seconds())
	err = d.run(ctx, live(status))
	fmt.Fprintln(status)
	v := d.judge()
	if v.Interrupted = ctx.Err() != nil; v.Interrupted {
		v.Broken = nil // what has not ended has shown nothing
	}
	p := d.record.picture(v, d.excused)
	p.What, p.Promises, p.Expected = one.what, one.promises, one.text
	return p, err
}

// start deploys a stack. Its regions listen on the port that its front door was
// given, which another program may have at one of their addresses.
func start(ctx context.Context, o up.Options) (*up.Running, error) {
	const tries = 3
	for try := 1; ; try++ {
		running, err := up.Start(ctx, o)
		if try == tries || !errors.Is(err, syscall.EADDRINUSE) {
			return running, err
		}
	}
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
	regions := running.RegionNames
	if one.probed {
		regions = probedFirst(regions)
	}
	return &drill{
		scenario: one, running: running, faults: running.Account.Faults, bedrock: running.Account.Bedrock, home: map[string]string{},
		record: &record{
			title: one.name, speed: speed, window: window, length: one.lasts(), regions: regions,
			places: append(slices.Clone(regions), farAway[running.Jurisdiction]...),
		},
	}, nil
}
