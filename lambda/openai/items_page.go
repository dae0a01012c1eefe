package openai

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	state "github.com/crossregion/crossregion/lambda/conversation"
)

// Limits of a page, as OpenAI has them.
const (
	defaultPage = 20
	maxPage     = 100
)

// page is what a caller wants to see of a list of items.
type page struct {
	limit     int
	after     string // position of an item, "" for none
	thread    string // of that item
	ascending bool
}

// itemList is a page of a list.
type itemList struct {
	Object  string  `json:"object"`
	Data    []item  `json:"data"`
	FirstID *string `json:"first_id"`
	LastID  *string `json:"last_id"`
	HasMore bool    `json:"has_more"`
}

// decodePage reads the query of a list.
// Source: https://platform.openai.com/docs/api-reference/conversations/list-items
func decodePage(r *http.Request) (page, error) {
	q, err := decodeQuery(r, "limit", "after", "order")
	if err != nil {
		return page{}, err
	}
	p := page{limit: defaultPage}
	if limit := q.Get("limit"); limit != "" {
		if p.limit, err = strconv.Atoi(limit); err != nil || p.limit < 1 || p.limit > maxPage {
			return page{}, invalid("limit", "invalid_value", "Invalid 'limit': expected a number from 1 to %d.", maxPage)
		}
	}
	if order := q.Get("order"); order != "" && order != "asc" && order != "desc" {
		return page{}, invalid("order", "invalid_value", "Invalid 'order': expected asc or desc.")
	}
	p.ascending = q.Get("order") == "asc"
	if after := q.Get("after"); after != "" {
		id, err := parseItemID(after)
		if err != nil {
			return page{}, invalidAfter()
		}
		p.after, p.thread = position(id), id.Thread
	}
	return p, nil
}

func invalidAfter() *apiError {
	return invalid("after", "invalid_value", "Invalid 'after': expected the id of an item of this list.")
}

// decodeQuery returns the query, in which only the given names and "include" may
// stand, each once.
func decodeQuery(r *http.Request, names ...string) (url.Values, error) {
	q := r.URL.Query()
	for _, name := range slices.Concat(q["include"], q["include[]"]) {
		if err := includable(name); err != nil {
			return nil, err
		}
	}
	delete(q, "include")
	delete(q, "include[]")
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if !slices.Contains(names, name) {
			return nil, unknownParameter("", name)
		}
		if len(q[name]) > 1 {
			return nil, invalid(name, "invalid_value", "Invalid '%s': it stands more than once.", name)
		}
	}
	return q, nil
}

// position sorts as items do in their thread.
func position(id state.ItemID) string { return fmt.Sprintf("%s%03d", id.Turn, id.Number) }

// of returns the page of items, which are in order. Since an item's id tells its
// position, the page is the same whatever was added or deleted before it; the
// item that it comes after may itself be gone.
func (p page) of(items []item) (itemList, error) {
	items = slices.Clone(items)
	if !p.ascending {
		slices.Reverse(items)
	}
	if p.after != "" {
		from := len(items)
		for i := range slices.Backward(items) {
			id, err := parseItemID(items[i].ID)
			if err != nil {
				return itemList{}, fmt.Errorf("read the id of a stored item: %w", err)
			}
			if id.Thread != p.thread {
				return itemList{}, invalidAfter()
			}
			if at := position(id); at == p.after || at > p.after != p.ascending {
				break
			}
			from = i
		}
		items = items[from:]
	}
	list := newItemList(items[:min(p.limit, len(items))])
	list.HasMore = len(items) > p.limit
	return list, nil
}

func newItemList(items []item) itemList {
	list := itemList{Object: "list", Data: append([]item{}, items...)}
	if len(items) > 0 {
		list.FirstID, list.LastID = &items[0].ID, &items[len(items)-1].ID
	}
	return list
}
