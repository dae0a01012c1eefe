package bedrock

import (
	"strings"
	"unicode"
)

// beginning is the part of the answer that the caller gives, as the assistant's
// message that ends the conversation; "" if the model is to begin itself.
func (r converseRequest) beginning() string {
	if last := r.Messages[len(r.Messages)-1]; last.Role == "assistant" {
		return last.text()
	}
	return ""
}

// question is the content of the user's last message.
func (r converseRequest) question() []block {
	last := len(r.Messages) - 1
	if r.Messages[last].Role == "assistant" {
		last--
	}
	return r.Messages[last].Content
}

// validateBeginning applies Anthropic's rules. Models from Claude 4.6 on refuse
// to be given a beginning.
// Sources: https://platform.claude.com/docs/en/about-claude/models/migration-guide
// and https://docs.anthropic.com/en/docs/build-with-claude/prompt-engineering/prefill-claudes-response
func (r converseRequest) validateBeginning(m model) error {
	last := r.Messages[len(r.Messages)-1]
	thinks, _ := r.reasons()
	switch {
	case last.Role != "assistant":
		return nil
	case !m.can("prefill"):
		return invalid("The model returned the following errors: This model does not support assistant message prefill. " +
			"The conversation must end with a user message.")
	case thinks:
		return invalid("Expected `thinking` or `redacted_thinking`, but found `text`. When `thinking` is enabled, " +
			"a final `assistant` message must start with a thinking block.")
	case r.OutputConfig != nil:
		return invalid("The model returned the following errors: output_config.format: a message prefill cannot be used with a schema.")
	case len(last.Content) != 1 || last.Content[0].kind != "text":
		return unsupported("an answer that begins with something else than one text")
	case strings.TrimRightFunc(last.text(), unicode.IsSpace) != last.text():
		return invalid("The model returned the following errors: messages: final assistant content cannot end with trailing whitespace")
	default:
		return nil
	}
}

// goOn is what is left to say of text after a beginning. A beginning that the
// model would not have chosen is followed by the whole text.
func goOn(text, beginning string) string {
	if rest, ok := strings.CutPrefix(text, beginning); ok {
		return rest
	}
	return " " + text
}
