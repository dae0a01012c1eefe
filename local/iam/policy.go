package iam

import (
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// Decision is what a policy says about a request.
type Decision int

// Decisions. A request that is neither allowed nor denied is refused by AWS as
// well, but another policy may still allow it.
const (
	Neutral Decision = iota
	Allowed
	Denied
)

// Ask is one request that a policy decides.
type Ask struct {
	// Action is service and operation, e.g. "dynamodb:GetItem".
	Action string
	// Resource is the ARN asked for, or "*" for an action without resources.
	Resource string
	// Keys are the condition keys of the request. Their names differ in more
	// than case; a key without values counts as missing.
	Keys cloud.Keys
}

// Policy is a parsed identity-based policy. The zero value says nothing.
type Policy struct {
	statements []statement
}

type statement struct {
	deny       bool
	actions    patterns // lower case
	resources  patterns // empty in a trust policy
	services   []string // service principals, in the policy of a role or resource
	principals []string // accounts, roles and users, in the policy of a resource
	conditions []condition
}

// patterns is an element with its Not form.
type patterns struct {
	not bool
	any []string
}

func (p patterns) match(s string) bool {
	return p.not != slices.ContainsFunc(p.any, func(pattern string) bool { return glob(pattern, s) })
}

// Decide evaluates the policy as AWS does: an explicit deny wins over any
// allow, whatever their order.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (p *Policy) Decide(r Ask) Decision {
	keys := foldKeys(r.Keys)
	return decide(p.statements, func(s statement) bool {
		return s.actions.match(strings.ToLower(r.Action)) && s.resources.match(r.Resource) && s.holds(keys)
	})
}

func decide(statements []statement, applies func(statement) bool) Decision {
	decision := Neutral
	for _, s := range statements {
		switch {
		case !applies(s):
		case s.deny:
			return Denied
		default:
			decision = Allowed
		}
	}
	return decision
}

func (s statement) holds(keys cloud.Keys) bool {
	return !slices.ContainsFunc(s.conditions, func(c condition) bool { return !c.holds(keys) })
}

// foldKeys copies keys under lower-case names, since AWS compares the names of
// condition keys without regard to case.
func foldKeys(keys cloud.Keys) cloud.Keys {
	folded := make(cloud.Keys, len(keys))
	for name, values := range keys {
		name = strings.ToLower(name)
		folded[name] = append(folded[name], values...)
	}
	return folded
}

// glob matches a whole string: * stands for any characters, : and / included,
// and ? for exactly one. It goes back to the last * only, so its time is at
// most the product of both lengths.
func glob(pattern, s string) bool {
	p, t := []rune(pattern), []rune(s)
	i, j, star, retry := 0, 0, -1, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, retry = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i, j = i+1, j+1
		case star >= 0:
			retry++
			i, j = star+1, retry
		default:
			return false
		}
	}
	return strings.Trim(string(p[i:]), "*") == ""
}

// arnParts is the number of fields of an ARN; the last may hold colons.
const arnParts = 6

// arnLike matches an ARN field by field, so that a wildcard stays in its own.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func arnLike(pattern, arn string) bool {
	want, got := strings.SplitN(pattern, ":", arnParts), strings.SplitN(arn, ":", arnParts)
	return len(got) == arnParts && slices.EqualFunc(want, got, glob)
}
