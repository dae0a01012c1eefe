package bedrock

import (
	"slices"
	"time"
)

// MaxCalls is how many calls [Service.Calls] and [Service.Arrivals] remember.
const MaxCalls = 4096

// Call is one inference.
type Call struct {
	Source      string    // region whose endpoint was called
	Destination string    // region that processed the prompt; "" where a fault came before
	ModelID     string    // as the caller named it: an ID or an ARN
	Stream      bool      // ConverseStream, not Converse
	Principal   string    // ARN of the caller
	Asked       string    // the beginning of the question; "" for embeddings
	At          time.Time // when it arrived, by the cloud's clock
}

// journal is a ring of the last [MaxCalls].
type journal struct {
	calls  []Call
	oldest int // where the ring begins, once it is full
}

func (j *journal) add(c Call) {
	if len(j.calls) < MaxCalls {
		j.calls = append(j.calls, c)
		return
	}
	j.calls[j.oldest] = c
	j.oldest = (j.oldest + 1) % MaxCalls
}

func (j *journal) all() []Call { return slices.Concat(j.calls[j.oldest:], j.calls[:j.oldest]) }

// Calls returns the calls that reached a destination region, oldest first, at
// most the last [MaxCalls]. Those refused or failed before are not in it.
func (s *Service) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.served.all()
}

// Arrivals returns the calls that Bedrock accepts, whether or not a [Fault] hit
// them, oldest first, at most the last [MaxCalls]. Destination is empty in all.
func (s *Service) Arrivals() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.arrived.all()
}

// route picks the region that serves the next call for t, in turn, beginning
// with the source, and remembers the call.
func (s *Service) route(t target, c Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.Destination = t.destinations[s.routed[t.arn]%len(t.destinations)]
	s.routed[t.arn]++
	s.served.add(c)
}
