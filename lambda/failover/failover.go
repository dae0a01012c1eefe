// Package failover gets one answer out of several regions, tried in order. It
// leaves the jurisdiction never, since it knows no targets but those that it is
// given.
//
// What a caller has seen is never generated twice: a target that fails before
// its first content is replaced by the next, one that fails later ends the
// answer, unless the next can continue it from what was seen (see
// [Config.Prefill]). Every target is called once before any is called again, but
// for those whose breaker is open, which are called when nothing else is left:
// no request fails without a try.
//
// One goroutine per call reads its target; everything is decided in the
// caller's own. Time is the process's; tests run in bubbles of testing/synctest.
package failover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
)

// Defaults of [Config].
const (
	DefaultFirstContent = 20 * time.Second
	DefaultIdle         = 60 * time.Second
	DefaultHold         = 20 * time.Second
	DefaultKeepAlive    = 15 * time.Second
	DefaultWhole        = 280 * time.Second
	DefaultReserve      = 2 * time.Second
	DefaultRetries      = 2
	DefaultBackoff      = 500 * time.Millisecond
	DefaultFailures     = 3
	DefaultOpen         = 10 * time.Second
)

// Model asks one region. [converse.Client] is one. The end of ctx ends the call
// and its stream soon.
type Model interface {
	Open(ctx context.Context, target contract.Target, r converse.Request) (converse.Stream, error)
}

// Config configures an [Engine].
type Config struct {
	// Model is required.
	Model Model
	// FirstContent bounds the wait for a target's first content; 0 means
	// [DefaultFirstContent]. It is cut when less time is left than each
	// remaining target would need. A target that may have a schema to compile has
	// three minutes, and after FirstContent the next is asked beside it.
	FirstContent time.Duration
	// Idle bounds the wait between two pieces of an answer; 0 means
	// [DefaultIdle].
	Idle time.Duration
	// Hold bounds the wait of [Engine.Open] for the first content; 0 means
	// [DefaultHold].
	Hold time.Duration
	// KeepAlive is the time between two events that only wait; 0 means
	// [DefaultKeepAlive].
	KeepAlive time.Duration
	// Whole bounds an answer that is collected, over all targets; 0 means
	// [DefaultWhole]. Such an answer writes nothing until its end, and API
	// Gateway cuts a regional API's response that is silent for 5 minutes.
	// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
	Whole time.Duration
	// Reserve is the part of the caller's time that is kept for telling it
	// about a failure; 0 means [DefaultReserve].
	Reserve time.Duration
	// Retries is how often a request may call one target again, when no other
	// is left that is well; 0 means [DefaultRetries], and -1 none.
	Retries int
	// Backoff is the longest wait before a target is called again for the first
	// time; it doubles each time, and half of it is left to chance. 0 means
	// [DefaultBackoff].
	Backoff time.Duration
	// Breaker spares targets that fail.
	Breaker Breaker
	// Hedge asks a second target while the first is late. Its zero value does
	// not.
	Hedge Hedge
	// Prefill tells whether the model continues an assistant message that ends
	// the request, in the form that the request asks for. An answer that broke
	// off after nothing but text is then continued by another target. nil means
	// that no answer is.
	Prefill func(converse.Request) bool
	// Random returns numbers in [0, 1), to any goroutine; nil means
	// [rand.Float64].
	Random func() float64
}

// Breaker says when a target is spared, and for how long.
type Breaker struct {
	// Failures in a row open a target's breaker; 0 means [DefaultFailures].
	Failures int
	// Open is how long it stays open before one request probes the target, and
	// from probe to probe; up to half more is left to chance. It is twice as long
	// after each probe that broke off after its first content, up to eight times.
	// 0 means [DefaultOpen].
	Open time.Duration
}

// Hedge says when a second target is asked. It costs tokens twice.
type Hedge struct {
	// Delay of the first content after which the next target is asked too;
	// 0 never asks.
	Delay time.Duration
	// Share bounds the requests of the process that are hedged, from 0 to 1. It
	// is required with Delay.
	Share float64
}

// Engine answers requests from ordered targets. It is safe for concurrent use.
type Engine struct {
	cfg      Config
	breakers *breakers
	hedges   *allowance
	grammars grammars
}

// New returns an Engine, or an error if cfg is not valid.
func New(cfg Config) (*Engine, error) {
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("configure failover: %w", err)
	}
	cfg.FirstContent = cmp.Or(cfg.FirstContent, DefaultFirstContent)
	cfg.Idle = cmp.Or(cfg.Idle, DefaultIdle)
	cfg.Hold = cmp.Or(cfg.Hold, DefaultHold)
	cfg.KeepAlive = cmp.Or(cfg.KeepAlive, DefaultKeepAlive)
	cfg.Whole = cmp.Or(cfg.Whole, DefaultWhole)
	cfg.Reserve = cmp.Or(cfg.Reserve, DefaultReserve)
	cfg.Retries = cmp.Or(cfg.Retries, DefaultRetries)
	cfg.Backoff = cmp.Or(cfg.Backoff, DefaultBackoff)
	cfg.Breaker.Failures = cmp.Or(cfg.Breaker.Failures, DefaultFailures)
	cfg.Breaker.Open = cmp.Or(cfg.Breaker.Open, DefaultOpen)
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	return &Engine{cfg: cfg, breakers: newBreakers(cfg.Breaker, cfg.Random), hedges: &allowance{share: cfg.Hedge.Share}}, nil
}

func (c Config) validate() error {
	var errs []error
	if c.Model == nil {
		errs = append(errs, errors.New("model is missing"))
	}
	if min(c.FirstContent, c.Idle, c.Hold, c.KeepAlive, c.Whole, c.Reserve, c.Backoff, c.Breaker.Open, c.Hedge.Delay) < 0 {
		errs = append(errs, fmt.Errorf("a duration is negative: first content %s, idle %s, hold %s, keep-alive %s, whole %s, reserve %s, "+
			"backoff %s, open breaker %s, hedge %s",
			c.FirstContent, c.Idle, c.Hold, c.KeepAlive, c.Whole, c.Reserve, c.Backoff, c.Breaker.Open, c.Hedge.Delay))
	}
	if c.Retries < -1 || c.Breaker.Failures < 0 {
		errs = append(errs, fmt.Errorf("a count is negative: retries %d, failures that open a breaker %d", c.Retries, c.Breaker.Failures))
	}
	if c.Hedge.Delay > 0 && !(c.Hedge.Share > 0 && c.Hedge.Share <= 1) {
		errs = append(errs, fmt.Errorf("the share of hedged requests is %g: give more than 0, and 1 at most", c.Hedge.Share))
	}
	return errors.Join(errs...)
}

// Open returns the answer of the first target that gives any, from its first
// content on; the caller closes it. If none gives any for [Config.Hold], the
// stream comes without, and the search goes on in it. A stream sends an event
// with Wait whenever nothing else has come for [Config.KeepAlive]. It is a
// [Reporter], whose report is final after the stream's end.
//
// An error, here or of the stream, is an *[Error]. Its class is that of the
// failure that ended the search or broke the answer off; after all targets
// failed, it is the class they agree on, refusals (denied, not found) aside,
// else unavailable.
func (e *Engine) Open(ctx context.Context, targets []contract.Target, r converse.Request) (converse.Stream, Report, error) {
	s := e.search(ctx, e.bound(ctx), targets, r)
	if e.cfg.Prefill != nil && e.cfg.Prefill(r) {
		s.transcript = &transcript{}
	}
	first, err := s.next(time.Now().Add(e.cfg.Hold))
	if err != nil {
		s.close()
		return nil, s.snapshot(), err
	}
	answer := &opened{search: s}
	if !first.Wait {
		answer.first = &first
	}
	return answer, s.snapshot(), nil
}

// Answer returns the first whole answer. Wherever one breaks off, the next
// target starts anew. Errors are those of [Engine.Open], and [ErrWhole] is in
// the chain of the one that says that [Config.Whole] is over.
func (e *Engine) Answer(ctx context.Context, targets []contract.Target, r converse.Request) (converse.Answer, Report, error) {
	s := e.search(ctx, e.wholeBound(ctx), targets, r)
	defer s.close()
	var answer converse.Collector
	s.restart = func() { answer = converse.Collector{} }
	for {
		ev, err := s.next(time.Time{})
		switch {
		case err != nil:
			return converse.Answer{}, s.snapshot(), err
		case ev.End != nil:
			return answer.Answer(*ev.End), s.snapshot(), nil
		}
		answer.Add(ev)
	}
}
