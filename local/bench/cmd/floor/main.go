// Command floor serves the least that a gateway before Bedrock does: over HTTP on
// the listener that it inherits or, where Lambda's Runtime API is, as a function
// that answers whole.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/crossregion/crossregion/local/bench/floor"
	"github.com/crossregion/crossregion/local/bench/inherit"
)

func main() {
	h := floor.New(os.Getenv)
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		lambda.Start(h.Invoke)
	}
	if err := inherit.Serve(h); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}
