package conversation

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/crossregion/crossregion/lambda/parallel"
)

// reader gathers one thread from the replicas, until what is looked for is whole.
type reader struct {
	store     *Store
	partition string
	view      *view
	asked     map[string]bool
	failed    map[string]error // why a region did not answer
	graves    bool             // one region at least has said all that it knows to be deleted
}

func (s *Store) reader(tenant, thread string) (*reader, error) {
	if err := checkTenant(tenant); err != nil {
		return nil, fmt.Errorf("read a thread: %w", err)
	}
	return newReader(s, threadPartition(tenant, thread), thread), nil
}

func newReader(s *Store, partition, thread string) *reader {
	return &reader{store: s, partition: partition, view: newView(thread, s.Now()), asked: map[string]bool{}, failed: map[string]error{}}
}

// upTo is the range of all that a history which ends with the turn can hold.
func upTo(turn string) query { return query{from: sortDeleted, to: sortTurn + turn + sortEnd} }

// turnsUpTo is the part of it that tombstones and metadata are not, read backward:
// what a region has not replicated yet is the end of the thread.
func turnsUpTo(turn string) query {
	return query{from: sortTurn, to: sortTurn + turn + sortEnd, backward: true}
}

// only is the range of one turn, read forward: what replaces a turn while it is
// read sorts behind it.
func only(turn string) query { return query{from: sortTurn + turn, to: sortTurn + turn + sortEnd} }

// tombstones is the range of all that says what is deleted.
func tombstones() query { return query{from: sortDeleted, to: sortDeleted + sortEnd} }

// Chain returns the history that ends with a turn: from the first of its thread
// to itself. It reads the local replica, then, for what is missing there, the
// region that wrote it, then the rest, and those last that lately have not
// answered. [ErrNotFound] says that the turn, or one
// that it continues, does not exist any more, [ErrNotArrived] that a region which
// may have it did not answer.
func (s *Store) Chain(ctx context.Context, tenant string, id TurnID) ([]Turn, error) {
	r, err := s.turnReader(tenant, id)
	if err != nil {
		return nil, err
	}
	r.askLocal(ctx, upTo(id.Turn))
	var ids []TurnID
	err = r.find(ctx, func() (missing TurnID, err error) {
		ids, missing, err = r.view.lineage(id)
		return missing, err
	}, turnsUpTo)
	if err != nil {
		return nil, err
	}
	return r.view.turns(ids)
}

// Turn returns one turn, whatever became of those that it continues. Errors are
// those of [Store.Chain], and of a turn of a conversation those of
// [Store.History] too: what is deleted in one is gone for every reader.
func (s *Store) Turn(ctx context.Context, tenant string, id TurnID) (Turn, error) {
	r, err := s.turnReader(tenant, id)
	if err != nil {
		return Turn{}, err
	}
	t, err := r.turn(ctx, id)
	if err != nil || !t.InConversation {
		return t, err
	}
	if err := r.unite(ctx, tombstones()); err != nil {
		return Turn{}, err
	}
	t, _, err = r.view.turn(id)
	return t, err
}

// turnReader is a reader of the thread of a turn. An id of a shape that no store
// gives is not found.
func (s *Store) turnReader(tenant string, id TurnID) (*reader, error) {
	if check(id.Region, id.Thread, id.Turn) != nil {
		return nil, ErrNotFound
	}
	return s.reader(tenant, id.Thread)
}

func (r *reader) turn(ctx context.Context, id TurnID) (t Turn, err error) {
	r.askLocal(ctx, tombstones(), only(id.Turn))
	err = r.find(ctx, func() (TurnID, error) {
		var missing bool
		if t, missing, err = r.view.turn(id); missing {
			return id, nil
		}
		return TurnID{}, err
	}, only)
	return t, err
}

// find asks further regions until look misses nothing and it is known what has
// been deleted: the origin of what is missing, then all that are left.
func (r *reader) find(ctx context.Context, look func() (missing TurnID, err error), within func(turn string) query) error {
	for {
		missing, err := look()
		if r.enough(missing, err) {
			return err
		}
		next := r.next(missing)
		if len(next) == 0 {
			return r.unfound()
		}
		ranges := []query{tombstones()}
		if !missing.IsZero() {
			ranges = append(ranges, within(missing.Turn))
		}
		r.ask(ctx, next, ranges, func() bool { return r.enough(look()) })
	}
}

// enough tells whether a look has found all, or that there is nothing to find.
func (r *reader) enough(missing TurnID, err error) bool {
	return err != nil || missing.IsZero() && r.graves
}

// next are the regions to ask for a turn: where it was written, or else all that
// are left, the spared ones last.
func (r *reader) next(missing TurnID) []string {
	well, spared := r.store.wellAndSpared()
	asked := func(region string) bool { return r.asked[region] }
	well = slices.DeleteFunc(well, asked)
	switch {
	case slices.Contains(well, missing.Region):
		return []string{missing.Region}
	case len(well) > 0:
		return well
	default:
		return slices.DeleteFunc(spared, asked)
	}
}

// unfound says of what no region had whether one may have it that did not
// answer.
func (r *reader) unfound() error {
	switch len(r.failed) {
	case 0:
		return ErrNotFound
	case len(r.store.regions):
		return fmt.Errorf("no replica can be read: %w", r.failures())
	default:
		return fmt.Errorf("%w: %w", ErrNotArrived, r.failures())
	}
}

func (r *reader) failures() error {
	var errs []error
	for _, region := range slices.Sorted(maps.Keys(r.failed)) {
		errs = append(errs, r.failed[region])
	}
	return errors.Join(errs...)
}

// page is what comes back of a query.
type page struct {
	region string
	query  query
	items  []item
	last   bool
	err    error
	// panicked is what reading did in place of a last page.
	panicked *parallel.Panic
}

// askLocal reads the ranges in the local replica, unless that is spared.
func (r *reader) askLocal(ctx context.Context, ranges ...query) {
	if well, _ := r.store.wellAndSpared(); slices.Contains(well, r.store.Region) {
		r.ask(ctx, []string{r.store.Region}, ranges, nil)
	}
}

// ask reads the ranges in the regions, all at once, into the view. It stops when
// enough, if given, says so.
func (r *reader) ask(ctx context.Context, regions []string, ranges []query, enough func() bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	sated := false
	take := func(p page) {
		if p.err != nil && !sated {
			r.failed[p.region] = p.err
		}
		r.view.add(p.items)
		r.graves = r.graves || p.last && p.err == nil && p.query.from == sortDeleted
		if !sated && enough != nil && enough() {
			sated = true
			cancel()
		}
	}
	for _, region := range regions {
		r.asked[region] = true
	}
	if len(regions) == 1 && len(ranges) == 1 {
		r.read(ctx, regions[0], ranges[0], take) // most are alone, and need no goroutine
		return
	}
	pages := make(chan page)
	for _, region := range regions {
		for _, q := range ranges {
			go func() {
				if p := parallel.Catch(func() { r.read(ctx, region, q, func(p page) { pages <- p }) }); p != nil {
					pages <- page{last: true, panicked: p}
				}
			}()
		}
	}
	var panicked *parallel.Panic
	for open := len(regions) * len(ranges); open > 0; {
		p := <-pages
		if p.last {
			open--
		}
		if p.panicked != nil {
			panicked = p.panicked
			cancel()
			continue
		}
		take(p)
	}
	panicked.Throw()
}

// read hands over the pages of one range, the last of which has no items.
func (r *reader) read(ctx context.Context, region string, q query, take func(page)) {
	err := r.store.pages(ctx, region, r.partition, q, func(items []item) bool {
		take(page{region: region, query: q, items: items})
		return ctx.Err() == nil
	})
	take(page{region: region, query: q, last: true, err: err})
}
