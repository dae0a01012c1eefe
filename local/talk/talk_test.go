package talk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossregion/crossregion/local/talk"
)

// serve answers every request with a status and a body.
func serve(t *testing.T, status int, contentType, body string) openai.Client {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("X-Region", "here")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return openai.NewClient(option.WithBaseURL(s.URL), option.WithAPIKey("k"), option.WithMaxRetries(0))
}

func event(name, rest string) string {
	return fmt.Sprintf("event: %s\ndata: {\"type\": %q%s}\n\n", name, name, rest)
}

func TestStream(t *testing.T) {
	begun := event("response.output_text.delta", `, "delta": "Hel"`) + event("response.output_text.delta", `, "delta": "lo"`)
	tests := []struct {
		name   string
		status int
		body   string
		id     string
		text   string
		err    string // "" for none
	}{
		{"a whole answer", 200, begun + event("response.completed", `, "response": {"id": "r1"}`), "r1", "Hello", ""},
		{"an answer that its limit cut", 200, begun + event("response.incomplete", `, "response": {"id": "r1"}`), "r1", "Hello", ""},
		{"an error in the middle", 200, begun + event("error", `, "message": "m", "error": {"message": "m"}`), "", "Hello", "connection failed"},
		{"a clean end in the middle", 200, begun, "", "Hello", talk.ErrNoEnd.Error()},
		{"a refusal", 409, `{"error": {"code": "conversation_not_arrived"}}`, "", "", "409 conversation_not_arrived"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			contentType := "text/event-stream"
			if tt.status != 200 {
				contentType = "application/json"
			}
			a, err := talk.Stream(t.Context(), serve(t, tt.status, contentType, tt.body), talk.Ask("m", "hello"))
			assert.Equal(t, tt.id, a.ID)
			assert.Equal(t, tt.text, a.Text)
			assert.Equal(t, tt.text == "", a.First.IsZero())
			assert.Equal(t, "here", a.Head.Get("X-Region"))
			if tt.err == "" {
				require.NoError(t, err)
				return
			}
			assert.Equal(t, tt.err, talk.Short(err))
		})
	}
}

func TestTextsAreThoseOfAConversation(t *testing.T) {
	sdk := serve(t, 200, "application/json", `{"object": "list", "has_more": false, "data": [
		{"type": "message", "id": "1", "role": "user", "content": [{"type": "input_text", "text": "a"}]},
		{"type": "message", "id": "2", "role": "assistant", "content": [{"type": "output_text", "text": "b"}, {"type": "output_text", "text": "c"}]}]}`)
	texts, err := talk.Texts(t.Context(), sdk, "conv_1")
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "bc"}, texts)
}

func TestHolds(t *testing.T) {
	said := []string{"a", "b", "c", "d"}
	assert.True(t, talk.Holds(said, said))
	assert.True(t, talk.Holds(said, []string{"a", "d"}), "what lies between was not told")
	assert.True(t, talk.Holds(said, nil))
	assert.False(t, talk.Holds(said, []string{"d", "a"}), "another order")
	assert.False(t, talk.Holds(said[:3], said), "the last is missing")
	assert.False(t, talk.Holds(nil, said))
	assert.False(t, talk.Holds([]string{"a"}, []string{"a", "a"}), "said twice")
}

func TestWhole(t *testing.T) {
	q := talk.Question(3, 2)
	answer := fmt.Sprintf("Turn 7. You said: %q. rivers carry", q)
	assert.True(t, talk.Whole(answer, q, 2))
	assert.False(t, talk.Whole(answer+" quiet", q, 2))
	assert.False(t, talk.Whole("Turn 7. rivers carry", q, 2))
	assert.False(t, talk.Whole(answer, talk.Question(4, 2), 2), "an answer to something else")
	assert.Equal(t, 7, talk.Told(answer))
	assert.Zero(t, talk.Told("Hello."))
}

func TestShort(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	assert.Equal(t, "no answer in time", talk.Short(ctx.Err()))
	assert.Equal(t, "connection failed", talk.Short(errors.New("dial")))
}
