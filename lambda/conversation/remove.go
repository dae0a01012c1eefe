package conversation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/crossregion/crossregion/contract"
)

// removal is what is to go of one thread.
type removal struct {
	within query
	meant  func(sort string) bool // of what is there
}

// everything is all that is there.
func everything(string) bool { return true }

// clear removes what the given regions have, and tells how many items that was. All
// of it is buried or replaced already, so that one which is left behind is not
// read, and goes when it expires.
//
// Each region removes what it has itself. To delete what has not arrived yet
// changes nothing, and there would be nothing to replicate once it has. What one
// region has removed all others will, so an error says that something is removed
// nowhere, or that no region told what it has; the deletion can be repeated then.
func (s *Store) clear(ctx context.Context, partition string, regions []string, what removal) (found int, err error) {
	there := make([][]string, len(regions))
	errs := each(len(regions), func(i int) (err error) {
		there[i], err = s.clearIn(ctx, regions[i], partition, what)
		return err
	})
	told := false
	removed := map[string]bool{} // somewhere, by sort key
	for i, sorts := range there {
		told = told || errs[i] == nil
		for _, sort := range sorts {
			removed[sort] = removed[sort] || errs[i] == nil
		}
	}
	if !told || slices.Contains(slices.Collect(maps.Values(removed)), false) {
		err = errors.Join(errs...)
	}
	return len(removed), err
}

// clearIn removes what one region has, and returns what that was, after an error
// too.
func (s *Store) clearIn(ctx context.Context, region, partition string, what removal) (sorts []string, err error) {
	q := what.within
	q.keys = true
	items, err := s.readRange(ctx, region, partition, q)
	if err != nil {
		return nil, err
	}
	var keys []item
	for _, it := range items {
		if sort := textOf(it, contract.SortKey); what.meant(sort) {
			sorts, keys = append(sorts, sort), append(keys, itemKey(partition, sort))
		}
	}
	return sorts, s.remove(ctx, region, keys)
}

// finish does what an earlier deletion has left to be done, or says that nothing
// was left.
func (s *Store) finish(ctx context.Context, partition string, tombstone item, what removal) error {
	if _, err := s.writeEverywhere(ctx, tombstone, s.quorum); err != nil {
		return fmt.Errorf("finish a deletion: %w", err)
	}
	found, err := s.clear(ctx, partition, s.regions, what)
	if err == nil && found == 0 {
		return ErrNotFound
	}
	return err
}
