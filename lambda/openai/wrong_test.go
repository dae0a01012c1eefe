package openai_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	state "github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/lambda/openai"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wrong are what stands in place of every value of a right request.
var wrong = []string{`null`, `""`, `0`, `-1`, `1e400`, `[]`, `{}`, `"x"`, `[null]`}

// rightRequests have as much in them as fits in one.
func rightRequests(conversation, response string) map[string][]string {
	const schema = `{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}`
	image := dataURL("image/png", png)
	file := dataURL("text/plain", "a")
	return map[string][]string{
		"/v1/chat/completions": {`{"model":"claude-sonnet","stream":true,"stream_options":{"include_usage":true,"include_obfuscation":false},
			"max_completion_tokens":2000,"max_tokens":2000.0,"temperature":1,"top_p":1,"stop":["a","b"],"n":1,"user":"u","metadata":{"a":"b"},"store":false,
			"seed":null,"logprobs":false,"logit_bias":{},"service_tier":"auto","parallel_tool_calls":true,"reasoning_effort":"none",
			"prompt_cache_key":"k","safety_identifier":"s","verbosity":"medium","modalities":["text"],
			"response_format":{"type":"json_schema","json_schema":{"name":"n","description":"d","strict":true,"schema":` + schema + `}},
			"tools":[{"type":"function","function":{"name":"f","description":"d","strict":true,"parameters":` + schema + `}}],
			"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}},
			"messages":[{"role":"system","content":"s","name":"n"},{"role":"user","name":"n","content":[{"type":"text","text":"a"},
				{"type":"image_url","image_url":{"url":"` + image + `","detail":"low"}},{"type":"file","file":{"filename":"a.txt","file_data":"` + file + `"}}]},
				{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"refusal","refusal":"b"}],"refusal":"r","reasoning_content":"t",
					"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},
				{"role":"tool","tool_call_id":"c","content":[{"type":"text","text":"a"}]}]}`},
		"/v1/responses": {`{"model":"claude-sonnet","store":true,"stream":true,"stream_options":{"include_obfuscation":false},"instructions":"i",
			"conversation":{"id":"` + conversation + `"},"max_output_tokens":2000,"temperature":1,"top_p":1,"metadata":{"a":"b"},"user":"u","truncation":"auto",
			"include":["reasoning.encrypted_content"],"parallel_tool_calls":true,"background":false,"service_tier":"auto","top_logprobs":0,
			"text":{"format":{"type":"json_schema","name":"n","strict":true,"schema":` + schema + `},"verbosity":"medium"},"reasoning":{"effort":"none","summary":"auto"},
			"tools":[{"type":"function","name":"f","description":"d","strict":true,"parameters":` + schema + `}],"tool_choice":{"type":"function","name":"f"},
			"input":[{"type":"message","role":"user","status":"completed","content":[{"type":"input_text","text":"a"},
				{"type":"input_image","image_url":"` + image + `","detail":"auto"},{"type":"input_file","filename":"a.txt","file_data":"` + file + `"}]},
				{"type":"message","id":"msg_x","role":"assistant","status":"completed","content":[{"type":"output_text","text":"a","annotations":[],"logprobs":[]},{"type":"refusal","refusal":"b"}]},
				{"type":"reasoning","id":"rs_x","summary":[{"type":"summary_text","text":"s"}],"encrypted_content":"e30="},
				{"type":"function_call","id":"fc_x","call_id":"c","name":"f","arguments":"{}","status":"completed"},
				{"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"a"}]}]}`,
			`{"model":"claude-sonnet","input":"a","previous_response_id":"` + response + `"}`},
		"/v1/conversations":                            {`{"metadata":{"a":"b"},"items":[{"type":"message","role":"user","content":"a"}]}`},
		"/v1/conversations/" + conversation:            {`{"metadata":{"a":"b"}}`},
		"/v1/conversations/" + conversation + "/items": {`{"items":[{"type":"message","role":"user","content":"a"}]}`},
		"/v1/embeddings": {`{"model":"embed","input":["a","b"],"dimensions":256,"encoding_format":"base64","user":"u"}`,
			`{"model":"cohere","input":"a","input_type":"search_query"}`},
	}
}

// TestEveryValueMayBeWrong puts every wrong value in place of every value of
// right requests. Whoever cannot be answered learns which parameter is to blame.
func TestEveryValueMayBeWrong(t *testing.T) {
	m := newMemory()
	remembers, _ := gatewayTo(t, openai.Config{Engine: hello(), Store: m, Budget: &ledger{}})
	conversation := created(t, remembers, "/v1/conversations", `{}`)
	response := created(t, remembers, "/v1/responses", `{"model":"claude-sonnet","input":"a"}`)
	h, _ := gatewayTo(t, openai.Config{Engine: hello(), Store: forgetful{m}, Budget: &ledger{}})
	sent := 0
	for path, bodies := range rightRequests(conversation, response) {
		for _, body := range bodies {
			require.Equal(t, http.StatusOK, sendTo(t, h, path, body).Code, "%s %s", path, body)
			var right any
			require.NoError(t, json.Unmarshal([]byte(body), &right))
			for at, variants := range everyValue(right, "") {
				for _, with := range wrong {
					sent++
					assertBlamed(t, h, path, at, strings.ReplaceAll(variants, hole, with))
				}
			}
		}
	}
	assert.Greater(t, sent, 2000, "requests")
}

// forgetful is a store that adds nothing to what there is.
type forgetful struct{ *memory }

func (forgetful) Append(_ context.Context, _ string, t state.Turn) (state.Turn, state.Stored, error) {
	return t, state.Stored{Regions: []string{"eu-west-1"}}, nil
}

func sendTo(t *testing.T, h http.Handler, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// created is the id of what a request creates.
func created(t *testing.T, h http.Handler, path, body string) string {
	t.Helper()
	w := sendTo(t, h, path, body)
	var got struct{ ID string }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	require.NotEmpty(t, got.ID)
	return got.ID
}

// hole stands in a request where a value is to be put.
const hole = `"<hole>"`

// everyValue is a request with a hole for each of its values, by their paths.
func everyValue(v any, at string) map[string]string {
	all := map[string]string{}
	under := func(name string, inner any, set func(any)) {
		for path, body := range everyValue(inner, name) {
			set(json.RawMessage(body))
			all[path] = encoded(v)
		}
		set(inner)
	}
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range maps.Clone(v) {
			under(strings.TrimPrefix(at+"."+name, "."), inner, func(x any) { v[name] = x })
		}
	case []any:
		for i, inner := range slices.Clone(v) {
			under(fmt.Sprintf("%s[%d]", at, i), inner, func(x any) { v[i] = x })
		}
	}
	if at != "" {
		all[at] = hole
	}
	return all
}

func encoded(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err.Error()
	}
	return b.String()
}

// assertBlamed sends a request with a wrong value at a path. What is to blame is
// that, or what goes together with it.
func assertBlamed(t *testing.T, h http.Handler, path, at, body string) {
	t.Helper()
	w := sendTo(t, h, path, body)
	if w.Code == http.StatusOK {
		return
	}
	var got struct {
		Error struct{ Message, Type, Code, Param string }
	}
	if !assert.NoError(t, json.Unmarshal(w.Body.Bytes(), &got), "%s %s", path, body) {
		return
	}
	e := got.Error
	assert.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound}, w.Code, "%s %s: %s", path, at, w.Body)
	assert.NotEmpty(t, e.Code, "%s %s: %s", path, at, w.Body)
	top := func(path string) string { return path[:min(len(path), strings.IndexAny(path+".", ".["))] }
	related := map[string][]string{
		"tools": {"tool_choice"}, "tool_choice": {"tools"}, "stream": {"stream_options"}, "max_completion_tokens": {"max_tokens"}, "max_tokens": {"max_completion_tokens"},
		"model":            {"dimensions", "input_type", "tools", "messages", "temperature"},
		"reasoning_effort": {"temperature", "max_completion_tokens", "max_tokens", "tool_choice"},
	}
	assert.Contains(t, append(related[top(at)], top(at)), top(e.Param), "%s %s: %s", path, at, w.Body)
	assert.NotContains(t, e.Message, "%!", "%s", body)
}
