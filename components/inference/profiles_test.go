package inference_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/inference"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// routes answers GetInferenceProfile for every profile with the given regions.
func routes(regions ...string) map[string]componenttest.Call {
	return map[string]componenttest.Call{
		"aws:bedrock/getInferenceProfile:getInferenceProfile": func(region string, args map[string]any) (map[string]any, error) {
			models := []any{}
			for _, r := range regions {
				models = append(models, map[string]any{"modelArn": "arn:aws:bedrock:" + r + "::foundation-model/m"})
			}
			return map[string]any{
				"inferenceProfileArn": fmt.Sprintf("arn:aws:bedrock:%s:1:inference-profile/%s", region, args["inferenceProfileId"]),
				"models":              models,
			}, nil
		},
	}
}

func run(t *testing.T, rec *componenttest.Recorder, args *inference.ProfilesArgs) (policy string, err error) {
	t.Helper()
	err = rec.Run(func(ctx *pulumi.Context) error {
		region, err := aws.NewProvider(ctx, "region", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		p, err := inference.NewProfiles(ctx, "test", args, pulumi.Provider(region))
		if err != nil {
			return err
		}
		document, err := inference.InvokePolicy(p)
		document.ApplyT(func(s string) string { policy = s; return s })
		return err
	})
	return policy, err
}

func args(models ...inference.Model) *inference.ProfilesArgs {
	return &inference.ProfilesArgs{
		Region: "eu-west-1", Jurisdiction: "eu", Allowed: []string{"eu-west-1", "eu-central-1"}, Models: models,
	}
}

func TestProfilesArePermittedExactly(t *testing.T) {
	rec := componenttest.New(routes("eu-west-1", "eu-central-1"))
	got, err := run(t, rec, args(inference.Model{Name: "claude-4.5", Profile: "eu.m"}))
	require.NoError(t, err)
	rec.CheckComponents(t)

	profile := rec.One(t, "aws:bedrock/inferenceProfile:InferenceProfile", "test-claude-4-5")
	assert.Equal(t, "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.m", profile.Inputs["modelSource"].ObjectValue()["copyFrom"].StringValue())

	application := "arn:aws:test:eu-west-1:" + componenttest.Account + ":thing:test-claude-4-5:live"
	system := "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.m"
	want := map[string]any{"Version": "2012-10-17", "Statement": []any{
		map[string]any{"Effect": "Allow", "Action": invoke, "Resource": []any{system, application}},
		map[string]any{"Effect": "Allow", "Action": invoke,
			"Resource":  []any{"arn:aws:bedrock:eu-central-1::foundation-model/m", "arn:aws:bedrock:eu-west-1::foundation-model/m"},
			"Condition": map[string]any{"StringEquals": map[string]any{"bedrock:InferenceProfileArn": []any{system, application}}}},
	}}
	var policy map[string]any
	require.NoError(t, json.Unmarshal([]byte(got), &policy))
	assert.Equal(t, want, policy)
}

var invoke = []any{"bedrock:InvokeModelWithResponseStream"}

func TestAModelInItsRegionNeedsNoSystemProfile(t *testing.T) {
	rec := componenttest.New(nil)
	policy, err := run(t, rec, args(inference.Model{Name: "embed", ID: "amazon.titan"}))
	require.NoError(t, err)
	profile := rec.One(t, "aws:bedrock/inferenceProfile:InferenceProfile", "test-embed")
	assert.Equal(t, "arn:aws:bedrock:eu-west-1::foundation-model/amazon.titan", profile.Inputs["modelSource"].ObjectValue()["copyFrom"].StringValue())
	assert.NotContains(t, policy, ":inference-profile/")
	assert.Contains(t, policy, "arn:aws:bedrock:eu-west-1::foundation-model/amazon.titan")
}

func TestProfilesRefuse(t *testing.T) {
	model := inference.Model{Name: "m", Profile: "eu.m"}
	tests := []struct {
		name  string
		calls map[string]componenttest.Call
		args  *inference.ProfilesArgs
		want  []string
	}{
		{"no arguments", routes("eu-west-1"), nil, []string{"no arguments"}},
		{"no region", routes("eu-west-1"), &inference.ProfilesArgs{Models: []inference.Model{model}}, []string{"missing Region", "missing Allowed"}},
		{"a model that is nothing", routes("eu-west-1"), args(inference.Model{Name: "m"}), []string{`model "m" needs a name and either`}},
		{"a destination outside the jurisdiction", routes("eu-west-1", "eu-west-2"), args(model), []string{"eu.m", "called from eu-west-1", "eu-west-2", `jurisdiction "eu"`}},
		{"a destination anywhere", routes("eu-west-1", ""), args(model), []string{"any commercial region"}},
		{"a profile that AWS does not know", nil, args(model), []string{"eu.m in eu-west-1", "check that the profile exists"}},
		{"every model that leaves, not the first alone", routes("us-east-1"), args(model, inference.Model{Name: "n", Profile: "eu.n"}), []string{"profile eu.m", "profile eu.n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := componenttest.New(tt.calls)
			_, err := run(t, rec, tt.args)
			for _, want := range tt.want {
				assert.ErrorContains(t, err, want)
			}
			assert.Empty(t, rec.Of("aws:bedrock/inferenceProfile:InferenceProfile"))
		})
	}
}

// TestThePolicyMustFitARole: IAM refuses more than 10,240 characters, in the
// middle of a deployment. Real stacks are far from it, and the preview says so
// when one is not.
func TestThePolicyMustFitARole(t *testing.T) {
	europe := []string{"eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"}
	models := func(n int) (out []inference.Model) {
		for i := range n {
			out = append(out, inference.Model{Name: fmt.Sprintf("m%d", i), Profile: fmt.Sprintf("eu.anthropic.claude-sonnet-4-5-2025092%d-v1:0", i)})
		}
		return out
	}
	invoke := func(regions, n int) error {
		return componenttest.New(routes(europe...)).Run(func(ctx *pulumi.Context) error {
			var all []*inference.Profiles
			for _, region := range europe[:regions] {
				provider, err := aws.NewProvider(ctx, region, &aws.ProviderArgs{Region: pulumi.String(region)})
				if err != nil {
					return err
				}
				p, err := inference.NewProfiles(ctx, region, &inference.ProfilesArgs{
					Region: region, Jurisdiction: "eu", Allowed: europe, Models: models(n),
				}, pulumi.Provider(provider))
				if err != nil {
					return err
				}
				all = append(all, p)
			}
			_, err := inference.InvokePolicy(all...)
			return err
		})
	}
	require.NoError(t, invoke(3, 6))
	assert.ErrorContains(t, invoke(6, 6), "use fewer models, or fewer failover partners")
}
