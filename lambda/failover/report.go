package failover

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crossregion/crossregion/lambda/converse"
)

// Reason is why a call was made.
type Reason string

// Reasons for calls.
const (
	ReasonFirst     Reason = "first"     // the request's first
	ReasonFailover  Reason = "failover"  // an earlier target had failed
	ReasonRetry     Reason = "retry"     // this target had failed, and no other was left that was well
	ReasonProbe     Reason = "probe"     // to see whether a target with an open breaker is well again
	ReasonHedge     Reason = "hedge"     // an earlier target was late
	ReasonContinued Reason = "continued" // to continue an answer that had broken off
)

// Outcomes of an [Attempt] besides the classes of failure.
const (
	OutcomeOK      = "ok"      // it gave content first, and has not failed since
	OutcomeWaiting = "waiting" // it is under way
	OutcomeLate    = "late"    // it was given up, since another target gave content first
)

// Attempt is one call to one target.
type Attempt struct {
	// Region is the source region that was called.
	Region string
	// Reason is why.
	Reason Reason
	// Outcome is one of the Outcome constants or the class of the failure.
	Outcome string
	// Duration is the time to the failure or the end, before either to the
	// first content, and 0 before that.
	Duration time.Duration
}

// Report tells how a request was answered, or not.
type Report struct {
	// Target is the region that answered, "" if none did.
	Target string
	// Attempts are all calls made, in the order in which they began.
	Attempts []Attempt
	// Open are the regions of those targets that are spared.
	Open []string
}

// Count is how many calls were made for the given reason.
func (r Report) Count(reason Reason) int {
	n := 0
	for _, a := range r.Attempts {
		if a.Reason == reason {
			n++
		}
	}
	return n
}

// Misconfigured is how many targets refused this account or role, or do not
// have the model: failover hides from callers what operators have to mend.
func (r Report) Misconfigured() int {
	n := 0
	for _, a := range r.Attempts {
		if misconfigured(converse.Class(a.Outcome)) {
			n++
		}
	}
	return n
}

// maxFailed bounds what [Report.Failed] tells.
const maxFailed = 12

// Failed are the calls that failed, in order, each as its region and class. Of
// many it tells the first ones.
func (r Report) Failed() []string {
	var failed []string
	for _, a := range r.Attempts {
		switch a.Outcome {
		case OutcomeOK, OutcomeWaiting, OutcomeLate:
		default:
			failed = append(failed, a.Region+";"+a.Outcome)
		}
	}
	return failed[:min(len(failed), maxFailed)]
}

func misconfigured(c converse.Class) bool { return c == converse.Denied || c == converse.NotFound }

// Reporter tells how far a request has come. It belongs to the goroutine of the
// stream that it is.
type Reporter interface {
	Report() Report
}

// Error is why there is no whole answer.
type Error struct {
	// Class sums up the failures: see [Engine.Open].
	Class converse.Class
	// Failures has one entry per attempt that failed, in order.
	Failures []*converse.Error
}

// Error implements error. It can be logged.
func (e *Error) Error() string {
	causes := make([]string, len(e.Failures))
	for i, f := range e.Failures {
		causes[i] = f.Error()
	}
	return fmt.Sprintf("no whole answer: %s: [%s]", e.Class, strings.Join(causes, "; "))
}

// Unwrap returns the failures.
func (e *Error) Unwrap() []error {
	causes := make([]error, len(e.Failures))
	for i, f := range e.Failures {
		causes[i] = f
	}
	return causes
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

// asError makes sure of the type that every attempt fails with.
func asError(region string, err error) *converse.Error {
	var e *converse.Error
	if errors.As(err, &e) {
		return e
	}
	return &converse.Error{Class: converse.Unavailable, Region: region, Err: err}
}

// snapshot is the report as of now. A target outside the jurisdiction was not
// called.
func (s *search) snapshot() Report {
	r := Report{Target: s.report.Target}
	r.Attempts = slices.DeleteFunc(slices.Clone(s.report.Attempts), func(a Attempt) bool {
		return a.Outcome == string(converse.Outside)
	})
	now := time.Now()
	for _, c := range s.plan.candidates {
		if s.engine.breakers.spares(c.target.ID, now) {
			r.Open = append(r.Open, c.target.Region)
		}
	}
	return r
}
