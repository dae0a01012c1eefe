package bedrock_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	guardrailARN     = "arn:aws:bedrock:us-east-1:123456789012:guardrail/g1"
	guardrailProfile = "arn:aws:bedrock:us-east-2:123456789012:guardrail-profile/us.guardrail.v1:0"
)

// guarded asks with a guardrail.
func guarded(t *testing.T, b *bench, id, version, text string) (*bedrockruntime.ConverseOutput, error) {
	t.Helper()
	in := ask("us."+haiku, text)
	in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String(id), GuardrailVersion: aws.String(version)}
	return b.client("us-east-1").Converse(patience(t), in)
}

func TestGuardrailIntervenes(t *testing.T) {
	b := fast(t)
	b.AddGuardrail("us-east-1", "g1", "1")
	tests := []struct {
		name, text string
		stop       types.StopReason
		calls      int
	}{
		{"not in what it allows", "hello", types.StopReasonEndTurn, 2},
		{"in what it blocks, and asks no model", "this is " + bedrock.BlockedPhrase, types.StopReasonGuardrailIntervened, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := len(b.Calls())
			out, err := guarded(t, b, "g1", "1", tt.text)
			require.NoError(t, err)
			assert.Equal(t, tt.stop, out.StopReason)

			in := ask("us."+haiku, tt.text)
			s, err := b.client("us-east-1").ConverseStream(patience(t), &bedrockruntime.ConverseStreamInput{
				ModelId: in.ModelId, Messages: in.Messages, GuardrailConfig: &types.GuardrailStreamConfiguration{
					GuardrailIdentifier: aws.String(guardrailARN), GuardrailVersion: aws.String("1"),
					StreamProcessingMode: types.GuardrailStreamProcessingModeSync, Trace: types.GuardrailTraceDisabled,
				},
			})
			require.NoError(t, err)
			var got streamed
			for e := range s.GetStream().Events() {
				got.add(e)
			}
			assert.Equal(t, tt.stop, got.stop)
			assert.Equal(t, answerOf(t, out), got.text)
			assert.Equal(t, tt.calls, len(b.Calls())-before)
		})
	}
	_, err := b.client("us-east-1").Converse(patience(t), ask("us."+haiku, bedrock.BlockedPhrase))
	require.NoError(t, err, "without a guardrail nothing is blocked")
}

func TestGuardrailNeedsPermission(t *testing.T) {
	for _, arn := range []string{guardrailARN, guardrailProfile} {
		b := fast(t)
		b.AddGuardrail("us-east-1", "g1", "1", guardrailProfile)
		_, err := guarded(t, b, "g1", "1", "hello")
		require.NoError(t, err)
		asked := check("bedrock:ApplyGuardrail on " + arn + " in us-east-1")
		assert.Contains(t, b.iam.asked, asked)
		b.iam.denied = []string{arn}
		_, err = guarded(t, b, "g1", "1", "hello")
		code, _ := codeAndStatus(t, err)
		assert.Equal(t, "AccessDeniedException", code)
		assert.Len(t, b.Calls(), 1)
	}
}

func TestGuardrailThatDoesNotExist(t *testing.T) {
	b := fast(t)
	b.AddGuardrail("us-east-1", "g1", "1")
	b.AddGuardrail("us-west-2", "g2", "1")
	for name, g := range map[string][2]string{
		"nobody made": {"g9", "1"}, "a version that nobody made": {"g1", "2"}, "of another region": {"g2", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := guarded(t, b, g[0], g[1], "hello")
			code, _ := codeAndStatus(t, err)
			assert.Equal(t, "ValidationException", code)
			assert.ErrorContains(t, err, "guardrail identifier or version")
		})
	}
	assert.Empty(t, b.Calls())
}

func TestOnlySynchronousStreamsAreChecked(t *testing.T) {
	b := fast(t)
	_, body := b.post(t, "/model/us."+haiku+"/converse-stream", `{"messages":[{"role":"user","content":[{"text":"a"}]}],
		"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1","streamProcessingMode":"async"}}`)
	assert.Contains(t, body, "guardrailConfig.streamProcessingMode")
	assert.Contains(t, body, "is not supported by this stand-in")
}
