package openai_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// embedded is an engine that returns two vectors from the second region.
func embedded() *engine {
	e := hello()
	e.events = []converse.Event{{Vector: []float32{0.5, -1}}, {Vector: []float32{1, 0.25}}}
	e.end = converse.End{Usage: converse.Usage{Input: 9}}
	return e
}

func postEmbedding(t *testing.T, url, body string) (*http.Response, string) {
	t.Helper()
	return do(t, http.MethodPost, url+"/v1/embeddings", "application/json", body)
}

func TestEmbeddings(t *testing.T) {
	e := embedded()
	url, log := api(t, e)
	resp, body := postEmbedding(t, url, `{"model":"embed","input":["one","two"],"dimensions":256,"user":"u"}`)
	require.Equal(t, http.StatusOK, resp.StatusCode, body)
	assert.JSONEq(t, `{"object":"list","model":"embed","usage":{"prompt_tokens":9,"total_tokens":9},"data":[
		{"object":"embedding","index":0,"embedding":[0.5,-1]},{"object":"embedding","index":1,"embedding":[1,0.25]}]}`, body)
	assert.Equal(t, &converse.Embed{Texts: []string{"one", "two"}, Dimensions: 256}, e.question.Embed)
	assert.Equal(t, "amazon.titan-embed-text-v2:0", e.question.Model)
	assert.Equal(t, "eu-central-1", resp.Header.Get(contract.HeaderTarget))
	assert.Equal(t, "2", resp.Header.Get(contract.HeaderAttempts))
	line := log.line(t)
	assert.Equal(t, "embed", line["model"])
	assert.EqualValues(t, 9, line[contract.MetricInputTokens])
	assert.NotContains(t, log.String(), "one")
}

func TestEmbeddingsInBase64(t *testing.T) {
	url, _ := api(t, embedded())
	_, body := postEmbedding(t, url, `{"model":"embed","input":["one","two"],"encoding_format":"base64"}`)
	var got struct{ Data []struct{ Embedding string } }
	require.NoError(t, json.Unmarshal([]byte(body), &got), body)
	b, err := base64.StdEncoding.DecodeString(got.Data[0].Embedding)
	require.NoError(t, err)
	assert.Equal(t, []byte{0, 0, 0, 0x3f, 0, 0, 0x80, 0xbf}, b, "0.5 and -1, the lowest byte first")
}

func TestEmbeddingsForAPurpose(t *testing.T) {
	e := embedded()
	url, _ := api(t, e)
	resp, body := postEmbedding(t, url, `{"model":"cohere","input":"one","input_type":"search_query"}`)
	require.Equal(t, http.StatusOK, resp.StatusCode, body)
	assert.Equal(t, &converse.Embed{Texts: []string{"one"}, Purpose: "search_query"}, e.question.Embed)
}

func TestEmbeddingsRefuse(t *testing.T) {
	many := `["x"` + strings.Repeat(`,"x"`, 2048) + `]`
	tests := []struct {
		name, body, param, says string
	}{
		{"no input", `{"model":"embed"}`, "input", "Missing required parameter"},
		{"an empty text", `{"model":"embed","input":["a",""]}`, "input[1]", "the text is empty"},
		{"no text", `{"model":"embed","input":[]}`, "input", "0 texts are not between 1 and 2048"},
		{"too many texts", `{"model":"embed","input":` + many + `}`, "input", "2049 texts"},
		{"tokens", `{"model":"embed","input":[1,2]}`, "input", "Send text in place of tokens"},
		{"tokens of several texts", `{"model":"embed","input":[[1,2],[3]]}`, "input", "Send text in place of tokens"},
		{"an object", `{"model":"embed","input":{}}`, "input", "expected a string or an array of strings"},
		{"a text that is too long for the model", `{"model":"cohere","input":["a","` + strings.Repeat("é", 2049) + `"]}`, "input[1]",
			"2049 characters are more than the 2048"},
		{"dimensions that the model does not have", `{"model":"embed","input":"a","dimensions":300}`, "dimensions", "1024, 512, 256 dimensions, not 300"},
		{"no dimensions", `{"model":"embed","input":"a","dimensions":0}`, "dimensions", "not positive"},
		{"another encoding", `{"model":"embed","input":"a","encoding_format":"hex"}`, "encoding_format", "float, base64"},
		{"a purpose for a model without", `{"model":"embed","input":"a","input_type":"search_query"}`, "input_type", "no difference"},
		{"an unknown parameter", `{"model":"embed","input":"a","messages":[]}`, "messages", "Unknown parameter"},
		{"a long user", `{"model":"embed","input":"a","user":"` + strings.Repeat("u", 513) + `"}`, "user", "over 512 bytes"},
		{"a model that chats", `{"model":"claude-sonnet","input":"a"}`, "model", "makes no embeddings"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := embedded()
			url, _ := api(t, e)
			resp, body := postEmbedding(t, url, tt.body)
			assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
			var got struct {
				Error struct{ Message, Param string }
			}
			require.NoError(t, json.Unmarshal([]byte(body), &got), body)
			assert.Equal(t, tt.param, got.Error.Param)
			assert.Contains(t, got.Error.Message, tt.says)
			assert.Nil(t, e.targets, "nobody was asked")
		})
	}
}

func TestAnEmbeddingModelDoesNotChat(t *testing.T) {
	e := hello()
	url, _ := api(t, e)
	resp, body := post(t, url, `{"model":"embed","messages":[{"role":"user","content":"hi"}]}`)
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
	assert.Contains(t, body, "makes embeddings only")
	assert.Nil(t, e.targets)
}

func TestEmbeddingsThatFail(t *testing.T) {
	tests := []struct {
		name   string
		engine *engine
		status int
		says   string
	}{
		{"everywhere", none(converse.Unavailable, ""), http.StatusServiceUnavailable, "No region of this service"},
		{"for their length", none(converse.TooLong, "input is too long"), http.StatusBadRequest, `"param":"input"`},
		{"for the time they take", &engine{err: &failover.Error{Class: converse.Timeout,
			Failures: []*converse.Error{{Class: converse.Timeout, Err: failover.ErrWhole}}}}, http.StatusGatewayTimeout, "Send fewer texts at once"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, _ := api(t, tt.engine)
			resp, body := postEmbedding(t, url, `{"model":"embed","input":"a"}`)
			assert.Equal(t, tt.status, resp.StatusCode)
			assert.Contains(t, body, tt.says)
		})
	}
}
