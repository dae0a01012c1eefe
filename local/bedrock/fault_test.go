package bedrock_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/crossregion/crossregion/local/bedrock"
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

func repeat(s string, n int) []string {
	var all []string
	for range n {
		all = append(all, s)
	}
	return all
}
