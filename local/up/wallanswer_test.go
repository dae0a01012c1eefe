package up_test

import (
	"bytes"
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
	"github.com/openai/openai-go/v3/packages/ssestream"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/assert"
)

const wallQuestion = " please say 9 words."

// Ways to ask. Answers that are continued are streamed chats.
const (
	wayWhole     = "not streamed"
	wayChat      = "streamed"
	wayResponse  = "streamed response"
	wayContinued = "continued"
)

// wallAnswer is what a client saw.
type wallAnswer struct {
	status       int
	header       http.Header
	text, finish string
	model        string
	prompt       int64  // tokens
	answer       int64  // tokens
	failed       error  // as the SDK tells it
	raw          []byte // the body
}

// askWall asks a region in one of the ways of the wall.
func askWall(t *testing.T, r *up.Running, region, asked, way string) wallAnswer {
	var got wallAnswer
	var body bytes.Buffer
	c := client(r, option.WithBaseURL(r.Regions[region]+"/v1"), option.WithMiddleware(func(req *http.Request, next option.MiddlewareNext) (*http.Response, error) {
		resp, err := next(req)
		if err == nil {
			got.status, got.header, resp.Body = resp.StatusCode, resp.Header, tee(resp.Body, &body)
		}
		return resp, err
	}))
	switch asked += wallQuestion; way {
	case wayWhole:
		got.chat(c.Chat.Completions.New(t.Context(), ask(asked)))
	case wayResponse:
		params := respond(asked)
		params.Store = openai.Bool(false) // state is not what the wall is about
		got.response(c.Responses.NewStreaming(t.Context(), params))
	default:
		params := ask(asked)
		params.StreamOptions.IncludeUsage = openai.Bool(true)
		got.chunks(c.Chat.Completions.NewStreaming(t.Context(), params))
	}
	got.raw = body.Bytes()
	return got
}

func (a *wallAnswer) chat(answer *openai.ChatCompletion, err error) {
	if a.failed = err; err == nil {
		a.text, a.finish = answer.Choices[0].Message.Content, answer.Choices[0].FinishReason
		a.model, a.prompt, a.answer = answer.Model, answer.Usage.PromptTokens, answer.Usage.CompletionTokens
	}
}

func (a *wallAnswer) chunks(s *ssestream.Stream[openai.ChatCompletionChunk]) {
	for s.Next() {
		chunk := s.Current()
		a.model, a.prompt, a.answer = chunk.Model, chunk.Usage.PromptTokens, chunk.Usage.CompletionTokens
		for _, choice := range chunk.Choices {
			a.text, a.finish = a.text+choice.Delta.Content, a.finish+choice.FinishReason
		}
	}
	a.failed = s.Err()
}

// response has the finish_reason that a chat would have.
func (a *wallAnswer) response(s *ssestream.Stream[responses.ResponseStreamEventUnion]) {
	for s.Next() {
		ev := s.Current()
		a.text += ev.Delta
		switch ev.Type {
		case "response.completed":
			a.finish += "stop"
		case "response.incomplete":
			a.finish += ev.Response.IncompleteDetails.Reason
		}
		a.model, a.prompt, a.answer = string(ev.Response.Model), ev.Response.Usage.InputTokens, ev.Response.Usage.OutputTokens
	}
	a.failed = s.Err()
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
	whole := fmt.Sprintf("Turn 1. You said: %q. rivers carry quiet water past green hills while small", asked+wallQuestion)
	isChat := bytes.Contains(a.raw, []byte(`"chat.completion.chunk"`))
	if a.failed == nil {
		assert.Equal(t, isChat, bytes.HasSuffix(a.raw, []byte("data: [DONE]\n\n")), "the end of a stream")
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

// code is that of the error, which in a stream is the last event.
func (a wallAnswer) code() string {
	document := a.raw
	if i := bytes.LastIndex(document, []byte("data: ")); i >= 0 {
		document = document[i+len("data: "):]
	}
	var body struct {
		Error struct{ Code string }
	}
	if err := json.Unmarshal(document, &body); err != nil {
		return errors.Join(a.failed, err).Error()
	}
	return body.Error.Code
}
