package openai

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func FuzzDecodeChat(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `{}`, `[`, `{"model":"m"}`, "\xff", `{"model":"m","messages":[]}`,
		`{"model":"m","messages":[{"role":"user","content":"a"}]}`,
		`{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":""}]},{"role":"user","content":"b"}],"stop":["x"]}`,
		`{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"}],
		  "max_tokens":1,"temperature":0.5,"top_p":0.5,"stop":"x","stream":true,"stream_options":{"include_usage":true},"n":1,"metadata":{"a":"b"}}`,
		`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}},{"type":"file","file":{"filename":"a.txt","file_data":"data:text/plain;base64,YQ=="}}]},
		  {"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"1"}],
		  "tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}},
		  "parallel_tool_calls":false,"response_format":{"type":"json_schema","json_schema":{"name":"p","schema":{"type":"object"},"strict":true}},"reasoning_effort":"low"}`,
		`{"model":"m","model":"n","messages":[{"role":"user","content":"\ud800"}],"temperature":1e999}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := decodeChat(body)
		if err == nil {
			assertValid(t, r)
			return
		}
		var e *apiError
		require.True(t, errors.As(err, &e), "%v is no answer for a client", err)
		assert.Equal(t, http.StatusBadRequest, e.status)
		assert.NotEmpty(t, e.message)
		assert.True(t, utf8.ValidString(e.param) || !utf8.Valid(body))
	})
}

// assertValid says again, in Bedrock's terms, what an accepted request must be.
func assertValid(t *testing.T, r chatRequest) {
	q := r.question
	assert.NotEmpty(t, r.model)
	assert.True(t, r.stream || !r.includeUsage)
	assert.GreaterOrEqual(t, q.MaxTokens, int32(0))
	for _, share := range []*float32{q.Temperature, q.TopP} {
		assert.True(t, share == nil || *share >= 0 && *share <= 1)
	}
	assert.LessOrEqual(t, len(q.Stop), maxStop)
	for _, s := range q.Stop {
		assert.NotEmpty(t, s)
	}
	for _, p := range q.System {
		assert.NotEmpty(t, p.Text)
	}
	require.NotEmpty(t, q.Messages)
	assert.Equal(t, converse.User, q.Messages[0].Role)
	assert.Equal(t, converse.User, q.Messages[len(q.Messages)-1].Role)
	var last converse.Role
	var calls []string // of the last turn
	for _, m := range q.Messages {
		assert.NotEqual(t, last, m.Role, "roles alternate")
		assert.NotEmpty(t, m.Parts)
		var results, next []string
		for _, p := range m.Parts {
			switch {
			case p.ToolUse != nil:
				next = append(next, p.ToolUse.ID)
				assert.True(t, json.Valid(p.ToolUse.Input))
			case p.ToolResult != nil:
				results = append(results, p.ToolResult.ID)
			default:
				assert.True(t, p.Text != "" || p.Image != nil || p.Document != nil)
			}
		}
		assert.ElementsMatch(t, calls, results, "each call has its result")
		last, calls = m.Role, next
	}
	for _, tool := range q.Tools {
		assert.True(t, json.Valid(tool.Schema))
	}
	assert.True(t, q.ToolChoice.Mode != converse.ToolAny || len(q.Tools) > 0)
}

func FuzzDecodeEmbedding(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `{}`, `[`, `{"model":"m"}`, "\xff", `{"model":"m","input":""}`, `{"model":"m","input":[]}`, `{"model":"m","input":[1,2]}`,
		`{"model":"m","input":[[1],[2]]}`, `{"model":"m","input":["a",null]}`, `{"model":"m","input":"a","input":"b"}`, `{"model":"m","input":"\ud800"}`,
		`{"model":"m","input":["a","b"],"dimensions":256,"encoding_format":"base64","input_type":"search_query","user":"u"}`,
		`{"model":"m","input":"a","dimensions":0}`, `{"model":"m","input":"a","dimensions":1e99}`, `{"model":"m","input":"a","encoding_format":"int8"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := decodeEmbedding(body)
		if err == nil {
			assertEmbeds(t, r)
			err = r.check("amazon.titan-embed-text-v2:0")
		}
		if err == nil {
			return
		}
		var e *apiError
		require.True(t, errors.As(err, &e), "%v is no answer for a client", err)
		assert.Equal(t, http.StatusBadRequest, e.status)
		assert.NotEmpty(t, e.message)
		assert.True(t, utf8.ValidString(e.param) || !utf8.Valid(body))
	})
}

// assertEmbeds says again what an accepted request for embeddings must be.
func assertEmbeds(t *testing.T, r embeddingRequest) {
	assert.NotEmpty(t, r.model)
	assert.True(t, len(r.embed.Texts) > 0 && len(r.embed.Texts) <= maxInputs)
	for _, text := range r.embed.Texts {
		assert.NotEmpty(t, text)
	}
	assert.GreaterOrEqual(t, r.embed.Dimensions, 0)
}
