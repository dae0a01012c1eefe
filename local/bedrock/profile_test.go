package bedrock_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCreateProfile(t *testing.T) {
	b := newBench(t, cloud.NewManualClock(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)))
	state, err := b.create("eu-central-1", "eu-claude", map[string]any{
		"description": "chat of the eu stack", "tags": map[string]any{"stack": "eu"}, "timeouts": map[string]any{"create": "5m"},
		"modelSource": map[string]any{"copyFrom": systemARN("eu-central-1", "eu."+novaPro)},
	})
	require.NoError(t, err)
	assert.Regexp(t, `^[0-9a-z]{12}$`, state.ID)
	assert.Regexp(t, `^eu-claude-[0-9a-f]{7}$`, state.Outputs["name"])
	delete(state.Outputs, "name")
	assert.Equal(t, map[string]any{
		"arn":    "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/" + state.ID,
		"models": arns("eu-central-1 eu-north-1 eu-west-1 eu-west-3", novaPro),
		"status": "ACTIVE", "type": "APPLICATION",
		"createdAt": "2026-03-01T00:00:00Z", "updatedAt": "2026-03-01T00:00:00Z",
	}, state.Outputs)

	for _, id := range []string{state.ID, state.Outputs["arn"].(string)} {
		got, err := b.lookUp("eu-central-1", id)
		require.NoError(t, err)
		assert.Equal(t, state.ID, got["inferenceProfileId"])
		assert.Equal(t, "APPLICATION", got["type"])
		assert.Equal(t, "chat of the eu stack", got["description"])
	}
}

func TestCreateProfileRefuses(t *testing.T) {
	source := systemARN("us-east-1", "us."+haiku)
	tests := []struct {
		name   string
		inputs map[string]any
		want   string
	}{
		{"an unknown property", map[string]any{"colour": "red"}, `does not know property "colour"`},
		{"a name with a slash", map[string]any{"name": "a/b"}, "ValidationException: name"},
		{"a name with two separators in a row", map[string]any{"name": "a--b"}, "ValidationException: name"},
		{"a name that is too long", map[string]any{"name": strings.Repeat("a", 65)}, "ValidationException: name"},
		{"a description with a comma", map[string]any{"description": "a, b"}, "ValidationException: description"},
		{"an empty description", map[string]any{"description": ""}, "ValidationException: description"},
		{"a source in another region", copyOf(systemARN("us-west-2", "us."+haiku)), "want the ARN of a system profile or a foundation model in us-east-1"},
		{"a source in another account", copyOf("arn:aws:bedrock:us-east-1:999999999999:inference-profile/us." + haiku), "in this account"},
		{"an application profile as source", copyOf("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"), "defined by AWS"},
		{"a profile that the region does not have", copyOf(systemARN("us-east-1", "eu."+haiku)), "ResourceNotFoundException"},
		{"a model that the region does not serve", copyOf(model("us-east-1", sonnet)), "on-demand throughput"},
		{"an embeddings model", copyOf(model("us-east-1", "amazon.titan-embed-text-v2:0")), "embeddings models have no inference profiles"},
		{"a name that is taken", map[string]any{"name": "taken"}, "ConflictException"},
	}
	b := fast(t)
	b.profile(t, "us-east-1", "taken", source)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.inputs["modelSource"] == nil {
				tt.inputs["modelSource"] = map[string]any{"copyFrom": source}
			}
			_, err := b.create("us-east-1", "p", tt.inputs)
			assert.ErrorContains(t, err, tt.want)
		})
	}
	b.profile(t, "us-west-2", "taken", systemARN("us-west-2", "us."+haiku)) // names are regional
}

func copyOf(arn string) map[string]any {
	return map[string]any{"modelSource": map[string]any{"copyFrom": arn}}
}

func TestGetInferenceProfileAnswersForTheSourceRegion(t *testing.T) {
	const us3, eu6 = "us-east-1 us-east-2 us-west-2", "eu-central-1 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-3"
	tests := []struct{ source, id, model, want string }{
		{"us-east-1", "us." + sonnet, sonnet, us3},
		{"us-west-1", "us." + sonnet, sonnet, "us-west-1 " + us3},
		{"ca-central-1", "us." + haiku, haiku, "ca-central-1 " + us3},
		{"ca-west-1", "us.anthropic.claude-sonnet-4-6", "anthropic.claude-sonnet-4-6", "ca-west-1 " + us3},
		{"eu-central-1", "eu." + sonnet, sonnet, eu6},
		{"eu-west-2", "eu." + sonnet, sonnet, "eu-west-2 " + eu6},
		{"eu-central-2", "eu." + haiku, haiku, "eu-central-2 " + eu6},
		{"il-central-1", "eu." + novaPro, novaPro, "il-central-1 eu-central-1 eu-north-1 eu-west-1 eu-west-3 eu-south-1"},
		{"ap-northeast-1", "jp.amazon.nova-2-lite-v1:0", "amazon.nova-2-lite-v1:0", "ap-northeast-1 ap-northeast-3"},
		{"ap-southeast-6", "au." + sonnet, sonnet, "ap-southeast-6 ap-southeast-2 ap-southeast-4"},
	}
	b := fast(t)
	for _, tt := range tests {
		t.Run(tt.id+" from "+tt.source, func(t *testing.T) {
			got, err := b.lookUp(tt.source, tt.id)
			require.NoError(t, err)
			assert.ElementsMatch(t, arns(tt.want, tt.model), got["models"])
			assert.Equal(t, systemARN(tt.source, tt.id), got["inferenceProfileArn"])
			assert.Equal(t, tt.id, got["inferenceProfileId"])
			assert.Equal(t, tt.id, got["id"])
			assert.Equal(t, "SYSTEM_DEFINED", got["type"])
			assert.Equal(t, "ACTIVE", got["status"])
			byARN, err := b.lookUp(tt.source, systemARN(tt.source, tt.id))
			require.NoError(t, err)
			assert.Equal(t, got, byARN)
		})
	}
}

func TestGlobalProfilesNameNoRegion(t *testing.T) {
	got, err := fast(t).lookUp("eu-west-1", "global."+sonnet)
	require.NoError(t, err)
	assert.Equal(t, []any{
		map[string]any{"modelArn": model("", sonnet)}, map[string]any{"modelArn": model("eu-west-1", sonnet)},
	}, got["models"])
}

func TestProfilesAreUnknownOutsideTheirSources(t *testing.T) {
	tests := []struct{ source, id string }{
		{"eu-west-1", "us." + sonnet}, {"eu-west-2", "eu." + novaPro}, {"ap-northeast-3", "jp.amazon.nova-2-lite-v1:0"},
		{"ca-west-1", "us." + sonnet}, {"eu-west-3", "global.anthropic.claude-sonnet-4-20250514-v1:0"},
		{"us-east-1", sonnet}, {"us-east-1", "us.acme.oracle"}, {"us-east-1", ""},
		{"us-east-1", systemARN("us-west-2", "us."+sonnet)},
	}
	b := fast(t)
	for _, tt := range tests {
		t.Run(tt.id+" from "+tt.source, func(t *testing.T) {
			_, err := b.lookUp(tt.source, tt.id)
			assert.ErrorContains(t, err, "ResourceNotFoundException")
		})
	}
}

func arns(regions, id string) []any {
	var all []any
	for _, r := range strings.Fields(regions) {
		all = append(all, map[string]any{"modelArn": model(r, id)})
	}
	return all
}
