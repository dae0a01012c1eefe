package bedrock_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	titan1   = "amazon.titan-embed-text-v1"
	titan2   = "amazon.titan-embed-text-v2:0"
	cohere3  = "cohere.embed-english-v3"
	cohere4  = "cohere.embed-v4:0"
	embedAt  = "eu-west-1"
	embedARN = "arn:aws:bedrock:" + embedAt + "::foundation-model/"
)

func embedText(t *testing.T, b *bench, region, model, body string) (map[string]any, error) {
	t.Helper()
	out, err := b.client(region).InvokeModel(patience(t), &bedrockruntime.InvokeModelInput{
		ModelId: aws.String(model), Body: []byte(body), ContentType: aws.String("application/json"),
	})
	if err != nil {
		return nil, err
	}
	var got map[string]any
	require.NoError(t, json.Unmarshal(out.Body, &got))
	return got, nil
}

// length is that of a vector with so many dimensions.
func length(t *testing.T, vector any, dimensions int) float64 {
	t.Helper()
	v, ok := vector.([]any)
	require.True(t, ok, "%v is no vector", vector)
	require.Len(t, v, dimensions)
	sum := 0.0
	for _, x := range v {
		sum += x.(float64) * x.(float64)
	}
	return math.Sqrt(sum)
}

func TestTitanEmbeds(t *testing.T) {
	tests := []struct {
		name, region, model, body string
		dimensions                int
	}{
		{"the first", "us-east-1", titan1, `{"inputText":"three little words"}`, 1536},
		{"the second", embedAt, titan2, `{"inputText":"three little words"}`, 1024},
		{"the second, of some dimensions", embedAt, titan2, `{"inputText":"three little words","dimensions":256}`, 256},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := fast(t)
			got, err := embedText(t, b, tt.region, tt.model, tt.body)
			require.NoError(t, err)
			assert.InDelta(t, 1, length(t, got["embedding"], tt.dimensions), 1e-5)
			assert.EqualValues(t, 3, got["inputTextTokenCount"])
			again, err := embedText(t, b, tt.region, tt.model, tt.body)
			require.NoError(t, err)
			assert.Equal(t, got, again, "the same text, the same vector")
			other, err := embedText(t, b, tt.region, tt.model, strings.Replace(tt.body, "little", "large", 1))
			require.NoError(t, err)
			assert.NotEqual(t, got["embedding"], other["embedding"])
		})
	}
}

func TestCohereEmbeds(t *testing.T) {
	for model, dimensions := range map[string]int{cohere3: 1024, cohere4: 1536} {
		got, err := embedText(t, fast(t), embedAt, model, `{"texts":["one","two"],"input_type":"search_query","truncate":"NONE"}`)
		require.NoError(t, err, model)
		all := got["embeddings"].([]any)
		require.Len(t, all, 2)
		for _, v := range all {
			assert.InDelta(t, 1, length(t, v, dimensions), 1e-5)
		}
		assert.NotEqual(t, all[0], all[1])
	}
}

func TestInvokeModelRefuses(t *testing.T) {
	texts := func(n int) string { return `["x"` + strings.Repeat(`,"x"`, n-1) + `]` }
	tests := []struct {
		name, model, body, want string
	}{
		{"an empty text", titan2, `{"inputText":""}`, "expected minLength: 1"},
		{"a long text", titan2, `{"inputText":"` + strings.Repeat("x", 50_001) + `"}`, "expected maxLength: 50000, actual: 50001"},
		{"too many tokens", titan2, `{"inputText":"` + strings.Repeat("x ", 8193) + `"}`, "Too many input tokens"},
		{"other dimensions", titan2, `{"inputText":"x","dimensions":300}`, "not a valid enum value"},
		{"a property that it does not know", titan2, `{"inputText":"x","normalise":true}`, `unknown field "normalise"`},
		{"two objects", titan2, `{"inputText":"x"}{}`, "something follows"},
		{"no text", cohere3, `{"texts":[],"input_type":"search_query"}`, "0 texts"},
		{"too many texts", cohere3, `{"texts":` + texts(97) + `,"input_type":"search_query"}`, "97 texts"},
		{"a text that is too long", cohere3, `{"texts":["` + strings.Repeat("x", 2049) + `"],"input_type":"search_query"}`, "#/texts/0: expected maxLength: 2048"},
		{"no purpose", cohere3, `{"texts":["x"]}`, "input_type"},
		{"a cut", cohere3, `{"texts":["x"],"input_type":"search_query","truncate":"END"}`, "cuts nothing"},
		{"dimensions of version 3", cohere3, `{"texts":["x"],"input_type":"search_query","output_dimension":256}`, `unknown field "output_dimension"`},
		{"other dimensions of version 4", cohere4, `{"texts":["x"],"input_type":"search_query","output_dimension":300}`, "output_dimension 300"},
		{"images", "amazon.titan-embed-image-v1", `{"inputText":"x"}`, "answers it for text embeddings"},
		{"a model that the region does not have", titan1, `{"inputText":"x"}`, "on-demand throughput"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := fast(t)
			_, err := embedText(t, b, embedAt, tt.model, tt.body)
			assert.ErrorContains(t, err, tt.want)
			assert.Empty(t, b.Calls(), "it reached no model")
		})
	}
}

func TestInvokeModelKnowsNoGuardrail(t *testing.T) {
	_, err := fast(t).client(embedAt).InvokeModel(patience(t), &bedrockruntime.InvokeModelInput{
		ModelId: aws.String(titan2), Body: []byte(`{"inputText":"x"}`), ContentType: aws.String("application/json"),
		GuardrailIdentifier: aws.String("g"), GuardrailVersion: aws.String("1"),
	})
	assert.ErrorContains(t, err, "is not known to this stand-in")
}

func TestInvokeModelIsAuthorizedAndFails(t *testing.T) {
	b := fast(t)
	ask := func() error { _, err := embedText(t, b, embedAt, titan2, `{"inputText":"x"}`); return err }
	require.NoError(t, ask())
	assert.Equal(t, []check{check("bedrock:InvokeModel on " + embedARN + titan2 + " in " + embedAt)}, b.iam.asked)
	assert.Equal(t, []bedrock.Call{{Source: embedAt, Destination: embedAt, ModelID: titan2, Principal: role, At: b.Calls()[0].At}}, b.Calls())
	b.SetFault(embedAt, &bedrock.Fault{Code: "ThrottlingException", AfterDeltas: 3})
	assert.ErrorContains(t, ask(), "ThrottlingException")
	b.SetFault(embedAt, nil)
	b.iam.denied = []string{embedARN + titan2}
	assert.ErrorContains(t, ask(), "AccessDeniedException")
	assert.Len(t, b.Calls(), 1)
}

func TestGetFoundationModel(t *testing.T) {
	find := func(region, id string) (map[string]any, error) {
		return fast(t).Functions()[1].Call(context.Background(), region, map[string]any{"modelId": id})
	}
	tests := []struct{ name, region, id, served, returns string }{
		{"an embedding model", embedAt, titan2, "ON_DEMAND", "EMBEDDING"},
		{"a model by its profiles", embedAt, sonnet, "INFERENCE_PROFILE", "TEXT"},
		{"a model in its region", "us-east-1", novaPro, "ON_DEMAND", "TEXT"},
	}
	for _, tt := range tests {
		got, err := find(tt.region, tt.id)
		require.NoError(t, err, tt.name)
		assert.Equal(t, fmt.Sprintf("arn:aws:bedrock:%s::foundation-model/%s", tt.region, tt.id), got["modelArn"], tt.name)
		assert.Equal(t, []any{tt.served}, got["inferenceTypesSupporteds"], tt.name)
		assert.Equal(t, []any{tt.returns}, got["outputModalities"], tt.name)
	}
	for region, id := range map[string]string{embedAt: titan1, "eu-north-1": "acme.unknown"} {
		_, err := find(region, id)
		assert.ErrorContains(t, err, "model identifier is invalid", id)
	}
}
