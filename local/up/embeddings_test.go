package up_test

import (
	"net/http"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/up"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withModels are settings of a stack with these models.
func withModels(models ...map[string]any) map[string]any { return map[string]any{"models": models} }

func TestEmbeddings(t *testing.T) {
	r, err := up.Start(t.Context(), up.Options{Root: "../..", Stack: "eu", Listen: "127.0.0.1:0", Settings: withModels(
		map[string]any{"name": "embed", "model": "amazon.titan-embed-text-v2:0"},
		map[string]any{"name": "claude-sonnet", "profile": "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"},
	)})
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	c := client(r)
	ask := openai.EmbeddingNewParams{Model: "embed", Dimensions: openai.Int(256),
		Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"one", "two", "one"}}}

	var raw *http.Response
	got, err := c.Embeddings.New(t.Context(), ask, option.WithResponseInto(&raw))
	require.NoError(t, err)
	require.Len(t, got.Data, 3)
	assert.Len(t, got.Data[0].Embedding, 256)
	assert.Equal(t, got.Data[0].Embedding, got.Data[2].Embedding, "the same text")
	assert.NotEqual(t, got.Data[0].Embedding, got.Data[1].Embedding)
	assert.EqualValues(t, 3, got.Usage.PromptTokens)
	assert.Equal(t, r.From, raw.Header.Get(contract.HeaderTarget))
	calls := r.Account.Bedrock.Calls()
	assert.Equal(t, "arn:aws:bedrock:"+r.From+"::foundation-model/amazon.titan-embed-text-v2:0", calls[len(calls)-1].ModelID)

	r.Account.Bedrock.SetFault(r.From, &bedrock.Fault{Code: "ServiceUnavailableException"})
	elsewhere, err := c.Embeddings.New(t.Context(), ask, option.WithResponseInto(&raw))
	r.Account.Bedrock.SetFault(r.From, nil)
	require.NoError(t, err)
	assert.Equal(t, got.Data[0].Embedding, elsewhere.Data[0].Embedding)
	assert.NotEqual(t, r.From, raw.Header.Get(contract.HeaderTarget))
	assert.Equal(t, "2", raw.Header.Get(contract.HeaderAttempts))

	_, err = c.Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{Model: "embed",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("hello")}})
	var refusal *openai.Error
	require.ErrorAs(t, err, &refusal)
	assert.Contains(t, refusal.Message, "makes embeddings only")
}

// TestAModelThatARegionDoesNotOffer is refused before anything is created, for
// each region that lacks it.
func TestAModelThatARegionDoesNotOffer(t *testing.T) {
	_, err := up.Start(t.Context(), up.Options{Root: "../..", Stack: "eu", Listen: "127.0.0.1:0", Settings: withModels(
		map[string]any{"name": "embed", "model": "cohere.embed-v4:0"},
	)})
	assert.ErrorContains(t, err, "models[0]: model cohere.embed-v4:0 in eu-central-1")
	assert.ErrorContains(t, err, "models[0]: model cohere.embed-v4:0 in eu-north-1")
	assert.NotContains(t, err.Error(), "in eu-west-1:")
}
