package stacks

import (
	"fmt"

	"github.com/crossregion/crossregion/contract"
)

// Failover says how an answer is looked for among a model's targets. Its
// members are those of [contract.Failover], which says what they may be.
type Failover struct {
	// FirstContentSeconds is how long a target may keep silent before the next
	// is tried. Default: 20.
	FirstContentSeconds float64 `json:"firstContentSeconds"`
	// IdleSeconds is how long an answer may pause. Default: 60.
	IdleSeconds float64 `json:"idleSeconds"`
	// HoldSeconds is how long a stream's status waits for its first content,
	// before it is 200 whatever comes. Default: 20.
	HoldSeconds float64 `json:"holdSeconds"`
	// KeepAliveSeconds is the time between two comments in a silent stream.
	// Default: 15.
	KeepAliveSeconds float64 `json:"keepAliveSeconds"`
	// Retries is how often a request calls one target again, when no other is
	// left that is well. Default: 2.
	Retries *int `json:"retries"`
	// BackoffSeconds is the longest wait before the first of them. Default: 0.5.
	BackoffSeconds float64 `json:"backoffSeconds"`
	// BreakerFailures in a row make an environment spare a target. Default: 3.
	BreakerFailures int `json:"breakerFailures"`
	// BreakerOpenSeconds is the time from probe to probe of such a target, and
	// up to half more. Default: 10.
	BreakerOpenSeconds float64 `json:"breakerOpenSeconds"`
	// HedgeDelaySeconds after which a second target is asked, which costs tokens
	// twice. Default: never.
	HedgeDelaySeconds float64 `json:"hedgeDelaySeconds"`
	// HedgeShare of requests that may be. Default: 0.05.
	HedgeShare float64 `json:"hedgeShare"`
	// ContinueStreams has the next target continue a stream that broke off,
	// where the model can. Default: false.
	ContinueStreams bool `json:"continueStreams"`
}

func (s Settings) validateFailover(f *faults) {
	set := contract.Failover(s.Failover)
	for _, r := range contract.FailoverRanges {
		f.check(r.Holds(set), "failover."+r.Name, fmt.Sprintf("%g is out of range", r.Value(set)), fmt.Sprintf("give %g to %g, or leave it out", r.Low, r.High))
	}
	f.check(set.HedgeShare == 0 || set.HedgeDelaySeconds > 0, "failover.hedgeShare", "is set, but nothing is hedged",
		"set failover.hedgeDelaySeconds too, or leave both out")
}
