package contract

import "slices"

// EmbeddingModels are the IDs of the foundation models that the API makes
// embeddings with. They are invoked in a region itself, since application
// inference profiles exclude them.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
var EmbeddingModels = []string{
	"amazon.titan-embed-text-v1",
	"amazon.titan-embed-text-v2:0",
	"cohere.embed-english-v3",
	"cohere.embed-multilingual-v3",
	"cohere.embed-v4:0",
}

// Embeds tells whether the foundation model with the given ID makes embeddings,
// and answers no chat.
func Embeds(model string) bool { return slices.Contains(EmbeddingModels, model) }
