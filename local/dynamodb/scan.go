package dynamodb

import (
	"maps"
	"slices"

	"github.com/crossregion/crossregion/local/cloud"
)

// scanInput are Scan's parameters.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html
type scanInput struct {
	common
	FilterExpression          *string
	ProjectionExpression      *string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues map[string]value
	ConsistentRead            bool
	Limit                     *int
	ExclusiveStartKey         item
}

// scan reads the table page by page. What the filter leaves out counts for the
// page and its cost all the same.
func scan(c call, in scanInput) (queryOutput, error) {
	t, err := c.table(in.common, func(*table) (string, bool, error) { return "", false, nil })
	if err != nil {
		return queryOutput{}, err
	}
	b := newBindings(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	filter, err := b.condition("FilterExpression", in.FilterExpression)
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
	if in.ExclusiveStartKey != nil {
		if _, err := t.onlyKey(in.ExclusiveStartKey); err != nil {
			return queryOutput{}, invalid("The provided starting key is invalid: %s", err)
		}
	}
	var items []item
	c.access(t, func(r *replica) { items = t.all(r, in.ExclusiveStartKey) })
	page, last, bytes := t.page(items, in.Limit)
	found := slices.DeleteFunc(slices.Clone(page), func(i item) bool { return !filter.holds(i) })
	out := queryOutput{
		Items: make([]item, len(found)), Count: len(found), ScannedCount: len(page), LastEvaluatedKey: last,
		ConsumedCapacity: t.consumed(in.common, readUnits(bytes, in.ConsistentRead)),
	}
	for i := range found {
		out.Items[i] = found[i].project(names)
	}
	return out, nil
}

// all returns the items behind the start key, or all if it is nil. Partitions
// come in the order of a hash, as in DynamoDB, so that nobody relies on another.
func (t *table) all(r *replica, start item) []item {
	hash := func(partition string) string { return cloud.ID(16, "partition", partition) }
	partitions := make(map[string]string, len(r.items)) // by hash
	for partition := range r.items {
		partitions[hash(partition)] = partition
	}
	from := start[t.hash.name].text
	fromHash := hash(from)
	var items []item
	for _, h := range slices.Sorted(maps.Keys(partitions)) {
		if start != nil && h < fromHash {
			continue
		}
		for _, i := range r.items[partitions[h]].within(everywhere) {
			if start == nil || partitions[h] != from || t.sort != nil && i[t.sort.name].compare(start[t.sort.name]) > 0 {
				items = append(items, i)
			}
		}
	}
	return items
}
