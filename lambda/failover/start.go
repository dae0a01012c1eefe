package failover

import (
	"context"
	"time"

	"github.com/crossregion/crossregion/lambda/parallel"
)

// probeHead is the part of the wait for a first content by which a probe starts
// sooner than the next target: one that is not back yet is not to cost the
// caller its whole limit.
const probeHead = 8

// advance starts the next call, or says when to.
func (s *search) advance(now time.Time) error {
	next := s.plan.next(s.engine.breakers, now)
	s.retryAt = time.Time{}
	if next.candidate == nil || s.bound.reached(next.at) {
		if len(s.running) > 0 { // and overdue
			return nil
		}
		return s.exhausted()
	}
	s.retryAt = next.at
	if now.Before(next.at) {
		return nil
	}
	a := s.start(next.candidate, s.reason(next))
	a.probe = next.state == probing
	s.hedgeAt = time.Time{}
	switch delay := s.engine.cfg.Hedge.Delay; {
	case a.probe:
		s.hedgeAt = s.besideProbe(a)
	case delay > 0:
		s.hedgeAt = a.started.Add(delay)
	}
	return nil
}

// besideProbe is when another target is asked beside a probe.
func (s *search) besideProbe(a *attempt) time.Time {
	return a.started.Add(s.engine.cfg.FirstContent / probeHead)
}

func (s *search) reason(c choice) Reason {
	switch {
	case s.transcript != nil && s.transcript.broken():
		return ReasonContinued
	case c.state == probing:
		return ReasonProbe
	case c.calls > 0:
		return ReasonRetry
	case len(s.report.Attempts) > 0:
		return ReasonFailover
	default:
		return ReasonFirst
	}
}

// hedge asks a second target that is not spared, if there is one. Beside a probe it
// may do so at any time, since probes are rare.
func (s *search) hedge(now time.Time) {
	s.hedgeAt = time.Time{}
	second := s.plan.well(s.engine.breakers, now)
	first := s.running[0]
	if second == nil || !first.probe && !s.engine.hedges.spend() {
		return
	}
	// Another request may have begun to probe it.
	if state := s.engine.breakers.admit(second.target.ID, now); state != open {
		a := s.start(second, ReasonHedge)
		if a.probe = state == probing; a.probe {
			s.hedgeAt = s.besideProbe(a)
		}
	}
}

// start calls c. Its goroutine ends with its stream, or with close at last.
func (s *search) start(c *candidate, why Reason) *attempt {
	a := s.newAttempt(c)
	a.index = len(s.report.Attempts)
	c.calls++
	c.due = time.Time{}
	s.report.Attempts = append(s.report.Attempts, Attempt{Region: c.target.Region, Reason: why, Outcome: OutcomeWaiting})
	s.running = append(s.running, a)
	ctx, cancel := context.WithCancel(s.ctx)
	a.cancel = cancel
	request := s.request
	parallel.Go(&s.calls, func() { a.read(ctx, s.engine.cfg.Model, request, s.in) })
	return a
}
