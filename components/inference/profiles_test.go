package inference_test

import (
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/inference"
	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProfilesArePermittedExactly(t *testing.T) {
	rec := componenttest.New(routes("eu-west-1", "eu-central-1"))
	_, got, err := run(t, rec, args(inference.Model{Name: "claude-4.5", Profile: "eu.m"}))
	require.NoError(t, err)
	rec.CheckComponents(t)

	profile := rec.One(t, "aws:bedrock/inferenceProfile:InferenceProfile", "test-claude-4-5")
	assert.Equal(t, "arn:aws:bedrock:eu-west-1:"+componenttest.Account+":inference-profile/eu.m", profile.Inputs["modelSource"].ObjectValue()["copyFrom"].StringValue())

	application := strings.Replace(application, "test-m", "test-claude-4-5", 1)
	assert.Equal(t, []any{
		statement([]any{system + "eu.m", application}, nil, nil),
		statement([]any{"arn:aws:bedrock:eu-central-1::foundation-model/m", "arn:aws:bedrock:eu-west-1::foundation-model/m"}, nil, patterns),
	}, statements(t, got))
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
		{"a destination anywhere, and names its price", routes("eu-west-1", ""), args(model),
			[]string{"any commercial region", `"eu" does not allow`, "about 10 % cheaper", "https://docs.aws.amazon.com/bedrock/"}},
		{"a guardrail by its ARN", routes("eu-west-1"), guarded(inference.Guardrail{ID: "arn:aws:bedrock:x", Version: "1"}), []string{"needs an ID, not an ARN"}},
		{"a guardrail without a version", routes("eu-west-1"), guarded(inference.Guardrail{ID: "g"}), []string{"and a version"}},
		{"a guardrail profile that is not known", routes("eu-west-1"), guarded(inference.Guardrail{ID: "g", Version: "1", Profile: "xx.guardrail.v1:0"}),
			[]string{"not known where guardrail profile xx.guardrail.v1:0 routes from eu-west-1"}},
		{"a known guardrail profile in another geography", routes("eu-west-1"), guarded(inference.Guardrail{ID: "g", Version: "1", Profile: "us.guardrail.v1:0"}),
			[]string{"not known where guardrail profile us.guardrail.v1:0 routes from eu-west-1"}},
		{"a guardrail that is evaluated outside", routes("eu-west-1"), guarded(inference.Guardrail{ID: "g", Version: "1", Profile: "eu.guardrail.v1:0"}),
			[]string{"may evaluate in eu-north-1", "may evaluate in eu-west-3", `jurisdiction "eu"`}},
		{"a profile that AWS does not know", nil, args(model), []string{"eu.m in eu-west-1", "check that the profile exists"}},
		{"a profile of a model that embeds", routes("eu-west-1"), args(inference.Model{Name: "m", Profile: "eu.cohere.embed-v4:0"}),
			[]string{"have no application inference profiles", "set model: cohere.embed-v4:0"}},
		{"every model that leaves, not the first alone", routes("us-east-1"), args(model, inference.Model{Name: "n", Profile: "eu.n"}), []string{"profile eu.m", "profile eu.n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := componenttest.New(tt.calls)
			_, _, err := run(t, rec, tt.args)
			for _, want := range tt.want {
				assert.ErrorContains(t, err, want)
			}
			assert.Empty(t, rec.Of("aws:bedrock/inferenceProfile:InferenceProfile"))
		})
	}
}

func TestEveryDestinationIsTold(t *testing.T) {
	rec := componenttest.New(routes("eu-west-1", "eu-central-1"))
	a := args(inference.Model{Name: "m", Profile: "eu.m"})
	a.Allowed, a.Guardrail = europe, &inference.Guardrail{ID: "g", Version: "7", Profile: "eu.guardrail.v1:0"}
	var told map[string][]string
	var p *inference.Profiles
	require.NoError(t, rec.Run(func(ctx *pulumi.Context) (err error) {
		region, err := aws.NewProvider(ctx, "region", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		if p, err = inference.NewProfiles(ctx, "test", a, pulumi.Provider(region)); err != nil {
			return err
		}
		// Arns ties the answer to a resource, for which the engine waits.
		pulumi.All(p.Arns, p.Destinations).ApplyT(func(all []any) bool { told = all[1].(map[string][]string); return true })
		return nil
	}))
	rec.CheckComponents(t)
	all := []string{"eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3"}
	assert.Equal(t, map[string][]string{"m": all}, told, "those of the guardrail count")
	assert.Equal(t, contract.Target{
		Region: "eu-west-1", ID: "arn", Destinations: all, Guardrail: &contract.Guardrail{ID: "g", Version: "7"},
	}, p.Target("m", "arn"))
	assert.Equal(t, []string{"eu-central-1", "eu-west-1"}, p.ModelDestinations("m"))
	assert.Nil(t, p.ModelDestinations("n"))
	assert.Equal(t, all, p.GuardrailDestinations())
}

func TestAnywhereIsAJurisdiction(t *testing.T) {
	a := &inference.ProfilesArgs{
		Region: "eu-west-1", Jurisdiction: "global", AllowGlobal: true, Models: []inference.Model{{Name: "m", Profile: "global.m"}},
	}
	p, _, err := run(t, componenttest.New(routes("", "eu-west-1")), a)
	require.NoError(t, err)
	assert.Equal(t, []string{"*", "eu-west-1"}, p.ModelDestinations("m"))
	assert.Nil(t, p.GuardrailDestinations())
}
