package inference_test

import (
	"errors"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/inference"
	"github.com/crossregion/crossregion/contract"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const titan = "amazon.titan-embed-text-v2:0"

// offers answers GetFoundationModel with a model that returns something and is
// served in some way.
func offers(returns, served string) map[string]componenttest.Call {
	return map[string]componenttest.Call{
		"aws:bedrockfoundation/getModel:getModel": func(region string, args map[string]any) (map[string]any, error) {
			return map[string]any{
				"modelArn":                 "arn:aws:bedrock:" + region + "::foundation-model/" + args["modelId"].(string),
				"inferenceTypesSupporteds": []any{served}, "outputModalities": []any{returns},
			}, nil
		},
	}
}

func TestAModelInItsRegionNeedsNoSystemProfile(t *testing.T) {
	rec := componenttest.New(offers("TEXT", "ON_DEMAND"))
	_, policy, err := run(t, rec, args(inference.Model{Name: "llama", ID: "meta.llama"}))
	require.NoError(t, err)
	profile := rec.One(t, "aws:bedrock/inferenceProfile:InferenceProfile", "test-llama")
	assert.Equal(t, "arn:aws:bedrock:eu-west-1::foundation-model/meta.llama", profile.Inputs["modelSource"].ObjectValue()["copyFrom"].StringValue())
	assert.NotContains(t, policy, ":inference-profile/")
	assert.Contains(t, policy, "arn:aws:bedrock:eu-west-1::foundation-model/meta.llama")
}

// TestAnEmbeddingModelIsPermittedByItself: it has no profile and no guardrail.
func TestAnEmbeddingModelIsPermittedByItself(t *testing.T) {
	const arn = "arn:aws:bedrock:eu-west-1::foundation-model/" + titan
	rec := componenttest.New(offers("EMBEDDING", "ON_DEMAND"))
	a := args(inference.Model{Name: "embed", ID: titan})
	a.Guardrail = &inference.Guardrail{ID: "g", Version: "1", Profile: "eu.guardrail.v1:0"}
	a.Allowed = europe
	p, policy, err := run(t, rec, a)
	require.NoError(t, err)
	rec.CheckComponents(t)
	assert.Empty(t, rec.Of("aws:bedrock/inferenceProfile:InferenceProfile"))
	assert.Equal(t, []any{map[string]any{"Effect": "Allow", "Action": []any{"bedrock:InvokeModel"}, "Resource": []any{arn}}}, statements(t, policy))
	assert.Equal(t, titan, p.Base("embed"))
	assert.Equal(t, contract.Target{Region: "eu-west-1", ID: arn, Destinations: []string{"eu-west-1"}}, p.Target("embed", arn))
}

func TestModelsRefuse(t *testing.T) {
	unknown := map[string]componenttest.Call{
		"aws:bedrockfoundation/getModel:getModel": func(string, map[string]any) (map[string]any, error) { return nil, errors.New("not found") },
	}
	tests := []struct {
		name, id string
		calls    map[string]componenttest.Call
		want     string
	}{
		{"a model that the region does not offer", titan, unknown,
			"models[3]: model " + titan + " in eu-west-1: not found; check that this region offers the model"},
		{"a model by profiles only", "amazon.nova", offers("TEXT", "INFERENCE_PROFILE"), "is not served on demand, only by INFERENCE_PROFILE"},
		{"embeddings of another form", "amazon.titan-embed-image-v1", offers("EMBEDDING", "ON_DEMAND"), "returns EMBEDDING: for embeddings use one of amazon.titan"},
		{"an embedding model of which AWS says that it chats", titan, offers("TEXT", "ON_DEMAND"), "returns TEXT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := componenttest.New(tt.calls)
			_, _, err := run(t, rec, args(inference.Model{Name: "m", ID: tt.id, Setting: "models[3]"}))
			assert.ErrorContains(t, err, tt.want)
			assert.Empty(t, rec.Of("aws:bedrock/inferenceProfile:InferenceProfile"))
		})
	}
}
