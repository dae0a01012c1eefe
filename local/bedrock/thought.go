package bedrock

import (
	"fmt"

	"github.com/crossregion/crossregion/local/cloud"
)

// secretThoughts stand for those that a model's provider encrypts.
const secretThoughts = "thoughts that only the model can read"

// reasons reports whether the model thinks before it answers, and in the way of
// which family.
func (r converseRequest) reasons() (anthropic, nova bool) {
	t, n := r.AdditionalRequest.Thinking, r.AdditionalRequest.Reasoning
	return t != nil && t.Type != "disabled", n != nil && n.Type != "disabled"
}

// sign proves that the model thought text.
func sign(text string) string { return cloud.ID(64, "thought", text) }

// validateThoughts wants thoughts back as they were given, and only from models
// that give a proof.
func (r converseRequest) validateThoughts(m model) error {
	for i, msg := range r.Messages {
		for n, b := range msg.Content {
			if b.reasoning == nil {
				continue
			}
			at := fmt.Sprintf("messages.%d.content.%d", i, n)
			text := b.reasoning.Text
			switch {
			case !m.can("thinking"):
				return unsupported("reasoningContent of this model at " + at)
			case (text == nil) == (b.reasoning.Redacted == nil):
				return invalid("Malformed input request: %s.reasoningContent needs exactly one member.", at)
			case text != nil && text.Signature != sign(text.Text):
				return invalid("The model returned the following errors: %s: Invalid `signature` in `thinking` block", at)
			case text == nil && string(b.reasoning.Redacted) != secretThoughts:
				return invalid("The model returned the following errors: %s: Invalid `data` in `redacted_thinking` block", at)
			}
		}
	}
	return nil
}
