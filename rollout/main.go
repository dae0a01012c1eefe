// Command rollout brings a new version of a stack to its regions, one after the
// other. It plans from what Pulumi would change, has Pulumi change one region,
// watches that region, and stops at the first that does not stay well, so that
// the others go on with the version that they have.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the rollout at once, and Pulumi still in good order.
	context.AfterFunc(ctx, stop)
	if err := Run(ctx, os.Args[1:], Streams{Out: os.Stdout}); err != nil {
		fmt.Fprintln(os.Stderr, "rollout:", err)
		os.Exit(exitCode(err))
	}
}
