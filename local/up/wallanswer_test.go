package up_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/up"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
)

// wallAnswer is what a client saw.
type wallAnswer struct {
	status       int
	header       http.Header
	text, finish string
	model        string
	usage        openai.CompletionUsage
	failed       error  // as the SDK tells it
	raw          []byte // the body
}

func askWall(t *testing.T, r *up.Running, region, asked string, streamed bool) wallAnswer {
	var got wallAnswer
	var body bytes.Buffer
	c := client(r, option.WithBaseURL(r.Regions[region]+"/v1"), option.WithMiddleware(func(req *http.Request, next option.MiddlewareNext) (*http.Response, error) {
		resp, err := next(req)
		if err == nil {
			got.status, got.header, resp.Body = resp.StatusCode, resp.Header, tee(resp.Body, &body)
		}
		return resp, err
	}))
	params := ask(asked + " please say 9 words.")
	if streamed {
		params.StreamOptions.IncludeUsage = openai.Bool(true)
		s := c.Chat.Completions.NewStreaming(t.Context(), params)
		for s.Next() {
			chunk := s.Current()
			got.model = chunk.Model
			got.usage = chunk.Usage
			for _, choice := range chunk.Choices {
				got.text, got.finish = got.text+choice.Delta.Content, got.finish+choice.FinishReason
			}
		}
		got.failed = s.Err()
	} else {
		var answer *openai.ChatCompletion
		if answer, got.failed = c.Chat.Completions.New(t.Context(), params); got.failed == nil {
			got.text, got.finish = answer.Choices[0].Message.Content, answer.Choices[0].FinishReason
			got.model, got.usage = answer.Model, answer.Usage
		}
	}
	got.raw = body.Bytes()
	return got
}

// tee copies what is read of a body.
func tee(body io.ReadCloser, to io.Writer) io.ReadCloser {
	return struct {
		io.Reader
		io.Closer
	}{io.TeeReader(body, to), body}
}

// outcome is the answer in the words of the wall, an error by its code.
func (a wallAnswer) outcome(t *testing.T, asked string) string {
	t.Helper()
	whole := fmt.Sprintf("Turn 1. You said: %q. rivers carry quiet water past green hills while small", asked+" please say 9 words.")
	done := bytes.HasSuffix(a.raw, []byte("data: [DONE]\n\n"))
	isStream := bytes.Contains(a.raw, []byte("data: "))
	if a.failed == nil {
		assert.Equal(t, isStream, done, "the end of a stream")
		switch {
		case a.finish == "stop" && a.text == whole, a.finish == "content_filter" && a.text != "" && strings.HasPrefix(whole, a.text):
			return "answer"
		default:
			return fmt.Sprintf("%q, %q", a.text, a.finish)
		}
	}
	assert.Empty(t, a.finish, "what failed has no finish_reason")
	assert.NotContains(t, string(a.raw), "[DONE]", "nor an end")
	code := a.code()
	switch {
	case a.text == "":
		return code
	case strings.HasPrefix(whole, a.text):
		return "part, " + code
	default:
		return fmt.Sprintf("%q, %s", a.text, code)
	}
}

// code is that of the error, or its type if it has none. In a stream the error
// is the last event.
func (a wallAnswer) code() string {
	document := a.raw
	if i := bytes.LastIndex(document, []byte("data: ")); i >= 0 {
		document = document[i+len("data: "):]
	}
	var body struct {
		Error struct{ Code, Type string }
	}
	if err := json.Unmarshal(document, &body); err != nil {
		return errors.Join(a.failed, err).Error()
	}
	return cmp.Or(body.Error.Code, body.Error.Type)
}
