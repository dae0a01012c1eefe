package inference_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/inference"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	application = "arn:aws:test:eu-west-1:" + componenttest.Account + ":thing:test-m:live"
	system      = "arn:aws:bedrock:eu-west-1:" + componenttest.Account + ":inference-profile/"
)

// statement is one that allows an invocation, in regions and by profiles like the
// patterns; nil asks for nothing.
func statement(resources, regions, patterns []any) any {
	conditions := map[string]any{}
	if regions != nil {
		conditions["StringEquals"] = map[string]any{"aws:RequestedRegion": regions}
	}
	if patterns != nil {
		conditions["ArnLike"] = map[string]any{"bedrock:InferenceProfileArn": patterns}
	}
	s := map[string]any{"Effect": "Allow", "Action": []any{"bedrock:InvokeModelWithResponseStream"}, "Resource": resources}
	if len(conditions) > 0 {
		s["Condition"] = conditions
	}
	return s
}

// patterns are those of the two kinds of profile.
var patterns = []any{
	"arn:aws:bedrock:eu-west-1:" + componenttest.Account + ":application-inference-profile/*",
	"arn:aws:bedrock:eu-west-1:" + componenttest.Account + ":inference-profile/*",
}

func statements(t *testing.T, policy string) []any {
	t.Helper()
	var document struct{ Statement []any }
	require.NoError(t, json.Unmarshal([]byte(policy), &document))
	return document.Statement
}

// TestGlobalProfilesNeedThreeStatements, as AWS documents them, whether or not
// its answer lists the source region.
func TestGlobalProfilesNeedThreeStatements(t *testing.T) {
	for _, answer := range [][]string{{"", "eu-west-1"}, {""}} {
		_, policy, err := run(t, componenttest.New(routes(answer...)), &inference.ProfilesArgs{
			Region: "eu-west-1", Jurisdiction: "global", AllowGlobal: true, Models: []inference.Model{{Name: "m", Profile: "global.m"}},
		})
		require.NoError(t, err)
		source := []any{"eu-west-1"}
		assert.Equal(t, []any{
			statement([]any{system + "global.m", application}, source, nil),
			statement([]any{"arn:aws:bedrock:eu-west-1::foundation-model/m"}, source, patterns),
			statement([]any{"arn:aws:bedrock:::foundation-model/m"}, []any{"unspecified"}, patterns),
		}, statements(t, policy), "%q", answer)
	}
}

// TestKindsOfProfileDoNotMix: no global profile reaches a geographic one's
// models, nor the other way round without its region.
func TestKindsOfProfileDoNotMix(t *testing.T) {
	calls := routes("eu-central-1", "eu-west-1")
	for token, geographic := range calls {
		calls[token] = func(region string, args map[string]any) (map[string]any, error) {
			if args["inferenceProfileId"] == "global.n" {
				return routes("", "eu-west-1")[token](region, args)
			}
			return geographic(region, args)
		}
	}
	_, policy, err := run(t, componenttest.New(calls), &inference.ProfilesArgs{
		Region: "eu-west-1", Jurisdiction: "global", AllowGlobal: true,
		Models: []inference.Model{{Name: "m", Profile: "eu.m"}, {Name: "n", Profile: "global.n"}},
	})
	require.NoError(t, err)
	source, model := []any{"eu-west-1"}, "::foundation-model/"
	assert.Equal(t, []any{
		statement([]any{system + "eu.m", application}, nil, nil),
		statement([]any{"arn:aws:bedrock:eu-central-1" + model + "m", "arn:aws:bedrock:eu-west-1" + model + "m"}, nil, patterns),
		statement([]any{system + "global.n", strings.Replace(application, "test-m", "test-n", 1)}, source, nil),
		statement([]any{"arn:aws:bedrock:eu-west-1" + model + "n"}, source, patterns),
		statement([]any{"arn:aws:bedrock:" + model + "n"}, []any{"unspecified"}, patterns),
	}, statements(t, policy))
}

func TestGuardrailIsPermittedExactly(t *testing.T) {
	const own = "arn:aws:bedrock:eu-west-1:" + componenttest.Account + ":guardrail/g"
	profile := func(region string) any {
		return "arn:aws:bedrock:" + region + ":" + componenttest.Account + ":guardrail-profile/eu.guardrail.v1:0"
	}
	tests := []struct {
		name, profile string
		want          []any
	}{
		{"in its own region", "", []any{own}},
		{"across regions", "eu.guardrail.v1:0", []any{profile("eu-central-1"), profile("eu-north-1"), profile("eu-west-1"), profile("eu-west-3"), own}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := guarded(inference.Guardrail{ID: "g", Version: "1", Profile: tt.profile})
			a.Allowed = europe
			_, policy, err := run(t, componenttest.New(routes("eu-west-1")), a)
			require.NoError(t, err)
			all := statements(t, policy)
			require.Len(t, all, 3)
			got := all[2].(map[string]any)
			assert.ElementsMatch(t, tt.want, got["Resource"])
			assert.Equal(t, []any{"bedrock:ApplyGuardrail"}, got["Action"])
			assert.NotContains(t, got, "Condition")
		})
	}
}

// TestThePolicyMustFitARole: IAM refuses more than 10,240 characters, in the
// middle of a deployment. Real stacks are far from it, and the preview says so
// when one is not.
func TestThePolicyMustFitARole(t *testing.T) {
	models := func(n int) (out []inference.Model) {
		for i := range n {
			out = append(out, inference.Model{Name: fmt.Sprintf("m%d", i), Profile: fmt.Sprintf("eu.anthropic.claude-sonnet-4-5-2025092%d-v1:0", i)})
		}
		return out
	}
	invoke := func(guardrail string, keeps, regions, n int) error {
		return componenttest.New(routes(europe...)).Run(func(ctx *pulumi.Context) error {
			var all []*inference.Profiles
			for _, region := range []string{"eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3", "eu-south-1", "eu-south-2"}[:regions] {
				provider, err := aws.NewProvider(ctx, region, &aws.ProviderArgs{Region: pulumi.String(region)})
				if err != nil {
					return err
				}
				p, err := inference.NewProfiles(ctx, region, &inference.ProfilesArgs{
					Region: region, Jurisdiction: "eu", Allowed: europe, Models: models(n),
					Guardrail: &inference.Guardrail{ID: "abcdefghij12", Version: "1", Profile: guardrail},
				}, pulumi.Provider(provider))
				if err != nil {
					return err
				}
				all = append(all, p)
			}
			_, err := inference.InvokePolicy(keeps, all...)
			return err
		})
	}
	require.NoError(t, invoke("", 3, 3, 6))
	require.NoError(t, invoke("eu.guardrail.v1:0", 3, 3, 6))
	assert.ErrorContains(t, invoke("", 6, 6, 8), "use fewer models, fewer failover partners for each region, or fewer regions")
	assert.ErrorContains(t, invoke("", 9, 3, 6), "use fewer models", "conversations of other regions take room too")
}
