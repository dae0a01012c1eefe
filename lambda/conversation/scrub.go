package conversation

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Redact returns a turn's body without the items of the given numbers. What it
// returns depends on nothing else, and doing it twice changes nothing. The
// numbers of other items stay as they are.
type Redact func(body []byte, numbers []int) ([]byte, error)

// DeleteItem deletes one item of a turn of a conversation: at once for readers,
// by a tombstone, and then its bytes, for which the turn is replaced by what
// redact leaves of it. After an error it can be repeated; an item of which
// nothing is left is not found.
func (s *Store) DeleteItem(ctx context.Context, tenant string, id ConversationID, it ItemID, redact Redact) error {
	c, turns, err := s.History(ctx, tenant, id)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(turns, func(t Turn) bool { return t.ID == it.TurnID })
	if at < 0 {
		return ErrNotFound
	}
	sort := fmt.Sprintf("%s#%s#%0*d", sortDeleted, it.Turn, itemDigits, it.Number)
	if _, err := s.writeEverywhere(ctx, s.tombstone(tenant, it.Thread, sort, c.Expires), s.quorum); err != nil {
		return fmt.Errorf("delete an item: %w", err)
	}
	left, err := s.scrub(ctx, tenant, it.TurnID, redact)
	if err != nil {
		return fmt.Errorf("delete the bytes of an item: %w", err)
	}
	if !left && slices.Contains(turns[at].Deleted, it.Number) {
		return ErrNotFound
	}
	return nil
}

// scrubTries is enough for as many deletions at once from one turn.
const scrubTries = 3

// scrub replaces a turn, of which items were deleted, by a version without them,
// and tells whether there was anything to replace. The new version stands in a
// quorum before the old ones go, so that the turn is never missing; it sorts
// behind them, so that who reads them page by page while they go comes to it: what
// is deleted is read after the turn, so it is no less than any version there lacks.
// It looks again after that, for others may delete from the same turn.
func (s *Store) scrub(ctx context.Context, tenant string, id TurnID, redact Redact) (left bool, err error) {
	removed := map[string]bool{}
	for range scrubTries {
		r, err := s.turnReader(tenant, id)
		if err != nil {
			return left, err
		}
		if err := errors.Join(r.unite(ctx, only(id.Turn)), r.unite(ctx, tombstones())); err != nil {
			return left, err
		}
		t, missing, err := r.view.turn(id)
		if missing || errors.Is(err, ErrNotFound) {
			return left, nil // the whole turn has been deleted
		}
		if err != nil {
			return left, err
		}
		version := versionOf(t)
		stale := slices.DeleteFunc(r.view.stale(id.Turn, version), func(sort string) bool { return removed[sort] })
		scrubbed := r.view.partsOf(version) != nil
		if scrubbed && len(stale) == 0 {
			return left, nil
		}
		left = true
		if !scrubbed {
			if err := s.replace(ctx, tenant, t, redact); err != nil {
				return left, err
			}
		}
		what := removal{only(id.Turn), func(sort string) bool { return slices.Contains(stale, sort) }}
		if _, err := s.clear(ctx, r.partition, s.regions, what); err != nil {
			return left, err
		}
		for _, sort := range stale {
			removed[sort] = true // in other regions once replication has come there
		}
	}
	return left, errors.New("others delete from the same turn")
}

// replace writes the version of t that has none of its deleted items.
func (s *Store) replace(ctx context.Context, tenant string, t Turn, redact Redact) (err error) {
	if t.Body, err = redact(t.Body, t.Deleted); err != nil {
		return err
	}
	items, err := encodeTurn(tenant, t, versionOf(t))
	if err != nil {
		return err
	}
	_, err = s.write(ctx, items, s.copies(), s.quorum)
	return err
}

// versionOf is the sort key of the version of a turn without its deleted items.
// The more are missing, the further behind it sorts.
func versionOf(t Turn) string {
	sum := sha256.Sum256(fmt.Append(nil, t.Deleted))
	return fmt.Sprintf("%s%s%s%0*d%s", sortTurn, t.ID.Turn, versionSep, itemDigits, len(t.Deleted), hex.EncodeToString(sum[:4]))
}

// stale are the sort keys of a turn's items that are not of the given version.
func (v *view) stale(turn, version string) (sorts []string) {
	for sort := range v.items {
		if strings.HasPrefix(sort, sortTurn+turn) && !strings.HasPrefix(sort, version) {
			sorts = append(sorts, sort)
		}
	}
	slices.Sort(sorts)
	return sorts
}
