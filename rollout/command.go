package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/crossregion/crossregion/command"
)

// Streams are where the command prints.
type Streams struct {
	Out io.Writer // progress, and what Pulumi prints
}

var line = command.Line{
	Name: "go run ./rollout",
	Does: `Bring what is in this folder to a stack, region by region. Run it where pulumi up
would be run: it needs the Pulumi CLI and AWS credentials.`,
	Examples: []string{"--stack eu --plan", "--stack eu --bake 20m"},
}

// errUsage is in the chain of a mistake in the command line.
var errUsage = command.ErrUsage

func exitCode(err error) int {
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}

// options are the command line.
type options struct {
	stack  string
	bake   time.Duration // or asSettings
	ignore []string
	plan   bool

	dataLoss bool // what holds data may be deleted or replaced
}

// asSettings stands for the time that the settings give.
const asSettings time.Duration = -1

func parse(args []string, help io.Writer) (o options, err error) {
	flags := line.Flags()
	flags.StringVar(&o.stack, "stack", "", "the stack's `name`, as Pulumi knows it")
	o.bake = asSettings
	flags.Func("bake", "`time` for which a region must be quiet before the next, e.g. 15m (default: rollout.bakeMinutes of the settings)", func(text string) (err error) {
		if o.bake, err = time.ParseDuration(text); err == nil && o.bake < 0 {
			err = errors.New("give 0s or more")
		}
		return err
	})
	flags.BoolVar(&o.plan, "plan", false, "print what each step will change, and change nothing")
	flags.BoolVar(&o.dataLoss, "allow-data-loss", false, "delete and replace tables, keys and logs too, if that is in the plan")
	ignore := flags.String("ignore", "", "`roles` of alarms that stop nothing, with commas, e.g. concurrency,first-token")
	if _, err := line.Parse(flags, args, help); err != nil {
		return o, err
	}
	if *ignore != "" {
		o.ignore = strings.Split(*ignore, ",")
	}
	if o.stack == "" {
		return o, line.Mistake("give --stack")
	}
	return o, nil
}

// Run does what args say. It prints nothing about an error that it returns.
func Run(ctx context.Context, args []string, s Streams) error {
	o, err := parse(args, s.Out)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("load AWS credentials: %w", err)
	}
	r := &rollout{
		engine: cli{stack: o.stack, out: s.Out}, out: s.Out,
		watch: watcher{
			alarms: cloudWatch{cfg}, client: &http.Client{Timeout: 5 * time.Second},
			clock: realClock{}, every: 15 * time.Second, ignore: o.ignore,
		},
	}
	return r.run(ctx, o)
}

// clock is time as the rollout sees it.
type clock interface {
	Now() time.Time
	// Sleep returns early, with the context's error, when that ends.
	Sleep(ctx context.Context, d time.Duration) error
}

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
