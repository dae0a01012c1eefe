package iam

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// operator compares one value of the policy with one of the request.
type operator struct {
	match   func(want, got string) bool // nil for Null, which asks for presence only
	valid   func(want string) bool      // nil when the policy may give any value
	negated bool
}

// operators are the condition operators that the embedded cloud evaluates.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
var operators = map[string]operator{
	"StringEquals":             {match: equal},
	"StringNotEquals":          {match: equal, negated: true},
	"StringEqualsIgnoreCase":   {match: strings.EqualFold},
	"StringLike":               {match: glob},
	"StringNotLike":            {match: glob, negated: true},
	"ArnEquals":                {match: arnLike, valid: isARN},
	"ArnLike":                  {match: arnLike, valid: isARN},
	"ArnNotEquals":             {match: arnLike, valid: isARN, negated: true},
	"ArnNotLike":               {match: arnLike, valid: isARN, negated: true},
	"Bool":                     {match: strings.EqualFold, valid: isBool},
	"Null":                     {valid: isBool},
	"NumericEquals":            numeric(func(want, got float64) bool { return got == want }),
	"NumericLessThan":          numeric(func(want, got float64) bool { return got < want }),
	"NumericLessThanEquals":    numeric(func(want, got float64) bool { return got <= want }),
	"NumericGreaterThan":       numeric(func(want, got float64) bool { return got > want }),
	"NumericGreaterThanEquals": numeric(func(want, got float64) bool { return got >= want }),
}

func equal(want, got string) bool { return want == got }

func numeric(compare func(want, got float64) bool) operator {
	return operator{valid: isNumber, match: func(want, got string) bool {
		w, wantErr := strconv.ParseFloat(want, 64)
		g, gotErr := strconv.ParseFloat(got, 64)
		return wantErr == nil && gotErr == nil && compare(w, g)
	}}
}

func isARN(s string) bool {
	return strings.HasPrefix(s, "arn:") && strings.Count(s, ":") >= arnParts-1
}

func isBool(s string) bool {
	return strings.EqualFold(s, "true") || strings.EqualFold(s, "false")
}

func isNumber(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil
}

// quantifier says how many values of the request must match.
type quantifier string

const (
	forOne quantifier = "" // the key has one value
	forAny quantifier = "ForAnyValue:"
	forAll quantifier = "ForAllValues:"
)

type condition struct {
	operator
	quantifier quantifier
	ifExists   bool
	key        string // lower case
	want       []string
}

// holds is false for a missing key, unless the operator is negated, asks for
// IfExists or for all of no values.
func (c condition) holds(keys cloud.Keys) bool {
	values := keys[c.key]
	missing := len(values) == 0
	switch {
	case c.match == nil:
		return slices.ContainsFunc(c.want, func(w string) bool { return strings.EqualFold(w, "true") == missing })
	case missing:
		return c.ifExists || c.quantifier == forAll || c.negated && c.quantifier == forOne
	case c.quantifier == forAll, c.negated && c.quantifier == forOne:
		return !slices.ContainsFunc(values, func(v string) bool { return !c.accepts(v) })
	default:
		return slices.ContainsFunc(values, c.accepts)
	}
}

func (c condition) accepts(value string) bool {
	return c.negated != slices.ContainsFunc(c.want, func(w string) bool { return c.match(w, value) })
}

func parseConditions(raw json.RawMessage) ([]condition, error) {
	if raw == nil {
		return nil, nil
	}
	block, err := readObject(raw)
	if err != nil {
		return nil, fmt.Errorf("condition: %w", err)
	}
	var conditions []condition
	for name, raw := range block {
		proto, err := parseOperator(name)
		if err != nil {
			return nil, err
		}
		keys, err := readObject(raw)
		if err != nil {
			return nil, fmt.Errorf("condition %s: %w", name, err)
		}
		for key := range keys {
			c, err := proto.on(keys, key)
			if err != nil {
				return nil, fmt.Errorf("condition %s: %w", name, err)
			}
			conditions = append(conditions, c)
		}
	}
	return conditions, nil
}

func parseOperator(name string) (condition, error) {
	c := condition{}
	base := name
	for _, q := range []quantifier{forAny, forAll} {
		if rest, ok := strings.CutPrefix(base, string(q)); ok {
			c.quantifier, base = q, rest
			break
		}
	}
	base, c.ifExists = strings.CutSuffix(base, "IfExists")
	var known bool
	c.operator, known = operators[base]
	if !known || base == "Null" && name != base {
		return c, fmt.Errorf("condition operator %q is not known to the embedded cloud", name)
	}
	return c, nil
}

// on applies the operator to one key of its block.
func (c condition) on(keys object, key string) (condition, error) {
	if !strings.Contains(key, ":") {
		return c, fmt.Errorf("key %q must be prefaced by a vendor, e.g. aws", key)
	}
	want, err := keys.scalars(key)
	if err != nil {
		return c, err
	}
	for _, w := range want {
		if c.valid != nil && !c.valid(w) {
			return c, fmt.Errorf("value %q of %s does not fit the operator", w, key)
		}
		if err := refuseVariable(w); err != nil {
			return c, err
		}
	}
	c.key, c.want = strings.ToLower(key), want
	return c, nil
}
