package dynamodb

import (
	"slices"
	"strings"
)

// comparison is one condition on a key attribute.
type comparison struct {
	name     string
	operator string // =, <, <=, >, >=, BETWEEN or begins_with
	operands []value
}

// keyCondition is what a Query looks for.
type keyCondition struct {
	partition value
	sort      *comparison // nil for all
}

// keyCondition parses a KeyConditionExpression against the schema of t.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html
func (b *bindings) keyCondition(text string, t *table) (keyCondition, error) {
	p, err := b.parse("KeyConditionExpression", text)
	if err != nil {
		return keyCondition{}, err
	}
	first, err := p.comparison()
	if err != nil {
		return keyCondition{}, err
	}
	all := []comparison{first}
	if p.accept("AND") {
		second, err := p.comparison()
		if err != nil {
			return keyCondition{}, err
		}
		all = append(all, second)
	}
	if len(p.tokens) > 0 {
		return keyCondition{}, p.refuse("this stand-in knows the partition key and one condition on the sort key, not %q", p.tokens[0])
	}
	return p.assign(all, t)
}

// assign tells the condition on the partition key from the one on the sort key,
// in whichever order they stand.
func (p *parser) assign(all []comparison, t *table) (keyCondition, error) {
	i := slices.IndexFunc(all, func(c comparison) bool { return c.name == t.hash.name })
	if i < 0 {
		return keyCondition{}, invalid("Query condition missed key schema element: %s", t.hash.name)
	}
	hash := all[i]
	if hash.operator != "=" {
		return keyCondition{}, invalid("Query key condition not supported: the partition key takes = alone")
	}
	if err := hash.check(t.hash); err != nil {
		return keyCondition{}, err
	}
	k := keyCondition{partition: hash.operands[0]}
	if rest := slices.Delete(all, i, i+1); len(rest) > 0 {
		k.sort = &rest[0]
		if t.sort == nil || k.sort.name != t.sort.name {
			return keyCondition{}, invalid("Query key condition not supported: %s is not the sort key", k.sort.name)
		}
		return k, k.sort.check(*t.sort)
	}
	return k, nil
}

func (p *parser) comparison() (comparison, error) {
	if p.peek(0) == "begins_with" && p.peek(1) == "(" {
		return p.beginsWith()
	}
	name, err := p.name()
	if err != nil {
		return comparison{}, err
	}
	c := comparison{name: name, operator: strings.ToUpper(p.next())}
	switch c.operator {
	case "=", "<", "<=", ">", ">=":
		return c, p.operands(&c, "")
	case "BETWEEN":
		return c, p.operands(&c, "AND")
	default:
		return comparison{}, p.refuse("Invalid operator used in KeyConditionExpression: %q", c.operator)
	}
}

// operands takes one value, or two where a word separates them.
func (p *parser) operands(c *comparison, separator string) error {
	v, err := p.value()
	if err != nil {
		return err
	}
	c.operands = append(c.operands, v)
	if separator == "" {
		return nil
	}
	if err := p.expect(separator); err != nil {
		return err
	}
	return p.operands(c, "")
}

func (p *parser) beginsWith() (comparison, error) {
	c := comparison{operator: p.next()}
	if err := p.expect("("); err != nil {
		return c, err
	}
	var err error
	if c.name, err = p.name(); err != nil {
		return c, err
	}
	if err := p.expect(","); err != nil {
		return c, err
	}
	if err := p.operands(&c, ""); err != nil {
		return c, err
	}
	return c, p.expect(")")
}

// check refuses operands that do not fit the key attribute.
func (c comparison) check(a attribute) error {
	for _, v := range c.operands {
		if v.kind != a.kind {
			return invalid("One or more parameter values were invalid: Condition parameter type does not match schema type")
		}
		if v.text == "" {
			return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain "+
				"an empty string or binary value. Key: %s", a.name)
		}
	}
	if c.operator == "begins_with" && a.kind == "N" {
		return invalid("Invalid KeyConditionExpression: Incorrect operand type for operator or function; " +
			"operator or function: begins_with, operand type: N")
	}
	if c.operator == "BETWEEN" && c.operands[0].compare(c.operands[1]) > 0 {
		return invalid("Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound")
	}
	return nil
}

func (c comparison) matches(v value) bool { return c.side(v) == 0 }

// side tells on which side of the range that c describes a value is: less than 0
// before it, more behind it, 0 in it.
func (c comparison) side(v value) int {
	order := v.compare(c.operands[0])
	switch c.operator {
	case "<", "<=":
		if order < 0 || order == 0 && c.operator == "<=" {
			return 0
		}
		return 1
	case ">", ">=":
		if order > 0 || order == 0 && c.operator == ">=" {
			return 0
		}
		return -1
	case "BETWEEN":
		if order < 0 {
			return -1
		}
		return max(0, v.compare(c.operands[1]))
	case "begins_with":
		if strings.HasPrefix(v.text, c.operands[0].text) {
			return 0
		}
	}
	return order // of = too
}
