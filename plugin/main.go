// Command plugin offers the components to Pulumi programs in any language.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/crossregion/crossregion/plugin/remote"
)

func main() {
	if err := remote.Serve(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
