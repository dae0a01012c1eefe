package dynamodb

import "slices"

// maxPageBytes is how much one Query reads.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html
const maxPageBytes = 1 << 20

// queryInput are Query's parameters.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
type queryInput struct {
	common
	KeyConditionExpression    string
	ProjectionExpression      *string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues map[string]value
	ConsistentRead            bool
	ScanIndexForward          *bool
	Limit                     *int
	ExclusiveStartKey         item
}

type queryOutput struct {
	Items            []item
	Count            int
	ScannedCount     int
	LastEvaluatedKey item      `json:",omitempty"`
	ConsumedCapacity *consumed `json:",omitempty"`
}

func query(c call, in queryInput) (queryOutput, error) {
	var cond keyCondition
	b := newBindings(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	t, err := c.table(in.common, func(t *table) (string, bool, error) {
		var err error
		if cond, err = b.keyCondition(in.KeyConditionExpression, t); err != nil {
			return "", false, err
		}
		key, ok := leadingKey(item{t.hash.name: cond.partition}, t.hash)
		return key, ok, nil
	})
	if err != nil {
		return queryOutput{}, err
	}
	names, err := b.projection(in.ProjectionExpression)
	if err != nil {
		return queryOutput{}, err
	}
	if err := b.unused(); err != nil {
		return queryOutput{}, err
	}
	if err := checkLimit(in.Limit); err != nil {
		return queryOutput{}, err
	}
	if err := t.checkStart(in.ExclusiveStartKey, cond); err != nil {
		return queryOutput{}, err
	}
	var items []item
	c.access(t, func(r *replica) { items = in.matching(r, t, cond) })
	page, last, bytes := t.page(items, in.Limit)
	out := queryOutput{
		Items: make([]item, len(page)), Count: len(page), ScannedCount: len(page), LastEvaluatedKey: last,
		ConsumedCapacity: t.consumed(in.common, readUnits(bytes, in.ConsistentRead)),
	}
	for i := range page {
		out.Items[i] = page[i].project(names)
	}
	return out, nil
}

func checkLimit(limit *int) error {
	if limit != nil && *limit < 1 {
		return invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: "+
			"Member must have value greater than or equal to 1", *limit)
	}
	return nil
}

// checkStart refuses a start key that is not a key of the queried range.
func (t *table) checkStart(start item, cond keyCondition) error {
	if start == nil {
		return nil
	}
	if _, err := t.onlyKey(start); err != nil {
		return invalid("The provided starting key is invalid: %s", err)
	}
	outside := start[t.hash.name].text != cond.partition.text
	if t.sort != nil && cond.sort != nil {
		outside = outside || !cond.sort.matches(start[t.sort.name])
	}
	if outside {
		return invalid("The provided starting key is outside query boundaries based on provided conditions")
	}
	return nil
}

// matching returns the items that the query is about, in its order.
func (in queryInput) matching(r *replica, t *table, cond keyCondition) []item {
	backward := in.ScanIndexForward != nil && !*in.ScanIndexForward
	items := r.items[cond.partition.text].within(func(sort value) int {
		if in.ExclusiveStartKey != nil {
			if t.sort == nil {
				return -1
			}
			switch order := sort.compare(in.ExclusiveStartKey[t.sort.name]); {
			case backward && order >= 0:
				return 1
			case !backward && order <= 0:
				return -1
			}
		}
		if cond.sort == nil {
			return 0
		}
		return cond.sort.side(sort)
	})
	if backward {
		slices.Reverse(items)
	}
	return items
}

// page cuts items to what one answer may hold. Like DynamoDB it returns a last
// key whenever it stopped at the limit, even if nothing follows.
func (t *table) page(items []item, limit *int) (page []item, last item, bytes int) {
	for n, i := range items {
		size := i.size()
		full := limit != nil && n == *limit
		if full || (n > 0 && bytes+size > maxPageBytes) {
			return items[:n], t.keyItem(items[n-1]), bytes
		}
		bytes += size
	}
	if limit != nil && len(items) == *limit {
		last = t.keyItem(items[len(items)-1])
	}
	return items, last, bytes
}
