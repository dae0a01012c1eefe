package openai

import (
	"context"
	"net/http"

	state "github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
)

// streamed answers with server-sent events. Once they have begun, an error that it
// returns is to be the last of them, so that no client takes a part for the whole.
func (g *generation) streamed(w http.ResponseWriter, r *http.Request, rec *record) error {
	var answer converse.Stream
	err := g.ask(func(q converse.Request) (report failover.Report, err error) {
		answer, report, err = g.Engine.Open(r.Context(), g.model.Targets, q)
		return report, err
	}, w, rec)
	if err != nil {
		return err
	}
	defer rec.closed(answer, g.earlier)
	s := &responseStream{generation: g, events: newResponseEvents(w)}
	rec.breakOff = s.events.fail
	s.events.created(g.response)
	err = s.copy(r.Context(), answer, rec)
	var stored state.Stored
	if err == nil && s.events.err == nil {
		stored, err = g.complete(r.Context())
	}
	switch {
	case s.events.err != nil:
		rec.fault = string(converse.Canceled)
		return nil
	case err != nil:
		return err
	}
	rec.single = stored.Short
	if g.stored {
		s.events.replicated(stored)
	}
	s.events.completed(g.response)
	return nil
}

// responseStream turns the events of a model's answer into those of a response.
type responseStream struct {
	*generation
	events *responseEvents
	answer converse.Collector
	item   *outputEvents // the one that is growing, nil before the first
}

// copy reads the answer to its end, unless nobody listens any more.
func (s *responseStream) copy(ctx context.Context, answer converse.Stream, rec *record) error {
	for s.events.err == nil {
		ev, err := answer.Next()
		switch {
		case err != nil:
			return responseParameters.blame(err)
		case ev.Wait:
			s.events.wait()
		case ev.End != nil:
			rec.use(ctx, s.server, ev.End.Usage, soFar(answer, rec.report))
			s.response.end(*ev.End, s.Now())
			return s.finish(true)
		default:
			if rec.firstToken == 0 {
				rec.firstToken = s.Now().Sub(rec.started)
			}
			if err := s.grow(ev); err != nil {
				return err
			}
		}
	}
	return nil
}

// grow adds one event to the answer: to the item that is growing, or as the
// beginning of the next.
func (s *responseStream) grow(ev converse.Event) error {
	before := s.answer.Len()
	s.answer.Add(ev)
	if s.answer.Len() > before {
		if err := s.finish(false); err != nil {
			return err
		}
		if err := s.begin(); err != nil {
			return err
		}
	}
	switch {
	case ev.Text != "":
		s.item.grow(ev.Text)
	case ev.Tool != nil:
		s.item.grow(ev.Tool.Input)
	case ev.Reasoning != nil && s.req.summary:
		s.item.grow(ev.Reasoning.Text)
	}
	return nil
}

// begin announces the item that a part of the answer has just begun.
func (s *responseStream) begin() error {
	parts := s.answer.Answer(converse.End{}).Parts
	it, err := outputItem(parts[len(parts)-1], s.model.Base, s.req.summary)
	if err != nil {
		return err
	}
	index := len(s.response.Output)
	it.name(s.turn.ID, len(s.req.input)+index)
	s.item = &outputEvents{responseEvents: s.events, index: index}
	s.item.begin(it)
	return nil
}

// finish ends the item that is growing, if there is one.
func (s *responseStream) finish(last bool) error {
	if s.item == nil {
		return nil
	}
	parts := s.answer.Answer(converse.End{}).Parts
	it, err := s.output(parts[s.item.index], last)
	if err != nil {
		return err
	}
	s.item.end(it)
	return nil
}
