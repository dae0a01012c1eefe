package openai_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	pixel   = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
	note    = "data:text/plain;base64,bm90ZQ=="
	oneCall = `{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"}`
)

// respond sends a request for a response with the given members.
func respond(t *testing.T, e *engine, members string) (*http.Response, string) {
	t.Helper()
	url, _ := api(t, e)
	return do(t, http.MethodPost, url+"/v1/responses", "application/json", `{"model":"nova-lite",`+members+`}`)
}

func TestInputInEveryForm(t *testing.T) {
	image, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(pixel, "data:image/png;base64,"))
	require.NoError(t, err)
	proof := base64.StdEncoding.EncodeToString([]byte(`{"m":"` + models[2].Base + `","t":"Hm.","s":"sig","r":null}`))
	use := converse.Part{ToolUse: &converse.ToolUse{ID: "c", Name: "f", Input: json.RawMessage(`{"a":1}`)}}
	user := func(parts ...converse.Part) converse.Message {
		return converse.Message{Role: converse.User, Parts: parts}
	}
	tests := []struct {
		name, input string
		want        []converse.Message
	}{
		{"a string", `"a"`, []converse.Message{said(converse.User, "a")}},
		{"a message without a type", `[{"role":"user","content":"a"}]`, []converse.Message{said(converse.User, "a")}},
		{"parts", `[{"type":"message","role":"user","status":"completed","content":[{"type":"input_text","text":"a"},{"type":"input_text","text":""},
			{"type":"input_image","detail":"auto","image_url":"` + pixel + `"},{"type":"input_file","filename":"n.txt","file_data":"` + note + `"}]}]`,
			[]converse.Message{user(converse.Part{Text: "a"}, converse.Part{Image: &converse.Image{Format: "png", Bytes: image}},
				converse.Part{Document: &converse.Document{Format: "txt", Bytes: []byte("note")}})}},
		{"neighbours of one role", `[{"role":"user","content":"a"},{"role":"user","content":"b"}]`,
			[]converse.Message{user(converse.Part{Text: "a"}, converse.Part{Text: "b"})}},
		{"an answer sent back as it came", `[{"role":"user","content":"a"},{"type":"message","id":"msg_x","role":"assistant","status":"completed",
			"content":[{"type":"output_text","text":"b","annotations":[],"logprobs":[]},{"type":"refusal","refusal":"no"}]},{"role":"user","content":"c"}]`,
			[]converse.Message{said(converse.User, "a"), {Role: converse.Assistant, Parts: []converse.Part{{Text: "b"}, {Text: "no"}}}, said(converse.User, "c")}},
		{"a call and its output", `[{"role":"user","content":"a"},` + oneCall + `,{"type":"function_call_output","call_id":"c","id":"fco_x","status":"completed","output":"x"}]`,
			[]converse.Message{said(converse.User, "a"), {Role: converse.Assistant, Parts: []converse.Part{use}},
				user(converse.Part{ToolResult: &converse.ToolResult{ID: "c", Parts: []converse.Part{{Text: "x"}}}})}},
		{"what SDKs have read out of an answer", `[{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"output_text","text":"{}","parsed":{"b":1}}]},` +
			strings.Replace(oneCall, `{`, `{"parsed_arguments":null,`, 1) + `,{"type":"function_call_output","call_id":"c","output":"x"}]`,
			[]converse.Message{said(converse.User, "a"), {Role: converse.Assistant, Parts: []converse.Part{{Text: "{}"}, use}},
				user(converse.Part{ToolResult: &converse.ToolResult{ID: "c", Parts: []converse.Part{{Text: "x"}}}})}},
		{"an output in parts", `[{"role":"user","content":"a"},` + oneCall + `,{"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"x"},{"type":"input_image","image_url":"` + pixel + `"}]}]`,
			[]converse.Message{said(converse.User, "a"), {Role: converse.Assistant, Parts: []converse.Part{use}},
				user(converse.Part{ToolResult: &converse.ToolResult{ID: "c", Parts: []converse.Part{{Text: "x"}, {Image: &converse.Image{Format: "png", Bytes: image}}}}})}},
		{"an empty output", `[{"role":"user","content":"a"},` + oneCall + `,{"type":"function_call_output","call_id":"c","output":""}]`,
			[]converse.Message{said(converse.User, "a"), {Role: converse.Assistant, Parts: []converse.Part{use}}, user(converse.Part{ToolResult: &converse.ToolResult{ID: "c"}})}},
		{"thoughts sent back", `[{"role":"user","content":"a"},{"type":"reasoning","id":"rs_x","summary":[{"type":"summary_text","text":"s"}],"encrypted_content":"` + proof + `"},` + oneCall + `,{"type":"function_call_output","call_id":"c","output":"x"}]`,
			[]converse.Message{said(converse.User, "a"), {Role: converse.Assistant, Parts: []converse.Part{{Reasoning: &converse.Reasoning{Text: "Hm.", Signature: "sig"}}, use}},
				user(converse.Part{ToolResult: &converse.ToolResult{ID: "c", Parts: []converse.Part{{Text: "x"}}}})}},
		{"thoughts that led to nothing are left out", `[{"role":"user","content":"a"},{"type":"reasoning","encrypted_content":"` + proof + `"},{"role":"user","content":"b"}]`,
			[]converse.Message{user(converse.Part{Text: "a"}, converse.Part{Text: "b"})}},
		{"and so are another model's", `[{"role":"user","content":"a"},{"type":"reasoning","encrypted_content":"e30="},{"role":"assistant","content":"b"},{"role":"user","content":"c"}]`,
			[]converse.Message{said(converse.User, "a"), said(converse.Assistant, "b"), said(converse.User, "c")}},
		{"an assistant first", `[{"role":"assistant","content":"a"},{"role":"user","content":"b"}]`,
			[]converse.Message{said(converse.User, "(The assistant speaks first.)"), said(converse.Assistant, "a"), said(converse.User, "b")}},
		{"an assistant last", `[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]`,
			[]converse.Message{said(converse.User, "a"), said(converse.Assistant, "b"), said(converse.User, "(Please go on.)")}},
		{"only instructions", `[{"role":"system","content":"a"}]`, []converse.Message{said(converse.User, "(The assistant speaks first.)")}},
		{"an output behind something else", `[` + oneCall + `,{"role":"user","content":"a"},{"type":"function_call_output","call_id":"c","output":""}]`,
			[]converse.Message{said(converse.User, "a"), {Role: converse.Assistant, Parts: []converse.Part{use}}, user(converse.Part{ToolResult: &converse.ToolResult{ID: "c"}})}},
		{"a call that was cut off was never made", `[{"role":"user","content":"a"},{"type":"function_call","status":"incomplete","call_id":"c","name":"f","arguments":"{"},{"role":"user","content":"b"}]`,
			[]converse.Message{user(converse.Part{Text: "a"}, converse.Part{Text: "b"})}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := hello()
			resp, body := respond(t, e, `"tools":[{"type":"function","name":"f"}],"input":`+tt.input)
			require.Equal(t, http.StatusOK, resp.StatusCode, body)
			assert.Equal(t, tt.want, spoken(e.question.Messages))
		})
	}
}

func TestParametersOfAResponse(t *testing.T) {
	e := hello()
	resp, body := respond(t, e, `"input":[{"role":"system","content":"one"},{"role":"user","content":"a"},{"role":"developer","content":"two"}],"instructions":"zero",
		"max_output_tokens":5,"temperature":0.5,"top_p":0.25,"tools":[{"type":"function","name":"f","description":"d","parameters":{"type":"object"},"strict":false}],
		"tool_choice":{"type":"function","name":"f"},"text":{"format":{"type":"text"},"verbosity":"medium"},"reasoning":{"effort":null},"user":"jane",
		"background":false,"service_tier":"auto","top_logprobs":0,"include":["reasoning.encrypted_content","web_search_call.action.sources"],
		"stream":false,"stream_options":null,"previous_response_id":null,"conversation":null,"store":null,"truncation":null`)
	require.Equal(t, http.StatusOK, resp.StatusCode, body)
	q := e.question
	assert.Equal(t, []converse.Part{{Text: "zero"}, {Text: "one"}, {Text: "two"}, {Cache: true}}, q.System)
	assert.EqualValues(t, 5, q.MaxTokens)
	assert.Equal(t, aws.Float32(0.5), q.Temperature)
	assert.Equal(t, aws.Float32(0.25), q.TopP)
	assert.Equal(t, converse.ToolChoice{Mode: converse.ToolOne, Name: "f"}, q.ToolChoice)
	assert.Equal(t, "f", q.Tools[0].Name)
	assert.Contains(t, body, `"tool_choice":{"type":"function","name":"f"}`)
	assert.Contains(t, body, `"temperature":0.5`)
	assert.Contains(t, body, `"max_output_tokens":5`)
	assert.NotContains(t, body, "jane")

	resp, body = respond(t, e, `"input":"a","text":{"format":{"type":"json_schema","name":"n","strict":true,"schema":{"type":"object"}}}`)
	require.Equal(t, http.StatusOK, resp.StatusCode, body)
	assert.Equal(t, &converse.Format{Name: "n", Strict: true, Schema: json.RawMessage(`{"type":"object"}`)}, e.question.Format)
}

func TestRefusedResponses(t *testing.T) {
	const missing = "resp_" + firstID
	input := func(items string) string { return `"input":[{"role":"user","content":"a"},` + items + `]` }
	tests := []struct{ name, members, param, code, text string }{
		{"no input", `"store":true`, "input", "missing_required_parameter", "Missing"},
		{"no input but instructions", `"instructions":"i"`, "input", "missing_required_parameter", "Missing"},
		{"nothing said", `"input":[{"role":"system","content":""}]`, "input", "missing_required_parameter", "Missing"},
		{"empty input", `"input":""`, "input", "invalid_value", "empty"},
		{"input of another type", `"input":7`, "input", "invalid_type", "a string or an array of items"},
		{"too many items", `"input":[` + strings.Repeat(`{"role":"user","content":"a"},`, 900) + `{"role":"user","content":"a"}]`, "input", "invalid_value", "901 items are more than 900"},
		{"too many parts", `"input":[{"role":"user","content":[` + strings.Repeat(`{"type":"input_text","text":"a"},`, 2048) + `{"type":"input_text","text":"a"}]}]`, "input[0].content", "invalid_value", "2048 parts"},
		{"a role", input(`{"role":"tool","content":"b"}`), "input[1].role", "invalid_value", "expected one of"},
		{"a message without content", input(`{"role":"user"}`), "input[1].content", "missing_required_parameter", "Missing"},
		{"an empty message", input(`{"role":"user","content":[{"type":"input_text","text":""}]}`), "input[1].content", "invalid_value", "empty"},
		{"a kind of part", input(`{"role":"user","content":[{"type":"input_audio"}]}`), "input[1].content[0].type", "unsupported_value", "input_text"},
		{"a part of another role", input(`{"role":"assistant","content":[{"type":"input_text","text":"a"}]}`), "input[1].content[0].type", "unsupported_value", "output_text"},
		{"an image of a system message", input(`{"role":"system","content":[{"type":"input_image","image_url":"` + pixel + `"}]}`), "input[1].content[0].type", "unsupported_value", "input_text"},
		{"an image elsewhere", input(`{"role":"user","content":[{"type":"input_image","image_url":"https://example.com/a.png"}]}`), "input[1].content[0].image_url", "invalid_value", "fetches nothing"},
		{"an uploaded file", input(`{"role":"user","content":[{"type":"input_file","file_id":"file-1"}]}`), "input[1].content[0].file_id", "unsupported_parameter", "does not support"},
		{"annotations", input(`{"role":"assistant","content":[{"type":"output_text","text":"a","annotations":[{}]}]}`), "input[1].content[0].annotations", "unsupported_parameter", "does not support"},
		{"an unknown member", input(`{"role":"user","content":"a","mood":"x"}`), "input[1].mood", "unknown_parameter", "Unknown parameter"},
		{"a status", input(`{"role":"user","content":"a","status":"done"}`), "input[1].status", "invalid_value", "completed"},
		{"a built-in item", input(`{"type":"web_search_call","id":"ws_1"}`), "input[1].type", "unsupported_value", "function_call"},
		{"a reference to nothing", input(`{"type":"item_reference","id":"msg_1"}`), "input[1].id", "not_found", "No item has this id"},
		{"a reference without a type", input(`{"id":"msg_` + threadOne + turnTwo + `001eu-west-1"}`), "input[1].id", "not_found", "No item has this id"},
		{"a call without an output", input(oneCall), "input", "invalid_value", "No tool output found for function call c."},
		{"a call without an output in the middle", input(oneCall + `,{"role":"user","content":"b"}`), "input", "invalid_value", "No tool output found for function call c."},
		{"one of two calls without an output", input(oneCall + `,{"type":"function_call","call_id":"d","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"x"},{"role":"assistant","content":"b"},{"role":"user","content":"b"}`),
			"input", "invalid_value", "No tool output found for function call d."},
		{"two calls of one id", input(oneCall + `,` + oneCall), "input[2].call_id", "invalid_value", "another call before has the same"},
		{"an output without a call", input(`{"type":"function_call_output","call_id":"c","output":"x"}`), "input", "invalid_value", "No tool call found for function call output with call_id c."},
		{"an output twice", input(oneCall + strings.Repeat(`,{"type":"function_call_output","call_id":"c","output":"x"}`, 2)), "input", "invalid_value", "No tool call found"},
		{"an output that is missing", input(oneCall + `,{"type":"function_call_output","call_id":"c"}`), "input[2].output", "missing_required_parameter", "Missing"},
		{"arguments that are no object", input(`{"type":"function_call","call_id":"c","name":"f","arguments":"[]"}`), "input[1].arguments", "invalid_value", "JSON object"},
		{"an id of a call", input(`{"type":"function_call","call_id":"c d","name":"f","arguments":"{}"}`), "input[1].call_id", "invalid_value", "letters"},
		{"thoughts without a proof", input(`{"type":"reasoning","id":"rs_1","summary":[]}`), "input[1].encrypted_content", "missing_required_parameter", "Without it"},
		{"thoughts of somebody else", input(`{"type":"reasoning","encrypted_content":"?"}`), "input[1].encrypted_content", "invalid_value", "not what this service gave"},
		{"a previous response that never was", `"input":"a","previous_response_id":"` + missing + `"`, "previous_response_id", "previous_response_not_found", "No response has this id"},
		{"a previous response of another service", `"input":"a","previous_response_id":"resp_67ccd2bed1ec8190b14f964abc054267"`, "previous_response_id", "previous_response_not_found", "No response has this id"},
		{"a conversation that never was", `"input":"a","conversation":"conv_1"`, "conversation", "not_found", "No conversation has this id"},
		{"a conversation of another type", `"input":"a","conversation":7`, "conversation", "invalid_type", "a string or an object"},
		{"a conversation without an id", `"input":"a","conversation":{}`, "conversation.id", "missing_required_parameter", "Missing"},
		{"a reference without an id", input(`{"type":"item_reference"}`), "input[1].id", "missing_required_parameter", "Missing"},
		{"an item of an empty type", input(`{"type":"","role":"user","content":"a"}`), "input[1].type", "unsupported_value", "message"},
		{"an empty truncation", `"input":"a","truncation":""`, "truncation", "invalid_value", "disabled"},
		{"a detail", input(`{"role":"user","content":[{"type":"input_image","detail":"sharp","image_url":"` + pixel + `"}]}`), "input[1].content[0].detail", "invalid_value", "auto"},
		{"a tool that loads later", `"input":"a","tools":[{"type":"function","name":"f","defer_loading":true}]`, "tools[0].defer_loading", "unsupported_parameter", "does not support"},
		{"both", `"input":"a","conversation":"conv_` + threadOne + `eu-west-1","previous_response_id":"` + missing + `"`, "previous_response_id", "mutually_exclusive_parameters", "Use one"},
		{"no room", `"input":"a","max_output_tokens":0`, "max_output_tokens", "invalid_value", "between 1"},
		{"a temperature", `"input":"a","temperature":1.5`, "temperature", "unsupported_value", "0 to 1"},
		{"a truncation", `"input":"a","truncation":"some"`, "truncation", "invalid_value", "disabled"},
		{"a summary", `"input":"a","reasoning":{"summary":"short"}`, "reasoning.summary", "invalid_value", "auto"},
		{"a built-in tool", `"input":"a","tools":[{"type":"web_search"}]`, "tools[0].type", "unsupported_value", "function only"},
		{"log probabilities", `"input":"a","include":["message.output_text.logprobs"]`, "include", "unsupported_parameter", "log probabilities"},
		{"something unknown to include", `"input":"a","include":["x"]`, "include", "invalid_value", "unknown"},
		{"options of a stream", `"input":"a","stream_options":{"include_obfuscation":false}`, "stream_options", "invalid_value", "when 'stream' is true"},
		{"obfuscation", `"input":"a","stream":true,"stream_options":{"include_obfuscation":true}`, "stream_options.include_obfuscation", "unsupported_parameter", "does not support"},
		{"background", `"input":"a","background":true`, "background", "unsupported_parameter", "does not support"},
		{"a prompt", `"input":"a","prompt":{"id":"p"}`, "prompt", "unsupported_parameter", "does not support"},
		{"a service tier", `"input":"a","service_tier":"flex"`, "service_tier", "unsupported_parameter", "does not support"},
		{"metadata", `"input":"a","metadata":{"a":1}`, "metadata", "invalid_type", "strings as values"},
		{"an unknown parameter", `"input":"a","messages":[]`, "messages", "unknown_parameter", "Unknown parameter"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := hello()
			resp, body := respond(t, e, tt.members)
			var got struct {
				Error struct {
					Message, Param, Code string
				}
			}
			require.NoError(t, json.Unmarshal([]byte(body), &got), body)
			want := http.StatusBadRequest
			if strings.HasSuffix(tt.code, "not_found") {
				want = http.StatusNotFound
			}
			assert.Equal(t, want, resp.StatusCode)
			assert.Equal(t, tt.param, got.Error.Param)
			assert.Equal(t, tt.code, got.Error.Code)
			assert.Contains(t, got.Error.Message, tt.text)
			assert.Empty(t, e.question.Messages)
		})
	}
}

func TestRefusedConversations(t *testing.T) {
	url, _ := api(t, hello())
	id := conversationWith(t, url).id
	many := strings.TrimSuffix(strings.Repeat(`{"role":"user","content":"a"},`, 21), ",")
	tests := []struct{ name, path, body, param, code string }{
		{"too many items at once", "", `{"items":[` + many + `]}`, "items", "invalid_value"},
		{"too much metadata", "", `{"metadata":{"` + strings.Repeat("k", 65) + `":"v"}}`, "metadata", "invalid_value"},
		{"an unknown parameter", "", `{"user":"jane"}`, "user", "unknown_parameter"},
		{"nothing to update", "/" + id, `{}`, "metadata", "missing_required_parameter"},
		{"something else to update", "/" + id, `{"metadata":{},"items":[]}`, "items", "unknown_parameter"},
		{"no items", "/" + id + "/items", `{}`, "items", "missing_required_parameter"},
		{"too many more items", "/" + id + "/items", `{"items":[` + many + `]}`, "items", "invalid_value"},
		{"an item", "/" + id + "/items", `{"items":[{"role":"user"}]}`, "items[0].content", "missing_required_parameter"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := do(t, http.MethodPost, url+"/v1/conversations"+tt.path, "application/json", tt.body)
			assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
			assert.Contains(t, body, fmt.Sprintf(`"param":%q,"code":%q`, tt.param, tt.code))
		})
	}
}
