package failover

import (
	"context"
	"errors"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
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
	b, whole := e.bound(ctx), e.cfg.Clock.Now().Add(e.cfg.Whole)
	if b.cause == nil || whole.Before(b.until) {
		return bound{whole, ErrWhole}
	}
	return b
}

// Clock tells the time and wakes up after a while.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f once, in its own goroutine or in that which moves the
	// clock, after d.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is a pending call of [Clock.AfterFunc]. A [time.Timer] is one.
type Timer interface {
	// Stop prevents the call and tells whether it could.
	Stop() bool
	// Reset makes the call due after d from now.
	Reset(d time.Duration) bool
}

type machineClock struct{}

func (machineClock) Now() time.Time                            { return time.Now() }
func (machineClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }

// attempt is one call to one target, under two limits: it may not be silent for
// too long, and may not take the caller's last moments.
type attempt struct {
	engine  *Engine
	target  contract.Target
	started time.Time
	ctx     context.Context
	cancel  context.CancelCauseFunc
	silence Timer
	overall Timer // nil without a bound
	stream  converse.Stream
}

// begin starts the limits of a call to t, which rest-1 others may follow within
// b. It fails if no time is left.
func (e *Engine) begin(ctx context.Context, b bound, t contract.Target, rest int) (*attempt, *converse.Error) {
	if err := ctx.Err(); err != nil {
		return nil, &converse.Error{Class: contextClass(err), Region: t.Region, Err: err}
	}
	a := &attempt{engine: e, target: t, started: e.cfg.Clock.Now()}
	a.ctx, a.cancel = context.WithCancelCause(ctx)
	limit := e.cfg.FirstContent
	if b.cause != nil {
		left := b.until.Sub(a.started)
		if left <= 0 {
			a.cancel(b.cause)
			return nil, &converse.Error{Class: converse.Timeout, Region: t.Region, Err: b.cause}
		}
		limit = min(limit, left/time.Duration(rest))
		a.overall = e.cfg.Clock.AfterFunc(left, func() { a.cancel(b.cause) })
	}
	a.silence = e.cfg.Clock.AfterFunc(limit, func() { a.cancel(errSilent) })
	return a, nil
}

// report tells how the attempt went; failure is nil if it answered.
func (a *attempt) report(failure *converse.Error) Attempt {
	outcome := OutcomeOK
	if failure != nil {
		outcome = string(failure.Class)
	}
	return Attempt{Region: a.target.Region, Outcome: outcome, Duration: a.engine.cfg.Clock.Now().Sub(a.started)}
}

// first asks the target and waits for its first content.
func (a *attempt) first(r converse.Request) (converse.Event, error) {
	s, err := a.engine.cfg.Model.Open(a.ctx, a.target, r)
	if err != nil {
		return converse.Event{}, a.explain(err)
	}
	a.stream = s
	return a.next()
}

// run makes one call with ask. It leaves a open if that succeeds, and closed if
// it fails or panics.
func (a *attempt) run(ask func(*attempt) error) (Attempt, *converse.Error) {
	answered := false
	defer func() {
		if !answered {
			a.close()
		}
	}()
	failure := asError(a.target.Region, ask(a))
	answered = failure == nil
	return a.report(failure), failure
}

// next waits for the next event, and measures the silence anew after it. An
// event that came as the silence was too long already is lost, since the call
// is being canceled and would break off right after it; an end needs no more.
func (a *attempt) next() (converse.Event, error) {
	ev, err := a.stream.Next()
	switch {
	case err != nil:
		return converse.Event{}, a.explain(err)
	case ev.End != nil:
		a.silence.Stop()
	case !a.silence.Reset(a.engine.cfg.Idle):
		// Whose cancellation counts is not this goroutine's to wait for.
		a.cancel(errSilent)
		return converse.Event{}, a.explain(errSilent)
	}
	return ev, nil
}

// explain tells a call that this package ended from one that failed by itself.
func (a *attempt) explain(err error) error {
	cause := context.Cause(a.ctx)
	switch {
	case cause == nil:
		return err
	case errors.Is(cause, errSilent), errors.Is(cause, errDeadline), errors.Is(cause, ErrWhole):
		return &converse.Error{Class: converse.Timeout, Region: a.target.Region, Err: errors.Join(cause, err)}
	default:
		return &converse.Error{Class: contextClass(cause), Region: a.target.Region, Err: errors.Join(errDeadline, cause)}
	}
}

// close ends the call. It is safe to repeat.
func (a *attempt) close() {
	a.silence.Stop()
	if a.overall != nil {
		a.overall.Stop()
	}
	a.cancel(nil)
	if a.stream != nil {
		// The call is given up, so how its stream closes changes nothing.
		_ = a.stream.Close()
	}
}

func contextClass(err error) converse.Class {
	if errors.Is(err, context.DeadlineExceeded) {
		return converse.Timeout
	}
	return converse.Canceled
}
