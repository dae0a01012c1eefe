package bedrock_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const filler20 = "rivers carry quiet water past green hills while small boats follow the current toward a distant harbour and rest there"

func TestConverseAnswers(t *testing.T) {
	tests := []struct {
		name   string
		texts  []string
		config *types.InferenceConfiguration
		want   string
		stop   types.StopReason
		tokens int32
	}{
		{"the first turn", []string{"hello"}, nil, `Turn 1. You said: "hello". ` + filler20, types.StopReasonEndTurn, 29},
		{"a later turn from its last question", []string{"one", "first", "two"}, nil, `Turn 2. You said: "two". ` + filler20, types.StopReasonEndTurn, 29},
		{"as many words as asked for", []string{"say 2 words"}, nil, `Turn 1. You said: "say 2 words". rivers carry`, types.StopReasonEndTurn, 13},
		{"twenty words when asked for too many", []string{"say 4001 words"}, nil, `Turn 1. You said: "say 4001 words". ` + filler20, types.StopReasonEndTurn, 31},
		{"200 characters of a long question", []string{strings.Repeat("é", 300)}, &types.InferenceConfiguration{MaxTokens: aws.Int32(8)},
			`Turn 1. You said: "` + strings.Repeat("é", 200), types.StopReasonMaxTokens, 8},
		{"no more tokens than allowed", []string{"hello"}, &types.InferenceConfiguration{MaxTokens: aws.Int32(3)}, "Turn 1.", types.StopReasonMaxTokens, 3},
		{"up to the earliest stop sequence", []string{"hello"}, &types.InferenceConfiguration{StopSequences: []string{"rivers", "said", "absent"}},
			"Turn 1. You", types.StopReasonStopSequence, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := fast(t)
			in := ask("us."+haiku, tt.texts...)
			in.InferenceConfig = tt.config
			out, err := b.client("us-east-1").Converse(patience(t), in)
			require.NoError(t, err)
			assert.Equal(t, tt.want, answerOf(t, out))
			assert.Equal(t, tt.stop, out.StopReason)
			assert.Equal(t, tt.tokens, *out.Usage.OutputTokens)

			s := stream(patience(t), b.client("us-west-2"), in)
			require.NoError(t, s.err)
			assert.Equal(t, tt.want, s.text, "a stream says the same, from any region")
			assert.Equal(t, tt.stop, s.stop)
			assert.Equal(t, out.Usage, s.usage)
		})
	}
}

func TestUsageCountsSystemAndMessages(t *testing.T) {
	in := ask("us."+haiku, "one two", "three", "four, five")
	in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "be brief!"}}
	out, err := fast(t).client("us-east-1").Converse(patience(t), in)
	require.NoError(t, err)
	assert.EqualValues(t, 3+2+1+3, *out.Usage.InputTokens)
	assert.Equal(t, *out.Usage.InputTokens+*out.Usage.OutputTokens, *out.Usage.TotalTokens)
}

func TestStreamHasTheEventsOfATextAnswer(t *testing.T) {
	in := ask("us."+haiku, "hello")
	in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: aws.Int32(7)}
	s := stream(patience(t), fast(t).client("us-east-1"), in)
	require.NoError(t, s.err)
	assert.Equal(t, []string{"start assistant", "delta", "delta", "delta", "block stop", "stop", "metadata"}, s.events)
}

func TestAnEmptyAnswerHasNoBlocks(t *testing.T) {
	b, in := fast(t), ask("us."+haiku, "hello")
	in.InferenceConfig = &types.InferenceConfiguration{StopSequences: []string{"Turn"}}
	out, err := b.client("us-east-1").Converse(patience(t), in)
	require.NoError(t, err)
	assert.Empty(t, out.Output.(*types.ConverseOutputMemberMessage).Value.Content)
	assert.Equal(t, []string{"start assistant", "stop", "metadata"}, stream(patience(t), b.client("us-east-1"), in).events)
}

func TestModelTakesItsTime(t *testing.T) {
	clock := cloud.NewManualClock(time.Unix(0, 0))
	b, ctx := newBench(t, clock), patience(t)
	in := ask("us."+haiku, "hello")
	in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: aws.Int32(6)} // two deltas

	done := make(chan *bedrockruntime.ConverseOutput, 1)
	go func() {
		out, err := b.client("us-east-1").Converse(ctx, in)
		assert.NoError(t, err)
		done <- out
	}()
	require.NoError(t, clock.AwaitSleepers(ctx, 1))
	clock.Advance(149 * time.Millisecond)
	require.NoError(t, clock.AwaitSleepers(ctx, 1), "the answer came before its time")
	clock.Advance(time.Millisecond)
	assert.EqualValues(t, 150, *(<-done).Metrics.LatencyMs)
}

func TestDeltasArePaced(t *testing.T) {
	clock := cloud.NewManualClock(time.Unix(0, 0))
	b, ctx := newBench(t, clock), patience(t)
	in := ask("us."+haiku, "hello")
	in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: aws.Int32(6)}

	done := make(chan streamed, 1)
	go func() { done <- stream(ctx, b.client("us-east-1"), in) }()
	for _, step := range []time.Duration{120, 15, 15} {
		require.NoError(t, clock.AwaitSleepers(ctx, 1))
		clock.Advance(step * time.Millisecond)
	}
	s := <-done
	require.NoError(t, s.err)
	assert.Equal(t, "Turn 1. You said:", s.text)
}

func TestConverseRefuses(t *testing.T) {
	user := func(text string) string { return `{"role":"user","content":[{"text":"` + text + `"}]}` }
	tests := []struct{ name, body, want string }{
		{"a body that is not JSON", `hello`, "Malformed input request"},
		{"two bodies", `{"messages":[` + user("a") + `]}{}`, "more than one JSON value"},
		{"an unknown field", `{"messages":[` + user("a") + `],"n":1}`, `unknown field \"n\"`},
		{"no messages", `{}`, "must start with a user message"},
		{"an assistant who speaks first", `{"messages":[{"role":"assistant","content":[{"text":"a"}]}]}`, "must start with a user message"},
		{"two user messages in a row", `{"messages":[` + user("a") + `,` + user("b") + `]}`, "must alternate between user and assistant"},
		{"a role it does not know", `{"messages":[{"role":"system","content":[{"text":"a"}]}]}`, `role \"system\" of messages.0 is not supported`},
		{"a message without content", `{"messages":[{"role":"user","content":[]}]}`, "object at messages.0 is empty"},
		{"a blank text", `{"messages":[` + user(" ") + `]}`, "at messages.0.content.0 is blank"},
		{"a blank system text", `{"messages":[` + user("a") + `],"system":[{"text":""}]}`, "at system.0 is blank"},
		{"a block of two kinds", `{"messages":[{"role":"user","content":[{"text":"a","image":{}}]}]}`, "2 members"},
		{"an unknown kind of block", `{"messages":[{"role":"user","content":[{"smell":{}}]}]}`, `unknown member \"smell\"`},
		{"a text that is a number", `{"messages":[{"role":"user","content":[{"text":1}]}]}`, "Malformed input request"},
		{"a video", `{"messages":[{"role":"user","content":[{"video":{}}]}]}`, "video at messages.0.content.0 is not supported by this stand-in"},
		{"a guardrail that is none", `{"messages":[` + user("a") + `],"guardrailConfig":{"guardrailIdentifier":"g"}}`, "needs guardrailIdentifier and guardrailVersion"},
		{"a traced guardrail", `{"messages":[` + user("a") + `],"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1","trace":"enabled"}}`, "guardrailConfig.trace"},
		{"a mode of streams without one", `{"messages":[` + user("a") + `],"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1","streamProcessingMode":"sync"}}`, "belongs to a stream"},
		{"fields of another model", `{"messages":[` + user("a") + `],"additionalModelRequestFields":{"reasoningConfig":{}}}`, "extraneous key [reasoningConfig]"},
		{"fields of no model", `{"messages":[` + user("a") + `],"additionalModelRequestFields":{"mood":"good"}}`, `unknown field \"mood\"`},
		{"a latency it cannot give", `{"messages":[` + user("a") + `],"performanceConfig":{"latency":"optimized"}}`, "performanceConfig.latency"},
		{"a tier it does not have", `{"messages":[` + user("a") + `],"serviceTier":{"type":"flex"}}`, "serviceTier.type"},
		{"no tokens", `{"messages":[` + user("a") + `],"inferenceConfig":{"maxTokens":0}}`, "greater than or equal to 1"},
		{"a temperature over 1", `{"messages":[` + user("a") + `],"inferenceConfig":{"temperature":1.1}}`, "inferenceConfig.temperature"},
		{"a negative topP", `{"messages":[` + user("a") + `],"inferenceConfig":{"topP":-0.1}}`, "inferenceConfig.topP"},
		{"an empty stop sequence", `{"messages":[` + user("a") + `],"inferenceConfig":{"stopSequences":[""]}}`, "at least 1 character"},
		{"too many stop sequences", `{"messages":[` + user("a") + `],"inferenceConfig":{"stopSequences":["x"` + strings.Repeat(`,"x"`, 2500) + `]}}`, "at most 2500"},
		{"empty metadata", `{"messages":[` + user("a") + `],"requestMetadata":{}}`, "1 to 16 pairs"},
		{"metadata without a key", `{"messages":[` + user("a") + `],"requestMetadata":{"":"v"}}`, "a key of 1 to 256"},
		{"a body over the limit", strings.Repeat(" ", bedrock.MaxBodyBytes+1), "could not be read"},
	}
	b := fast(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := b.post(t, "/model/us."+haiku+"/converse", tt.body)
			assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
			assert.Equal(t, "ValidationException", resp.Header.Get("X-Amzn-ErrorType"))
			assert.Contains(t, body, tt.want)
		})
	}
	assert.Empty(t, b.Calls(), "a refused call reaches no destination")
}

func TestAcceptsNeutralSettings(t *testing.T) {
	resp, body := fast(t).post(t, "/model/us."+haiku+"/converse", `{"messages":[{"role":"user","content":[{"text":"a"}]}],
		"performanceConfig":{"latency":"standard"},"serviceTier":{"type":"default"},"requestMetadata":{"stack":"us"},
		"additionalModelRequestFields":{},"inferenceConfig":{"temperature":1,"maxTokens":1}}`)
	assert.Equal(t, http.StatusOK, resp.StatusCode, body)
}

func TestEveryRequestHasItsOwnID(t *testing.T) {
	b := fast(t)
	first, _ := b.post(t, "/model/x/converse", "")
	second, _ := b.post(t, "/model/x/converse", "")
	assert.Len(t, first.Header.Get("X-Amzn-RequestId"), 36)
	assert.NotEqual(t, first.Header.Get("X-Amzn-RequestId"), second.Header.Get("X-Amzn-RequestId"))
}

func TestUnknownOperationsAreRefused(t *testing.T) {
	b := fast(t)
	for _, path := range []string{"/model/m/invoke-with-response-stream", "/inference-profiles/x", "/", "/model/a/b/converse"} {
		resp, body := b.post(t, path, "{}")
		assert.Equal(t, http.StatusNotFound, resp.StatusCode, path)
		assert.Equal(t, "UnknownOperationException", resp.Header.Get("X-Amzn-ErrorType"), path)
		assert.Contains(t, body, "not known to this stand-in")
	}
}

// post sends a body that the SDK would not let through, signed for us-east-1.
func (b *bench) post(t *testing.T, path, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(patience(t), http.MethodPost, b.server.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/bedrock/aws4_request")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { assert.NoError(t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(text)
}

// codeAndStatus are how the SDK reports an error.
func codeAndStatus(t *testing.T, err error) (string, int) {
	t.Helper()
	var api smithy.APIError
	require.ErrorAs(t, err, &api)
	var resp *smithyhttp.ResponseError
	if !errors.As(err, &resp) {
		return api.ErrorCode(), 0
	}
	return api.ErrorCode(), resp.HTTPStatusCode()
}
