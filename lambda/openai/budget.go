package openai

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/apigw"
	"github.com/crossregion/crossregion/lambda/budget"
	"github.com/crossregion/crossregion/lambda/converse"
)

// Budget bounds and records what tenants use. [budget.Counter] is one, and tells
// what these do and how they fail.
type Budget interface {
	Reserve(ctx context.Context, limits contract.Budget, tenant string, estimate int64) (budget.Reservation, error)
	Settle(ctx context.Context, r budget.Reservation, used budget.Usage, model string) error
}

// What a request is taken to use until it is known: a token for four bytes of
// its body, up to a bound, since images are large and few tokens; and all that
// the answer may have.
const (
	bytesPerToken    = 4
	maxPromptReserve = 20_000
)

func estimate(body []byte, maxTokens int32) int64 {
	if maxTokens == 0 {
		maxTokens = converse.DefaultMaxTokens
	}
	return min(int64(len(body)/bytesPerToken), maxPromptReserve) + int64(maxTokens)
}

// spending is what a request has reserved of its tenant's budget.
type spending struct {
	reservation budget.Reservation
	estimate    int64
	settled     chan struct{} // closed once the real use is counted; nil before it is known
}

// reserve lets a request through, unless its tenant has used up what it may.
func (s *server) reserve(ctx context.Context, rec *record, tokens int64) error {
	caller := apigw.Identity(ctx)
	if caller.Tenant == "" {
		return nil
	}
	r, err := s.Budget.Reserve(ctx, caller.Budget, caller.Tenant, tokens)
	var exceeded *budget.ExceededError
	switch {
	case errors.As(err, &exceeded):
		return &apiError{status: http.StatusTooManyRequests, kind: kindRateLimit, code: "token_budget_exceeded",
			retryAfter: int(math.Ceil(exceeded.RetryAfter.Seconds())),
			message:    fmt.Sprintf("The tokens that this tenant may use in this region in a %s are used up. Please retry later.", exceeded.Window)}
	case err != nil:
		return err
	}
	rec.spent = &spending{reservation: r, estimate: tokens}
	return nil
}

// use notes what the answer took, and has it counted while the rest of the
// request goes on.
func (rec *record) use(ctx context.Context, s *server, u converse.Usage) {
	rec.usage = u
	rec.settle(ctx, s, budget.Usage{Input: int64(u.Input), Cached: int64(u.CacheRead), Output: int64(u.Output)})
}

func (rec *record) settle(ctx context.Context, s *server, used budget.Usage) {
	spent := rec.spent
	if spent == nil || spent.settled != nil {
		return
	}
	spent.settled = make(chan struct{})
	go func() {
		defer close(spent.settled)
		if err := s.Budget.Settle(ctx, spent.reservation, used, rec.model); err != nil {
			s.Log.WarnContext(ctx, "use not counted", "requestId", apigw.RequestID(ctx), "error", err.Error())
		}
	}()
}

// settleUp waits until the use is counted. What a broken answer took is not
// known, and counts as what was reserved; a request that no model began to
// answer took nothing.
func (rec *record) settleUp(ctx context.Context, s *server) {
	if rec.spent == nil {
		return
	}
	var used budget.Usage
	if rec.firstToken > 0 {
		used.Output = rec.spent.estimate
	}
	rec.settle(ctx, s, used)
	<-rec.spent.settled
}
