package openai_test

import (
	"net/http"
	"testing"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/stretchr/testify/assert"
)

func TestWhatBedrockRefusesIsNamedAsTheCallerDid(t *testing.T) {
	const chat, response, embeddings = "/v1/chat/completions", "/v1/responses", "/v1/embeddings"
	tests := []struct {
		name, path, body, param string
		class                   converse.Class
		feature                 converse.Feature
	}{
		{"tokens", chat, with(`"max_completion_tokens":9`), "max_completion_tokens", converse.Invalid, converse.FeatureMaxTokens},
		{"tokens by their old name", chat, with(`"max_tokens":9`), "max_tokens", converse.Invalid, converse.FeatureMaxTokens},
		{"a format", chat, with(`"n":1`), "response_format", converse.Invalid, converse.FeatureFormat},
		{"too long a chat", chat, with(`"n":1`), "messages", converse.TooLong, ""},
		{"tokens of a response", response, `{"model":"claude-sonnet","input":"a"}`, "max_output_tokens", converse.Invalid, converse.FeatureMaxTokens},
		{"a format of a response", response, `{"model":"claude-sonnet","input":"a"}`, "text.format", converse.Invalid, converse.FeatureFormat},
		{"too long an input", response, `{"model":"claude-sonnet","input":"a"}`, "input", converse.TooLong, ""},
		{"too long a text", embeddings, `{"model":"embed","input":"a"}`, "input", converse.TooLong, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, _ := api(t, &engine{err: &failover.Error{Class: tt.class, Failures: []*converse.Error{{Class: tt.class, Feature: tt.feature, Message: "no"}}}})
			resp, body := do(t, http.MethodPost, url+tt.path, "application/json", tt.body)
			assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
			assert.Contains(t, body, `"param":"`+tt.param+`"`)
		})
	}
}
