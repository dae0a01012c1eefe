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
// of them did not answer.
//
// After an error no replica has confirmed the turn, and nobody may be told its
// id. Should one have taken it all the same, then nothing leads to it; in a
// conversation, where no id is needed, it is buried as far as regions can be
// reached.
func (s *Store) Append(ctx context.Context, tenant string, t Turn) (Turn, Stored, error) {
	if err := checkTenant(tenant); err != nil {
		return Turn{}, Stored{}, fmt.Errorf("store a turn: %w", err)
	}
	t.Created, t.Expires = s.Now().UTC().Truncate(time.Second), s.expiry(t.Expires)
	items, err := encodeTurn(tenant, t)
	if err != nil {
		return Turn{}, Stored{}, fmt.Errorf("store a turn: %w", err)
	}
	stored, err := s.write(ctx, items)
	if err != nil {
		if t.InConversation {
			err = errors.Join(err, s.bury(ctx, tenant, t.ID))
		}
		return Turn{}, Stored{}, fmt.Errorf("store a turn: %w", err)
	}
	return t, stored, nil
}

// copies is how many regions a turn stands in before anyone is told of it, so
// that the loss of one is not the loss of a turn.
const copies = 2

// write puts items into as many replicas as there are to be copies, in parallel:
// the local one and the first partner's, and for each that does not take them
// the next partner's. One that did is enough.
func (s *Store) write(ctx context.Context, items []item) (Stored, error) {
	type result struct {
		region string
		err    error
	}
	wanted := copies
	if s.Unpaired {
		wanted = 1
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
	for range wanted {
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

// tombstone is the item that buries what its sort key names. It outlasts
// whatever may still be written before it is seen.
func (s *Store) tombstone(tenant, thread, sort string) item {
	it := itemKey(threadPartition(tenant, thread), sort)
	it[contract.AttrExpires] = number(s.Now().Add(s.Retention + afterlife).Unix())
	return it
}

// bury makes sure that a turn which may have been written is never read. It
// goes on after the end of ctx, which may be why the writing failed.
func (s *Store) bury(ctx context.Context, tenant string, id TurnID) error {
	_, err := s.writeEverywhere(context.WithoutCancel(ctx), s.tombstone(tenant, id.Thread, sortDeleted+"#"+id.Turn))
	return err
}

// DeleteTurn deletes a turn for good, and with it every history that it is part
// of: what continues it is not found any more either. It succeeds again when it
// is repeated, until the turn has been removed everywhere.
func (s *Store) DeleteTurn(ctx context.Context, tenant string, id TurnID) error {
	r, err := s.reader(tenant, id.Thread)
	if err != nil {
		return err
	}
	if _, err := s.Turn(ctx, tenant, id); err != nil {
		return err
	}
	stored, err := s.writeEverywhere(ctx, s.tombstone(tenant, id.Thread, sortDeleted+"#"+id.Turn))
	if err != nil {
		return fmt.Errorf("delete a turn: %w", err)
	}
	return s.clear(ctx, r, stored, only(id.Turn))
}

// clear removes the items of a range, wherever a replica has them. They are
// buried already, so that one which is left behind is not read, and goes when it
// expires; a replica that does not answer is therefore no failure.
func (s *Store) clear(ctx context.Context, r *reader, stored Stored, q query) error {
	q.keys = true
	r.ask(ctx, stored.Regions, []query{q}, nil)
	var keys []item
	for sort := range r.view.items {
		keys = append(keys, itemKey(r.partition, sort))
	}
	for _, region := range stored.Regions {
		if err := s.remove(ctx, region, keys); err == nil {
			return nil
		}
	}
	return ctx.Err()
}

// DeleteItem deletes one item of a turn of a conversation. The turn keeps its
// bytes until the conversation goes, but [Turn.Deleted] tells that they are no
// more. An item that is deleted already is not found.
func (s *Store) DeleteItem(ctx context.Context, tenant string, id ConversationID, it ItemID) error {
	_, turns, err := s.History(ctx, tenant, id)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(turns, func(t Turn) bool { return t.ID == it.TurnID })
	if at < 0 || slices.Contains(turns[at].Deleted, it.Number) {
		return ErrNotFound
	}
	sort := fmt.Sprintf("%s#%s#%0*d", sortDeleted, it.Turn, itemDigits, it.Number)
	if _, err := s.writeEverywhere(ctx, s.tombstone(tenant, it.Thread, sort)); err != nil {
		return fmt.Errorf("delete an item: %w", err)
	}
	return nil
}
