package openai_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// png is the smallest PNG that is recognized as one.
const png = "\x89PNG\r\n\x1a\n"

func dataURL(mediaType, data string) string {
	return "data:" + mediaType + ";base64," + base64.StdEncoding.EncodeToString([]byte(data))
}

// question is what the model was asked by a request, of which members replace
// those of a right one.
func question(t *testing.T, body string) converse.Request {
	t.Helper()
	e := hello()
	url, _ := api(t, e)
	resp, got := post(t, url, body)
	require.Equal(t, http.StatusOK, resp.StatusCode, got)
	return e.question
}

const (
	twoTools  = `"tools":[{"type":"function","function":{"name":"f","description":"does f","parameters":{"type":"object","title":"a","additionalProperties":false},"strict":true}},{"type":"function","function":{"name":"g"}}]`
	askedTool = `{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[
		{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"n\":12345678901234567890}"}},
		{"id":"c2","type":"function","function":{"name":"g","arguments":""}}]}`
)

func TestToolsOfTheQuestion(t *testing.T) {
	f := converse.Tool{Name: "f", Description: "does f", Schema: json.RawMessage(`{"type":"object","title":"a","additionalProperties":false}`), Strict: true}
	g := converse.Tool{Name: "g", Schema: json.RawMessage(`{"type":"object","properties":{}}`)}
	last := func(tools ...converse.Tool) []converse.Tool { tools[len(tools)-1].Cache = true; return tools }
	tests := []struct {
		name, more string
		tools      []converse.Tool
		choice     converse.ToolChoice
	}{
		{"as the model sees fit", ``, last(f, g), converse.ToolChoice{}},
		{"explicitly so", `,"tool_choice":"auto","parallel_tool_calls":true`, last(f, g), converse.ToolChoice{Mode: converse.ToolAuto}},
		{"none", `,"tool_choice":"none","parallel_tool_calls":false`, last(f, g), converse.ToolChoice{Mode: converse.ToolNone}},
		{"some", `,"tool_choice":"required"`, last(f, g), converse.ToolChoice{Mode: converse.ToolAny}},
		{"a certain one", `,"tool_choice":{"type":"function","function":{"name":"g"}}`, last(f, g), converse.ToolChoice{Mode: converse.ToolOne, Name: "g"}},
		{"one at a time", `,"parallel_tool_calls":false`, last(f, g), converse.ToolChoice{Single: true}},
		{"some of the allowed", `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}}]}}`,
			last(g), converse.ToolChoice{Mode: converse.ToolAny}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := question(t, with(twoTools+tt.more))
			assert.Equal(t, tt.tools, q.Tools)
			assert.Equal(t, tt.choice, q.ToolChoice)
		})
	}
}

func TestMessagesWithTools(t *testing.T) {
	q := question(t, saying(askedTool+`,{"role":"tool","tool_call_id":"c2","content":""},
		{"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"one"}]},{"role":"user","content":"and?"},
		{"role":"assistant","content":[{"type":"text","text":"a"},{"type":"refusal","refusal":"b"}],"refusal":"c","reasoning_content":"hmm"},
		{"role":"user","content":"so?"}`))
	assert.Equal(t, []converse.Message{
		{Role: converse.User, Parts: []converse.Part{{Text: "q"}}},
		{Role: converse.Assistant, Parts: []converse.Part{
			{ToolUse: &converse.ToolUse{ID: "c1", Name: "f", Input: json.RawMessage(`{"n":12345678901234567890}`)}},
			{ToolUse: &converse.ToolUse{ID: "c2", Name: "g", Input: json.RawMessage(`{}`)}},
		}},
		{Role: converse.User, Parts: []converse.Part{
			{ToolResult: &converse.ToolResult{ID: "c2"}},
			{ToolResult: &converse.ToolResult{ID: "c1", Parts: []converse.Part{{Text: "one"}}}},
			{Text: "and?"}, {Cache: true},
		}},
		{Role: converse.Assistant, Parts: []converse.Part{{Text: "a"}, {Text: "b"}, {Text: "c"}}},
		{Role: converse.User, Parts: []converse.Part{{Text: "so?"}, {Cache: true}}},
	}, q.Messages)
}

func TestMessagesThatNeedMending(t *testing.T) {
	call := `{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","name":"f","tool_call_id":"c","content":"1"}`
	use := converse.Message{Role: converse.Assistant, Parts: []converse.Part{{ToolUse: &converse.ToolUse{ID: "c", Name: "f", Input: json.RawMessage(`{}`)}}}}
	told := converse.Message{Role: converse.User, Parts: []converse.Part{{ToolResult: &converse.ToolResult{ID: "c", Parts: []converse.Part{{Text: "1"}}}}}}
	tests := []struct {
		name, messages string
		want           []converse.Message
	}{
		{"the assistant speaks first", `{"role":"system","content":"s"},{"role":"assistant","content":"a"},{"role":"user","content":"b"}`,
			[]converse.Message{said(converse.User, "(The assistant speaks first.)"), said(converse.Assistant, "a"), said(converse.User, "b")}},
		{"the assistant speaks last", `{"role":"user","content":"a"},{"role":"assistant","content":[{"type":"text","text":"b","role":"assistant","refusal":null,"annotations":[]}]},{"role":"developer","content":"c"}`,
			[]converse.Message{said(converse.User, "a"), said(converse.Assistant, "b"), said(converse.User, "(Please go on.)")}},
		{"nobody speaks but the system", `{"role":"system","content":"s"}`, []converse.Message{said(converse.User, "(The assistant speaks first.)")}},
		{"the assistant said nothing", `{"role":"user","content":"a"},{"role":"assistant","content":""},{"role":"user","content":"b"}`,
			[]converse.Message{{Role: converse.User, Parts: []converse.Part{{Text: "a"}, {Text: "b"}}}}},
		{"users have names", `{"role":"user","name":"jane","content":"a"},{"role":"assistant","name":"bot","content":"b"},{"role":"user","name":"joe","content":"c"}`,
			[]converse.Message{{Role: converse.User, Parts: []converse.Part{{Text: "jane:"}, {Text: "a"}}}, said(converse.Assistant, "b"),
				{Role: converse.User, Parts: []converse.Part{{Text: "joe:"}, {Text: "c"}}}}},
		{"SDKs leave what they have read out of an answer", `{"role":"user","content":"a"},{"role":"assistant","content":"{}","parsed":{"b":1},` +
			`"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{}","parsed_arguments":{}}}]},{"role":"tool","tool_call_id":"c","content":"1"}`,
			[]converse.Message{said(converse.User, "a"), {Role: converse.Assistant, Parts: []converse.Part{{Text: "{}"}, use.Parts[0]}}, told}},
		{"calls of two turns have one id", `{"role":"user","content":"a"},` + call + `,` + call, []converse.Message{said(converse.User, "a"), use, told, use, told}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, spoken(question(t, saying(tt.messages)).Messages))
		})
	}
}

func TestImagesAndFiles(t *testing.T) {
	q := question(t, saying(`{"role":"user","content":[{"type":"text","text":"look"},
		{"type":"image_url","image_url":{"url":"`+dataURL("image/png", png)+`","detail":"low"}},
		{"type":"image_url","image_url":{"url":"`+dataURL("image/jpg", png)+`"}},
		{"type":"file","file":{"filename":"x.bin","file_data":"`+dataURL("application/pdf", "%PDF-")+`"}},
		{"type":"file","file":{"filename":"Notes.MD","file_data":"`+dataURL("application/octet-stream", "# a")+`"}},
		{"type":"file","file":{"file_data":"`+dataURL("text/plain;charset=utf-8", "a")+`"}}]}`))
	assert.Equal(t, []converse.Part{
		{Text: "look"}, {Image: &converse.Image{Format: "png", Bytes: []byte(png)}}, {Image: &converse.Image{Format: "png", Bytes: []byte(png)}},
		{Document: &converse.Document{Format: "pdf", Bytes: []byte("%PDF-")}},
		{Document: &converse.Document{Format: "md", Bytes: []byte("# a")}},
		{Document: &converse.Document{Format: "txt", Bytes: []byte("a")}},
	}, q.Messages[0].Parts)
}

func TestFormatAndEffort(t *testing.T) {
	assert.Equal(t, &converse.Format{Name: "p", Description: "d", Schema: json.RawMessage(`{"type":"object","additionalProperties":false}`), Strict: true},
		question(t, with(`"response_format":{"type":"json_schema","json_schema":{"name":"p","description":"d","strict":true,"schema":{"type":"object","additionalProperties":false}}}`)).Format)
	for asked, want := range map[string]string{"none": "", "minimal": "low", "low": "low", "medium": "medium", "high": "high"} {
		assert.Equal(t, want, question(t, with(`"reasoning_effort":"`+asked+`"`)).Effort, asked)
	}
}

func TestFaultyToolsAndPartsAreRefusedByName(t *testing.T) {
	tool := func(f string) string { return with(`"tools":[{"type":"function","function":` + f + `}]`) }
	image := func(url string) string {
		return saying(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"` + url + `"}}]}`)
	}
	file := func(members string) string {
		return saying(`{"role":"user","content":[{"type":"text","text":"a"},{"type":"file","file":{` + members + `}}]}`)
	}
	result := `,{"role":"tool","tool_call_id":"c1","content":"1"}`
	tests := []struct{ name, body, code, param string }{
		{"a tool of another type", with(`"tools":[{"type":"web_search"}]`), "unsupported_value", "tools[0].type"},
		{"a tool without a name", tool(`{}`), "missing_required_parameter", "tools[0].function.name"},
		{"a name that Bedrock does not take", tool(`{"name":"a.b"}`), "invalid_value", "tools[0].function.name"},
		{"a name that is too long", tool(`{"name":"` + strings.Repeat("a", 65) + `"}`), "invalid_value", "tools[0].function.name"},
		{"a schema of no object", tool(`{"name":"f","parameters":{"type":"array"}}`), "invalid_value", "tools[0].function.parameters"},
		{"a member that no function has", tool(`{"name":"f","x":1}`), "unknown_parameter", "tools[0].function.x"},
		{"a member that no tool has", with(`"tools":[{"type":"function","function":{"name":"f"},"x":1}]`), "unknown_parameter", "tools[0].x"},
		{"two tools of one name", with(`"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"f"}}]`), "invalid_value", "tools[1]"},
		{"too many tools", with(`"tools":[` + repeated(`{}`, 129) + `]`), "invalid_value", "tools"},
		{"a choice among no tools", with(`"tool_choice":"required"`), "invalid_value", "tool_choice"},
		{"a choice that is a number", with(twoTools + `,"tool_choice":5`), "invalid_type", "tool_choice"},
		{"a strict tool that is open inside", tool(`{"name":"f","strict":true,"parameters":{"type":"object","additionalProperties":false,"properties":{"a":{"type":"array","items":{"type":"object"}}}}}`), "unsupported_value", "tools"},
		{"a strict format that is open", with(`"response_format":{"type":"json_schema","json_schema":{"name":"p","strict":true,"schema":{"type":"object"}}}`), "unsupported_value", "response_format"},
		{"a schema with its type in another case", tool(`{"name":"f","parameters":{"Type":"object"}}`), "invalid_value", "tools[0].function.parameters"},
		{"a schema that is none", tool(`{"name":"f","parameters":"object"}`), "invalid_type", "tools[0].function.parameters"},
		{"a choice that nobody knows", with(twoTools + `,"tool_choice":"maybe"`), "invalid_value", "tool_choice"},
		{"a choice of an unknown tool", with(twoTools + `,"tool_choice":{"type":"function","function":{"name":"h"}}`), "invalid_value", "tool_choice"},
		{"a choice of an unknown type", with(twoTools + `,"tool_choice":{"type":"custom","custom":{}}`), "unsupported_value", "tool_choice.type"},
		{"an unknown tool that is allowed", with(twoTools + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"h"}}]}}`), "invalid_value", "tool_choice.allowed_tools.tools"},
		{"nothing that is allowed", with(twoTools + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}`), "invalid_value", "tool_choice.allowed_tools.tools"},
		{"an allowance of an unknown mode", with(twoTools + `,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"none","tools":[]}}`), "invalid_value", "tool_choice.allowed_tools.mode"},
		{"a format that nobody knows", with(`"response_format":{"type":"xml"}`), "invalid_value", "response_format.type"},
		{"a format without its schema", with(`"response_format":{"type":"json_schema","json_schema":{"name":"p"}}`), "missing_required_parameter", "response_format.json_schema.schema"},
		{"a format of no object", with(`"response_format":{"type":"json_schema","json_schema":{"name":"p","schema":{"type":"string"}}}`), "invalid_value", "response_format.json_schema.schema"},
		{"a format without a name", with(`"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object"}}}`), "missing_required_parameter", "response_format.json_schema.name"},
		{"an effort beyond", with(`"reasoning_effort":"xhigh"`), "unsupported_value", "reasoning_effort"},
		{"an effort that nobody knows", with(`"reasoning_effort":"most"`), "invalid_value", "reasoning_effort"},
		{"an image from elsewhere", image("https://example.com/a.png"), "invalid_value", "messages[0].content[0].image_url.url"},
		{"an image that is no base64", image("data:image/png;base64,?"), "invalid_value", "messages[0].content[0].image_url.url"},
		{"an image in plain text", image("data:image/png,abc"), "invalid_value", "messages[0].content[0].image_url.url"},
		{"an empty image", image("data:image/png;base64,"), "invalid_value", "messages[0].content[0].image_url.url"},
		{"an image in an unknown format", image(dataURL("image/bmp", "BM")), "invalid_value", "messages[0].content[0].image_url.url"},
		{"an image that is none", image(dataURL("image/png", "%PDF-")), "invalid_value", "messages[0].content[0].image_url.url"},
		{"an image that does not say so", image(dataURL("text/plain", png)), "invalid_value", "messages[0].content[0].image_url.url"},
		{"a detail of an image", saying(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"` + dataURL("image/png", png) + `","detail":"sharp"}}]}`), "invalid_value", "messages[0].content[0].image_url.detail"},
		{"a stored file", file(`"file_id":"file-1"`), "unsupported_parameter", "messages[0].content[1].file.file_id"},
		{"a file that is no data URL", file(`"filename":"a.pdf","file_data":"JVBERi0="`), "invalid_value", "messages[0].content[1].file.file_data"},
		{"a PDF that is none", file(`"filename":"a.pdf","file_data":"` + dataURL("application/pdf", "PK") + `"`), "invalid_value", "messages[0].content[1].file.file_data"},
		{"a file without data", file(`"filename":"a.pdf"`), "missing_required_parameter", "messages[0].content[1].file.file_data"},
		{"a file in an unknown format", file(`"filename":"a.zip","file_data":"` + dataURL("application/zip", "PK") + `"`), "invalid_value", "messages[0].content[1].file.file_data"},
		{"six files", saying(`{"role":"user","content":[` + repeated(`{"type":"file","file":{"file_data":"`+dataURL("text/plain", "a")+`"}}`, 6) + `]}`), "unsupported_value", "messages"},
		{"an image that a system shows", saying(`{"role":"system","content":[{"type":"image_url","image_url":{"url":"` + dataURL("image/png", png) + `"}}]},{"role":"user","content":"a"}`), "unsupported_value", "messages[0].content[0].type"},
		{"a call without an id", saying(`{"role":"user","content":"q"},{"role":"assistant","tool_calls":[{"type":"function","function":{"name":"f","arguments":"{}"}}]}`), "missing_required_parameter", "messages[1].tool_calls[0].id"},
		{"arguments that are no object", saying(`{"role":"user","content":"q"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"[1]"}}]}`), "invalid_value", "messages[1].tool_calls[0].function.arguments"},
		{"two calls of one id", saying(`{"role":"user","content":"q"},{"role":"assistant","tool_calls":[` + repeated(`{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}`, 2) + `]}`), "invalid_value", "messages[1].tool_calls[1].id"},
		{"two calls of one id in two messages", saying(askedTool + `,{"role":"assistant","tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]}`), "invalid_value", "messages[2].tool_calls[0].id"},
		{"a call by the user", saying(`{"role":"user","content":"a","tool_calls":[{"id":"x"}]}`), "unsupported_parameter", "messages[0].tool_calls"},
		{"a result of nothing", saying(`{"role":"user","content":"q"}` + result), "invalid_value", "messages[1].tool_call_id"},
		{"the same result twice", saying(askedTool + result + result), "invalid_value", "messages[3].tool_call_id"},
		{"no result at all", saying(askedTool + result), "invalid_value", "messages"},
		{"a question before the results", saying(askedTool + result + `,{"role":"user","content":"a"}`), "invalid_value", "messages[3].role"},
		{"an answer before the results", saying(askedTool + result + `,{"role":"assistant","content":"a"}`), "invalid_value", "messages[3].role"},
		{"what the model cannot do", `{"model":"meta/llama",` + twoTools + `,"messages":[{"role":"user","content":"a"}]}`, "unsupported_value", "tools"},
		{"thoughts at a temperature", with(`"reasoning_effort":"low","temperature":0.5`), "unsupported_value", "temperature"},
		{"thoughts of a model without", `{"model":"meta/llama","reasoning_effort":"low","messages":[{"role":"user","content":"a"}]}`, "unsupported_value", "reasoning_effort"},
		{"one tool at a time of a model that cannot", `{"model":"nova-lite","tools":[{"type":"function","function":{"name":"g"}}],"parallel_tool_calls":false,"messages":[{"role":"user","content":"a"}]}`, "unsupported_value", "parallel_tool_calls"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assertRefused(t, tt.body, tt.code, tt.param) })
	}
}

// thinker is an engine that thinks, says something and calls two tools.
func thinker() *engine {
	e := hello()
	e.events = []converse.Event{
		{Reasoning: &converse.Reasoning{Text: "hmm"}}, {Reasoning: &converse.Reasoning{Signature: "sig"}},
		{Wait: true},
		{Text: "Let me see."},
		{Tool: &converse.ToolDelta{ID: "c1", Name: "f"}}, {Tool: &converse.ToolDelta{Input: `{"a":`}}, {Tool: &converse.ToolDelta{Input: `1}`}},
		{Tool: &converse.ToolDelta{Index: 1, ID: "c2", Name: "g"}}, {Tool: &converse.ToolDelta{Index: 1, Input: `{}`}},
	}
	e.end.Reason = converse.StopTool
	return e
}

func withTools() sdk.ChatCompletionNewParams {
	p := params()
	p.Tools = []sdk.ChatCompletionToolUnionParam{
		sdk.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: "f", Parameters: shared.FunctionParameters{"type": "object"}}),
		sdk.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{Name: "g"}),
	}
	return p
}

func TestToolsRoundTripThroughTheSDK(t *testing.T) {
	e := thinker()
	url, _ := api(t, e)
	c := client(url)
	got, err := c.Chat.Completions.New(t.Context(), withTools())
	require.NoError(t, err)
	assert.JSONEq(t, `{"role":"assistant","content":"Let me see.","reasoning_content":"hmm","refusal":null,"annotations":[],"tool_calls":[
		{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}},
		{"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]}`, got.Choices[0].Message.RawJSON())
	assert.Equal(t, "tool_calls", got.Choices[0].FinishReason)

	p := withTools()
	p.Messages = append(p.Messages, got.Choices[0].Message.ToParam(), sdk.ToolMessage("one", "c1"), sdk.ToolMessage("two", "c2"))
	_, err = c.Chat.Completions.New(t.Context(), p)
	require.NoError(t, err)
	assert.Len(t, e.question.Messages[1].Parts, 3)
	assert.Equal(t, "two", e.question.Messages[2].Parts[1].ToolResult.Parts[0].Text)
}

func TestStreamedToolsThroughTheSDK(t *testing.T) {
	url, _ := api(t, thinker())
	c := client(url)
	s := c.Chat.Completions.NewStreaming(t.Context(), withTools())
	var whole sdk.ChatCompletionAccumulator
	for s.Next() {
		require.True(t, whole.AddChunk(s.Current()))
	}
	require.NoError(t, s.Err())
	m := whole.Choices[0].Message
	assert.Equal(t, "Let me see.", m.Content)
	assert.Equal(t, "tool_calls", whole.Choices[0].FinishReason)
	require.Len(t, m.ToolCalls, 2)
	for i, want := range []struct{ id, name, arguments string }{{"c1", "f", `{"a":1}`}, {"c2", "g", `{}`}} {
		assert.Equal(t, want.id, m.ToolCalls[i].ID)
		assert.Equal(t, want.name, m.ToolCalls[i].Function.Name)
		assert.Equal(t, want.arguments, m.ToolCalls[i].Function.Arguments)
	}
}

func TestStreamedToolsOnTheWire(t *testing.T) {
	url, _ := api(t, thinker())
	_, got := post(t, url, with(`"stream":true`))
	chunk := func(delta string) string {
		return head + `"choices":[{"index":0,"delta":` + delta + `,"logprobs":null,"finish_reason":null}]}`
	}
	want := []string{
		chunk(`{"role":"assistant"}`),
		chunk(`{"reasoning_content":"hmm"}`),
		`: waiting`,
		chunk(`{"content":"Let me see."}`),
		chunk(`{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}]}`),
		chunk(`{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":"}}]}`),
		chunk(`{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}`),
		chunk(`{"tool_calls":[{"index":1,"id":"c2","type":"function","function":{"name":"g","arguments":""}}]}`),
		chunk(`{"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]}`),
		head + `"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}]}`,
		`data: [DONE]`,
	}
	assert.Equal(t, strings.Join(want, "\n\n")+"\n\n", got)
}

// TestAStreamThatBeginsWithoutContentSaysSoAtOnce: proxies that wait for the first
// byte have waited for the status already.
func TestAStreamThatBeginsWithoutContentSaysSoAtOnce(t *testing.T) {
	e := hello()
	e.report = failover.Report{}
	url, _ := api(t, e)
	_, got := post(t, url, with(`"stream":true`))
	assert.True(t, strings.HasPrefix(got, ": waiting\n\ndata: "), got)
	assert.Equal(t, 1, strings.Count(got, ": waiting"))
}

func TestCallsWithoutWordsHaveNoContent(t *testing.T) {
	e := thinker()
	e.events = e.events[4:]
	url, _ := api(t, e)
	_, got := post(t, url, with(twoTools))
	assert.Contains(t, got, `"message":{"role":"assistant","content":null,"tool_calls":[`)
	_, got = post(t, url, with(`"stream":true,`+twoTools))
	assert.NotContains(t, got, `"content"`)
}
