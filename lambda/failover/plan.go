package failover

import (
	"errors"
	"strconv"
	"time"

	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
)

// maxRetryAfter bounds the wait before a target is called again. One that asks
// for more is not: the caller is better off knowing.
const maxRetryAfter = 10 * time.Second

// plan says which target comes next.
type plan struct {
	candidates []*candidate
	stopped    bool // no target would do better
}

// candidate is a target in a plan.
type candidate struct {
	target contract.Target
	calls  int       // made so far
	due    time.Time // when it may be called again; zero for never
}

// choice is a candidate whose turn it is at a time. Without a candidate no
// target is left.
type choice struct {
	*candidate
	at    time.Time // not before this
	state state     // of its breaker
}

func newPlan(targets []contract.Target) plan {
	p := plan{candidates: make([]*candidate, len(targets))}
	for i, t := range targets {
		p.candidates[i] = &candidate{target: t}
	}
	return p
}

// next prefers those that were not called yet, in order, to a second call, and
// that to a first call where a breaker is open: such a target may take all its
// time to fail. Where a breaker is open there is no second call. A probe that it
// chooses has to be made.
func (p *plan) next(b *breakers, now time.Time) choice {
	if p.stopped {
		return choice{}
	}
	var spared *candidate
	for _, c := range p.candidates {
		if c.calls > 0 {
			continue
		}
		if s := b.admit(c.target.ID, now); s != open {
			return choice{c, now, s}
		}
		if spared == nil {
			spared = c
		}
	}
	if again := p.soonest(b); again != nil {
		return choice{again, again.due, closed}
	}
	return choice{spared, now, open}
}

// soonest is the first of those that may be called again, nil if there is none.
func (p *plan) soonest(b *breakers) *candidate {
	var first *candidate
	for _, c := range p.candidates {
		if !c.due.IsZero() && !b.isOpen(c.target.ID) && (first == nil || c.due.Before(first.due)) {
			first = c
		}
	}
	return first
}

// well is the first target that was not called yet and whose breaker is closed, or
// else that is not spared.
func (p *plan) well(b *breakers, now time.Time) *candidate {
	var due *candidate
	for _, c := range p.candidates {
		switch {
		case c.calls > 0:
		case !b.isOpen(c.target.ID):
			return c
		case due == nil && !b.spares(c.target.ID, now):
			due = c
		}
	}
	return due
}

// rest is how many targets may still be called, c included.
func (p *plan) rest(c *candidate) int {
	n := 1
	for _, other := range p.candidates {
		if other != c && other.calls == 0 {
			n++
		}
	}
	return n
}

// pause is the wait before the candidate may be called again after f, and
// whether it may at all. A target that was silent has had its time, and one that
// is misconfigured will not have changed.
func (e *Engine) pause(c *candidate, f *converse.Error) (time.Duration, bool) {
	switch f.Class {
	case converse.Throttled, converse.Unavailable, converse.ModelFailed, converse.Incomplete:
	default:
		return 0, false
	}
	backoff := float64(e.cfg.Backoff << (c.calls - 1))
	wait := max(time.Duration(backoff*(1+e.cfg.Random())/2), retryAfter(f))
	return wait, c.calls <= e.cfg.Retries && wait <= maxRetryAfter
}

// retryAfter is what an answer of AWS asks for, 0 if it does not, in seconds.
func retryAfter(err error) time.Duration {
	var answered *smithyhttp.ResponseError
	if !errors.As(err, &answered) || answered.Response == nil {
		return 0
	}
	seconds, err := strconv.Atoi(answered.Response.Header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0 // without a number it asks for nothing that could be kept to
	}
	return time.Duration(seconds) * time.Second
}
