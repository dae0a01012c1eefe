package openai

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"

	"github.com/crossregion/crossregion/lambda/apigw"
	"github.com/crossregion/crossregion/lambda/budget"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
)

// Budget bounds and records what tenants use. [budget.Counter] is one, and tells
// what these do and how they fail.
type Budget interface {
	Reserve(ctx context.Context, tenant string, estimate int64) (budget.Reservation, error)
	Raise(ctx context.Context, r budget.Reservation, estimate int64) (budget.Reservation, error)
	Settle(ctx context.Context, r budget.Reservation, used budget.Usage, model string) error
}

// spending is what a request has reserved of its tenant's budget.
type spending struct {
	reservation budget.Reservation
	estimate    estimate
	raised      chan struct{} // closed once the reservation is raised; nil if it need not be
	settled     chan struct{} // closed once the real use is counted; nil before it is known
}

// reserve lets a request through, unless its tenant has used up what it may.
func (s *server) reserve(ctx context.Context, rec *record, e estimate) error {
	caller := apigw.Identity(ctx)
	if caller.Tenant == "" {
		return nil
	}
	r, err := s.Budget.Reserve(ctx, caller.Tenant, e.total())
	var exceeded *budget.ExceededError
	switch {
	case errors.As(err, &exceeded):
		return &apiError{status: http.StatusTooManyRequests, kind: kindRateLimit, code: "token_budget_exceeded",
			retryAfter: int(math.Ceil(exceeded.RetryAfter.Seconds())),
			message:    fmt.Sprintf("The tokens that this tenant may use in this region in a %s are used up. Please retry later.", exceeded.Window)}
	case err != nil:
		return err
	}
	rec.spent = &spending{reservation: r, estimate: e}
	return nil
}

// raise reserves more, now that the whole question is known, while the rest of
// the request goes on.
func (rec *record) raise(ctx context.Context, s *server, e estimate) {
	spent := rec.spent
	if spent == nil || e.total() <= spent.estimate.total() {
		return
	}
	spent.estimate, spent.raised = e, make(chan struct{})
	go func() {
		defer close(spent.raised)
		err := s.safely(ctx, func() (err error) {
			spent.reservation, err = s.Budget.Raise(ctx, spent.reservation, e.total())
			return err
		})
		if err != nil {
			s.Log.WarnContext(ctx, "history not counted yet", "requestId", apigw.RequestID(ctx), "error", err.Error())
		}
	}()
}

// use notes what the answer took, and has it counted while the rest of the
// request goes on. Report is how the answer came about so far.
func (rec *record) use(ctx context.Context, s *server, u converse.Usage, report failover.Report) {
	rec.usage = u
	// A piece that another target continued is in the usage already.
	others := int64(max(0, billed(report)-1-report.Count(failover.ReasonContinued)))
	rec.settle(ctx, s, budget.Usage{
		Input: int64(u.Input) * (1 + others), Cached: int64(u.CacheRead), Output: int64(u.Output),
	})
}

// billed is the number of calls for which Bedrock reads the question, as far as
// is known: those that gave content, and those that were given up while they
// might have. What fails is not billed, nor what is refused.
func billed(report failover.Report) int {
	n := 0
	for _, a := range report.Attempts {
		switch a.Outcome {
		case failover.OutcomeOK, failover.OutcomeLate, failover.OutcomeWaiting,
			string(converse.Timeout), string(converse.Incomplete), string(converse.Canceled):
			n++
		}
	}
	return n
}

// soFar is how an answer has come about, for which reported is what was known
// when it began.
func soFar(answer converse.Stream, reported failover.Report) failover.Report {
	if r, ok := answer.(failover.Reporter); ok {
		return r.Report()
	}
	return reported
}

func (rec *record) settle(ctx context.Context, s *server, used budget.Usage) {
	spent := rec.spent
	if spent == nil || spent.settled != nil {
		return
	}
	spent.settled = make(chan struct{})
	go func() {
		defer close(spent.settled)
		if spent.raised != nil {
			<-spent.raised
		}
		err := s.safely(ctx, func() error { return s.Budget.Settle(ctx, spent.reservation, used, rec.model) })
		rec.uncounted = spent.reservation.Uncounted || err != nil
		if err != nil {
			s.Log.WarnContext(ctx, "use not counted", "requestId", apigw.RequestID(ctx), "error", err.Error())
		}
	}()
}

// settleUp waits until the use is counted. Of an answer that broke off it is not
// known how much of it there was: it counts as the longest that it might have
// been. The question counts for each call that read it.
func (rec *record) settleUp(ctx context.Context, s *server) {
	if rec.spent == nil {
		return
	}
	used := budget.Usage{Input: rec.spent.estimate.prompt * int64(billed(rec.report))}
	if rec.firstToken > 0 {
		used.Input = max(used.Input, rec.spent.estimate.prompt)
		used.Output = rec.spent.estimate.answer
	}
	rec.settle(ctx, s, used)
	<-rec.spent.settled
}
