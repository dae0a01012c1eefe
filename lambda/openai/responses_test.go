package openai_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	threadOne = "00000000000000000001"
	turnTwo   = "00000000000000000002"
	firstID   = threadOne + turnTwo + "eu-west-1"
)

func request1(text string) responses.ResponseNewParams {
	return responses.ResponseNewParams{Model: "claude-sonnet", Input: responses.ResponseNewParamsInputUnion{OfString: sdk.String(text)}}
}

func said(role converse.Role, text string) converse.Message {
	return converse.Message{Role: role, Parts: []converse.Part{{Text: text}}}
}

func TestResponseThroughTheSDK(t *testing.T) {
	e := hello()
	url, _ := api(t, e)
	var resp *http.Response
	c := client(url, option.WithResponseInto(&resp))
	p := request1("hello")
	p.Instructions, p.Metadata = sdk.String("be brief"), map[string]string{"a": "<b>"}
	got, err := c.Responses.New(t.Context(), p)
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"id": "resp_`+firstID+`", "object": "response", "created_at": 1700000000, "completed_at": 1700000000, "status": "completed",
		"background": false, "error": null, "incomplete_details": null, "model": "claude-sonnet", "conversation": null, "store": true,
		"service_tier": "default", "instructions": "be brief", "max_output_tokens": null, "metadata": {"a": "<b>"},
		"parallel_tool_calls": true, "previous_response_id": null, "reasoning": {"effort": null, "summary": null}, "temperature": null,
		"text": {"format": {"type": "text"}}, "tool_choice": "auto", "tools": [], "top_p": null, "truncation": "disabled",
		"output": [{"id": "msg_`+threadOne+turnTwo+`001eu-west-1", "type": "message", "status": "completed", "role": "assistant",
			"content": [{"type": "output_text", "text": "Hello <&>", "annotations": [], "logprobs": []}]}],
		"usage": {"input_tokens": 12, "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 0}, "output_tokens": 3,
			"output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 15}}`, got.RawJSON())
	assert.Equal(t, "Hello <&>", got.OutputText())
	assertHeaders(t, resp)
	assert.Equal(t, "2", resp.Header.Get(contract.HeaderReplicas))
	assert.Equal(t, []converse.Part{{Text: "be brief"}, {Cache: true}}, e.question.System)
	assert.Equal(t, []converse.Message{said(converse.User, "hello")}, spoken(e.question.Messages))
	assert.Equal(t, models[0].Base, e.question.Model)

	again, err := c.Responses.Get(t.Context(), got.ID, responses.ResponseGetParams{})
	require.NoError(t, err)
	assert.Equal(t, got.RawJSON(), again.RawJSON(), "the same bytes")
}

func TestResponseGoesOnFromAnother(t *testing.T) {
	e, m := hello(), newMemory()
	url, _ := stateful(t, e, m)
	c := client(url)
	p := request1("one")
	p.Instructions = sdk.String("only now")
	first, err := c.Responses.New(t.Context(), p)
	require.NoError(t, err)
	p = request1("two")
	p.PreviousResponseID = sdk.String(first.ID)
	second, err := c.Responses.New(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, first.ID, second.PreviousResponseID)
	p = request1("three")
	p.PreviousResponseID = sdk.String(second.ID)
	_, err = c.Responses.New(t.Context(), p)
	require.NoError(t, err)
	assert.Equal(t, []converse.Message{
		said(converse.User, "one"), said(converse.Assistant, "Hello <&>"), said(converse.User, "two"),
		said(converse.Assistant, "Hello <&>"), said(converse.User, "three"),
	}, spoken(e.question.Messages))
	assert.Empty(t, e.question.System, "instructions are not carried over")

	branch := request1("other")
	branch.PreviousResponseID = sdk.String(first.ID)
	_, err = c.Responses.New(t.Context(), branch)
	require.NoError(t, err)
	assert.Len(t, e.question.Messages, 3)
}

func TestToolsLoop(t *testing.T) {
	for _, stream := range []bool{false, true} {
		e := hello()
		e.events = []converse.Event{
			{Reasoning: &converse.Reasoning{Text: "I should "}}, {Reasoning: &converse.Reasoning{Text: "look."}}, {Reasoning: &converse.Reasoning{Signature: "sig"}},
			{Text: "Let me see."},
			{Tool: &converse.ToolDelta{Index: 0, ID: "call-1", Name: "weather"}}, {Tool: &converse.ToolDelta{Index: 0, Input: `{"city":`}}, {Tool: &converse.ToolDelta{Index: 0, Input: `"Bern"}`}},
			{Tool: &converse.ToolDelta{Index: 1, ID: "call-2", Name: "now"}},
		}
		e.end.Reason = converse.StopTool
		url, _ := api(t, e)
		p := request1("weather?")
		p.Tools = []responses.ToolUnionParam{
			{OfFunction: &responses.FunctionToolParam{Name: "weather", Parameters: map[string]any{"type": "object"}, Strict: sdk.Bool(false)}},
			{OfFunction: &responses.FunctionToolParam{Name: "now"}},
		}
		p.Reasoning.Effort = "low"
		p.MaxOutputTokens = sdk.Int(10_000)
		got := ask(t, url, p, stream)
		require.Len(t, got.Output, 4)
		assert.Equal(t, "reasoning", got.Output[0].Type)
		assert.Empty(t, got.Output[0].Summary, "no summary was asked for")
		assert.Equal(t, `{"city":"Bern"}`, got.Output[2].AsFunctionCall().Arguments)
		assert.Equal(t, "call-1", got.Output[2].CallID)
		assert.Equal(t, `{}`, got.Output[3].AsFunctionCall().Arguments)
		require.Len(t, e.question.Tools, 2)

		p.PreviousResponseID = sdk.String(got.ID)
		p.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{
			outputOf("call-2", "noon"),
			outputOf("call-1", "sunny"),
			responses.ResponseInputItemParamOfMessage("thanks", responses.EasyInputMessageRoleUser),
		}}
		e.events, e.end.Reason = hello().events, converse.StopEnd
		assert.Equal(t, "Hello <&>", ask(t, url, p, stream).OutputText())
		assert.Equal(t, []converse.Message{
			said(converse.User, "weather?"),
			{Role: converse.Assistant, Parts: []converse.Part{
				{Reasoning: &converse.Reasoning{Text: "I should look.", Signature: "sig"}}, {Text: "Let me see."},
				{ToolUse: &converse.ToolUse{ID: "call-1", Name: "weather", Input: json.RawMessage(`{"city":"Bern"}`)}},
				{ToolUse: &converse.ToolUse{ID: "call-2", Name: "now", Input: json.RawMessage(`{}`)}},
			}},
			{Role: converse.User, Parts: []converse.Part{
				{ToolResult: &converse.ToolResult{ID: "call-2", Parts: []converse.Part{{Text: "noon"}}}},
				{ToolResult: &converse.ToolResult{ID: "call-1", Parts: []converse.Part{{Text: "sunny"}}}},
				{Text: "thanks"},
			}},
		}, spoken(e.question.Messages))

		p.Input = request1("no output").Input
		_, err := newSDK(url).Responses.New(t.Context(), p)
		assertError(t, err, http.StatusBadRequest, "invalid_value", "No tool output found for function call call-1.")
	}
}

func TestEventsOfAStreamedResponse(t *testing.T) {
	e := hello()
	e.events = []converse.Event{
		{Wait: true}, {Reasoning: &converse.Reasoning{Text: "Hm."}}, {Reasoning: &converse.Reasoning{Signature: "sig"}},
		{Reasoning: &converse.Reasoning{Redacted: []byte("xx")}}, {Text: "Hel"}, {Text: "lo"},
	}
	url, _ := api(t, e)
	resp, body := do(t, http.MethodPost, url+"/v1/responses", "application/json",
		`{"model":"claude-sonnet","stream":true,"input":"hello","reasoning":{"effort":"low","summary":"auto"},"max_output_tokens":9000}`)
	assert.Equal(t, "text/event-stream; charset=utf-8", resp.Header.Get("Content-Type"))
	assert.Contains(t, body, "\n\n: waiting\n\n")
	var kinds []string
	for line := range strings.Lines(body) {
		if kind, ok := strings.CutPrefix(line, "event: "); ok {
			kinds = append(kinds, strings.TrimSpace(kind))
		}
	}
	assert.Equal(t, []string{
		"response.created", "response.in_progress",
		"response.output_item.added", "response.reasoning_summary_part.added", "response.reasoning_summary_text.delta",
		"response.reasoning_summary_text.done", "response.reasoning_summary_part.done", "response.output_item.done",
		"response.output_item.added", "response.output_item.done",
		"response.output_item.added", "response.content_part.added", "response.output_text.delta", "response.output_text.delta",
		"response.output_text.done", "response.content_part.done", "response.output_item.done",
		"response.completed",
	}, kinds)
	assert.NotContains(t, body, "[DONE]")
	assert.Contains(t, body, `"item":{"id":"rs_`+threadOne+turnTwo+`001eu-west-1","type":"reasoning","status":"in_progress","summary":[]}`)
	assert.Contains(t, body, `"item":{"id":"msg_`+threadOne+turnTwo+`003eu-west-1","type":"message","status":"in_progress","role":"assistant","content":[]}`)
}

func TestIncompleteResponse(t *testing.T) {
	for reason, want := range map[converse.StopReason]string{converse.StopLength: "max_output_tokens", converse.StopFilter: "content_filter"} {
		for _, stream := range []bool{false, true} {
			e := hello()
			e.events = append(e.events, converse.Event{Tool: &converse.ToolDelta{ID: "call-1", Name: "f"}}, converse.Event{Tool: &converse.ToolDelta{Input: `{"a`}})
			e.end.Reason = reason
			url, _ := api(t, e)
			got := ask(t, url, request1("hello"), stream)
			assert.EqualValues(t, "incomplete", got.Status)
			assert.Equal(t, want, got.IncompleteDetails.Reason)
			assert.Equal(t, "completed", got.Output[0].Status)
			assert.Equal(t, "incomplete", got.Output[1].Status)

			p := request1("go on")
			p.PreviousResponseID = sdk.String(got.ID)
			ask(t, url, p, stream)
			assert.Equal(t, []converse.Message{
				said(converse.User, "hello"), said(converse.Assistant, "Hello <&>"), said(converse.User, "go on"),
			}, spoken(e.question.Messages), "a call that was cut off was never made")
		}
	}
}

func TestUnstoredResponse(t *testing.T) {
	for _, stream := range []bool{false, true} {
		m := newMemory()
		url, _ := stateful(t, hello(), m)
		p := request1("hello")
		p.Store = param.NewOpt(false)
		got := ask(t, url, p, stream)
		assert.False(t, gotStore(t, got))
		assert.Empty(t, m.turns)
		assert.NotContains(t, m.calls, "append")
		p.PreviousResponseID = sdk.String(got.ID)
		_, err := newSDK(url).Responses.New(t.Context(), p)
		assertError(t, err, http.StatusNotFound, "previous_response_not_found", "No response has this id")
	}
}

func gotStore(t *testing.T, r *responses.Response) bool {
	t.Helper()
	var stored struct{ Store bool }
	require.NoError(t, json.Unmarshal([]byte(r.RawJSON()), &stored))
	return stored.Store
}
