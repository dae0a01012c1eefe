package openai

import (
	"net/http"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/lambda/converse"
)

// silent is a client that takes everything.
type silent struct{ header http.Header }

func (s silent) Header() http.Header         { return s.header }
func (s silent) Write(p []byte) (int, error) { return len(p), nil }
func (s silent) WriteHeader(int)             {}
func (s silent) Flush()                      {}

func BenchmarkDecodeChat(b *testing.B) {
	turn := `{"role":"user","content":"What is the weather?"},{"role":"assistant","tool_calls":[{"id":"c","type":"function",` +
		`"function":{"name":"f","arguments":"{\"city\":\"Rome\"}"}}]},{"role":"tool","tool_call_id":"c","content":"rain"},`
	body := []byte(`{"model":"m","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"messages":[` +
		strings.Repeat(turn, 20) + `{"role":"user","content":"and now?"}]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodeChat(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStreamedText(b *testing.B) {
	e := newEventWriter(silent{http.Header{}}, streamed{head: completionHead{ID: "chatcmpl-1", Object: "chat.completion.chunk", Model: "m"}})
	ev := converse.Event{Text: "a few words"}
	b.ReportAllocs()
	for b.Loop() {
		if d, tell := newDelta(ev); tell {
			e.choice(d, nil)
		}
	}
}

func BenchmarkCompletion(b *testing.B) {
	answer := converse.Answer{Parts: []converse.Part{
		{Text: strings.Repeat("some words ", 200)}, {ToolUse: &converse.ToolUse{ID: "c", Name: "f", Input: []byte(`{"a":1}`)}},
	}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := encode(newCompletion(completionHead{}, answer)); err != nil {
			b.Fatal(err)
		}
	}
}
