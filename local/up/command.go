package up

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/crossregion/crossregion/local/deploy"
)

// Streams are where the command prints.
type Streams struct {
	Out io.Writer // the result
	Err io.Writer // progress and errors
}

// Command is `local up`: it deploys a stack, prints where to call, and serves
// until ctx ends. It prints nothing about an error that it returns.
func Command(ctx context.Context, args []string, s Streams) error {
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	flags.SetOutput(s.Err)
	flags.Usage = func() {
		fmt.Fprint(s.Err, "Deploy a stack into the embedded cloud and serve it.\n\nusage: go run ./local up [flags]\n\n")
		flags.PrintDefaults()
	}
	stack := flags.String("stack", "prod", "stack to deploy: the `name` in Pulumi.<name>.yaml")
	listen := flags.String("listen", "127.0.0.1:8080", "loopback `address` of the front door; port 0 means any free one")
	from := flags.String("from", "", "`region` that clients are near to (default the stack's first)")
	asJSON := flags.Bool("json", false, "print the result as one JSON line on standard output")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return fmt.Errorf("%w; see go run ./local up -h", err)
	case flags.NArg() > 0:
		return fmt.Errorf("up takes no argument %q; see go run ./local up -h", flags.Arg(0))
	}
	root, err := deploy.FindRoot()
	if err != nil {
		return err
	}
	start := time.Now()
	r, err := Start(ctx, Options{
		Root: root, Stack: *stack, Listen: *listen, From: *from,
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

// print tells where to call.
func (r *Running) print(w io.Writer, took time.Duration, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(map[string]any{
			"endpoint": r.Endpoint, "apiKey": r.APIKey, "regions": r.Regions, "dns": r.DNS, "stack": r.Stack,
		})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nStack %s is up: %d resources in %.1f s.\n\n", r.Stack, r.Resources, took.Seconds())
	fmt.Fprintf(&b, "  %-15s %s   as clients near %s see %s\n", "front door", r.Endpoint, r.From, r.name())
	for _, region := range slices.Sorted(maps.Keys(r.Regions)) {
		fmt.Fprintf(&b, "  %-15s %s\n", region, r.Regions[region])
	}
	fmt.Fprintf(&b, "  %-15s %s\n", "DNS", r.DNS)
	fmt.Fprintf(&b, "  %-15s %s\n", "API key", r.APIKey)
	fmt.Fprintf(&b, "  %-15s %s\n\nTry it:\n\n%s\n\n", "models", strings.Join(r.Models, ", "), r.curl())
	fmt.Fprintf(&b, "OpenAI SDKs: base URL %s/v1 and the key above. Ctrl-C stops everything.\n", r.Endpoint)
	_, err := io.WriteString(w, b.String())
	return err
}

// name is what clients of the front door call.
func (r *Running) name() string {
	if r.Domain == "" {
		return "the stack (it has no domain: home region only)"
	}
	return r.Domain
}

// curl is a command that works when pasted into a shell.
func (r *Running) curl() string {
	return fmt.Sprintf(`curl -N %s/v1/chat/completions -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' `+
		`-d '{"model": %q, "stream": true, "messages": [{"role": "user", "content": "Please say 40 words."}]}'`,
		r.Endpoint, r.APIKey, r.Models[0])
}
