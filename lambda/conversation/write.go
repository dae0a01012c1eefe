package conversation

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/crossregion/crossregion/lambda/parallel"
)

// copies is how many regions a turn stands in before anyone is told of it, if as
// many can be reached.
func (s *Store) copies() int {
	if s.Unpaired {
		return 1
	}
	return 2
}

// quorum tells whether what stands in these regions is seen by whoever reads
// when the others are all that answer: [Store.History] goes on without regions
// that are no quorum, and with no others.
func (s *Store) quorum(regions []string) bool {
	if len(regions) >= s.copies() {
		return true
	}
	return len(s.regions) == 2 && slices.Contains(regions, s.TieBreaker)
}

// anyRegion will do for what is missed where it has not arrived.
func anyRegion(regions []string) bool { return len(regions) > 0 }

// write puts items into so many replicas, in parallel: the local one, the first
// partner's and so on, and for each that does not take them the next. A region
// that is spared is tried if another has failed, or if the rest is not enough.
func (s *Store) write(ctx context.Context, items []item, copies int, enough func(regions []string) bool) (Stored, error) {
	well, spared := s.wellAndSpared()
	took, err := s.writeTo(ctx, well, items, copies)
	if err != nil || !enough(took) {
		more, errSpared := s.writeTo(ctx, spared, items, copies-len(took))
		took, err = append(took, more...), errors.Join(err, errSpared)
	}
	return s.standing(took, err, enough)
}

// writeEverywhere puts it into every replica that can be reached, so that it
// counts at once wherever a client is sent. A region that is spared here may be
// at work for others, so it is tried like the rest.
func (s *Store) writeEverywhere(ctx context.Context, it item, enough func(regions []string) bool) (Stored, error) {
	took, err := s.writeTo(ctx, s.regions, []item{it}, len(s.regions))
	return s.standing(took, err, enough)
}

// standing is where a write went, or why that is not enough.
func (s *Store) standing(took []string, err error, enough func(regions []string) bool) (Stored, error) {
	if !enough(took) {
		return Stored{}, fmt.Errorf("%d of %d replicas took it, which is too few: %w", len(took), len(s.regions), err)
	}
	return Stored{Regions: took, Short: len(took) < s.copies()}, nil
}

// writeTo puts items into so many of the regions, in parallel, and goes on to
// the next for each that does not take them. It returns those that did, and why
// others did not.
func (s *Store) writeTo(ctx context.Context, regions []string, items []item, copies int) (took []string, err error) {
	type result struct {
		region   string
		err      error
		panicked *parallel.Panic
	}
	results := make(chan result, len(regions))
	var panicked *parallel.Panic
	for underway := 0; ; underway-- {
		for underway+len(took) < copies && len(regions) > 0 {
			region := regions[0]
			regions, underway = regions[1:], underway+1
			go func() {
				r := result{region: region}
				r.panicked = parallel.Catch(func() { r.err = s.put(ctx, region, items) })
				results <- r
			}()
		}
		if underway == 0 {
			panicked.Throw()
			return took, err
		}
		switch r := <-results; {
		case r.panicked != nil:
			panicked, regions = r.panicked, nil
		case r.err == nil:
			took = append(took, r.region)
		default:
			err = errors.Join(err, r.err)
		}
	}
}
