// Command ops is what an operator does to a stack that is deployed: it mints,
// lists and revokes API keys, sets the limits of tenants, erases what a tenant
// said, and drains regions. It deploys nothing and reads no conversation.
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
	defer stop()
	if err := Run(ctx, os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}); err != nil {
		fmt.Fprintln(os.Stderr, "ops:", err)
		os.Exit(exitCode(err))
	}
}
