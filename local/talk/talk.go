// Package talk is how an application talks to a stack: through the official
// OpenAI SDK, reading each answer to its end. It decides nothing about what it
// has read, but says how to tell whether an answer of the embedded model is
// whole.
package talk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/conversations"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
)

// Answer is what a client has seen of a response.
type Answer struct {
	ID    string // "" unless its end was told
	Text  string
	First time.Time   // when the first text came; zero without any
	Head  http.Header // nil if none came
}

// ErrNoEnd is a stream that ended without an error and without an end, which no
// stream may.
var ErrNoEnd = errors.New("the stream ended as if it were whole, without an end")

// Stream asks for a response and reads it to its end. The answer says what was
// seen also when there is an error, which is [ErrNoEnd] or the SDK's.
func Stream(ctx context.Context, sdk openai.Client, p responses.ResponseNewParams) (Answer, error) {
	var a Answer
	var head *http.Response
	stream := sdk.Responses.NewStreaming(ctx, p, option.WithResponseInto(&head))
	defer stream.Close()
	var text strings.Builder
	for stream.Next() {
		switch ev := stream.Current().AsAny().(type) {
		case responses.ResponseTextDeltaEvent:
			if text.Len() == 0 {
				a.First = time.Now()
			}
			text.WriteString(ev.Delta)
		case responses.ResponseCompletedEvent:
			a.ID = ev.Response.ID
		case responses.ResponseIncompleteEvent:
			a.ID = ev.Response.ID
		}
	}
	a.Text = text.String()
	if head != nil {
		a.Head = head.Header
	}
	err := stream.Err()
	if err == nil && a.ID == "" {
		err = ErrNoEnd
	}
	return a, err
}

// Ask is a question for the model called so, that belongs to nothing yet.
func Ask(model, text string) responses.ResponseNewParams {
	return responses.ResponseNewParams{Model: model, Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(text)}}
}

// Texts reads a conversation back: what was said in it, by either side, in its
// order.
func Texts(ctx context.Context, sdk openai.Client, conversation string, opts ...option.RequestOption) ([]string, error) {
	pages := sdk.Conversations.Items.ListAutoPaging(ctx, conversation, conversations.ItemListParams{Limit: openai.Int(100), Order: "asc"}, opts...)
	var texts []string
	for pages.Next() {
		var text strings.Builder
		for _, c := range pages.Current().Content.OfMessageContentArray {
			text.WriteString(c.Text)
		}
		texts = append(texts, text.String())
	}
	return texts, pages.Err()
}

// Holds tells whether all of want stand in texts, in their order. What stands
// between them is what a client was not told the end of.
func Holds(texts, want []string) bool {
	for _, text := range texts {
		if len(want) > 0 && text == want[0] {
			want = want[1:]
		}
	}
	return len(want) == 0
}

// Short words an error without what differs from one time to the next.
func Short(err error) string {
	var api *openai.Error
	switch {
	case errors.As(err, &api):
		return strings.TrimSpace(fmt.Sprintf("%d %s", api.StatusCode, api.Code))
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, ErrNoEnd):
		return err.Error()
	default:
		return "connection failed"
	}
}

// Question is one that the embedded model answers with so many words.
func Question(number, words int) string {
	return fmt.Sprintf("This is question %d, please say %d words.", number, words)
}

// Told reads from an answer of the embedded model how many questions it knew of,
// its own included, 0 if it says nothing of it.
func Told(text string) int {
	n := 0
	if _, err := fmt.Sscanf(text, "Turn %d.", &n); err != nil {
		return 0
	}
	return n
}

// Whole tells whether text is all that the embedded model says to [Question]:
// what it repeats, and so many words.
func Whole(text, question string, words int) bool {
	_, rest, found := strings.Cut(text, `You said: "`+question+`".`)
	return found && len(strings.Fields(rest)) == words
}
