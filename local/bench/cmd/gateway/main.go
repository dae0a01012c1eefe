// Command gateway serves the invoker's handler over HTTP on the listener that it
// inherits, as the deployed function's environment configures it. With -tenant
// requests pass through the adapter of API Gateway's events and belong to that
// tenant, whose use is counted.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"github.com/crossregion/crossregion/lambda/heap"
	"github.com/crossregion/crossregion/lambda/invoker"
	"github.com/crossregion/crossregion/local/bench/door"
	"github.com/crossregion/crossregion/local/bench/inherit"
)

func main() {
	tenant := flag.String("tenant", "", "whose requests these are; empty for nobody's")
	flag.Parse()
	heap.Configure(os.Getenv) // as the deployed function's main does
	if err := run(*tenant); err != nil {
		fmt.Fprintln(os.Stderr, "gateway:", err)
		os.Exit(1)
	}
}

func run(tenant string) error {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	var h http.Handler
	h, err := invoker.New(os.Getenv, log)
	if err != nil {
		return err
	}
	if tenant != "" {
		h = door.New(h, tenant, log)
	}
	return inherit.Serve(h)
}
