package inference_test

import (
	"fmt"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/inference"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// A model is callable in one region, and stays in the European Union.
func Example() {
	program := func(ctx *pulumi.Context) error {
		provider, err := aws.NewProvider(ctx, "eu-west-1", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		p, err := inference.NewProfiles(ctx, "eu-west-1-inference", &inference.ProfilesArgs{
			Region: "eu-west-1", Jurisdiction: "eu", Allowed: []string{"eu-central-1", "eu-west-1"},
			Models: []inference.Model{{Name: "claude-sonnet", Profile: "eu.anthropic.claude-sonnet-9"}},
		}, pulumi.Provider(provider))
		if err != nil {
			return err
		}
		fmt.Println(p.ModelDestinations("claude-sonnet"))
		_, err = inference.InvokePolicy(1, p)
		return err
	}
	if err := componenttest.New(routes("eu-central-1", "eu-west-1")).Run(program); err != nil {
		fmt.Println(err)
	}
	// Output: [eu-central-1 eu-west-1]
}
