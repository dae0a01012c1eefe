package up

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/crossregion/crossregion/command"
	"github.com/crossregion/crossregion/local/deploy"
)

// Streams are where the command prints.
type Streams struct {
	Out io.Writer // the result
	Err io.Writer // progress and errors
}

var line = command.Line{
	Name: "go run ./local up",
	Does: "Deploy a stack into the embedded cloud and serve it until Ctrl-C.",
	Examples: []string{
		"", "--stack eu --from eu-west-1", "--listen 127.0.0.1:0 --json", "--engine",
	},
}

// Command is `local up`: it deploys a stack, prints where to call, and serves
// until ctx ends. It prints nothing about an error that it returns.
func Command(ctx context.Context, args []string, s Streams) error {
	flags := line.Flags()
	stack := flags.String("stack", "prod", "stack to deploy: the `name` in Pulumi.<name>.yaml")
	listen := flags.String("listen", "127.0.0.1:8080", "loopback `address` of the front door; port 0 means any free one")
	from := flags.String("from", "", "`region` that clients are near to (default the stack's first)")
	real := flags.Bool("engine", false, "deploy with the real Pulumi engine, which remembers: a later run shows what it changes, and changes that")
	state := flags.String("state", "", "`folder` of the real engine's state (default .build/engine/<stack> in the project)")
	asJSON := flags.Bool("json", false, "print the result as one JSON line on standard output")
	switch _, err := line.Parse(flags, args, s.Out); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case *state != "" && !*real:
		return line.Mistake("--state is of the real engine: add --engine")
	}
	root, err := deploy.FindRoot()
	if err != nil {
		return err
	}
	if *real && *state == "" {
		*state = filepath.Join(root, ".build", "engine", *stack)
	}
	start := time.Now()
	r, err := Start(ctx, Options{
		Root: root, Stack: *stack, Listen: *listen, From: *from, State: *state, Diff: s.Err,
		Log: slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Progress: func(step string) {
			fmt.Fprintf(s.Err, "%5.1fs  %s\n", time.Since(start).Seconds(), step)
		},
	})
	if err != nil {
		return interrupted(ctx, err)
	}
	remove, err := r.WriteState(root)
	if err != nil {
		return errors.Join(err, r.Close())
	}
	printed := r.print(s.Out, time.Since(start), *asJSON)
	if printed == nil {
		<-ctx.Done()
	}
	fmt.Fprintln(s.Err, "stopping")
	return errors.Join(printed, remove(), r.Close())
}

// interrupted replaces what an interruption broke by the interruption.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted; nothing is left running")
	}
	return err
}
