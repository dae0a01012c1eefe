// Command local runs a stack on this machine: the real program, handlers and
// zips, in an embedded multi-region AWS.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/crossregion/crossregion/command"
	"github.com/crossregion/crossregion/local/bench"
	"github.com/crossregion/crossregion/local/drill"
	"github.com/crossregion/crossregion/local/policy"
	"github.com/crossregion/crossregion/local/residency"
	"github.com/crossregion/crossregion/local/soak"
	"github.com/crossregion/crossregion/local/up"
)

const usage = `usage: go run ./local <command>

commands:
  up         deploy a stack into the embedded cloud and serve it; up -h lists its flags
  drill      break a stack on purpose and see whether the promises hold; drill -h lists its flags
  soak       keep a stack under load while random parts of it break; soak -h lists its flags
  bench      measure what the gateway costs, next to the least and to others; bench -h lists its flags
  residency  write where a stack processes and stores content, as Markdown
  policy     write what the role that deploys a stack may do, as JSON, or what nobody in its account may

examples:
  go run ./local up
  go run ./local drill region-lost
  go run ./local residency --stack eu
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends what does not want to end.
	context.AfterFunc(ctx, stop)
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "local:", err)
		os.Exit(1)
	}
}

// commands are what may follow go run ./local.
var commands = map[string]func(ctx context.Context, args []string) error{
	"up": func(ctx context.Context, args []string) error {
		return up.Command(ctx, args, up.Streams{Out: os.Stdout, Err: os.Stderr})
	},
	"drill": func(ctx context.Context, args []string) error {
		return drill.Command(ctx, args, drill.Streams{Out: os.Stdout, Err: os.Stderr})
	},
	"soak": func(ctx context.Context, args []string) error {
		return soak.Command(ctx, args, soak.Streams{Out: os.Stdout, Err: os.Stderr})
	},
	"bench": func(ctx context.Context, args []string) error {
		return bench.Command(ctx, args, bench.Streams{Out: os.Stdout, Err: os.Stderr})
	},
	"residency": func(ctx context.Context, args []string) error { return residency.Command(ctx, args, os.Stdout) },
	"policy":    func(ctx context.Context, args []string) error { return policy.Command(ctx, args, os.Stdout) },
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("no command given\n%s", usage)
	}
	if do, ok := commands[args[0]]; ok {
		return do(ctx, args[1:])
	}
	if len(args) == 1 && (args[0] == "help" || args[0] == "-h" || args[0] == "--help") {
		fmt.Print(usage)
		return nil
	}
	return fmt.Errorf("unknown command %q%s\n%s", args[0], command.Suggest(args[0], slices.Sorted(maps.Keys(commands))), usage)
}
