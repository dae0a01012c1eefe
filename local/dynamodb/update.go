package dynamodb

import (
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// updateInput are UpdateItem's parameters.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
type updateInput struct {
	writeInput
	Key              item
	UpdateExpression *string
}

// update is what an UpdateExpression does: each action makes the new value of
// one attribute of the item as it was before.
type update struct {
	table   *table
	key     item
	actions map[string]action // by attribute
}

type action func(old item) (value, error)

// updateItem changes attributes of an item, or of one that it makes.
func updateItem(c call, in updateInput) (writeOutput, error) {
	t, err := c.tableOf(in.common, in.Key)
	if err != nil {
		return writeOutput{}, err
	}
	k, err := t.onlyKey(in.Key)
	if err != nil {
		return writeOutput{}, err
	}
	u := &update{table: t, key: in.Key, actions: map[string]action{}}
	ch := &change{returns: []string{"NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"}, apply: u.apply}
	ch.parse = func(b *bindings) error {
		err := u.parse(b, in.UpdateExpression)
		ch.named = slices.Sorted(maps.Keys(u.actions))
		return err
	}
	return c.write(t, k, in.writeInput, ch)
}

func (u *update) apply(old item) (item, error) {
	made := maps.Clone(old)
	if made == nil {
		made = maps.Clone(u.key)
	}
	for name, act := range u.actions {
		v, err := act(old)
		if err != nil {
			return nil, err
		}
		made[name] = v
	}
	if made.size() > maxItemBytes {
		return nil, invalid("Item size to update has exceeded the maximum allowed size")
	}
	return made, nil
}

// parse reads an UpdateExpression; without one only the item is made.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
func (u *update) parse(b *bindings, text *string) error {
	if text == nil {
		return nil
	}
	p, err := b.parse("UpdateExpression", *text)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for len(p.tokens) > 0 {
		section := strings.ToUpper(p.next())
		read, known := map[string]func(string) (action, error){"SET": p.set, "ADD": p.add}[section]
		if !known {
			return p.refuse("this stand-in knows SET and ADD, not %q", section)
		}
		if seen[section] {
			return p.refuse("The %q section can only be used once in an update expression;", section)
		}
		seen[section] = true
		if err := u.section(p, read); err != nil {
			return err
		}
	}
	return nil
}

// section reads the actions of one section.
func (u *update) section(p *parser, read func(name string) (action, error)) error {
	for {
		name, err := p.name()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(u.table.attributes(), func(a attribute) bool { return a.name == name }) {
			return invalid("One or more parameter values were invalid: Cannot update attribute %s. This attribute is part of the key", name)
		}
		if u.actions[name] != nil {
			return p.refuse("Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [%[1]s], path two: [%[1]s]", name)
		}
		if u.actions[name], err = read(name); err != nil {
			return err
		}
		if !p.accept(",") {
			return nil
		}
	}
}

// set reads what an attribute is set to: an operand, or the sum or the
// difference of two.
func (p *parser) set(string) (action, error) {
	if err := p.expect("="); err != nil {
		return nil, err
	}
	first, err := p.operand()
	if err != nil {
		return nil, err
	}
	minus := p.accept("-")
	if !minus && !p.accept("+") {
		return first, nil
	}
	second, err := p.operand()
	if err != nil {
		return nil, err
	}
	return func(old item) (value, error) {
		a, err := first(old)
		if err != nil {
			return value{}, err
		}
		b, err := second(old)
		if err != nil {
			return value{}, err
		}
		return sum(a, b, minus)
	}, nil
}

// add reads a number that is added to an attribute, which counts from 0.
func (p *parser) add(name string) (action, error) {
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	if v.kind != "N" {
		return nil, p.refuse("Incorrect operand type for operator or function; operator: ADD, operand type: %s; this stand-in adds numbers", v.kind)
	}
	return func(old item) (value, error) {
		have, ok := old[name]
		if !ok {
			have = value{kind: "N", text: "0"}
		}
		return sum(have, v, false)
	}, nil
}

// operand reads a value, an attribute, or if_not_exists.
func (p *parser) operand() (action, error) {
	if p.peek(1) == "(" {
		return p.ifNotExists()
	}
	if strings.HasPrefix(p.peek(0), ":") {
		v, err := p.value()
		return func(item) (value, error) { return v, nil }, err
	}
	name, err := p.name()
	return func(old item) (value, error) {
		v, ok := old[name]
		if !ok {
			return value{}, invalid("The provided expression refers to an attribute that does not exist in the item")
		}
		return v, nil
	}, err
}

func (p *parser) ifNotExists() (action, error) {
	if function := p.next(); function != "if_not_exists" {
		return nil, p.refuse("this stand-in knows if_not_exists, not %q", function)
	}
	p.next() // the parenthesis
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	if err := p.expect(","); err != nil {
		return nil, err
	}
	otherwise, err := p.operand()
	if err != nil {
		return nil, err
	}
	return func(old item) (value, error) {
		if v, ok := old[name]; ok {
			return v, nil
		}
		return otherwise(old)
	}, p.expect(")")
}

// sum adds b to a, or subtracts it.
func sum(a, b value, minus bool) (value, error) {
	if a.kind != "N" || b.kind != "N" {
		return value{}, invalid("An operand in the update expression has an incorrect data type")
	}
	if text, ok := smallSum(a.text, b.text, minus); ok {
		return value{kind: "N", text: text}, nil
	}
	x, _ := new(big.Rat).SetString(a.text)
	y, _ := new(big.Rat).SetString(b.text)
	if minus {
		y.Neg(y)
	}
	text, err := parseNumber(x.Add(x, y).FloatString(-minExponent))
	return value{kind: "N", text: text}, err
}

// smallSum is [sum] of two whole numbers that are far from the limits of either
// int64 or DynamoDB.
func smallSum(a, b string, minus bool) (string, bool) {
	const digits = 18
	if len(a) > digits || len(b) > digits {
		return "", false
	}
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	if minus {
		y = -y
	}
	return strconv.FormatInt(x+y, 10), errX == nil && errY == nil
}
