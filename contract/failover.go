package contract

import (
	"errors"
	"fmt"
)

// Failover bounds the search for an answer among a model's targets. Each
// member's zero value leaves it to the function; [FailoverRanges] says what else
// it may be.
type Failover struct {
	// FirstContentSeconds bounds the wait for a target's first content. Long
	// prompts need more.
	FirstContentSeconds float64 `json:"firstContentSeconds,omitempty"`
	// IdleSeconds bounds the silence between two pieces of an answer.
	IdleSeconds float64 `json:"idleSeconds,omitempty"`
	// HoldSeconds is how long a stream's status waits for the first content.
	HoldSeconds float64 `json:"holdSeconds,omitempty"`
	// KeepAliveSeconds is how often a silent stream shows that it is alive.
	KeepAliveSeconds float64 `json:"keepAliveSeconds,omitempty"`
	// Retries is how often a request may call one target again; 0 is never, nil
	// leaves it to the function.
	Retries *int `json:"retries,omitempty"`
	// BackoffSeconds is the longest wait before the first such call.
	BackoffSeconds float64 `json:"backoffSeconds,omitempty"`
	// BreakerFailures in a row make a target be spared.
	BreakerFailures int `json:"breakerFailures,omitempty"`
	// BreakerOpenSeconds is how long it is spared until it is probed.
	BreakerOpenSeconds float64 `json:"breakerOpenSeconds,omitempty"`
	// HedgeDelaySeconds after which a second target is asked for a first content
	// that is late; 0 is never.
	HedgeDelaySeconds float64 `json:"hedgeDelaySeconds,omitempty"`
	// HedgeShare of requests at most; [DefaultHedgeShare] if 0.
	HedgeShare float64 `json:"hedgeShare,omitempty"`
	// ContinueStreams has another target continue a stream that broke off, where
	// the model can.
	ContinueStreams bool `json:"continueStreams,omitempty"`
}

// DefaultHedgeShare is the share of requests that may be hedged if none is set.
const DefaultHedgeShare = 0.05

// FailoverRange is what a member of a [Failover] may be, besides 0.
type FailoverRange struct {
	Name      string // of the member, in JSON
	Value     func(Failover) float64
	Low, High float64
}

// FailoverRanges are those of all members that have one. API Gateway cuts an
// answer that is silent for 5 minutes, so no stream keeps silent for longer than
// four.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
var FailoverRanges = []FailoverRange{
	{"firstContentSeconds", func(f Failover) float64 { return f.FirstContentSeconds }, 0.05, 300},
	{"idleSeconds", func(f Failover) float64 { return f.IdleSeconds }, 0.05, 840},
	{"holdSeconds", func(f Failover) float64 { return f.HoldSeconds }, 0.05, 240},
	{"keepAliveSeconds", func(f Failover) float64 { return f.KeepAliveSeconds }, 0.05, 240},
	{"retries", func(f Failover) float64 { return float64(f.retries()) }, 0, 5},
	{"backoffSeconds", func(f Failover) float64 { return f.BackoffSeconds }, 0.01, 5},
	{"breakerFailures", func(f Failover) float64 { return float64(f.BreakerFailures) }, 1, 100},
	{"breakerOpenSeconds", func(f Failover) float64 { return f.BreakerOpenSeconds }, 0.05, 300},
	{"hedgeDelaySeconds", func(f Failover) float64 { return f.HedgeDelaySeconds }, 0.05, 300},
	{"hedgeShare", func(f Failover) float64 { return f.HedgeShare }, 0.001, 1},
}

func (f Failover) retries() int {
	if f.Retries == nil {
		return 0
	}
	return *f.Retries
}

// Holds tells whether the range holds for f.
func (r FailoverRange) Holds(f Failover) bool {
	v := r.Value(f)
	return v == 0 || v >= r.Low && v <= r.High
}

func (f Failover) validate() error {
	var errs []error
	for _, r := range FailoverRanges {
		if !r.Holds(f) {
			errs = append(errs, fmt.Errorf("failover.%s is %g: set %g to %g, or leave it out", r.Name, r.Value(f), r.Low, r.High))
		}
	}
	if f.HedgeShare != 0 && f.HedgeDelaySeconds == 0 {
		errs = append(errs, errors.New("failover.hedgeShare is set without hedgeDelaySeconds: set both, or neither"))
	}
	return errors.Join(errs...)
}
