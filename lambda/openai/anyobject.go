package openai

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
)

// anyObject is the schema of an object that holds another of any shape. A format
// without a schema would be a tool without parameters, which models use without
// arguments: whatever was asked, the answer would be {}.
// Sources: https://github.com/BerriAI/litellm/pull/25740 and
// https://github.com/BerriAI/litellm/pull/35218
const anyObject = `{"type":"object","properties":{"json_answer":{"type":"object","description":"The whole answer: a JSON object with all that was asked for."}},"required":["json_answer"],"additionalProperties":false}`

// anyObjectHead is how an answer with that schema begins, but for white space.
const anyObjectHead = `{"json_answer":{`

// objects asks for JSON objects of any shape as members of others, and takes them
// out of there again.
type objects struct {
	Engine
	now       func() time.Time
	keepAlive time.Duration
}

// Open implements [Engine].
func (o objects) Open(ctx context.Context, targets []contract.Target, r converse.Request) (converse.Stream, failover.Report, error) {
	if !wantsAnyObject(r) {
		return o.Engine.Open(ctx, targets, r)
	}
	asked := o.now()
	stream, report, err := o.Engine.Open(ctx, targets, heldObject(r))
	if err != nil {
		return nil, report, err
	}
	return &objectStream{Stream: stream, of: o, report: report, told: asked}, report, nil
}

// Answer implements [Engine].
func (o objects) Answer(ctx context.Context, targets []contract.Target, r converse.Request) (converse.Answer, failover.Report, error) {
	if !wantsAnyObject(r) {
		return o.Engine.Answer(ctx, targets, r)
	}
	answer, report, err := o.Engine.Answer(ctx, targets, heldObject(r))
	var held heldText
	for i, p := range answer.Parts {
		if p.Text != "" {
			answer.Parts[i].Text = held.take(p.Text) + held.rest()
		}
	}
	return answer, report, err
}

func wantsAnyObject(r converse.Request) bool { return r.Format != nil && r.Format.Schema == nil }

func heldObject(r converse.Request) converse.Request {
	format := *r.Format
	format.Schema = json.RawMessage(anyObject)
	r.Format = &format
	return r
}

// objectStream is a stream of which the object is taken out.
type objectStream struct {
	converse.Stream
	of     objects
	report failover.Report // what was known when it began
	held   heldText
	told   time.Time       // when the last event was, or the question
	end    *converse.Event // the last event, while what was left is told
}

// Next implements [converse.Stream]. While text is held back it waits, as a stream
// does that is silent.
func (s *objectStream) Next() (converse.Event, error) {
	ev, err := s.next()
	s.told = s.of.now()
	return ev, err
}

func (s *objectStream) next() (converse.Event, error) {
	if end := s.end; end != nil {
		s.end = nil
		return *end, nil
	}
	for {
		ev, err := s.Stream.Next()
		switch {
		case err != nil:
			return ev, err
		case ev.Text != "":
			ev.Text = s.held.take(ev.Text)
			switch {
			case ev.Text != "":
			case s.of.now().Sub(s.told) >= s.of.keepAlive:
				return converse.Event{Wait: true}, nil
			default:
				continue
			}
		case ev.End != nil:
			if rest := s.held.rest(); rest != "" {
				s.end = &ev
				return converse.Event{Text: rest}, nil
			}
		}
		return ev, nil
	}
}

// Report implements [failover.Reporter].
func (s *objectStream) Report() failover.Report { return soFar(s.Stream, s.report) }

// heldText takes an object out of the text of the one that holds it, piece by
// piece. A text that begins otherwise stays as it is: the model has answered in
// its own way.
type heldText struct {
	head    string // what came so far, while that may be the beginning
	matched int    // how much of [anyObjectHead] it is
	written bool   // the object is written as a string, which is taken out at the end
	plain   bool   // it was not the beginning
	depth   int    // of braces inside the object
	done    bool   // the object is over; what holds it ends
	quoted  bool
	escaped bool
}

// take returns what the object grew by.
func (h *heldText) take(piece string) string {
	if h.plain || h.matched == len(anyObjectHead) {
		return h.inside(piece)
	}
	h.head += piece
	if h.written {
		return ""
	}
	for i := range len(piece) {
		switch c := piece[i]; {
		case strings.IndexByte(" \t\r\n", c) >= 0:
		case c == '"' && h.matched == len(anyObjectHead)-1:
			h.written = true
			return ""
		case c != anyObjectHead[h.matched]:
			h.plain = true
			return h.rest()
		default:
			h.matched++
		}
		if h.matched == len(anyObjectHead) {
			h.head = ""
			return h.inside(piece[i:])
		}
	}
	return ""
}

// inside returns the part of piece that belongs to the object.
func (h *heldText) inside(piece string) string {
	if h.plain {
		return piece
	}
	if h.done {
		return ""
	}
	for i := range len(piece) {
		if h.step(piece[i]); h.depth == 0 {
			h.done = true
			return piece[:i+1]
		}
	}
	return piece
}

// step counts braces outside of strings.
func (h *heldText) step(c byte) {
	switch {
	case h.escaped:
		h.escaped = false
	case h.quoted && c == '\\':
		h.escaped = true
	case c == '"':
		h.quoted = !h.quoted
	case h.quoted:
	case c == '{':
		h.depth++
	case c == '}':
		h.depth--
	}
}

// rest returns what was held back at the end of a text.
func (h *heldText) rest() string {
	rest := h.head
	h.head = ""
	var holder struct {
		Written string `json:"json_answer"`
	}
	if h.written && json.Unmarshal([]byte(rest), &holder) == nil && isObject(holder.Written) {
		return holder.Written
	}
	return rest
}

func isObject(text string) bool {
	var members map[string]json.RawMessage
	return json.Unmarshal([]byte(text), &members) == nil && members != nil
}
