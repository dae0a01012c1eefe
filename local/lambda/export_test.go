package lambda

import "time"

// SetLimits replaces the times that tests do not want to wait for.
func (s *Service) SetLimits(init, grace time.Duration) {
	s.limits.init, s.limits.grace = init, grace
}

// Like is the wildcard matching of source ARNs.
var Like = arnLike

// FillRegion makes a region run as many invocations as it may.
func (s *Service) FillRegion(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inRegion(name).active = regionConcurrency
}
