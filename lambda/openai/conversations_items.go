package openai

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	state "github.com/crossregion/crossregion/lambda/conversation"
)

// maxGivenItems is OpenAI's limit on items that are added at once.
const maxGivenItems = 20

// givenItems takes the items that a conversation is to be given.
func givenItems(o *object) []item {
	raws := value[[]json.RawMessage](o, "items", "an array of items")
	return (&itemDecoder{}).items(o, "items", raws, maxGivenItems)
}

// createItems adds items to a conversation, as a turn of their own.
func (s *server) createItems(w http.ResponseWriter, r *http.Request, rec *record) error {
	owner, id, err := owned(r)
	if err != nil {
		return err
	}
	if _, err := decodeQuery(r); err != nil {
		return err
	}
	o, err := readObject(w, r)
	if err != nil {
		return err
	}
	items := givenItems(o)
	if len(items) == 0 {
		o.set(invalid("items", "missing_required_parameter", "Missing required parameter: 'items'."))
	}
	o.finish()
	if o.err != nil {
		return o.err
	}
	if err := s.resolve(r.Context(), owner, "items", items); err != nil {
		return err
	}
	c, history, err := s.Store.History(r.Context(), owner, id)
	if err != nil {
		return stateError(err, notFound("conversation"))
	}
	stored, err := s.addItems(r.Context(), owner, c, history, items)
	if err != nil {
		return err
	}
	rec.replicated(w.Header(), stored)
	writeJSON(w, http.StatusOK, newItemList(items))
	return nil
}

// addItems stores items behind a conversation's history, and names them.
func (s *server) addItems(ctx context.Context, owner string, c state.Conversation, history []state.Turn, items []item) (state.Stored, error) {
	id, err := s.Store.NewConversationTurn(c.ID, history)
	if err != nil {
		return state.Stored{}, stateError(err, notFound("conversation"))
	}
	for i := range items {
		items[i].name(id, i)
	}
	body, err := encode(turnBody{Input: items})
	if err != nil {
		return state.Stored{}, fmt.Errorf("encode items: %w", err)
	}
	_, stored, err := s.Store.Append(ctx, owner, state.Turn{ID: id, InConversation: true, Expires: c.Expires, Body: body})
	return stored, stateError(err, notFound("conversation"))
}

// listItems lists what was said in a conversation, page by page.
func (s *server) listItems(w http.ResponseWriter, r *http.Request, _ *record) error {
	owner, id, err := owned(r)
	if err != nil {
		return err
	}
	p, err := decodePage(r)
	if err != nil {
		return err
	}
	_, history, err := s.Store.History(r.Context(), owner, id)
	if err != nil {
		return stateError(err, notFound("conversation"))
	}
	items, err := visibleItems(history)
	if err != nil {
		return err
	}
	list, err := p.of(items)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, list)
	return nil
}

func (s *server) retrieveItem(w http.ResponseWriter, r *http.Request, _ *record) error {
	owner, id, err := owned(r)
	if err != nil {
		return err
	}
	if _, err := decodeQuery(r); err != nil {
		return err
	}
	_, it, deleted, err := s.itemOf(r.Context(), owner, id, r.PathValue("item_id"))
	if err == nil && deleted {
		err = notFound("item")
	}
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, it)
	return nil
}

// itemOf returns one item of a conversation, or the place of one that was deleted.
// Its id says which turn to read.
func (s *server) itemOf(ctx context.Context, owner string, c state.ConversationID, name string) (id state.ItemID, it item, deleted bool, err error) {
	id, err = parseItemID(name)
	if err != nil || id.Thread != c.Thread {
		return id, item{}, false, notFound("item")
	}
	t, err := s.Store.Turn(ctx, owner, id.TurnID)
	if err != nil {
		return id, item{}, false, stateError(err, notFound("item"))
	}
	b, err := readTurn(t)
	if err != nil {
		return id, item{}, false, err
	}
	items := b.items()
	if !t.InConversation || id.Number >= len(items) || items[id.Number].ID != name {
		return id, item{}, false, notFound("item")
	}
	return id, items[id.Number], slices.Contains(t.Deleted, id.Number), nil
}

// deleteItem deletes one item, and answers with its conversation. Of one that is
// deleted already it deletes what is left.
func (s *server) deleteItem(w http.ResponseWriter, r *http.Request, _ *record) error {
	owner, id, err := owned(r)
	if err != nil {
		return err
	}
	c, err := s.Store.Conversation(r.Context(), owner, id)
	if err != nil {
		return stateError(err, notFound("conversation"))
	}
	item, _, _, err := s.itemOf(r.Context(), owner, id, r.PathValue("item_id"))
	if err != nil {
		return err
	}
	if err := s.Store.DeleteItem(r.Context(), owner, id, item, redact); err != nil {
		return stateError(err, notFound("item"))
	}
	writeJSON(w, http.StatusOK, describeConversation(c))
	return nil
}
