package conversation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crossregion/crossregion/contract"
)

// Append stores a turn whose id came from this store. On entry t.Expires is that
// of what the turn continues, its parent or its conversation; the turn that it
// returns has the times with which it was stored. The turn stands in all of
// [Stored.Regions] before Append returns: in this one and a partner's, or in
// others where one of them did not answer. One copy will do for a turn that is
// found by its id; a turn of a conversation takes a quorum. It waits
// [Config.CallTimeout] for a region, and as long again for each further part of
// 390 KB that the turn has.
//
// After an error too few replicas have confirmed the turn. Should any have taken
// it all the same, then it is buried as far as regions can be reached, so that
// nobody continues from it: its id may have been told when it began, and a
// conversation needs none.
func (s *Store) Append(ctx context.Context, tenant string, t Turn) (Turn, Stored, error) {
	if err := errors.Join(checkTenant(tenant), t.check()); err != nil {
		return Turn{}, Stored{}, fmt.Errorf("store a turn: %w", err)
	}
	t.Created, t.Expires = s.Now().UTC().Truncate(time.Second), s.expiry(t.Expires)
	items, err := encodeTurn(tenant, t, sortTurn+t.ID.Turn)
	if err != nil {
		return Turn{}, Stored{}, fmt.Errorf("store a turn: %w", err)
	}
	enough := anyRegion
	if t.InConversation {
		enough = s.quorum
	}
	stored, err := s.write(ctx, items, s.copies(), enough)
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

// again is a tombstone that is there already, for an earlier deletion may have
// failed before enough regions had it. It does not last shorter.
func (s *Store) again(tenant, thread string, there item) item {
	gone := time.Unix(numberOf(there, contract.AttrExpires), 0).Add(-afterlife)
	return s.tombstone(tenant, thread, textOf(there, contract.SortKey), gone)
}

// bury makes sure that a turn which may have been written is never read. It
// goes on after the end of ctx, which may be why the writing failed.
func (s *Store) bury(ctx context.Context, tenant string, t Turn) error {
	_, err := s.writeEverywhere(context.WithoutCancel(ctx), s.turnTombstone(tenant, t), anyRegion)
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
	if there := r.view.tombstone(id.Turn); there != nil {
		return s.finish(ctx, r.partition, s.again(tenant, id.Thread, there), removal{only(id.Turn), everything})
	}
	if err != nil {
		return err
	}
	stored, err := s.writeEverywhere(ctx, s.turnTombstone(tenant, t), s.quorum)
	if err != nil {
		return fmt.Errorf("delete a turn: %w", err)
	}
	_, err = s.clear(ctx, r.partition, stored.Regions, removal{only(id.Turn), everything})
	return err
}
