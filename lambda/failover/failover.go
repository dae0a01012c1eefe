// Package failover gets one answer out of several regions, tried in order. It
// moves on until the first content only: what a caller has seen is never
// generated twice. It does not repeat a region, and leaves the jurisdiction
// never, since it knows no targets but those it is given.
package failover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
)

// Defaults of [Config].
const (
	DefaultFirstContent = 20 * time.Second
	DefaultIdle         = 60 * time.Second
	DefaultWhole        = 280 * time.Second
	DefaultReserve      = 2 * time.Second
)

// Model asks one region. [converse.Client] is one.
type Model interface {
	Open(ctx context.Context, target contract.Target, r converse.Request) (converse.Stream, error)
}

// Config configures an [Engine].
type Config struct {
	// Model is required.
	Model Model
	// Clock is the machine's if nil.
	Clock Clock
	// FirstContent bounds the wait for a target's first content; 0 means
	// [DefaultFirstContent]. It is cut when less time is left than each
	// remaining target would need.
	FirstContent time.Duration
	// Idle bounds the wait between two pieces of an answer; 0 means
	// [DefaultIdle].
	Idle time.Duration
	// Whole bounds an answer that is collected, over all targets; 0 means
	// [DefaultWhole]. Such an answer writes nothing until its end, and API
	// Gateway cuts a regional API's response that is silent for 5 minutes.
	// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
	Whole time.Duration
	// Reserve is the part of the caller's time that is kept for telling it
	// about a failure; 0 means [DefaultReserve].
	Reserve time.Duration
}

// Engine answers requests from ordered targets. It is safe for concurrent use.
type Engine struct {
	cfg Config
}

// New returns an Engine, or an error if cfg is not valid.
func New(cfg Config) (*Engine, error) {
	var errs []error
	if cfg.Model == nil {
		errs = append(errs, errors.New("model is missing"))
	}
	if min(cfg.FirstContent, cfg.Idle, cfg.Whole, cfg.Reserve) < 0 {
		errs = append(errs, fmt.Errorf("a limit is negative: first content %s, idle %s, whole %s, reserve %s",
			cfg.FirstContent, cfg.Idle, cfg.Whole, cfg.Reserve))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("configure failover: %w", err)
	}
	if cfg.Clock == nil {
		cfg.Clock = machineClock{}
	}
	cfg.FirstContent = cmp.Or(cfg.FirstContent, DefaultFirstContent)
	cfg.Idle = cmp.Or(cfg.Idle, DefaultIdle)
	cfg.Whole = cmp.Or(cfg.Whole, DefaultWhole)
	cfg.Reserve = cmp.Or(cfg.Reserve, DefaultReserve)
	return &Engine{cfg: cfg}, nil
}

// Attempt is one call to one target.
type Attempt struct {
	// Region is the source region that was called.
	Region string
	// Outcome is [OutcomeOK] or the class of the failure.
	Outcome string
	// Duration is the time to the first content, of an answer collected as a
	// whole to its end, or to the failure.
	Duration time.Duration
}

// OutcomeOK is the outcome of an attempt that answered.
const OutcomeOK = "ok"

// Report tells how a request was answered, or not.
type Report struct {
	// Target is the region that answered, "" if none did.
	Target string
	// Attempts are all calls made, in order.
	Attempts []Attempt
}

// Error is why no target answered.
type Error struct {
	// Class sums up the failures: see [Engine.Open].
	Class converse.Class
	// Failures has one entry per attempt, in order.
	Failures []*converse.Error
}

// Error implements error. It can be logged.
func (e *Error) Error() string {
	causes := make([]string, len(e.Failures))
	for i, f := range e.Failures {
		causes[i] = f.Error()
	}
	return fmt.Sprintf("no target answered: %s: [%s]", e.Class, strings.Join(causes, "; "))
}

// Unwrap returns the failures.
func (e *Error) Unwrap() []error {
	causes := make([]error, len(e.Failures))
	for i, f := range e.Failures {
		causes[i] = f
	}
	return causes
}

// Open returns the answer of the first target that gives any, from its first
// content on; the caller closes it. Later failures come out of the stream as
// they are.
//
// If no target answers, the error is an *[Error], whose class is that of the
// failure that ended the search; after all targets failed, it is the class they
// agree on, refusals (denied, not found) aside, else unavailable.
func (e *Engine) Open(ctx context.Context, targets []contract.Target, r converse.Request) (converse.Stream, Report, error) {
	var s converse.Stream
	report, err := e.try(ctx, e.bound(ctx), targets, func(a *attempt) error {
		first, err := a.first(r)
		if err == nil {
			s = &opened{attempt: a, first: &first}
		}
		return err
	})
	if err != nil {
		return nil, report, err
	}
	return s, report, nil
}

// Answer returns the first whole answer. Wherever one breaks off, the next
// target starts anew. Errors are those of [Engine.Open], and [ErrWhole] is in
// the chain of the one that says that [Config.Whole] is over.
func (e *Engine) Answer(ctx context.Context, targets []contract.Target, r converse.Request) (converse.Answer, Report, error) {
	var answer converse.Answer
	report, err := e.try(ctx, e.wholeBound(ctx), targets, func(a *attempt) error {
		defer a.close()
		var err error
		answer, err = a.collect(r)
		return err
	})
	return answer, report, err
}

// try runs ask for target after target until one succeeds, whose attempt it
// leaves open, or b is reached.
func (e *Engine) try(ctx context.Context, b bound, targets []contract.Target, ask func(*attempt) error) (Report, error) {
	var report Report
	var failures []*converse.Error
	for i, t := range targets {
		a, err := e.begin(ctx, b, t, len(targets)-i)
		if err != nil {
			return report, &Error{Class: err.Class, Failures: append(failures, err)}
		}
		called, failure := a.run(ask)
		if failure == nil || failure.Class != converse.Outside { // which was not called
			report.Attempts = append(report.Attempts, called)
		}
		if failure == nil {
			report.Target = t.Region
			return report, nil
		}
		failures = append(failures, failure)
		if !failure.Class.Elsewhere() || errors.Is(failure, errDeadline) || errors.Is(failure, ErrWhole) {
			return report, &Error{Class: failure.Class, Failures: failures}
		}
	}
	return report, &Error{Class: sum(failures), Failures: failures}
}

// collect reads a whole answer.
func (a *attempt) collect(r converse.Request) (converse.Answer, error) {
	ev, err := a.first(r)
	var answer converse.Collector
	for ; err == nil; ev, err = a.next() {
		if ev.End != nil {
			return answer.Answer(*ev.End), nil
		}
		answer.Add(ev)
	}
	return converse.Answer{}, err
}

// opened is the stream that a caller sees: the first content once more, then
// the rest.
type opened struct {
	*attempt
	first *converse.Event
}

// Next implements [converse.Stream].
func (s *opened) Next() (converse.Event, error) {
	if s.first != nil {
		ev := *s.first
		s.first = nil
		return ev, nil
	}
	return s.next()
}

// Close implements [converse.Stream].
func (s *opened) Close() error {
	s.close()
	return nil
}

// sum is the class of a request that all targets failed.
func sum(failures []*converse.Error) converse.Class {
	var failed, refused converse.Class
	for _, f := range failures {
		switch {
		case f.Class == converse.Denied:
			refused = converse.Denied
		case f.Class == converse.NotFound:
			refused = cmp.Or(refused, converse.NotFound)
		case failed == "":
			failed = f.Class
		case failed != f.Class:
			failed = converse.Unavailable
		}
	}
	return cmp.Or(failed, refused, converse.Unavailable)
}

// asError makes sure of the type that every attempt fails with; nil stays nil.
func asError(region string, err error) *converse.Error {
	var e *converse.Error
	if err == nil || errors.As(err, &e) {
		return e
	}
	return &converse.Error{Class: converse.Unavailable, Region: region, Err: err}
}
