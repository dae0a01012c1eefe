package failover

import (
	"context"
	"errors"
	"time"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/parallel"
)

// ErrWhole is in the chain of the error of an answer that [Engine.Answer] gave
// up because of [Config.Whole]. Asking again would take as long.
var ErrWhole = errors.New("the answer was not whole in the time that is left to whole answers")

// Causes of an attempt's end that are this package's own doing.
var (
	errSilent   = errors.New("the target was silent for too long")
	errDeadline = errors.New("the time for the whole request is over")
)

// bound is when a request has to be over, and why. The zero bound is none.
type bound struct {
	until time.Time
	cause error
}

// reached tells whether the bound is at or before t.
func (b bound) reached(t time.Time) bool { return b.cause != nil && !t.Before(b.until) }

// bound is what the caller's deadline leaves, less the reserve.
func (e *Engine) bound(ctx context.Context) bound {
	deadline, ok := ctx.Deadline()
	if !ok {
		return bound{}
	}
	return bound{deadline.Add(-e.cfg.Reserve), errDeadline}
}

// wholeBound is the bound of an answer that is collected.
func (e *Engine) wholeBound(ctx context.Context) bound {
	b, whole := e.bound(ctx), time.Now().Add(e.cfg.Whole)
	if b.cause == nil || whole.Before(b.until) {
		return bound{whole, ErrWhole}
	}
	return b
}

// attempt is one call to one target, which a goroutine of its own reads.
type attempt struct {
	*candidate
	index   int // among the report's attempts
	started time.Time
	silent  time.Time // when it will have been silent for too long
	hurried bool      // it has less time than the settings give, so its silence proves nothing
	// overdue is when a target that may have a schema to compile is late, though
	// that proves nothing either; zero for others.
	overdue time.Time
	probe   bool
	cancel  context.CancelFunc
}

// news is what an attempt's goroutine has to tell: an event, a failure, or what
// the model panicked with, which is for the caller's goroutine to handle.
type news struct {
	from     *attempt
	event    converse.Event
	err      error
	panicked *parallel.Panic
}

// read calls the target and tells all that comes to out, until that is over or
// ctx is.
func (a *attempt) read(ctx context.Context, m Model, r converse.Request, out chan<- news) {
	tell := func(n news) bool {
		n.from = a
		select {
		case out <- n:
			return true
		case <-ctx.Done():
			return false
		}
	}
	panicked := parallel.Catch(func() {
		if err := a.events(ctx, m, r, tell); err != nil {
			tell(news{err: err})
		}
	})
	if panicked != nil {
		tell(news{panicked: panicked})
	}
}

func (a *attempt) events(ctx context.Context, m Model, r converse.Request, tell func(news) bool) error {
	s, err := m.Open(ctx, a.target, r)
	if err != nil {
		return err
	}
	// The call is over by then, so how its stream closes changes nothing.
	defer func() { _ = s.Close() }()
	for {
		ev, err := s.Next()
		if err != nil {
			return err
		}
		if !tell(news{event: ev}) || ev.End != nil {
			return nil
		}
	}
}

// newAttempt prepares a call that others may follow within the bound.
func (s *search) newAttempt(c *candidate) *attempt {
	a := &attempt{candidate: c, started: time.Now()}
	first := s.engine.cfg.FirstContent
	limit := first
	if !s.engine.grammars.has(c.target.ID, s.grammar) {
		limit, a.overdue = max(first, compileTime), a.started.Add(first)
	}
	if s.bound.cause != nil {
		limit = min(limit, s.bound.until.Sub(a.started)/time.Duration(s.plan.rest(c)))
	}
	a.silent, a.hurried = a.started.Add(limit), limit < first || !a.overdue.IsZero()
	return a
}

func contextClass(err error) converse.Class {
	if errors.Is(err, context.DeadlineExceeded) {
		return converse.Timeout
	}
	return converse.Canceled
}
