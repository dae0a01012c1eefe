package wafv2

import (
	"fmt"
	"strings"
)

type managedInputs struct {
	VendorName string               `json:"vendorName"`
	Name       string               `json:"name"`
	Version    string               `json:"version,omitempty"`
	Overrides  []ruleOverrideInputs `json:"ruleActionOverrides,omitempty"`
}

type ruleOverrideInputs struct {
	Name   string       `json:"name"`
	Action actionInputs `json:"actionToUse"`
}

// coreRule is a rule of AWS's core rule set.
type coreRule struct {
	name    string
	matches func(Request) bool // nil: AWS keeps its patterns secret
}

// coreRules is AWSManagedRulesCommonRuleSet, all of whose rules block.
// Source: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
func coreRules() []coreRule {
	return []coreRule{
		{"NoUserAgent_HEADER", func(r Request) bool { return r.Header.Get("User-Agent") == "" }},
		{"UserAgent_BadBots_HEADER", nil},
		{"SizeRestrictions_QUERYSTRING", func(r Request) bool { return len(r.Query) > 2048 }},
		{"SizeRestrictions_Cookie_HEADER", func(r Request) bool { return len(strings.Join(r.Header["Cookie"], "; ")) > 10_240 }},
		{"SizeRestrictions_BODY", func(r Request) bool { return len(r.Body) > 8192 }},
		{"SizeRestrictions_URIPATH", func(r Request) bool { return len(r.Path) > 1024 }},
		{"EC2MetaDataSSRF_BODY", nil},
		{"EC2MetaDataSSRF_COOKIE", nil},
		{"EC2MetaDataSSRF_URIPATH", nil},
		{"EC2MetaDataSSRF_QUERYARGUMENTS", nil},
		{"GenericLFI_QUERYARGUMENTS", nil},
		{"GenericLFI_URIPATH", nil},
		{"GenericLFI_BODY", nil},
		{"RestrictedExtensions_URIPATH", nil},
		{"RestrictedExtensions_QUERYARGUMENTS", nil},
		{"GenericRFI_QUERYARGUMENTS", nil},
		{"GenericRFI_BODY", nil},
		{"GenericRFI_URIPATH", nil},
		{"CrossSiteScripting_COOKIE", nil},
		{"CrossSiteScripting_QUERYARGUMENTS", nil},
		{"CrossSiteScripting_BODY", nil},
		{"CrossSiteScripting_URIPATH", nil},
	}
}

// coreCapacity is what the core rule set takes, whatever is overridden.
const coreCapacity = 700

// ruleGroup is the core rule set with the actions of its rules.
type ruleGroup struct {
	rules   []coreRule
	actions map[string]action // by rule
}

func (in *managedInputs) parse() (*ruleGroup, error) {
	if in.VendorName != "AWS" || in.Name != "AWSManagedRulesCommonRuleSet" || in.Version != "" {
		return nil, nonexistent(fmt.Sprintf("rule group %s %s %s: the embedded cloud has the default version of AWS's "+
			"AWSManagedRulesCommonRuleSet only", in.VendorName, in.Name, in.Version))
	}
	g := &ruleGroup{rules: coreRules(), actions: map[string]action{}}
	known := map[string]bool{}
	for _, r := range g.rules {
		known[r.name] = true
	}
	for _, o := range in.Overrides {
		if !known[o.Name] {
			return nil, invalid("RULE_ACTION_OVERRIDE", o.Name, "the rule group has no such rule, or it is overridden twice")
		}
		delete(known, o.Name)
		var err error
		if g.actions[o.Name], err = o.Action.parse(nil); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// decide returns the action of the first rule that allows or blocks, none if
// there is no such rule.
func (g *ruleGroup) decide(r Request) action {
	for _, rule := range g.rules {
		if rule.matches == nil || !rule.matches(r) {
			continue
		}
		act, overridden := g.actions[rule.name]
		if !overridden {
			act.kind = "block"
		}
		if act.kind != "count" {
			return act
		}
	}
	return action{}
}
