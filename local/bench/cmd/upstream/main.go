// Command upstream serves the stand-in for Bedrock that the bench measures
// against: HTTP on the first listener that it inherits, and HTTPS on the second,
// as well as to whoever takes the first for a proxy and asks it for a tunnel.
package main

import (
	"fmt"
	"os"

	"github.com/crossregion/crossregion/local/bench/inherit"
	"github.com/crossregion/crossregion/local/bench/upstream"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "upstream:", err)
		os.Exit(1)
	}
}

func run() error {
	h, err := upstream.New()
	if err != nil {
		return err
	}
	l, err := inherit.Listener(1)
	if err != nil {
		return err
	}
	tunnels := upstream.NewTunnels(h, l)
	failed := make(chan error, 1)
	go func() { failed <- tunnels.ServeTLS(os.Getenv(upstream.EnvCertificate), os.Getenv(upstream.EnvKey)) }()
	go func() { failed <- inherit.Serve(tunnels) }()
	return <-failed
}
