package failover_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
)

// clock stands still until told to move, and then runs what is due.
type clock struct {
	now    time.Time
	timers []*timer
}

func newClock() *clock { return &clock{now: time.Unix(1_700_000_000, 0)} }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) AfterFunc(d time.Duration, f func()) failover.Timer {
	t := &timer{clock: c, due: c.now.Add(d), f: f, pending: true}
	c.timers = append(c.timers, t)
	return t
}

func (c *clock) advance(d time.Duration) {
	c.now = c.now.Add(d)
	for _, t := range c.timers {
		if t.pending && !t.due.After(c.now) {
			t.pending = false
			t.f()
		}
	}
}

// pending is the number of timers that nobody stopped.
func (c *clock) pending() int {
	n := 0
	for _, t := range c.timers {
		if t.pending {
			n++
		}
	}
	return n
}

type timer struct {
	clock   *clock
	due     time.Time
	f       func()
	pending bool
}

func (t *timer) Stop() bool {
	was := t.pending
	t.pending = false
	return was
}

func (t *timer) Reset(d time.Duration) bool {
	was := t.pending
	t.due, t.pending = t.clock.now.Add(d), true
	return was
}

// withDeadline is a context whose deadline the clock decides about.
type withDeadline struct {
	context.Context
	at time.Time
}

func (c withDeadline) Deadline() (time.Time, bool) { return c.at, true }

// step is what a region does next: after a while it says something, ends,
// fails, or breaks the program. What slips is told although the call was
// canceled meanwhile, as if the two had met.
type step struct {
	after time.Duration
	slips bool
	text  string
	end   bool
	err   error
	panic bool
}

func say(text string) step { return step{text: text} }
func end() step            { return step{end: true} }
func fail(class converse.Class) step {
	return step{err: &converse.Error{Class: class, Region: "there"}}
}
func (s step) later(d time.Duration) step { s.after = d; return s }
func (s step) slipping() step             { s.slips = true; return s }

// model is a Model whose regions follow a script. The first step of a region
// is told by Open if it is a failure and immediate is set.
type model struct {
	clock     *clock
	regions   map[string][]step
	immediate bool

	called []string
	open   int
}

func (m *model) Open(ctx context.Context, t contract.Target, _ converse.Request) (converse.Stream, error) {
	m.called = append(m.called, t.Region)
	s := &stream{ctx: ctx, model: m, steps: slices.Clone(m.regions[t.Region])}
	if m.immediate && len(s.steps) == 1 && s.steps[0].err != nil {
		_, err := s.Next()
		return nil, err
	}
	m.open++
	return s, nil
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
	s.model.clock.advance(next.after)
	switch {
	case next.panic:
		panic("this region breaks the program")
	case s.ctx.Err() != nil && !next.slips:
		return converse.Event{}, &converse.Error{Class: converse.Canceled, Region: "there", Err: s.ctx.Err()}
	case next.err != nil:
		return converse.Event{}, next.err
	case next.end:
		return converse.Event{End: &converse.End{Reason: converse.StopEnd, Usage: converse.Usage{Output: 1}}}, nil
	default:
		return converse.Event{Text: next.text}, nil
	}
}

func (s *stream) Close() error {
	if !s.closed {
		s.closed = true
		s.model.open--
	}
	return errors.New("how a stream closes matters to nobody")
}
