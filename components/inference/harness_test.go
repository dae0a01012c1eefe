package inference_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/inference"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

var europe = []string{"eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"}

// routes answers GetInferenceProfile for every profile with the given regions.
func routes(regions ...string) map[string]componenttest.Call {
	return map[string]componenttest.Call{
		"aws:bedrock/getInferenceProfile:getInferenceProfile": func(region string, args map[string]any) (map[string]any, error) {
			models := []any{}
			id := args["inferenceProfileId"].(string)
			_, model, _ := strings.Cut(id, ".")
			for _, r := range regions {
				models = append(models, map[string]any{"modelArn": "arn:aws:bedrock:" + r + "::foundation-model/" + model})
			}
			return map[string]any{
				"inferenceProfileArn": fmt.Sprintf("arn:aws:bedrock:%s:%s:inference-profile/%s", region, componenttest.Account, id),
				"models":              models,
			}, nil
		},
	}
}

func run(t *testing.T, rec *componenttest.Recorder, args *inference.ProfilesArgs) (p *inference.Profiles, policy string, err error) {
	t.Helper()
	err = rec.Run(func(ctx *pulumi.Context) error {
		region, err := aws.NewProvider(ctx, "region", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		p, err = inference.NewProfiles(ctx, "test", args, pulumi.Provider(region))
		if err != nil {
			return err
		}
		document, err := inference.InvokePolicy(1, p)
		// The engine waits for what is exported.
		ctx.Export("policy", document.ApplyT(func(s string) string { policy = s; return s }))
		return err
	})
	return p, policy, err
}

func args(models ...inference.Model) *inference.ProfilesArgs {
	return &inference.ProfilesArgs{
		Region: "eu-west-1", Jurisdiction: "eu", Allowed: []string{"eu-west-1", "eu-central-1"}, Models: models,
	}
}

// guarded are arguments with one model and a guardrail.
func guarded(g inference.Guardrail) *inference.ProfilesArgs {
	a := args(inference.Model{Name: "m", Profile: "eu.m"})
	a.Guardrail = &g
	return a
}
