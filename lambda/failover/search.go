package failover

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
)

// pending is how much news may wait for the caller, so that what came together is
// handed over together.
const pending = 16

// search is one request on its way through its targets. All of it but the
// reading of streams happens in the caller's goroutine.
type search struct {
	engine  *Engine
	ctx     context.Context // the caller's, which no search outlives
	bound   bound
	request converse.Request
	grammar converse.Grammar // of the request
	plan    plan
	in      chan news
	calls   sync.WaitGroup
	timer   *time.Timer

	running []*attempt // all under way: one after the first content
	chosen  *attempt   // the one that answers; nil before any content
	told    bool       // what it said last is with the caller, whose time is not its silence
	retryAt time.Time  // the next start, if it has to wait and nothing is running
	hedgeAt time.Time  // zero if no second target is to be asked

	restart    func()      // makes a caller forget what it saw, which it can if this is set
	transcript *transcript // of what it saw, which can be continued if this is set

	report   Report
	failures []*converse.Error
	final    converse.Class // of the error, whatever else fails; "" while undecided
}

func (e *Engine) search(ctx context.Context, b bound, targets []contract.Target, r converse.Request) *search {
	e.hedges.earn()
	s := &search{engine: e, ctx: ctx, bound: b, request: r, grammar: r.Grammar(), plan: newPlan(targets), in: make(chan news, pending), timer: time.NewTimer(0)}
	s.report.Attempts = make([]Attempt, 0, len(targets))
	return s
}

// next returns the answer's next event, whichever target gives it, or one that
// only waits when it is until; the zero time is never.
func (s *search) next(until time.Time) (converse.Event, error) {
	if s.told {
		s.told, s.chosen.silent = false, time.Now().Add(s.engine.cfg.Idle)
	}
	for {
		now := time.Now()
		if err := s.check(now); err != nil {
			return converse.Event{}, err
		}
		if !until.IsZero() && !now.Before(until) {
			return converse.Event{Wait: true}, nil
		}
		n, ok := s.receive(s.wake(until))
		if !ok {
			continue
		}
		if ev, ok := s.hear(n); ok {
			s.told = true
			return ev, nil
		}
	}
}

// check ends what has taken too long and starts what is due.
func (s *search) check(now time.Time) error {
	if err := s.ctx.Err(); err != nil {
		cause := context.Cause(s.ctx)
		return s.halt(contextClass(cause), cause)
	}
	if s.bound.reached(now) {
		return s.halt(converse.Timeout, s.bound.cause)
	}
	for _, a := range slices.Backward(s.running) {
		if !now.Before(a.silent) && len(s.in) == 0 { // nobody is silent whose words are waiting
			s.failed(a, &converse.Error{Class: converse.Timeout, Region: a.target.Region, Err: errSilent})
		}
	}
	if !s.busy(now) {
		return s.advance(now)
	}
	if !s.hedgeAt.IsZero() && !now.Before(s.hedgeAt) {
		s.hedge(now)
	}
	return nil
}

// busy tells whether a call is under way that is not overdue. Beside those that are
// the search goes on as if they had failed.
func (s *search) busy(now time.Time) bool {
	return slices.ContainsFunc(s.running, func(a *attempt) bool {
		return a == s.chosen || a.overdue.IsZero() || now.Before(a.overdue)
	})
}

// halt gives up everything, for a reason that no target is to blame for.
func (s *search) halt(class converse.Class, cause error) error {
	region := ""
	if len(s.plan.candidates) > 0 {
		region = s.plan.candidates[0].target.Region
	}
	for _, a := range slices.Backward(s.running) {
		region = a.target.Region
		s.drop(a, string(class))
	}
	s.failures = append(s.failures, &converse.Error{Class: class, Region: region, Err: cause})
	s.final = class
	return s.exhausted()
}

func (s *search) exhausted() error {
	s.report.Target = ""
	return &Error{Class: cmp.Or(s.final, sum(s.failures)), Failures: s.failures}
}

// wake is when something is due, if nothing comes before.
func (s *search) wake(until time.Time) time.Time {
	var first time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	sooner(until)
	sooner(s.bound.until)
	now := time.Now()
	for _, a := range s.running {
		sooner(a.silent)
		if now.Before(a.overdue) {
			sooner(a.overdue)
		}
	}
	if s.busy(now) {
		sooner(s.hedgeAt)
	} else {
		sooner(s.retryAt)
	}
	return first
}

func (s *search) receive(wake time.Time) (news, bool) {
	s.timer.Reset(time.Until(wake))
	select {
	case n := <-s.in:
		return n, true
	case <-s.timer.C:
	case <-s.ctx.Done():
	}
	return news{}, false
}

// hear takes in what an attempt has to tell, and returns the event that the
// caller is to see, if any.
func (s *search) hear(n news) (converse.Event, bool) {
	switch {
	case n.panicked != nil:
		s.close()
		n.panicked.Throw() // in the goroutine that can handle it
		return converse.Event{}, false
	case !slices.Contains(s.running, n.from): // given up in the meantime
		return converse.Event{}, false
	case n.err != nil && s.ctx.Err() != nil: // of the caller's making, as check will find
		return converse.Event{}, false
	case n.err != nil:
		s.failed(n.from, asError(n.from.target.Region, n.err))
		return converse.Event{}, false
	}
	s.choose(n.from)
	n.from.silent = time.Now().Add(s.engine.cfg.Idle)
	ev := n.event
	if ev.End != nil {
		s.engine.breakers.succeeded(n.from.target.ID)
		s.drop(n.from, OutcomeOK)
	}
	if s.transcript == nil {
		return ev, true
	}
	return s.transcript.take(ev)
}

// choose makes a the one that answers, and gives up all others.
func (s *search) choose(a *attempt) {
	if s.chosen == a {
		return
	}
	s.chosen, s.final, a.hurried = a, "", false
	s.engine.breakers.answered(a.target.ID)
	s.engine.grammars.add(a.target.ID, s.grammar)
	for _, other := range slices.Backward(s.running) {
		if other != a {
			s.late(other, a)
		}
	}
	s.hedgeAt = time.Time{}
	s.finish(a, OutcomeOK)
	s.report.Target = a.target.Region
}

// late gives a up, since another has answered. If that was asked only once a was
// overdue, a was silent for too long, whatever it had to compile.
func (s *search) late(a, other *attempt) {
	s.drop(a, OutcomeLate)
	if !a.overdue.IsZero() && !other.started.Before(a.overdue) {
		s.engine.breakers.failed(a.target.ID, converse.Timeout, time.Now())
	}
}

// failed takes note of a failure of a. Who goes on from there is for check to
// say.
func (s *search) failed(a *attempt, f *converse.Error) {
	now := time.Now()
	s.drop(a, string(f.Class))
	s.failures = append(s.failures, f)
	if !a.hurried || !errors.Is(f, errSilent) {
		s.engine.breakers.failed(a.target.ID, s.blame(a, f.Class), now)
	}
	if !f.Class.Elsewhere() {
		s.final, s.plan.stopped = cmp.Or(s.final, f.Class), true
	}
	if wait, again := s.engine.pause(a.candidate, f); again {
		a.due = now.Add(wait)
	}
	if a == s.chosen {
		s.broken(f)
	}
	s.hedgeAt = time.Time{}
	if len(s.running) > 0 && s.running[0].probe && !s.plan.stopped {
		s.hedgeAt = s.besideProbe(s.running[0])
	}
}

// blame is the class for which a failure of a counts. A model that breaks down over
// its answer may have the request to blame, but a caller that has seen a part of it
// cannot be answered by another: a target where that happens again and again is
// one that breaks off answers.
func (s *search) blame(a *attempt, class converse.Class) converse.Class {
	if a == s.chosen && class == converse.ModelFailed {
		return converse.Incomplete
	}
	return class
}

// broken decides whether an answer that has begun goes on: from its beginning
// if the caller can forget what it saw, else from there, if that is possible.
func (s *search) broken(f *converse.Error) {
	s.chosen, s.told, s.report.Target = nil, false, ""
	if s.restart != nil {
		s.restart()
		return
	}
	s.final = cmp.Or(s.final, f.Class)
	if s.transcript == nil || !s.transcript.breakOff() {
		s.plan.stopped = true
		return
	}
	s.request = s.transcript.continued(s.request)
}

// drop gives a up, or lets it go when it is over.
func (s *search) drop(a *attempt, outcome string) {
	a.cancel()
	s.running = slices.DeleteFunc(s.running, func(other *attempt) bool { return other == a })
	if a.probe {
		s.engine.breakers.release(a.target.ID)
	}
	s.finish(a, outcome)
}

func (s *search) finish(a *attempt, outcome string) {
	entry := &s.report.Attempts[a.index]
	entry.Outcome, entry.Duration = outcome, time.Since(a.started)
}

// close ends all calls, and waits for their goroutines. It is safe to repeat.
func (s *search) close() {
	for _, a := range slices.Backward(s.running) {
		s.drop(a, string(converse.Canceled))
	}
	s.timer.Stop()
	s.calls.Wait()
}
