package dynamodb

import (
	"reflect"
	"slices"
	"strings"
)

// condition holds when all clauses of one alternative do.
type condition [][]clause

// clause decides about an item, nil if there is none.
type clause func(item) bool

const knownClauses = "this stand-in knows attribute_exists, attribute_not_exists, begins_with and comparisons of an attribute " +
	"with a value, joined by AND and OR, not %q"

// condition parses a ConditionExpression or FilterExpression; without one the
// condition holds.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
func (b *bindings) condition(parameter string, text *string) (condition, error) {
	if text == nil {
		return condition{nil}, nil
	}
	p, err := b.parse(parameter, *text)
	if err != nil {
		return nil, err
	}
	c := condition{nil}
	for {
		cl, err := p.clause()
		if err != nil {
			return nil, err
		}
		c[len(c)-1] = append(c[len(c)-1], cl)
		switch {
		case len(p.tokens) == 0:
			return c, nil
		case p.accept("OR"):
			c = append(c, nil)
		case !p.accept("AND"):
			return nil, p.refuse(knownClauses, p.tokens[0])
		}
	}
}

func (c condition) holds(i item) bool {
	return slices.ContainsFunc(c, func(all []clause) bool {
		return !slices.ContainsFunc(all, func(cl clause) bool { return !cl(i) })
	})
}

func (p *parser) clause() (clause, error) {
	first := p.peek(0)
	switch {
	case first == "attribute_exists" || first == "attribute_not_exists":
		return p.existence()
	case first == "begins_with":
		return p.prefix()
	case first == "(" || p.peek(1) == "(" || strings.EqualFold(first, "NOT"):
		return nil, p.refuse(knownClauses, first)
	default:
		return p.comparisonClause()
	}
}

// existence asks whether an attribute exists, or whether it does not.
func (p *parser) existence() (clause, error) {
	exists := p.next() == "attribute_exists"
	if err := p.expect("("); err != nil {
		return nil, err
	}
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	return func(i item) bool {
		_, ok := i[name]
		return ok == exists
	}, p.expect(")")
}

// prefix asks how an attribute begins; one that is missing or of another type
// begins with nothing.
func (p *parser) prefix() (clause, error) {
	c, err := p.beginsWith()
	if err != nil {
		return nil, err
	}
	want := c.operands[0]
	if want.kind != "S" && want.kind != "B" {
		return nil, p.operandType("begins_with", want)
	}
	return func(i item) bool { return i[c.name].kind == want.kind && c.matches(i[c.name]) }, nil
}

// comparisonClause compares an attribute with a value. One that is missing, or of
// another type, equals nothing and is neither less nor greater.
func (p *parser) comparisonClause() (clause, error) {
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	c := comparison{name: name, operator: p.next()}
	switch c.operator {
	case "=", "<>", "<", "<=", ">", ">=":
		err = p.operands(&c, "")
	default:
		return nil, p.refuse(knownClauses, c.operator)
	}
	if err != nil {
		return nil, err
	}
	want := c.operands[0]
	switch c.operator {
	case "=":
		return func(i item) bool { return reflect.DeepEqual(i[name], want) }, nil
	case "<>":
		return func(i item) bool { return !reflect.DeepEqual(i[name], want) }, nil
	}
	if !slices.Contains([]string{"S", "N", "B"}, want.kind) {
		return nil, p.operandType(c.operator, want)
	}
	return func(i item) bool { return i[name].kind == want.kind && c.matches(i[name]) }, nil
}

func (p *parser) operandType(operator string, v value) error {
	return p.refuse("Incorrect operand type for operator or function; operator or function: %s, operand type: %s", operator, v.kind)
}
