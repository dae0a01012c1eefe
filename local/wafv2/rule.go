package wafv2

import (
	"fmt"
	"time"
)

type ruleInputs struct {
	Name       string           `json:"name"`
	Priority   int              `json:"priority"`
	Action     *actionInputs    `json:"action,omitempty"`
	Override   *overrideInputs  `json:"overrideAction,omitempty"`
	Statement  statementInputs  `json:"statement"`
	Visibility visibilityInputs `json:"visibilityConfig"`
}

type overrideInputs struct {
	None  *emptyInputs `json:"none,omitempty"`
	Count *emptyInputs `json:"count,omitempty"`
}

// rule is one of one's own, with a statement, or a rule group. Service.mu guards
// it.
type rule struct {
	priority  int
	statement statement
	action    action // when the statement matches
	group     *ruleGroup
	counts    bool // the group decides nothing
}

func (in ruleInputs) parse(bodies []bodyInputs) (*rule, error) {
	if !entityName.MatchString(in.Name) || in.Priority < 0 {
		return nil, invalid("RULE", in.Name, "the name has 1 to 128 letters, digits, underscores and hyphens, and the priority is not negative")
	}
	if err := in.Visibility.check(); err != nil {
		return nil, err
	}
	isGroup := in.Statement.Managed != nil
	if isGroup != (in.Override != nil) || isGroup == (in.Action != nil) {
		return nil, invalid("RULE", in.Name, "a rule group takes overrideAction, and every other rule takes action")
	}
	r := &rule{priority: in.Priority}
	var err error
	if isGroup {
		r.counts = in.Override.Count != nil
		r.group, err = in.parseGroup()
	} else if r.statement, err = in.Statement.parse(true); err == nil {
		r.action, err = in.Action.parse(bodies)
	}
	if err == nil && in.Statement.Rate != nil && r.action.kind == "allow" {
		err = invalid("RULE_ACTION", "allow", "a rate-based rule cannot allow")
	}
	if err != nil {
		return nil, fmt.Errorf("rule %s: %w", in.Name, err)
	}
	return r, nil
}

func (in ruleInputs) parseGroup() (*ruleGroup, error) {
	if kinds := in.Statement.kinds(); kinds != 1 {
		return nil, oneKind(kinds)
	}
	if (in.Override.None == nil) == (in.Override.Count == nil) {
		return nil, invalid("OVERRIDE_ACTION", in.Name, "give exactly one of none and count")
	}
	return in.Statement.Managed.parse()
}

func (r *rule) capacity() int {
	if r.group != nil {
		return coreCapacity
	}
	return r.statement.capacity()
}

// decide returns what to do with a request, nothing if the rule does not match.
func (r *rule) decide(req Request, now time.Time) action {
	switch {
	case r.group != nil && r.counts:
		return action{}
	case r.group != nil:
		return r.group.decide(req)
	case r.statement.match(req, now):
		return r.action
	default:
		return action{}
	}
}
