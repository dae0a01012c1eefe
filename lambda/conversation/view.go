package conversation

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crossregion/crossregion/contract"
)

// view is what is known of one thread, from whichever replicas. Since items are
// only ever added, and a tombstone says more than what it buries, the union of
// two replicas is closer to the truth than either.
type view struct {
	thread  string
	now     time.Time
	items   map[string]item  // by sort key
	deleted map[string][]int // numbers of items that were deleted one by one, by turn
	// versions are the sort keys of what stands in place of turns, by turn.
	versions map[string][]string
}

func newView(thread string, now time.Time) *view {
	return &view{thread: thread, now: now, items: map[string]item{}, deleted: map[string][]int{}, versions: map[string][]string{}}
}

func (v *view) add(items []item) {
	for _, it := range items {
		sort := textOf(it, contract.SortKey)
		if !v.has(sort) {
			v.noteDeleted(sort)
			v.noteVersion(sort)
		}
		v.items[sort] = it
	}
}

// noteDeleted reads the sort key of an item's tombstone.
func (v *view) noteDeleted(sort string) {
	name, ok := strings.CutPrefix(sort, sortDeleted+"#")
	if !ok {
		return
	}
	turn, digits, one := strings.Cut(name, "#")
	if number, err := strconv.Atoi(digits); one && err == nil {
		v.deleted[turn] = append(v.deleted[turn], number)
	}
}

// noteVersion reads the sort key of the head of a version.
func (v *view) noteVersion(sort string) {
	turn, name, ok := strings.Cut(sort, versionSep)
	if ok && !strings.Contains(name, "#") {
		turn, _ = turnOf(turn)
		v.versions[turn] = append(v.versions[turn], sort)
	}
}

func (v *view) has(sort string) bool { _, ok := v.items[sort]; return ok }

// tombstone is that of the thread or of the turn, nil if neither has been deleted.
func (v *view) tombstone(turn string) item {
	if it, ok := v.items[sortDeleted]; ok {
		return it
	}
	return v.items[sortDeleted+"#"+turn]
}

// buried tells whether the thread or the turn has been deleted.
func (v *view) buried(turn string) bool { return v.tombstone(turn) != nil }

// expired tells whether it, of which the head counts, is past its time.
func (v *view) expired(it item) bool { return numberOf(it, contract.AttrExpires) <= v.now.Unix() }

// parts returns the items of a turn, head first, nil unless all are known: of the
// version that counts, if there are any.
func (v *view) parts(turn string) []item {
	versions := v.versions[turn]
	slices.Sort(versions)
	for _, sort := range slices.Backward(versions) {
		if parts := v.partsOf(sort); parts != nil {
			return parts
		}
	}
	return v.partsOf(sortTurn + turn)
}

func (v *view) partsOf(sortHead string) []item {
	head, ok := v.items[sortHead]
	if !ok {
		return nil
	}
	parts := []item{head}
	for i := 1; i < int(numberOf(head, attrParts)); i++ {
		part, ok := v.items[sortPart(sortHead, i)]
		if !ok {
			return nil
		}
		parts = append(parts, part)
	}
	return parts
}

// turn returns one turn, or [ErrNotFound] if it is deleted, expired or another's
// than id says. It is missing, without an error, if not all of it is known.
func (v *view) turn(id TurnID) (t Turn, missing bool, err error) {
	if v.buried(id.Turn) {
		return Turn{}, false, ErrDeleted
	}
	parts := v.parts(id.Turn)
	if parts == nil {
		return Turn{}, true, nil
	}
	if v.expired(parts[0]) || textOf(parts[0], attrRegion) != id.Region {
		return Turn{}, false, ErrNotFound
	}
	t, err = decodeTurn(v.thread, parts)
	if deleted := v.deleted[id.Turn]; len(deleted) > 0 {
		t.Deleted = slices.Sorted(slices.Values(deleted))
	}
	return t, false, err
}

// lineage returns the ids from the first turn to id, or the latest of them that
// is not known. Of a history some of which is deleted or expired, nothing is
// left: [ErrNotFound].
func (v *view) lineage(id TurnID) (ids []TurnID, missing TurnID, err error) {
	for at := id; !at.IsZero(); {
		parts := v.parts(at.Turn)
		switch {
		case v.buried(at.Turn):
			return nil, TurnID{}, ErrNotFound
		case parts == nil:
			return nil, at, nil
		case v.expired(parts[0]) || textOf(parts[0], attrRegion) != at.Region || at.Thread != v.thread:
			return nil, TurnID{}, ErrNotFound
		}
		ids = append(ids, at)
		parent := textOf(parts[0], attrParent)
		if parent == "" {
			break
		}
		if at, err = ParseTurnID(parent); err != nil {
			return nil, TurnID{}, fmt.Errorf("read a turn: its parent: %w", err)
		}
	}
	slices.Reverse(ids)
	return ids, TurnID{}, nil
}

// turns reads the given turns, all of which are known.
func (v *view) turns(ids []TurnID) ([]Turn, error) {
	turns := make([]Turn, 0, len(ids))
	for _, id := range ids {
		t, missing, err := v.turn(id)
		if err != nil {
			return nil, err
		}
		if missing {
			return nil, ErrNotArrived
		}
		turns = append(turns, t)
	}
	return turns, nil
}

// members are the ids of a conversation's turns in order, without those that
// were deleted. One of which a part is missing was never completed: what was
// stands in a region that answers, with all its parts.
func (v *view) members() (ids []TurnID) {
	last := ""
	for _, sort := range slices.Sorted(maps.Keys(v.items)) {
		turn, ok := turnOf(sort)
		if !ok || turn == last || v.buried(turn) {
			continue
		}
		last = turn
		if parts := v.parts(turn); parts != nil {
			ids = append(ids, TurnID{Thread: v.thread, Turn: turn, Region: textOf(parts[0], attrRegion)})
		}
	}
	return ids
}

// meta is the latest metadata, nil if there is none.
func (v *view) meta() item {
	latest := ""
	for sort := range v.items {
		if strings.HasPrefix(sort, sortMeta) {
			latest = max(latest, sort)
		}
	}
	return v.items[latest]
}
