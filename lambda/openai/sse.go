package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
)

// chunk is one event of a streamed answer.
// Source: https://platform.openai.com/docs/api-reference/chat-streaming
type chunk struct {
	completionHead
	Choices []chunkChoice `json:"choices"`
	// Usage is left out unless asked for, and then null in all chunks but the
	// last.
	Usage json.RawMessage `json:"usage,omitempty"`
}

type chunkChoice struct {
	Index        int     `json:"index"`
	Delta        delta   `json:"delta"`
	Logprobs     *string `json:"logprobs"` // always null: Bedrock has none
	FinishReason *string `json:"finish_reason"`
}

type delta struct {
	Role      string        `json:"role,omitempty"`
	Content   *string       `json:"content,omitempty"`
	Reasoning string        `json:"reasoning_content,omitempty"` // as in a message
	ToolCalls []toolCallOut `json:"tool_calls,omitempty"`
}

// newDelta is what the answer grew by, and whether clients are to know of it: a
// signature is nothing to them.
func newDelta(ev converse.Event) (delta, bool) {
	switch {
	case ev.Text != "":
		return delta{Content: &ev.Text}, true
	case ev.Reasoning != nil:
		return delta{Reasoning: ev.Reasoning.Text}, ev.Reasoning.Text != ""
	case ev.Tool != nil:
		piece := toolCallOut{Index: &ev.Tool.Index, Function: functionOut{Arguments: ev.Tool.Input}}
		if ev.Tool.ID != "" {
			piece.ID, piece.Type, piece.Function.Name = ev.Tool.ID, "function", ev.Tool.Name
		}
		return delta{ToolCalls: []toolCallOut{piece}}, true
	default:
		return delta{}, false
	}
}

// streamed is what a streamed answer is made for.
type streamed struct {
	head    completionHead
	chat    chatRequest
	targets []contract.Target
}

// stream answers with server-sent events. An error that it returns came before
// any content; a later one is the last event, with neither a finish_reason
// before nor [DONE] after it, so that no client takes a part for the whole.
func (s *server) stream(w http.ResponseWriter, r *http.Request, rec *record, to streamed) error {
	answer, report, err := s.Engine.Open(r.Context(), to.targets, to.chat.question)
	rec.attempted(w.Header(), report)
	if err != nil {
		return to.chat.names.blame(err)
	}
	defer rec.closed(answer, nil)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-cache, no-store")
	w.WriteHeader(http.StatusOK)
	events := newEventWriter(w, to)
	events.head.Object = "chat.completion.chunk"
	rec.breakOff = func(e *apiError) { events.event(e) }
	if report.Target == "" {
		events.comment("waiting") // for content: the status has waited for it long enough
	}
	events.copy(r.Context(), s, answer, rec)
	return nil
}

// eventWriter writes server-sent events until the first that cannot be written:
// then the invocation is over and nobody reads.
type eventWriter struct {
	streamed
	w      http.ResponseWriter
	err    error
	begun  bool
	buffer bytes.Buffer  // of the event that is being written
	json   *json.Encoder // into buffer
}

func newEventWriter(w http.ResponseWriter, to streamed) *eventWriter {
	e := &eventWriter{w: w, streamed: to}
	e.json = json.NewEncoder(&e.buffer)
	e.json.SetEscapeHTML(false)
	return e
}

func (e *eventWriter) copy(ctx context.Context, s *server, answer converse.Stream, rec *record) {
	for e.err == nil {
		ev, err := answer.Next()
		switch {
		case err != nil:
			broken := asAPIError(e.chat.names.blame(err))
			rec.fail(broken)
			e.event(broken)
			return
		case ev.End != nil:
			rec.use(ctx, s, ev.End.Usage, soFar(answer, rec.report))
			e.end(*ev.End)
			return
		case ev.Wait:
			e.comment("waiting")
		default:
			if rec.firstToken == 0 {
				rec.firstToken = s.Now().Sub(rec.started)
			}
			if d, tell := newDelta(ev); tell {
				e.begin(d)
				e.choice(d, nil)
			}
		}
	}
	rec.fault = string(converse.Canceled)
}

// begin says who speaks, once. Words begin empty, and only words: clients would
// take an empty content for words that come before a call or a thought.
func (e *eventWriter) begin(first delta) {
	if e.begun {
		return
	}
	e.begun = true
	head := delta{Role: "assistant"}
	if first.Reasoning == "" && first.ToolCalls == nil {
		empty := ""
		head.Content = &empty
	}
	e.choice(head, nil)
}

func (e *eventWriter) end(end converse.End) {
	reason := finishReason(end.Reason)
	e.begin(delta{})
	e.choice(delta{}, &reason)
	if e.chat.includeUsage {
		u, err := encode(newUsage(end.Usage))
		if e.err == nil {
			e.err = err
		}
		e.event(chunk{completionHead: e.head, Choices: []chunkChoice{}, Usage: u})
	}
	e.data("[DONE]")
}

func (e *eventWriter) choice(d delta, finish *string) {
	c := chunk{completionHead: e.head, Choices: []chunkChoice{{Delta: d, FinishReason: finish}}}
	if e.chat.includeUsage {
		c.Usage = json.RawMessage("null")
	}
	e.event(c)
}

// event writes v, which the encoder ends with a line feed.
func (e *eventWriter) event(v any) {
	e.buffer.Reset()
	e.buffer.WriteString("data: ")
	if err := e.json.Encode(v); err != nil && e.err == nil {
		e.err = err
	}
	e.write("\n")
}

// comment writes what clients skip, and proxies take for a sign of life.
// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#authoring-notes
func (e *eventWriter) comment(s string) {
	e.buffer.Reset()
	e.write(": " + s + "\n\n")
}

func (e *eventWriter) data(s string) {
	e.buffer.Reset()
	e.write("data: " + s + "\n\n")
}

// write sends one event at once, so that it is one step for the client: what is
// in the buffer and end.
func (e *eventWriter) write(end string) {
	if e.err != nil {
		return
	}
	e.buffer.WriteString(end)
	_, e.err = e.w.Write(e.buffer.Bytes())
	if f, ok := e.w.(http.Flusher); ok {
		f.Flush()
	}
}
