package apigateway_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// protect puts a web ACL with one rule in front of the stage "prod" of an API.
func (f *fixture) protect(id string, rule object) {
	f.t.Helper()
	visible := object{"metricName": "m", "cloudwatchMetricsEnabled": false, "sampledRequestsEnabled": false}
	rule["name"], rule["priority"], rule["visibilityConfig"] = "rule", 0, visible
	for _, r := range f.waf.Resources() {
		inputs := object{"scope": "REGIONAL", "defaultAction": object{"allow": object{}}, "visibilityConfig": visible, "rules": []any{rule},
			"customResponseBodies": []any{object{"key": "k", "content": "slower", "contentType": "TEXT_PLAIN"}}}
		if strings.HasSuffix(r.Token, "Association") {
			inputs = object{"webAclArn": f.acl, "resourceArn": "arn:aws:apigateway:" + region + "::/restapis/" + id + "/stages/prod"}
		}
		state, err := r.Create(f.t.Context(), region, "acl", inputs)
		require.NoError(f.t, err)
		f.acl, _ = state.Outputs["arn"].(string)
	}
}

func core(overrides ...any) object {
	return object{"overrideAction": object{"none": object{}}, "statement": object{"managedRuleGroupStatement": object{
		"vendorName": "AWS", "name": "AWSManagedRulesCommonRuleSet", "ruleActionOverrides": overrides}}}
}

// TestTheFirewallStandsBeforeTheAuthorizer and what it blocks is worded by the
// API.
func TestTheFirewallStandsBeforeTheAuthorizer(t *testing.T) {
	prompt := body(strings.Repeat("x", 1<<20))
	doc := document(object{"/x": object{"post": guarded(buffered())}})
	change(doc, object{"WAF_FILTERED": object{"responseTemplates": object{"application/json": `{"blocked":$context.error.messageString}`}}},
		"x-amazon-apigateway-gateway-responses")

	f := newFixture(t)
	id, host := f.deploy("api", doc)
	f.protect(id, core())
	res := f.do("POST", host, "/prod/x", prompt)
	assert.Equal(t, 403, res.status, "1 MB is over the 8 KB of the core rule set")
	assert.JSONEq(t, `{"blocked":"Forbidden"}`, res.body)
	assert.Equal(t, 403, f.do("POST", host, "/prod/none", prompt).status, "and before the route is known")
	assert.Equal(t, 401, f.do("POST", host, "/prod/x", body("short")).status, "the authorizer comes after")

	f = newFixture(t)
	id, host = f.deploy("api", doc)
	f.protect(id, core(object{"name": "SizeRestrictions_BODY", "actionToUse": object{"count": object{}}}))
	assert.Equal(t, 401, f.do("POST", host, "/prod/x", prompt).status, "1 MB passes where it only counts")
}

func TestTheFirewallMayWordItsAnswer(t *testing.T) {
	f := newFixture(t)
	f.lambda.define(serve, returns(`{"statusCode":200}`))
	id, host := f.deploy("api", document(object{"/x": object{"get": open(buffered())}}))
	f.protect(id, object{
		"action": object{"block": object{"customResponse": object{"responseCode": 429, "customResponseBodyKey": "k",
			"responseHeaders": []any{object{"name": "Retry-After", "value": "60"}}}}},
		"statement": object{"rateBasedStatement": object{"limit": 10}},
	})
	for range 10 {
		require.Equal(t, 200, f.do("GET", host, "/prod/x").status)
	}
	res := f.do("GET", host, "/prod/x")
	assert.Equal(t, 429, res.status)
	assert.Equal(t, "60", res.header.Get("Retry-After"))
	assert.Equal(t, "text/plain", res.header.Get("Content-Type"))
	assert.Equal(t, "slower", res.body)
}
