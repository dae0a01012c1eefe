package openai_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func client(url string, opts ...option.RequestOption) sdk.Client {
	return sdk.NewClient(append([]option.RequestOption{
		option.WithBaseURL(url + "/v1"), option.WithAPIKey("cr_key.secret"), option.WithMaxRetries(0),
	}, opts...)...)
}

func params() sdk.ChatCompletionNewParams {
	return sdk.ChatCompletionNewParams{
		Model:     "claude-sonnet",
		Messages:  []sdk.ChatCompletionMessageParamUnion{sdk.SystemMessage("be brief"), sdk.UserMessage("hello")},
		MaxTokens: sdk.Int(64),
	}
}

func TestWholeAnswerThroughTheSDK(t *testing.T) {
	e := hello()
	url, _ := api(t, e)
	var resp *http.Response
	c := client(url, option.WithResponseInto(&resp))
	got, err := c.Chat.Completions.New(t.Context(), params())
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"id": "chatcmpl-req-1", "object": "chat.completion", "created": 1700000000, "model": "claude-sonnet",
		"choices": [{"index": 0, "logprobs": null, "finish_reason": "stop",
			"message": {"role": "assistant", "content": "Hello <&>", "refusal": null, "annotations": []}}],
		"usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15,
			"prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
			"completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0,
				"accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}}}`, got.RawJSON())
	assertHeaders(t, resp)
	assert.Equal(t, models[0].Targets, e.targets)
	assert.Equal(t, converse.Request{
		Model:     models[0].Base,
		System:    []converse.Part{{Text: "be brief"}, {Cache: true}},
		Messages:  []converse.Message{{Role: converse.User, Parts: []converse.Part{{Text: "hello"}}}},
		MaxTokens: 64,
	}, e.question)
}

func assertHeaders(t *testing.T, resp *http.Response) {
	t.Helper()
	assert.Equal(t, "eu-west-1", resp.Header.Get(contract.HeaderRegion))
	assert.Equal(t, "eu-central-1", resp.Header.Get(contract.HeaderTarget))
	assert.Equal(t, "2", resp.Header.Get(contract.HeaderAttempts))
	assert.Equal(t, "eu-west-1;throttled", resp.Header.Get(contract.HeaderFailed))
	assert.NotContains(t, resp.Header, contract.HeaderSpared)
	assert.Equal(t, "req-1", resp.Header.Get(contract.HeaderRequestID))
}

func TestStreamThroughTheSDK(t *testing.T) {
	e := hello()
	url, _ := api(t, e)
	var resp *http.Response
	p := params()
	p.StreamOptions.IncludeUsage = sdk.Bool(true)
	c := client(url)
	s := c.Chat.Completions.NewStreaming(t.Context(), p, option.WithResponseInto(&resp))
	var whole sdk.ChatCompletionAccumulator
	for s.Next() {
		require.True(t, whole.AddChunk(s.Current()))
	}
	require.NoError(t, s.Err())
	require.NoError(t, s.Close())
	require.Len(t, whole.Choices, 1)
	assert.Equal(t, "Hello <&>", whole.Choices[0].Message.Content)
	assert.EqualValues(t, "assistant", whole.Choices[0].Message.Role)
	assert.Equal(t, "stop", whole.Choices[0].FinishReason)
	assert.EqualValues(t, 15, whole.Usage.TotalTokens)
	assertHeaders(t, resp)
	assert.Equal(t, "text/event-stream; charset=utf-8", resp.Header.Get("Content-Type"))
	assert.Equal(t, 1, e.closed)
}

// head is what every chunk starts with.
const head = `data: {"id":"chatcmpl-req-1","object":"chat.completion.chunk","created":1700000000,"model":"claude-sonnet",`

func TestStreamOnTheWire(t *testing.T) {
	url, _ := api(t, hello())
	_, got := post(t, url, `{"model":"claude-sonnet","stream":true,"messages":[{"role":"user","content":"hello"}]}`)
	want := []string{
		head + `"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}`,
		head + `"choices":[{"index":0,"delta":{"content":"Hel"},"logprobs":null,"finish_reason":null}]}`,
		head + `"choices":[{"index":0,"delta":{"content":"lo <&>"},"logprobs":null,"finish_reason":null}]}`,
		head + `"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}`,
		`data: [DONE]`,
	}
	assert.Equal(t, strings.Join(want, "\n\n")+"\n\n", got)
}

func TestUsageInTheStreamComesLast(t *testing.T) {
	url, _ := api(t, hello())
	_, got := post(t, url, `{"model":"claude-sonnet","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hello"}]}`)
	events := strings.Split(strings.TrimSuffix(got, "\n\n"), "\n\n")
	require.Len(t, events, 6)
	for _, ev := range events[:4] {
		assert.Contains(t, ev, `,"usage":null}`)
	}
	assert.Contains(t, events[4], `"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15,`)
	assert.Equal(t, "data: [DONE]", events[5])
}

func TestStreamThatBreaksOffIsNoWholeAnswer(t *testing.T) {
	e := hello()
	e.err = &converse.Error{Class: converse.Incomplete, Region: "eu-central-1", Message: "secret cause"}
	url, log := api(t, e)
	_, got := post(t, url, `{"model":"claude-sonnet","stream":true,"messages":[{"role":"user","content":"hello"}]}`)
	events := strings.Split(strings.TrimSuffix(got, "\n\n"), "\n\n")
	assert.Equal(t, `data: {"error":{"message":"The model's answer broke off. Please retry.","type":"server_error","param":null,"code":"incomplete_answer"}}`, events[len(events)-1])
	assert.NotContains(t, got, "[DONE]")
	assert.NotContains(t, got, `"finish_reason":"`)
	assert.NotContains(t, got, "secret cause")
	assert.Equal(t, 1, e.closed)
	assert.Equal(t, "incomplete_answer", log.line(t)["error"])

	c := client(url)
	s := c.Chat.Completions.NewStreaming(t.Context(), params())
	text := ""
	for s.Next() {
		text += s.Current().Choices[0].Delta.Content
	}
	assert.Equal(t, "Hello <&>", text)
	assert.ErrorContains(t, s.Err(), "broke off")
}

func TestFinishReasons(t *testing.T) {
	for reason, want := range map[converse.StopReason]string{
		converse.StopEnd: "stop", converse.StopLength: "length",
		converse.StopFilter: "content_filter", converse.StopTool: "tool_calls",
	} {
		e := hello()
		e.end.Reason = reason
		url, _ := api(t, e)
		c := client(url)
		got, err := c.Chat.Completions.New(t.Context(), params())
		require.NoError(t, err)
		assert.Equal(t, want, got.Choices[0].FinishReason)
	}
}

func TestAnswerThatCannotBeWholeInTimeIsNotRepeated(t *testing.T) {
	e := none(converse.Timeout, "x")
	e.err = &failover.Error{Class: converse.Timeout, Failures: []*converse.Error{
		{Class: converse.Timeout, Region: "eu-west-1", Err: errors.Join(failover.ErrWhole, context.Canceled)},
	}}
	url, log := api(t, e)
	var resp *http.Response
	c := client(url, option.WithResponseInto(&resp), option.WithMaxRetries(2))
	_, err := c.Chat.Completions.New(t.Context(), params())
	var failure *sdk.Error
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, http.StatusGatewayTimeout, failure.StatusCode)
	assert.Equal(t, "server_error", failure.Type)
	assert.Equal(t, "timeout", failure.Code)
	assert.Contains(t, failure.Message, `"stream": true`)
	assert.Empty(t, resp.Header.Get("Retry-After"))
	assert.EqualValues(t, 504, log.line(t)["status"], "one line, since the SDK asked once")
}

func TestFailedInference(t *testing.T) {
	tests := []struct {
		name   string
		engine *engine
		status int
		kind   string
		code   string
		text   string
		retry  string
	}{
		{"throttled everywhere", none(converse.Throttled, "x"), 429, "rate_limit_error", "rate_limit_exceeded", "rate limit", "2"},
		{"nobody can", none(converse.Unavailable, "x"), 503, "server_error", "service_unavailable", "No region", "1"},
		{"broken off", none(converse.Incomplete, "x"), 503, "server_error", "incomplete_answer", "broke off", "1"},
		{"a model broken down", none(converse.ModelFailed, "x"), 503, "server_error", "incomplete_answer", "broke off", "1"},
		{"too slow", none(converse.Timeout, "x"), 504, "server_error", "timeout", "in time", "1"},
		{"nobody waits", none(converse.Canceled, "x"), 503, "server_error", "service_unavailable", "No region", "1"},
		{"denied", none(converse.Denied, "User: arn:aws:iam::123456789012:role/x"), 403, "permission_error", "access_denied", "may not use", ""},
		{"not there", none(converse.NotFound, "x"), 404, "invalid_request_error", "model_not_found", "not available", ""},
		{"invalid, in Bedrock's words", none(converse.Invalid, "maxTokens exceeds 64000"), 400, "invalid_request_error", "invalid_request", "maxTokens exceeds 64000", ""},
		{"invalid, with a part to blame", &engine{err: &converse.Error{Class: converse.Invalid, Feature: converse.FeatureMaxTokens, Message: "too many"}}, 400, "invalid_request_error", "invalid_value", "too many", ""},
		{"invalid, without names of resources", none(converse.Invalid, "no arn:aws:bedrock:x"), 400, "invalid_request_error", "invalid_request", "refused the request", ""},
		{"invalid, without words", none(converse.Invalid, ""), 400, "invalid_request_error", "invalid_request", "refused the request", ""},
		{"too long", none(converse.TooLong, "prompt is too long"), 400, "invalid_request_error", "context_length_exceeded", "too long", ""},
		{"outside the jurisdiction", none(converse.Outside, "us-east-1"), 500, "server_error", "residency_violation", "was not processed", ""},
		{"a fault of this program", &engine{err: http.ErrBodyNotAllowed}, 500, "server_error", "internal_error", "had an error", ""},
	}
	for _, tt := range tests {
		for _, stream := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				url, log := api(t, tt.engine)
				var resp *http.Response
				c := client(url, option.WithResponseInto(&resp))
				var err error
				if stream {
					s := c.Chat.Completions.NewStreaming(t.Context(), params())
					require.False(t, s.Next())
					err = s.Err()
				} else {
					_, err = c.Chat.Completions.New(t.Context(), params())
				}
				var e *sdk.Error
				require.ErrorAs(t, err, &e)
				assert.Equal(t, tt.status, e.StatusCode)
				assert.Equal(t, tt.kind, e.Type)
				assert.Equal(t, tt.code, e.Code)
				assert.Contains(t, e.Message, tt.text)
				assert.NotContains(t, e.Message, "arn:")
				assert.Equal(t, tt.retry, resp.Header.Get("Retry-After"))
				assert.Equal(t, "application/json", resp.Header.Get("Content-Type"))
				assert.Equal(t, "eu-west-1", resp.Header.Get(contract.HeaderRegion))
				assert.Equal(t, "req-1", resp.Header.Get(contract.HeaderRequestID))
				assert.Empty(t, resp.Header.Get(contract.HeaderTarget))
				assert.EqualValues(t, tt.status, log.line(t)["status"])
			})
		}
	}
}
