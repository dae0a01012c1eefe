package conversation

import (
	"context"
	"sync"
	"time"
)

const (
	// silentCalls is how many calls, one after another, a region may leave
	// without an answer before it is spared.
	silentCalls = 2
	// probePeriod is how often a region that is spared is asked whether it is
	// back.
	probePeriod = 5 * time.Second
)

// silence remembers which regions do not answer in time, as long as the process
// lives, so that requests do not wait for them again and again. Only silence is
// remembered: a region that refuses at once costs nothing to ask.
type silence struct {
	mu      sync.Mutex
	regions map[string]*silent
}

// silent is what is known of a region.
type silent struct {
	calls int       // in a row; those at once count as one
	last  time.Time // when the latest was given up, or a probe was sent
}

// of runs f on what is known of a region.
func (s *silence) of(region string, f func(*silent)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.regions == nil {
		s.regions = map[string]*silent{}
	}
	r := s.regions[region]
	if r == nil {
		r = &silent{}
		s.regions[region] = r
	}
	f(r)
}

func (s *silence) answered(region string) {
	s.of(region, func(r *silent) { *r = silent{} })
}

// failed counts a call that was given up. One that began before another was is
// the same incident.
func (s *silence) failed(region string, started, now time.Time) {
	s.of(region, func(r *silent) {
		if r.calls == 0 || !started.Before(r.last) {
			r.calls, r.last = r.calls+1, now
		}
	})
}

// due tells whether a region is to be spared, and whether it is time to ask it
// again, which the caller who is told so has to do.
func (s *silence) due(region string, now time.Time) (spared, probe bool) {
	s.of(region, func(r *silent) {
		spared = r.calls >= silentCalls
		probe = spared && now.Sub(r.last) >= probePeriod
		if probe {
			r.last = now
		}
	})
	return spared, probe
}

// wellAndSpared are the regions in their order: those that are to be used, and
// those that lately have not answered, which are a last resort. On the way it
// has these asked whether they are back; nobody waits for that.
func (s *Store) wellAndSpared() (well, spared []string) {
	for _, region := range s.regions {
		spare, probe := s.silent.due(region, s.Now())
		if probe {
			s.aside(func() { s.probe(region) })
		}
		if spare {
			spared = append(spared, region)
		} else {
			well = append(well, region)
		}
	}
	return well, spared
}

// probe reads what nobody writes. It belongs to no request, and ends by its
// timeout.
func (s *Store) probe(region string) {
	// What comes of it is remembered by the call.
	_, _ = s.get(context.Background(), region, itemKey("probe", "probe"))
}
