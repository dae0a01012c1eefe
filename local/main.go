// Command local runs a stack on this machine: the real program, handlers and
// zips, in an embedded multi-region AWS.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

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
  policy     write what the role that deploys a stack may do, as JSON
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

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) > 0 && args[0] == "up":
		return up.Command(ctx, args[1:], up.Streams{Out: os.Stdout, Err: os.Stderr})
	case len(args) > 0 && args[0] == "drill":
		return drill.Command(ctx, args[1:], drill.Streams{Out: os.Stdout, Err: os.Stderr})
	case len(args) > 0 && args[0] == "soak":
		return soak.Command(ctx, args[1:], soak.Streams{Out: os.Stdout, Err: os.Stderr})
	case len(args) > 0 && args[0] == "bench":
		return bench.Command(ctx, args[1:], bench.Streams{Out: os.Stdout, Err: os.Stderr})
	case len(args) > 0 && args[0] == "residency":
		return residency.Command(ctx, args[1:], os.Stdout, os.Stderr)
	case len(args) > 0 && args[0] == "policy":
		return policy.Command(ctx, args[1:], os.Stdout, os.Stderr)
	case len(args) == 1 && (args[0] == "help" || args[0] == "-h" || args[0] == "--help"):
		fmt.Print(usage)
		return nil
	case len(args) == 0:
		return fmt.Errorf("no command given\n%s", usage)
	default:
		return fmt.Errorf("unknown command %q\n%s", args[0], usage)
	}
}
