package wafv2_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWebACLsRefuse(t *testing.T) {
	block := func(response object) object {
		r := own("a", 0, "block", path("EXACTLY", "/"))
		r["action"] = object{"block": object{"customResponse": response}}
		return r
	}
	statement := func(s object) object { return own("a", 0, "block", s) }
	match := func(edit object) object {
		s := path("EXACTLY", "/")["byteMatchStatement"].(object)
		return statement(object{"byteMatchStatement": with(s, edit)})
	}
	rate := func(edit object) object {
		return statement(object{"rateBasedStatement": with(object{"limit": 10}, edit)})
	}
	tests := []struct {
		name  string
		edit  object   // of the web ACL
		rules []object // if any
		want  string
	}{
		{"the scope of CloudFront", object{"scope": "CLOUDFRONT"}, nil, "has the scope REGIONAL only"},
		{"a default action that counts", object{"defaultAction": object{"count": object{}}}, nil, "the default action is allow or block"},
		{"two default actions", object{"defaultAction": object{"allow": object{}, "block": object{}}}, nil, "exactly one of allow, block and count"},
		{"a metric of AWS's own", object{"visibilityConfig": with(visible(), object{"metricName": "Default_Action"})}, nil, "METRIC_NAME"},
		{"a metric with a space", object{"visibilityConfig": with(visible(), object{"metricName": "a b"})}, nil, "METRIC_NAME"},
		{"a name with a slash", object{"name": "a/b"}, nil, "field: NAME"},
		{"a property that it does not know", object{"ruleJson": "[]"}, nil, `does not know property "ruleJson"`},
		{"two rules of a name", nil, []object{own("a", 0, "block", path("EXACTLY", "/")), own("a", 1, "block", path("EXACTLY", "/"))}, "names and priorities of their own"},
		{"two rules of a priority", nil, []object{own("a", 0, "block", path("EXACTLY", "/")), own("b", 0, "block", path("EXACTLY", "/"))}, "names and priorities of their own"},
		{"a rule with a space in its name", nil, []object{own("a b", 0, "block", path("EXACTLY", "/"))}, "field: RULE"},
		{"a metric of a rule with a space", nil, []object{with(core(0), object{"visibilityConfig": with(visible(), object{"metricName": "a b"})})}, "METRIC_NAME"},
		{"a group with an action", nil, []object{with(core(0), object{"action": object{"block": object{}}})}, "a rule group takes overrideAction"},
		{"a rule with an override", nil, []object{with(own("a", 0, "block", path("EXACTLY", "/")), object{"overrideAction": object{"none": object{}}})}, "every other rule takes action"},
		{"an override of nothing", nil, []object{with(core(0), object{"overrideAction": object{}})}, "exactly one of none and count"},
		{"no statement", nil, []object{statement(object{})}, "exactly one kind of statement"},
		{"two statements in one", nil, []object{statement(with(limit(10), path("EXACTLY", "/")))}, "exactly one kind of statement"},
		{"a group that is also a rate", nil, []object{with(core(0), object{"statement": with(core(0)["statement"].(object), limit(10))})}, "exactly one kind of statement"},
		{"an or of one", nil, []object{statement(object{"orStatement": object{"statements": []any{path("EXACTLY", "/")}}})}, "at least two statements"},
		{"a rate in an or", nil, []object{statement(object{"orStatement": object{"statements": []any{limit(10), limit(10)}}})}, "cannot be nested"},
		{"an unknown constraint", nil, []object{match(object{"positionalConstraint": "LIKE"})}, "use EXACTLY"},
		{"no field", nil, []object{match(object{"fieldToMatch": object{}})}, "compares uriPath only"},
		{"an empty search", nil, []object{match(object{"searchString": ""})}, "1 to 200 bytes"},
		{"no transformation", nil, []object{match(object{"textTransformations": []any{}})}, "give at least one"},
		{"an unknown transformation", nil, []object{match(object{"textTransformations": []any{object{"priority": 0, "type": "ROT13"}}})}, "NONE and LOWERCASE only"},
		{"a limit below the least", nil, []object{rate(object{"limit": 9})}, "want 10 to 2000000000"},
		{"a rate in the scope of a rate", nil, []object{rate(object{"scopeDownStatement": object{"rateBasedStatement": object{"limit": 10}}})}, "cannot be nested"},
		{"an unknown window", nil, []object{rate(object{"evaluationWindowSec": 90})}, "want 60, 120, 300 or 600"},
		{"an unknown key", nil, []object{rate(object{"aggregateKeyType": "CONSTANT"})}, "by IP only"},
		{"a rate that allows", nil, []object{own("a", 0, "allow", limit(10))}, "cannot allow"},
		{"an unknown rule group", nil, []object{with(core(0), object{"statement": object{"managedRuleGroupStatement": object{
			"vendorName": "AWS", "name": "AWSManagedRulesSQLiRuleSet"}}})}, "WAFNonexistentItemException"},
		{"an override of no rule", nil, []object{core(0, override("SizeRestrictions_Body", "count"))}, "no such rule"},
		{"an override given twice", nil, []object{core(0, override("SizeRestrictions_BODY", "count"), override("SizeRestrictions_BODY", "count"))}, "overridden twice"},
		{"a status that cannot be sent", nil, []object{block(object{"responseCode": 418})}, "not supported in a custom response"},
		{"a body that is not there", nil, []object{block(object{"responseCode": 429, "customResponseBodyKey": "k"})}, "no body of that key"},
		{"a content type as a header", nil, []object{block(object{"responseCode": 429,
			"responseHeaders": []any{object{"name": "content-type", "value": "x"}}})}, "the content type is the body's"},
		{"eight core rule sets", nil, []object{
			with(core(0), object{"name": "a"}), with(core(1), object{"name": "b"}), with(core(2), object{"name": "c"}), with(core(3), object{"name": "d"}),
			with(core(4), object{"name": "e"}), with(core(5), object{"name": "f"}), with(core(6), object{"name": "g"}), with(core(7), object{"name": "h"}),
		}, "more capacity"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newFixture().create("WebAcl", region, with(base(), with(object{"rules": list(tt.rules...)}, tt.edit)))
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestAssociationsRefuse(t *testing.T) {
	f := newFixture()
	acl, err := f.create("WebAcl", region, base())
	require.NoError(t, err)
	arn := acl.Outputs["arn"].(string)
	tests := []struct {
		name, at, acl, resource, want string
	}{
		{"no such web ACL", region, arn + "x", stage, "WAFNonexistentItemException"},
		{"no such stage", region, arn, stage + "x", "WAFNonexistentItemException"},
		{"a stage of another region", region, arn, strings.Replace(stage, region, "us-east-1", 1), "belong in one region"},
		{"a call in another region", "us-east-1", arn, stage, "belong in one region"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := f.create("WebAclAssociation", tt.at, object{"webAclArn": tt.acl, "resourceArn": tt.resource})
			assert.ErrorContains(t, err, tt.want)
		})
	}
	once := object{"webAclArn": arn, "resourceArn": stage}
	_, err = f.create("WebAclAssociation", region, once)
	require.NoError(t, err)
	_, err = f.create("WebAclAssociation", region, once)
	assert.ErrorContains(t, err, "has a web ACL already")
	_, err = f.create("WebAcl", region, base())
	assert.ErrorContains(t, err, "WAFDuplicateItemException")
}
