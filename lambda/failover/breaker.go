package failover

import (
	"sync"
	"time"

	"github.com/crossregion/crossregion/lambda/converse"
)

// state is what a breaker says to a call.
type state int

const (
	closed  state = iota // the target is thought to be well
	probing              // the target is to be spared, but for this one call
	open                 // the target is to be spared
)

// misconfiguredFactor is how much longer a target is spared that has to be
// mended by hand.
const misconfiguredFactor = 6

// maxRelapses bounds how often the time for which a target is spared is doubled.
const maxRelapses = 3

// breakers remember which targets fail, by ID, as long as the process lives. A
// Lambda function's environment lives for many requests, one after the other.
type breakers struct {
	cfg     Breaker
	random  func() float64
	mu      sync.Mutex
	targets map[string]*breaker
}

// breaker is one target's. It is closed if until is zero.
type breaker struct {
	failures int // in a row
	until    time.Time
	probed   bool // by a call that is under way
	// relapses count how often the beginning of an answer has closed it since the
	// last whole one.
	relapses int
}

// spared tells whether calls go elsewhere, if they can. An open breaker spares
// nothing while a probe is due: a target whose turn never comes is well for all
// that is known.
func (t *breaker) spared(now time.Time) bool {
	return !t.until.IsZero() && (t.probed || now.Before(t.until))
}

func newBreakers(cfg Breaker, random func() float64) *breakers {
	return &breakers{cfg: cfg, random: random, targets: map[string]*breaker{}}
}

// of runs f on the breaker of the target with the given ID.
func (b *breakers) of(id string, f func(*breaker)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.targets[id]
	if t == nil {
		t = &breaker{}
		b.targets[id] = t
	}
	f(t)
}

// admit asks for a call to a target. One that is let through as a probe has to
// be followed by release.
func (b *breakers) admit(id string, now time.Time) (s state) {
	b.of(id, func(t *breaker) {
		switch {
		case t.until.IsZero():
			s = closed
		case t.spared(now):
			s = open
		default:
			s, t.probed = probing, true
			t.until = now.Add(b.period()) // spaces probes that come to no verdict
		}
	})
	return s
}

// release ends a probe, whatever came of it.
func (b *breakers) release(id string) {
	b.of(id, func(t *breaker) { t.probed = false })
}

// answered closes a breaker at the first content of an answer, so that a target
// is used as soon as it is back. The next failure opens it again, and for twice as
// long each time: a probe of a target that begins answers and breaks them off costs
// somebody a stream.
func (b *breakers) answered(id string) {
	b.of(id, func(t *breaker) {
		if !t.until.IsZero() {
			t.failures, t.until, t.relapses = b.cfg.Failures-1, time.Time{}, min(t.relapses+1, maxRelapses)
		}
	})
}

// succeeded forgets all failures, after a whole answer.
func (b *breakers) succeeded(id string) {
	b.of(id, func(t *breaker) { t.failures, t.until, t.relapses = 0, time.Time{}, 0 })
}

// failed counts a failure that is the target's own, and opens the breaker at
// the last of too many.
func (b *breakers) failed(id string, class converse.Class, now time.Time) {
	b.of(id, func(t *breaker) {
		switch class {
		case converse.Throttled, converse.Unavailable, converse.Incomplete, converse.Timeout:
			if t.failures++; t.failures >= b.cfg.Failures {
				t.until = now.Add(b.period() << t.relapses)
			}
		case converse.Denied, converse.NotFound:
			t.until = now.Add(misconfiguredFactor * b.period())
		default:
			// The request may be to blame, as it may be for a model that broke
			// down before it said anything: others are not to pay for it.
		}
	})
}

// period is how long a breaker stays open, at random so that the environments
// of a region do not probe together.
func (b *breakers) period() time.Duration {
	return b.cfg.Open + time.Duration(b.random()*float64(b.cfg.Open)/2)
}

func (b *breakers) spares(id string, now time.Time) (does bool) {
	b.of(id, func(t *breaker) { does = t.spared(now) })
	return does
}

func (b *breakers) isOpen(id string) (is bool) {
	b.of(id, func(t *breaker) { is = !t.until.IsZero() })
	return is
}
