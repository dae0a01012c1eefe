package dynamodb

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
)

// Fault is how DynamoDB fails in one region. A region that is lost altogether
// has both a Code and is Isolated.
type Fault struct {
	// Code is the exception with which every call is refused before anything is
	// done, e.g. "ServiceUnavailable" or "ThrottlingException". Empty: none is.
	Code string
	// Operations are those that are refused, e.g. "DeleteItem". Empty: all.
	Operations []string
	// Delay is how long a call waits before it is taken up, by the cloud's
	// clock. Nothing was done for a caller that has gone by then.
	Delay time.Duration
	// LostReplies is how many of the next writes are done and yet reported as
	// failed.
	LostReplies int
	// Isolated stops replication from and to the region, as if all its links
	// were cut.
	Isolated bool
}

// unavailable are the exceptions of a [Fault] whose status is not 400.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
var unavailable = map[string]int{
	"InternalServerError": http.StatusInternalServerError,
	"ServiceUnavailable":  http.StatusServiceUnavailable,
}

// link joins two regions, in the order of their names.
type link struct{ a, b string }

func linkOf(a, b string) link { return link{min(a, b), max(a, b)} }

// SetFault makes DynamoDB of a region fail, until it is cleared with nil. What
// was on its way to or from an isolated region arrives once it no longer is, in
// the order in which it was written.
func (s *Service) SetFault(region string, f *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	if f == nil {
		delete(s.faults, region)
		return
	}
	s.faults[region] = *f
}

// Cut stops replication between two regions, in both directions, until
// [Service.Heal]. Both still answer calls.
func (s *Service) Cut(a, b string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.settle()
	s.cut[linkOf(a, b)] = true
}

// Heal undoes [Service.Cut]. What has waited arrives in the order in which it was
// written.
func (s *Service) Heal(a, b string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.cut, linkOf(a, b))
}

// settle lets arrive what must have arrived before links change. The caller
// holds s.mu.
func (s *Service) settle() {
	for _, t := range s.tables {
		s.catchUp(t)
	}
}

// catchUp lets the replicas of t receive what has arrived by now. The caller
// holds s.mu.
func (s *Service) catchUp(t *table) {
	now := s.world.Clock.Now()
	for _, r := range t.replicas {
		r.receive(now, func(from string) bool {
			return !s.cut[linkOf(from, r.region)] && !s.faults[from].Isolated && !s.faults[r.region].Isolated
		})
	}
}

// suffer is what a call to a region goes through before it is taken up.
func (s *Service) suffer(ctx context.Context, region, operation string) error {
	s.mu.Lock()
	f := s.faults[region]
	s.mu.Unlock()
	if f.Delay > 0 {
		if err := s.world.Clock.Sleep(ctx, f.Delay); err != nil {
			return err
		}
	}
	if f.Code == "" || len(f.Operations) > 0 && !slices.Contains(f.Operations, operation) {
		return nil
	}
	return &cloud.APIError{Code: f.Code, Message: "DynamoDB of " + region + " is made to fail", Status: unavailable[f.Code]}
}

// loseReply is the failure that is reported of a write that was done, nil for
// none.
func (s *Service) loseReply(region string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.faults[region]
	if f.LostReplies == 0 {
		return nil
	}
	f.LostReplies--
	s.faults[region] = f
	return &cloud.APIError{Code: "InternalServerError", Message: "the reply is lost", Status: http.StatusInternalServerError}
}
