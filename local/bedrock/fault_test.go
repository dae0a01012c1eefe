package bedrock_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFaultsHaveTheStatusOfTheirException(t *testing.T) {
	tests := []struct {
		code   string
		status int
	}{
		{"ThrottlingException", 429}, {"ModelNotReadyException", 429}, {"ServiceUnavailableException", 503},
		{"InternalServerException", 500}, {"ModelTimeoutException", 408}, {"ModelErrorException", 424},
		{"AccessDeniedException", 403}, {"ResourceNotFoundException", 404}, {"ValidationException", 400},
	}
	for _, tt := range tests {
		t.Run(tt.code, func(t *testing.T) {
			b := fast(t)
			b.SetFault("us-east-1", &bedrock.Fault{Code: tt.code})
			_, err := b.client("us-east-1").Converse(patience(t), ask("us."+haiku, "hello"))
			code, status := codeAndStatus(t, err)
			assert.Equal(t, tt.code, code)
			assert.Equal(t, tt.status, status)
			code, status = codeAndStatus(t, stream(patience(t), b.client("us-east-1"), ask("us."+haiku, "hello")).err)
			assert.Equal(t, tt.code, code)
			assert.Equal(t, tt.status, status)
			assert.Empty(t, b.Calls())
		})
	}
}

func TestAFaultHitsItsSourceRegionUntilCleared(t *testing.T) {
	b, in := fast(t), ask("us."+haiku, "hello")
	b.SetFault("us-east-1", &bedrock.Fault{Code: "ServiceUnavailableException"})
	_, err := b.client("us-west-2").Converse(patience(t), in)
	require.NoError(t, err, "another region")
	b.SetFault("us-east-1", nil)
	_, err = b.client("us-east-1").Converse(patience(t), in)
	require.NoError(t, err, "after it was cleared")
}

func TestFaultsInsideAStream(t *testing.T) {
	tests := []struct {
		name  string
		fault bedrock.Fault
		want  []string
	}{
		{"as the first frame", bedrock.Fault{Code: "ThrottlingException", FirstFrame: true}, nil},
		{"after some text", bedrock.Fault{Code: "ThrottlingException", AfterDeltas: 2}, []string{"start assistant", "delta", "delta"}},
		{"after a text that is shorter", bedrock.Fault{Code: "ThrottlingException", AfterDeltas: 1000},
			append([]string{"start assistant"}, repeat("delta", 10)...)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := fast(t)
			b.SetFault("us-east-1", &tt.fault)
			s := stream(patience(t), b.client("us-east-1"), ask("us."+haiku, "hello"))
			assert.Equal(t, tt.want, s.events)
			var throttled *types.ThrottlingException
			require.ErrorAs(t, s.err, &throttled)
			assert.Contains(t, throttled.ErrorMessage(), "Too many requests")

			_, err := b.client("us-east-1").Converse(patience(t), ask("us."+haiku, "hello"))
			_, status := codeAndStatus(t, err)
			assert.Equal(t, 429, status, "a call without a stream fails plainly")
		})
	}
}

// TestFaultsOfTheConnection: what the SDK makes of each, before the stream and
// within it. Without messageStop nothing is whole, though for some of these the
// SDK knows of no error.
func TestFaultsOfTheConnection(t *testing.T) {
	two := []string{"start assistant", "delta", "delta"}
	tests := []struct {
		name   string
		fault  bedrock.Fault
		events []string
		err    string // "" for none
		served int
	}{
		{"reset before the headers", bedrock.Fault{Kind: bedrock.Reset}, nil, "connection reset by peer", 0},
		{"reset within the stream", bedrock.Fault{Kind: bedrock.Reset, AfterDeltas: 2}, two, "connection reset by peer", 1},
		{"closed before the headers", bedrock.Fault{Kind: bedrock.Cut}, nil, "EOF", 0},
		{"closed within the stream", bedrock.Fault{Kind: bedrock.Cut, AfterDeltas: 2}, two, "unexpected EOF", 1},
		{"a reply that is lost", bedrock.Fault{Kind: bedrock.Lose}, nil, "connection reset by peer", 1},
		{"an end at once", bedrock.Fault{Kind: bedrock.End}, nil, "", 1},
		{"an end without an end", bedrock.Fault{Kind: bedrock.End, AfterDeltas: 2}, two, "", 1},
		{"a corrupt frame", bedrock.Fault{Kind: bedrock.Corrupt, AfterDeltas: 2}, two, "message checksum mismatch", 1},
		{"a share of the pieces", bedrock.Fault{Kind: bedrock.End, AfterShare: 0.2}, two, "", 1},
		{"the content filter", bedrock.Fault{Kind: bedrock.Filter, AfterDeltas: 2}, append(two, "stop", "metadata"), "", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := fast(t)
			b.AddFault("us-east-1", tt.fault)
			s := stream(patience(t), b.client("us-east-1"), ask("us."+haiku, "hello"))
			assert.Equal(t, tt.events, s.events)
			if tt.err == "" {
				require.NoError(t, s.err)
			} else {
				require.ErrorContains(t, s.err, tt.err)
			}
			assert.Len(t, b.Calls(), tt.served, "the work is done, or not")
			assert.Len(t, b.Arrivals(), 1)
			if tt.fault.Kind == bedrock.Filter {
				assert.Equal(t, types.StopReasonContentFiltered, s.stop)
			}
			_, err := b.client("us-east-1").Converse(patience(t), ask("us."+haiku, "hello"))
			assert.Error(t, err, "a call without a stream")
		})
	}
}

func TestSilenceLastsAsLongAsTheCallerWaits(t *testing.T) {
	for name, f := range map[string]bedrock.Fault{
		"before the headers": {Kind: bedrock.Silence}, "within the stream": {Kind: bedrock.Silence, AfterDeltas: 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := fast(t)
			b.AddFault("us-east-1", f)
			ctx, leave := context.WithCancel(patience(t))
			done := make(chan streamed, 1)
			go func() { done <- stream(ctx, b.client("us-east-1"), ask("us."+haiku, "hello")) }()
			require.Eventually(t, func() bool { return len(b.Arrivals()) == 1 }, time.Minute, time.Millisecond)
			leave()
			assert.NotContains(t, (<-done).events, "stop")
		})
	}
}

func TestAFaultHitsWhatItIsMeantFor(t *testing.T) {
	begun := []string{"please", "Turn 1."}
	tests := []struct {
		name  string
		fault bedrock.Fault
		asked [][]string
		hit   []bool
	}{
		{"a number of calls", bedrock.Fault{Calls: 2}, [][]string{{"a"}, {"a"}, {"a"}}, []bool{true, true, false}},
		{"some questions", bedrock.Fault{Asked: "row 7,"}, [][]string{{"row 7, a"}, {"row 77, a"}}, []bool{true, false}},
		{"a number of some questions", bedrock.Fault{Asked: "b", Calls: 1}, [][]string{{"a"}, {"b"}, {"b"}}, []bool{false, true, false}},
		{"answers that have begun", bedrock.Fault{Prefilled: true}, [][]string{{"please"}, begun}, []bool{false, true}},
		{"the question before such an answer", bedrock.Fault{Asked: "please"}, [][]string{begun}, []bool{true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := fast(t)
			tt.fault.Code = "ThrottlingException"
			b.AddFault("us-east-1", tt.fault)
			var hit []bool
			for _, texts := range tt.asked {
				_, err := b.client("us-east-1").Converse(patience(t), ask("us."+haiku, texts...))
				hit = append(hit, err != nil)
			}
			assert.Equal(t, tt.hit, hit)
		})
	}
}

// TestTheFirstFaultThatIsMeantForACallHitsIt, and the next one after it is over.
func TestTheFirstFaultThatIsMeantForACallHitsIt(t *testing.T) {
	b := fast(t)
	b.AddFault("us-east-1", bedrock.Fault{Code: "ThrottlingException", Message: "later", RetryAfter: 3, Calls: 1})
	b.AddFault("us-east-1", bedrock.Fault{Code: "InternalServerException"})
	_, err := b.client("us-east-1").Converse(patience(t), ask("us."+haiku, "hello"))
	var resp *smithyhttp.ResponseError
	require.ErrorAs(t, err, &resp)
	assert.Equal(t, "3", resp.Response.Header.Get("Retry-After"))
	require.ErrorContains(t, err, "later")
	_, err = b.client("us-east-1").Converse(patience(t), ask("us."+haiku, "hello"))
	require.ErrorContains(t, err, "InternalServerException")
}

func TestAFaultSetsTheModelsPace(t *testing.T) {
	clock := cloud.NewManualClock(time.Unix(0, 0))
	b, ctx := newBench(t, clock), patience(t)
	b.AddFault("us-east-1", bedrock.Fault{FirstToken: 25 * time.Second, PerDelta: time.Minute})
	in := ask("us."+haiku, "hello")
	in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: aws.Int32(6)} // two deltas
	done := make(chan streamed, 1)
	go func() { done <- stream(ctx, b.client("us-east-1"), in) }()
	for _, step := range []time.Duration{25 * time.Second, time.Minute, time.Minute} {
		require.NoError(t, clock.AwaitSleepers(ctx, 1))
		clock.Advance(step - time.Millisecond)
		require.NoError(t, clock.AwaitSleepers(ctx, 1), "too early")
		clock.Advance(time.Millisecond)
	}
	s := <-done
	require.NoError(t, s.err)
	assert.Equal(t, types.StopReasonMaxTokens, s.stop)
}

func repeat(s string, n int) []string {
	var all []string
	for range n {
		all = append(all, s)
	}
	return all
}
