package bedrock_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAModelGoesOnFromABeginning: both pieces together are what it would have
// said by itself.
func TestAModelGoesOnFromABeginning(t *testing.T) {
	b := fast(t)
	c := b.client("us-east-1")
	whole := stream(patience(t), c, ask("us."+haiku, "hello")).text
	require.Greater(t, len(whole), 60)
	for _, begun := range []string{"Turn 1. You", whole[:len(whole)/2], whole} {
		s := stream(patience(t), c, ask("us."+haiku, "hello", begun))
		require.NoError(t, s.err)
		assert.Equal(t, whole, begun+s.text)
	}
	s := stream(patience(t), c, ask("us."+haiku, "hello", "Well,"))
	assert.Equal(t, " "+whole, s.text, "from what it would not have said")
}

func TestBeginningsThatAreRefused(t *testing.T) {
	thinking := document.NewLazyDocument(map[string]any{"thinking": map[string]any{"type": "enabled", "budget_tokens": 1024}})
	tests := []struct {
		name, model, begun, want string
		thinks                   bool
	}{
		{"from Claude 4.6 on", "us.anthropic.claude-sonnet-4-6", "Turn", "does not support assistant message prefill", false},
		{"by other families", "us." + novaPro, "Turn", "does not support assistant message prefill", false},
		{"that end in a space", "us." + haiku, "Turn 1. ", "cannot end with trailing whitespace", false},
		{"while the model thinks", "us." + haiku, "Turn", "must start with a thinking block", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := ask(tt.model, "hello", tt.begun)
			if tt.thinks {
				in.AdditionalModelRequestFields = thinking
			}
			_, err := fast(t).client("us-east-1").Converse(patience(t), in)
			code, status := codeAndStatus(t, err)
			assert.Equal(t, "ValidationException", code)
			assert.Equal(t, 400, status)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
