// Package residency writes the evidence that a stack stays inside its
// jurisdiction, as the program exports it. It rests on what the embedded cloud
// answers; a deployed stack exports the same from what AWS has answered.
package residency

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"github.com/crossregion/crossregion/command"
	"github.com/crossregion/crossregion/local/account"
	"github.com/crossregion/crossregion/local/deploy"
)

// Options configure [Write].
type Options struct {
	Root  string // folder of the project
	Stack string // name of the stack
}

// Write deploys a stack into an embedded cloud that serves nobody, and writes
// its evidence as Markdown.
func Write(ctx context.Context, w io.Writer, o Options) (err error) {
	stack, err := deploy.Load(o.Root, o.Stack)
	if err != nil {
		return err
	}
	a, err := account.Open(account.Config{
		Port: "0", Viewer: stack.Settings.Regions[0].Name, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	stack.Prepare(a)
	outputs, err := stack.Deploy(ctx, a, func(deploy.Resource) {})
	if err != nil {
		return fmt.Errorf("deploy stack %s: %w", o.Stack, err)
	}
	report, ok := outputs["residency"].(string)
	if !ok {
		return fmt.Errorf("stack output residency is %T, not a string", outputs["residency"])
	}
	_, err = io.WriteString(w, report)
	return err
}

// Command is `local residency`.
func Command(ctx context.Context, args []string, out io.Writer) error {
	line := command.Line{
		Name:     "go run ./local residency",
		Does:     "Write where a stack processes and stores content, as Markdown.",
		Examples: []string{"--stack eu", "--stack prod > residency.md"},
	}
	flags := line.Flags()
	stack := flags.String("stack", "prod", "the stack: the `name` in Pulumi.<name>.yaml")
	switch _, err := line.Parse(flags, args, out); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	}
	root, err := deploy.FindRoot()
	if err != nil {
		return err
	}
	return Write(ctx, out, Options{Root: root, Stack: *stack})
}
