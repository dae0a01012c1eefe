package dynamodb

import (
	"reflect"
	"slices"

	"github.com/crossregion/crossregion/local/cloud"
)

// writeInput are the parameters that all writes share.
type writeInput struct {
	common
	ConditionExpression                 *string
	ExpressionAttributeNames            map[string]string
	ExpressionAttributeValues           map[string]value
	ReturnValues                        string
	ReturnValuesOnConditionCheckFailure string
}

// putInput are PutItem's parameters.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
type putInput struct {
	writeInput
	Item item
}

// deleteInput are DeleteItem's parameters.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteItem.html
type deleteInput struct {
	writeInput
	Key item
}

type writeOutput struct {
	Attributes       item      `json:",omitempty"`
	ConsumedCapacity *consumed `json:",omitempty"`
}

func putItem(c call, in putInput) (writeOutput, error) {
	t, err := c.tableOf(in.common, in.Item)
	if err != nil {
		return writeOutput{}, err
	}
	k, err := t.keyOf(in.Item)
	if err != nil {
		return writeOutput{}, err
	}
	if n := in.Item.size(); n > maxItemBytes {
		return writeOutput{}, invalid("Item size has exceeded the maximum allowed size: %d bytes, at most %d are allowed", n, maxItemBytes)
	}
	if _, unnamed := in.Item[""]; unnamed {
		return writeOutput{}, invalid("One or more parameter values were invalid: an attribute name is empty")
	}
	return c.write(t, k, in.writeInput, replacement(in.Item))
}

func deleteItem(c call, in deleteInput) (writeOutput, error) {
	t, err := c.tableOf(in.common, in.Key)
	if err != nil {
		return writeOutput{}, err
	}
	k, err := t.onlyKey(in.Key)
	if err != nil {
		return writeOutput{}, err
	}
	return c.write(t, k, in.writeInput, replacement(nil))
}

// change is what a write does to an item. It is parsed before anything is
// locked, with the bindings of the request.
type change struct {
	// returns are the ReturnValues that the operation knows.
	returns []string
	parse   func(*bindings) error
	// apply returns what becomes of an item, nil if it is deleted; old is nil
	// if there was none.
	apply func(old item) (item, error)
	// named are the attributes that an update names.
	named []string
}

// replacement puts i in place of whatever there was.
func replacement(i item) *change {
	return &change{
		returns: []string{"NONE", "ALL_OLD"},
		parse:   func(*bindings) error { return nil },
		apply:   func(item) (item, error) { return i, nil },
	}
}

// write makes the change at k if the condition holds on the caller's replica:
// what other regions have written does not count until it has arrived.
func (c call) write(t *table, k key, in writeInput, ch *change) (writeOutput, error) {
	cond, err := in.prepare(ch)
	if err != nil {
		return writeOutput{}, err
	}
	var old, made item
	c.access(t, func(r *replica) {
		old = r.get(k)
		if !cond.holds(old) {
			err = in.conditionFailed(old)
			return
		}
		// What changes nothing is in no stream, which is what other regions follow: to
		// delete what has not arrived yet deletes nothing.
		// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
		if made, err = ch.apply(old); err == nil && !reflect.DeepEqual(old, made) {
			t.put(r, k, made, c.service.world.Clock.Now())
		}
	})
	if err != nil {
		return writeOutput{}, err
	}
	return writeOutput{
		Attributes:       ch.returned(in.ReturnValues, old, made),
		ConsumedCapacity: t.consumed(in.common, writeUnits(max(old.size(), made.size()))),
	}, nil
}

// prepare parses all expressions and refuses parameters that do not go together.
func (in writeInput) prepare(ch *change) (condition, error) {
	b := newBindings(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	cond, err := b.condition("ConditionExpression", in.ConditionExpression)
	if err != nil {
		return nil, err
	}
	if err := ch.parse(b); err != nil {
		return nil, err
	}
	if err := b.unused(); err != nil {
		return nil, err
	}
	if in.ReturnValues != "" && !slices.Contains(ch.returns, in.ReturnValues) {
		return nil, invalid("ReturnValues %q: want one of %v", in.ReturnValues, ch.returns)
	}
	if !slices.Contains([]string{"", "NONE", "ALL_OLD"}, in.ReturnValuesOnConditionCheckFailure) {
		return nil, invalid("ReturnValuesOnConditionCheckFailure %q: want NONE or ALL_OLD", in.ReturnValuesOnConditionCheckFailure)
	}
	return cond, nil
}

// returned are the attributes that the caller wants to see.
func (ch *change) returned(which string, old, made item) item {
	switch which {
	case "ALL_OLD":
		return old
	case "UPDATED_OLD":
		return old.project(ch.named)
	case "ALL_NEW":
		return made
	case "UPDATED_NEW":
		return made.project(ch.named)
	default:
		return nil
	}
}

// conditionFailed is the refusal of a write whose condition does not hold.
type conditionFailed struct {
	*cloud.APIError
	item item // that is there, if the caller asked for it
}

func (e *conditionFailed) Unwrap() error { return e.APIError }

func (in writeInput) conditionFailed(old item) error {
	e := &conditionFailed{APIError: cloud.Refuse("ConditionalCheckFailedException", "The conditional request failed")}
	if in.ReturnValuesOnConditionCheckFailure == "ALL_OLD" {
		e.item = old
	}
	return e
}
