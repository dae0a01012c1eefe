// Package remote offers the components to Pulumi programs in any language. For
// each it has the arguments as a schema can express them, and hands them on: a
// component that needs another takes what it needs of that one's outputs.
package remote

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi-go-provider/infer"
)

// Name of the package, as programs and its plugin's file bear it.
const Name = "crossregion"

// Version of the package.
const Version = "0.1.0"

// Serve answers the engine that started the process, until it is done.
func Serve(ctx context.Context) error {
	provider, err := infer.NewProviderBuilder().
		WithDisplayName(Name).
		WithNamespace(Name).
		WithDescription("Parts of a multi-region LLM gateway on Amazon Bedrock.").
		WithLicense("Apache-2.0").
		WithRepository("https://github.com/crossregion/crossregion").
		WithGoImportPath("github.com/crossregion/crossregion/sdk/go/crossregion").
		WithComponents(
			infer.ComponentF(newTables),
			infer.ComponentF(newKey),
			infer.ComponentF(newProfiles),
			infer.ComponentF(newRole),
			infer.ComponentF(newFunction),
			infer.ComponentF(newCertificate),
			infer.ComponentF(newRegionalAPI),
			infer.ComponentF(newWebACL),
			infer.ComponentF(newGlobalRouting),
			infer.ComponentF(newFrontDoor),
			infer.ComponentF(newRegionalAlarms),
			infer.ComponentF(newDashboard),
		).Build()
	if err != nil {
		return fmt.Errorf("offer the components: %w", err)
	}
	return provider.Run(ctx, Name, Version)
}
