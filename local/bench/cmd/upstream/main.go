// Command upstream serves the stand-in for Bedrock that the bench measures
// against, on the listener that it inherits: HTTP, and HTTPS for whoever begins
// with a proxy's CONNECT.
package main

import (
	"fmt"
	"os"

	"github.com/crossregion/crossregion/local/bench/inherit"
	"github.com/crossregion/crossregion/local/bench/upstream"
)

func main() {
	h, err := upstream.New()
	if err == nil {
		err = inherit.Serve(h)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "upstream:", err)
		os.Exit(1)
	}
}
