package dynamodb

import (
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// call is one operation that somebody asks for.
type call struct {
	service   *Service
	caller    cloud.Caller
	operation string
}

// common are the parameters of every operation.
type common struct {
	TableName              string
	ReturnConsumedCapacity string
}

// getInput are GetItem's parameters.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetItem.html
type getInput struct {
	common
	Key                      item
	ConsistentRead           bool
	ProjectionExpression     *string
	ExpressionAttributeNames map[string]string
}

type getOutput struct {
	Item             item      `json:",omitempty"`
	ConsumedCapacity *consumed `json:",omitempty"`
}

// table finds the table that a call names, in the region that it calls. The
// caller's permission is checked first: who has none learns nothing.
func (c call) table(in common, leading func(*table) (string, bool, error)) (*table, error) {
	name := strings.TrimPrefix(in.TableName, tableARN(c.caller.Region, ""))
	t, key := c.service.find(place{c.caller.Region, name})
	if t == nil && !nameShape.MatchString(name) {
		return nil, invalid("tableName %q: want a name, or the ARN of a table in %s", in.TableName, c.caller.Region)
	}
	if !slices.Contains([]string{"", "NONE", "TOTAL"}, in.ReturnConsumedCapacity) {
		return nil, invalid("ReturnConsumedCapacity %q: this stand-in knows NONE and TOTAL", in.ReturnConsumedCapacity)
	}
	keys := cloud.Keys{"aws:RequestedRegion": {c.caller.Region}}
	if t != nil {
		partition, ok, err := leading(t)
		if err != nil {
			return nil, err
		}
		if ok {
			keys["dynamodb:LeadingKeys"] = []string{partition}
		}
	}
	if err := c.service.iam.Authorize(c.caller, "dynamodb:"+c.operation, tableARN(c.caller.Region, name), keys); err != nil {
		return nil, err
	}
	if t == nil {
		return nil, cloud.Refuse("ResourceNotFoundException", "Requested resource not found: table %s has no replica in %s", name, c.caller.Region)
	}
	return t, c.service.unlock(c.caller, t.name, key)
}

// tableOf is [call.table] for an operation that names an item.
func (c call) tableOf(in common, i item) (*table, error) {
	return c.table(in, func(t *table) (string, bool, error) {
		key, ok := leadingKey(i, t.hash)
		return key, ok, nil
	})
}

// access runs f with the caller's replica, up to date. A call that was on its
// way when the replica was deleted finds an empty one.
func (c call) access(t *table, f func(*replica)) {
	s := c.service
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp(t)
	r := t.replicas[c.caller.Region]
	if r == nil {
		r = newReplica(c.caller.Region, "")
	}
	f(r)
}

func getItem(c call, in getInput) (getOutput, error) {
	b := newBindings(in.ExpressionAttributeNames, nil)
	names, err := b.projection(in.ProjectionExpression)
	if err != nil {
		return getOutput{}, err
	}
	if err := b.unused(); err != nil {
		return getOutput{}, err
	}
	t, err := c.tableOf(in.common, in.Key)
	if err != nil {
		return getOutput{}, err
	}
	k, err := t.onlyKey(in.Key)
	if err != nil {
		return getOutput{}, err
	}
	var found item
	c.access(t, func(r *replica) { found = r.get(k) })
	return getOutput{
		Item:             found.project(names),
		ConsumedCapacity: t.consumed(in.common, readUnits(found.size(), in.ConsistentRead)),
	}, nil
}
