package conversation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/crossregion/crossregion/contract"
)

// Append stores a turn whose id came from this store. On entry t.Expires is that
// of what the turn continues, its parent or its conversation; the turn that it
// returns has the times with which it was stored. The turn stands in all of
// [Stored.Regions] before Append returns: in this one and a partner's, unless one
// of them did not answer. It waits [Config.CallTimeout] for a region, and as long
// again for each two parts of 390 KB that the turn has.
//
// After an error no replica has confirmed the turn. Should one have taken it all
// the same, then it is buried as far as regions can be reached, so that nobody
// continues from it: its id may have been told when it began, and a conversation
// needs none.
func (s *Store) Append(ctx context.Context, tenant string, t Turn) (Turn, Stored, error) {
	if err := errors.Join(checkTenant(tenant), t.check()); err != nil {
		return Turn{}, Stored{}, fmt.Errorf("store a turn: %w", err)
	}
	t.Created, t.Expires = s.Now().UTC().Truncate(time.Second), s.expiry(t.Expires)
	items, err := encodeTurn(tenant, t)
	if err != nil {
		return Turn{}, Stored{}, fmt.Errorf("store a turn: %w", err)
	}
	stored, err := s.write(ctx, items)
	if err != nil {
		return Turn{}, Stored{}, fmt.Errorf("store a turn: %w", errors.Join(err, s.bury(ctx, tenant, t)))
	}
	return t, stored, nil
}

// check refuses a turn that nobody would find again.
func (t Turn) check() error {
	if err := check(t.ID.Region, t.ID.Thread, t.ID.Turn); err != nil {
		return err
	}
	if !t.Parent.IsZero() && (t.Parent.Thread != t.ID.Thread || t.Parent.Turn >= t.ID.Turn) {
		return errors.New("it does not come after its parent, in the same thread")
	}
	return nil
}

// copies is how many regions a turn stands in before anyone is told of it. With
// two, the loss of one region is not the loss of a turn, and the silence of one
// hides none.
func (s *Store) copies() int {
	if s.Unpaired {
		return 1
	}
	return 2
}

// write puts items into as many replicas as there are to be copies, in parallel:
// the local one and the first partner's, and for each that does not take them
// the next partner's. One that did is enough.
func (s *Store) write(ctx context.Context, items []item) (Stored, error) {
	type result struct {
		region string
		err    error
	}
	results := make(chan result, len(s.regions))
	next, underway := 0, 0
	try := func() {
		if next == len(s.regions) {
			return
		}
		region := s.regions[next]
		next, underway = next+1, underway+1
		go func() { results <- result{region, s.put(ctx, region, items)} }()
	}
	for range s.copies() {
		try()
	}
	var stored Stored
	var failed []error
	for ; underway > 0; underway-- {
		r := <-results
		if r.err != nil {
			failed = append(failed, r.err)
			try()
			continue
		}
		stored.Regions = append(stored.Regions, r.region)
	}
	if len(stored.Regions) == 0 {
		return stored, fmt.Errorf("no replica took it: %w", errors.Join(failed...))
	}
	return stored, nil
}

// writeEverywhere puts it into every replica that can be reached, so that it
// counts at once wherever a client is sent; one is enough for it to last.
func (s *Store) writeEverywhere(ctx context.Context, it item) (Stored, error) {
	errs := each(len(s.regions), func(i int) error { return s.put(ctx, s.regions[i], []item{it}) })
	var stored Stored
	for i, region := range s.regions {
		if errs[i] == nil {
			stored.Regions = append(stored.Regions, region)
		}
	}
	if len(stored.Regions) == 0 {
		return stored, fmt.Errorf("no replica took it: %w", errors.Join(errs...))
	}
	return stored, nil
}

// afterlife is how much longer than all that it buries a tombstone lasts. A
// function that was already running writes 15 minutes later at most.
const afterlife = 24 * time.Hour

// tombstone is the item that buries what its sort key names, which would be gone
// at the given time, or sooner than anything that is written now. It outlasts
// whatever may still be written before it is seen.
func (s *Store) tombstone(tenant, thread, sort string, gone time.Time) item {
	last := s.Now().Add(s.Retention)
	if gone.After(last) { // it was written when retention was longer
		last = gone
	}
	it := itemKey(threadPartition(tenant, thread), sort)
	it[contract.AttrExpires] = number(last.Add(afterlife).Unix())
	return it
}

func (s *Store) turnTombstone(tenant string, t Turn) item {
	return s.tombstone(tenant, t.ID.Thread, sortDeleted+"#"+t.ID.Turn, t.Expires)
}

// bury makes sure that a turn which may have been written is never read. It
// goes on after the end of ctx, which may be why the writing failed.
func (s *Store) bury(ctx context.Context, tenant string, t Turn) error {
	_, err := s.writeEverywhere(context.WithoutCancel(ctx), s.turnTombstone(tenant, t))
	return err
}

// DeleteTurn deletes a turn for good, and with it every history that it is part
// of: what continues it is not found any more either. Repeated, it removes what
// is left of the turn, and finds nothing once it is gone.
func (s *Store) DeleteTurn(ctx context.Context, tenant string, id TurnID) error {
	r, err := s.turnReader(tenant, id)
	if err != nil {
		return err
	}
	t, err := r.turn(ctx, id)
	if r.view.buried(id.Turn) {
		return s.clearRest(ctx, r.partition, only(id.Turn))
	}
	if err != nil {
		return err
	}
	stored, err := s.writeEverywhere(ctx, s.turnTombstone(tenant, t))
	if err != nil {
		return fmt.Errorf("delete a turn: %w", err)
	}
	_, err = s.clear(ctx, r.partition, stored.Regions, only(id.Turn))
	return err
}

// clear removes the items of a range, wherever the given regions have them, and
// tells how many it found. They are buried already, so that one which is left
// behind is not read, and goes when it expires; one region that removes them is
// enough, for replication does the rest. Without any, the deletion can be
// repeated.
func (s *Store) clear(ctx context.Context, partition string, regions []string, q query) (found int, err error) {
	r := &reader{store: s, partition: partition, view: newView("", s.Now()), asked: map[string]bool{}}
	q.keys = true
	r.ask(ctx, regions, []query{q}, nil)
	var keys []item
	for sort := range r.view.items {
		keys = append(keys, itemKey(partition, sort))
	}
	var errs []error
	for _, region := range regions {
		err := s.remove(ctx, region, keys)
		if err == nil {
			return len(keys), nil
		}
		errs = append(errs, err)
	}
	return len(keys), errors.Join(errs...)
}

// clearRest removes what an earlier deletion has left, or says that there is
// nothing.
func (s *Store) clearRest(ctx context.Context, partition string, q query) error {
	found, err := s.clear(ctx, partition, s.regions, q)
	if err == nil && found == 0 {
		return ErrNotFound
	}
	return err
}

// DeleteItem deletes one item of a turn of a conversation. The turn keeps its
// bytes until the conversation goes, but [Turn.Deleted] tells that they are no
// more. An item that is deleted already is not found.
func (s *Store) DeleteItem(ctx context.Context, tenant string, id ConversationID, it ItemID) error {
	c, turns, err := s.History(ctx, tenant, id)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(turns, func(t Turn) bool { return t.ID == it.TurnID })
	if at < 0 || slices.Contains(turns[at].Deleted, it.Number) {
		return ErrNotFound
	}
	sort := fmt.Sprintf("%s#%s#%0*d", sortDeleted, it.Turn, itemDigits, it.Number)
	if _, err := s.writeEverywhere(ctx, s.tombstone(tenant, it.Thread, sort, c.Expires)); err != nil {
		return fmt.Errorf("delete an item: %w", err)
	}
	return nil
}
