package failover_test

import (
	"context"
	"errors"
	"io"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
)

// step is what a region does next: after a while it says something, thinks,
// ends, fails, or breaks the program.
type step struct {
	after time.Duration
	event converse.Event
	err   error
	panic bool
}

func say(text string) step { return step{event: converse.Event{Text: text}} }
func end() step {
	return step{event: converse.Event{End: &converse.End{Reason: converse.StopEnd, Usage: converse.Usage{Input: 10, Output: 1}}}}
}
func fail(class converse.Class) step {
	return step{err: &converse.Error{Class: class, Region: "there"}}
}
func silence() step                       { return step{after: 24 * time.Hour} }
func (s step) later(d time.Duration) step { s.after = d; return s }

// script is what a region does in one call after the other; the last is
// repeated.
type script [][]step

func always(steps ...step) script { return script{steps} }

// good is an answer without trouble.
func good() []step { return []step{say("Hel"), say("lo"), end()} }

// call is a call that a model got.
type call struct {
	region  string
	at      time.Duration // since the first
	request converse.Request
}

// model is a Model whose regions follow a script. A call that fails at once is
// told so by Open if immediate is set.
type model struct {
	regions   map[string]script
	immediate bool
	refuses   bool // an answer's beginning, which all regions leave out if it is given

	mu      sync.Mutex
	started time.Time
	calls   []call
	open    int
}

func (m *model) Open(ctx context.Context, t contract.Target, r converse.Request) (converse.Stream, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.calls) == 0 {
		m.started = time.Now()
	}
	m.calls = append(m.calls, call{t.Region, time.Since(m.started), r})
	s := &stream{ctx: ctx, model: m}
	if all := m.regions[t.Region]; len(all) > 0 {
		s.steps = all[0]
		if len(all) > 1 {
			m.regions[t.Region] = all[1:]
		}
	}
	if begun := beginning(r); begun != "" {
		if m.refuses {
			return nil, fail(converse.Invalid).err
		}
		s.steps = without(s.steps, begun)
	}
	if m.immediate && len(s.steps) == 1 && s.steps[0].err != nil && s.steps[0].after == 0 {
		return nil, s.steps[0].err
	}
	m.open++
	return s, nil
}

// beginning is what a request asks to continue.
func beginning(r converse.Request) string {
	if len(r.Messages) == 0 || r.Messages[len(r.Messages)-1].Role != converse.Assistant {
		return ""
	}
	return r.Messages[len(r.Messages)-1].Parts[0].Text
}

// without leaves out what steps would say of a text that they begin with.
func without(steps []step, text string) []step {
	steps = slices.Clone(steps)
	for i := range steps {
		said := steps[i].event.Text
		n := 0
		for n < len(said) && n < len(text) && said[n] == text[n] {
			n++
		}
		if n < len(said) && n < len(text) {
			return steps // something else, which is for the test to say
		}
		steps[i].event.Text, text = said[n:], text[n:]
	}
	return slices.DeleteFunc(steps, func(s step) bool {
		return reflect.ValueOf(s.event).IsZero() && s.err == nil && !s.panic && s.after == 0
	})
}

// called are the regions that were called, in order.
func (m *model) called() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var regions []string
	for _, c := range m.calls {
		regions = append(regions, c.region)
	}
	return regions
}

// spacing is when a region was called, since the first call of all.
func (m *model) spacing(region string) []time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	var at []time.Duration
	for _, c := range m.calls {
		if c.region == region {
			at = append(at, c.at)
		}
	}
	return at
}

// count is how many calls a region got.
func (m *model) count(region string) int { return len(m.spacing(region)) }

// last is what was asked last.
func (m *model) last() converse.Request {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls[len(m.calls)-1].request
}

// leaks are the streams that were not closed.
func (m *model) leaks() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.open
}

// set changes what a region does from now on.
func (m *model) set(region string, s script) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.regions == nil {
		m.regions = map[string]script{}
	}
	m.regions[region] = slices.Clone(s)
}

type stream struct {
	ctx    context.Context
	model  *model
	steps  []step
	closed bool
}

func (s *stream) Next() (converse.Event, error) {
	if len(s.steps) == 0 {
		return converse.Event{}, io.EOF
	}
	next := s.steps[0]
	s.steps = s.steps[1:]
	if next.after > 0 {
		select {
		case <-time.After(next.after):
		case <-s.ctx.Done():
		}
	}
	switch {
	case next.panic:
		panic("this region breaks the program")
	case s.ctx.Err() != nil:
		return converse.Event{}, &converse.Error{Class: converse.Canceled, Region: "there", Err: s.ctx.Err()}
	case next.err != nil:
		return converse.Event{}, next.err
	}
	return next.event, nil
}

func (s *stream) Close() error {
	s.model.mu.Lock()
	defer s.model.mu.Unlock()
	if !s.closed {
		s.closed = true
		s.model.open--
	}
	return errors.New("how a stream closes matters to nobody")
}
