package openai

import (
	"slices"

	"github.com/crossregion/crossregion/lambda/converse"
)

// estimate is how many tokens a request is taken to use, until it is known.
type estimate struct {
	prompt int64 // what the model reads
	answer int64 // the longest answer that it may give
}

func (e estimate) total() int64 { return e.prompt + e.answer }

// What is read counts as a token for four bytes of text. Images are large and
// few tokens: a model sees each in a bounded size. So are files that are not
// text, of which a page is thousands of bytes.
// Source: https://docs.anthropic.com/en/docs/build-with-claude/vision
const (
	bytesPerToken     = 4
	tokensPerImage    = 1_600
	maxTokensPerFile  = 20_000
	maxTokensOfUnread = 20_000
)

// estimateBody is for a request of which the body is all that is known yet.
func estimateBody(body []byte, maxTokens int32) estimate {
	return estimate{min(int64(len(body)/bytesPerToken), maxTokensOfUnread), longest(maxTokens)}
}

func longest(maxTokens int32) int64 {
	if maxTokens == 0 {
		return converse.DefaultMaxTokens
	}
	return int64(maxTokens)
}

// estimateQuestion is for a question as the model will read it.
func estimateQuestion(q converse.Request) estimate {
	bytes, tokens := weigh(q.System)
	for _, m := range q.Messages {
		b, n := weigh(m.Parts)
		bytes, tokens = bytes+b, tokens+n
	}
	for _, t := range q.Tools {
		bytes += len(t.Name) + len(t.Description) + len(t.Schema)
	}
	if q.Format != nil {
		bytes += len(q.Format.Schema)
	}
	return estimate{tokens + int64((bytes+bytesPerToken-1)/bytesPerToken), longest(q.MaxTokens)}
}

// textFormats are those of files that a model reads as they are.
var textFormats = []string{"csv", "html", "md", "txt"}

// weigh returns the bytes of text in parts, and the tokens of all else.
func weigh(parts []converse.Part) (bytes int, tokens int64) {
	for _, p := range parts {
		bytes += len(p.Text)
		switch {
		case p.Image != nil:
			tokens += tokensPerImage
		case p.Document != nil && slices.Contains(textFormats, p.Document.Format):
			bytes += len(p.Document.Bytes)
		case p.Document != nil:
			tokens += min(int64(len(p.Document.Bytes)/bytesPerToken), maxTokensPerFile)
		case p.ToolUse != nil:
			bytes += len(p.ToolUse.Name) + len(p.ToolUse.Input)
		case p.ToolResult != nil:
			b, n := weigh(p.ToolResult.Parts)
			bytes, tokens = bytes+b, tokens+n
		case p.Reasoning != nil:
			bytes += len(p.Reasoning.Text) + len(p.Reasoning.Redacted)
		}
	}
	return bytes, tokens
}
