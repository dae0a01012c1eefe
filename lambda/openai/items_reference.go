package openai

import (
	"context"
	"fmt"
	"slices"

	"github.com/crossregion/crossregion/contract"
	state "github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/lambda/parallel"
)

// Limits of what the items of one request refer to: turns in all, and read at
// once. What they copy may have [contract.MaxBodyBytes], as if it had been sent.
const (
	maxReferencedTurns = 100
	maxTurnsAtOnce     = 16
)

// references are the items that refer to one turn.
type references struct {
	turn    state.TurnID
	indices []int
}

// resolve puts copies in place of references; param holds the items in the
// request. It knows no history: what is part of it is read again, so that one
// does not wait for the other.
func (s *server) resolve(ctx context.Context, tenant, param string, items []item) error {
	all, err := referencesOf(param, items)
	if err != nil {
		return err
	}
	errs := make([]error, len(all))
	slots := make(chan struct{}, maxTurnsAtOnce)
	copies := make([]func(), len(all))
	for n, refs := range all {
		copies[n] = func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs[n] = s.copyItems(ctx, tenant, param, refs, items)
		}
	}
	parallel.Do(copies...)
	size := 0
	for n, refs := range all {
		if errs[n] != nil {
			return errs[n]
		}
		for _, i := range refs.indices {
			size += items[i].size()
		}
	}
	if size > contract.MaxBodyBytes {
		return invalid(param, "invalid_value", "Invalid '%s': what it refers to is over %d bytes.", param, contract.MaxBodyBytes)
	}
	return nil
}

// referencesOf gathers references by turn, in the order of the items.
func referencesOf(param string, items []item) ([]references, error) {
	var all []references
	for i, it := range items {
		if it.Type != itemReference {
			continue
		}
		id, err := parseItemID(it.ID)
		if err != nil {
			return nil, missingItem(param, i)
		}
		at := slices.IndexFunc(all, func(r references) bool { return r.turn == id.TurnID })
		if at < 0 {
			at, all = len(all), append(all, references{turn: id.TurnID})
		}
		all[at].indices = append(all[at].indices, i)
	}
	if len(all) > maxReferencedTurns {
		return nil, invalid(param, "invalid_value", "Invalid '%s': its references lead to %d turns, more than %d. "+
			"Use 'previous_response_id' or 'conversation'.", param, len(all), maxReferencedTurns)
	}
	return all, nil
}

// copyItems replaces those of items that refer to one turn.
func (s *server) copyItems(ctx context.Context, tenant, param string, refs references, items []item) error {
	t, err := s.Store.Turn(ctx, tenant, refs.turn)
	if err != nil {
		return stateError(err, missingItem(param, refs.indices[0]))
	}
	stored, err := visibleItems([]state.Turn{t})
	if err != nil {
		return err
	}
	for _, i := range refs.indices {
		at := slices.IndexFunc(stored, func(it item) bool { return it.ID == items[i].ID })
		if at < 0 {
			return missingItem(param, i)
		}
		items[i] = stored[at]
	}
	return nil
}

// missingItem is the answer to a reference that leads to nothing.
func missingItem(param string, i int) *apiError {
	e := notFound("item")
	e.param = fmt.Sprintf("%s[%d].id", param, i)
	return e
}

// size is about how many bytes the item says.
func (it item) size() int {
	n := len(it.Output) + len(it.Encrypted)
	if it.Arguments != nil {
		n += len(*it.Arguments)
	}
	for _, p := range it.Content {
		n += len(p.text()) + len(p.ImageURL) + len(p.FileData)
	}
	return n
}
