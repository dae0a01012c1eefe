// Command crossregion is the Pulumi program that deploys one stack; see package
// stacks.
package main

import (
	"github.com/crossregion/crossregion/stacks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() { pulumi.Run(stacks.Program) }
