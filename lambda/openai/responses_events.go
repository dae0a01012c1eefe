package openai

import (
	"fmt"
	"net/http"

	"github.com/crossregion/crossregion/contract"
	state "github.com/crossregion/crossregion/lambda/conversation"
)

// fields are the members of an event, but its type and number.
type fields map[string]any

// responseEvents writes the events of one response until the first that cannot
// be written: then the invocation is over and nobody reads.
// Source: https://platform.openai.com/docs/api-reference/responses-streaming
type responseEvents struct {
	w    http.ResponseWriter
	next int // sequence number
	err  error
}

func newResponseEvents(w http.ResponseWriter) *responseEvents {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-cache, no-store")
	w.WriteHeader(http.StatusOK)
	return &responseEvents{w: w}
}

// send writes one event at once, so that it is one step for the client.
func (e *responseEvents) send(kind string, f fields) {
	f["type"], f["sequence_number"] = kind, e.next
	e.next++
	b, err := encode(f)
	if err != nil && e.err == nil {
		e.err = err
	}
	e.write("event: " + kind + "\ndata: " + string(b) + "\n\n")
}

// wait writes a comment, which keeps the connection and is no event.
func (e *responseEvents) wait() { e.write(": waiting\n\n") }

// replicated writes a comment in place of the header that is gone.
func (e *responseEvents) replicated(stored state.Stored) {
	e.write(fmt.Sprintf(": %s: %d\n\n", contract.HeaderReplicas, len(stored.Regions)))
}

func (e *responseEvents) write(s string) {
	if e.err != nil {
		return
	}
	_, e.err = e.w.Write([]byte(s))
	if f, ok := e.w.(http.Flusher); ok {
		f.Flush()
	}
}

func (e *responseEvents) created(r response) {
	r.Status, r.Output, r.Usage, r.CompletedAt, r.IncompleteDetails = statusInProgress, []item{}, nil, nil, nil
	e.send("response.created", fields{"response": r})
	e.send("response.in_progress", fields{"response": r})
}

// completed writes the last event of a response that is stored, if it is to be.
func (e *responseEvents) completed(r response) {
	e.send("response."+r.Status, fields{"response": r})
}

// fail writes the last event of a stream that broke. It says so in both of the
// shapes that clients look for, so that none takes a part for the whole.
func (e *responseEvents) fail(err *apiError) {
	code, param := nullable(err.code), nullable(err.param)
	e.send("error", fields{"code": code, "message": err.message, "param": param,
		"error": fields{"code": code, "message": err.message, "param": param, "type": err.kind}})
}

// repeat writes all events of a response that is there already.
func (e *responseEvents) repeat(r *response) {
	e.created(*r)
	for i, it := range r.Output {
		out := &outputEvents{responseEvents: e, index: i}
		out.begin(it)
		out.grow(it.said())
		out.end(it)
	}
	e.completed(*r)
}

// outputEvents writes those of one item of the output.
type outputEvents struct {
	*responseEvents
	index int
	it    item
	grown bool // something has been said of it
}

// begin announces an item, of which nothing has been said yet.
func (e *outputEvents) begin(it item) {
	it.begin()
	e.it = it
	e.send("response.output_item.added", fields{"output_index": e.index, "item": it})
	if it.Type == itemMessage {
		e.part("response.content_part.added", "content_index", outputText(""))
	}
}

// grow tells what was added to the text of a message or of the summary of
// thoughts, or to the arguments of a call.
func (e *outputEvents) grow(delta string) {
	if delta == "" {
		return
	}
	switch e.it.Type {
	case itemMessage:
		e.about("response.output_text.delta", fields{"content_index": 0, "delta": delta, "logprobs": []struct{}{}})
	case itemCall:
		e.about("response.function_call_arguments.delta", fields{"delta": delta})
	case itemReasoning:
		if !e.grown {
			e.part("response.reasoning_summary_part.added", "summary_index", summaryText(""))
		}
		e.about("response.reasoning_summary_text.delta", fields{"summary_index": 0, "delta": delta})
	}
	e.grown = true
}

// end tells that nothing more comes, and the item as a whole.
func (e *outputEvents) end(it item) {
	said := it.said()
	switch it.Type {
	case itemMessage:
		e.about("response.output_text.done", fields{"content_index": 0, "text": said, "logprobs": []struct{}{}})
		e.part("response.content_part.done", "content_index", outputText(said))
	case itemCall:
		if !e.grown {
			e.grow(said)
		}
		e.about("response.function_call_arguments.done", fields{"name": it.Name, "arguments": said})
	case itemReasoning:
		if e.grown {
			e.about("response.reasoning_summary_text.done", fields{"summary_index": 0, "text": said})
			e.part("response.reasoning_summary_part.done", "summary_index", summaryText(said))
		}
	}
	e.send("response.output_item.done", fields{"output_index": e.index, "item": it})
}

func (e *outputEvents) part(kind, index string, p itemPart) {
	e.about(kind, fields{index: 0, "part": p})
}

// about sends an event about the item.
func (e *outputEvents) about(kind string, f fields) {
	f["item_id"], f["output_index"] = e.it.ID, e.index
	e.send(kind, f)
}

// begin takes back all that was said of an item.
func (it *item) begin() {
	it.Status = statusInProgress
	switch it.Type {
	case itemMessage:
		it.Content = []itemPart{}
	case itemCall:
		nothing := ""
		it.Arguments = &nothing
	case itemReasoning:
		it.Summary, it.Encrypted = []itemPart{}, ""
	}
}

// said is the text of a message or of the summary of thoughts, or the arguments
// of a call.
func (it item) said() string {
	switch {
	case it.Arguments != nil:
		return *it.Arguments
	case len(it.Content) > 0:
		return it.Content[0].text()
	case len(it.Summary) > 0:
		return it.Summary[0].text()
	default:
		return ""
	}
}
