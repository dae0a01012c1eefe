package lambda

import (
	"maps"
	"slices"
	"time"
)

// SetLimits replaces the times that tests do not want to wait for.
func (s *Service) SetLimits(init, grace time.Duration) {
	s.limits.init, s.limits.grace = init, grace
}

// TimeIsUp is what the timers of all invocations that run come to.
func (s *Service) TimeIsUp() {
	s.mu.Lock()
	running := slices.Collect(maps.Keys(s.running))
	s.mu.Unlock()
	for _, e := range running {
		e.mu.Lock()
		inv := e.current
		e.mu.Unlock()
		if inv != nil {
			e.expired(inv)
		}
	}
}

// Like is the wildcard matching of source ARNs.
var Like = arnLike

// FillRegion makes a region run as many invocations as it may.
func (s *Service) FillRegion(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inRegion(name).active = regionConcurrency
}

// Step is an environment without a process, which takes the steps of its life in
// the order that a test wants.
type Step struct {
	e   *environment
	inv *invocation
}

// Step returns an environment that has an invocation of a function but has not
// handed it over.
func (s *Service) Step(in Invocation) (Step, error) {
	ref, err := parseARN(in.FunctionARN)
	if err != nil {
		return Step{}, err
	}
	inv, e, err := s.admit(ref, in)
	if err != nil {
		return Step{}, err
	}
	s.owned.Done() // of the process, which is never started
	e.log = e.s.openStream(e.v)
	return Step{e, inv}, nil
}

// Begin hands the invocation over.
func (x Step) Begin() bool {
	_, ok := x.e.begin(x.inv)
	return ok
}

// Respond is the response of the runtime.
func (x Step) Respond() { x.e.responded(x.inv, whole("", nil)) }

// Finish ends the invocation, as the runtime's next question does.
func (x Step) Finish() { x.e.finish() }

// Die is the end of the process.
func (x Step) Die() { x.e.died(nil) }

// Release makes the environment wait for work.
func (x Step) Release() { x.e.s.release(x.e) }

// Idle is the number of environments that wait for work.
func (x Step) Idle() int {
	x.e.s.mu.Lock()
	defer x.e.s.mu.Unlock()
	return len(x.e.v.idle)
}

// Timed reports whether the timer of the invocation still runs. It stops it.
func (x Step) Timed() bool { return x.inv.timer != nil && x.inv.timer.Stop() }
