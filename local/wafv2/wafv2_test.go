package wafv2_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/wafv2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	region = "eu-west-1"
	stage  = "arn:aws:apigateway:eu-west-1::/restapis/a/stages/live"
)

type object = map[string]any

// stages has the one stage that there is to protect.
type stages struct{}

func (stages) HasStage(arn string) bool { return arn == stage }

type fixture struct {
	clock   *cloud.ManualClock
	service *wafv2.Service
}

func newFixture() *fixture {
	clock := cloud.NewManualClock(time.Unix(1_700_000_000, 0))
	f := &fixture{clock, wafv2.New(clock)}
	f.service.UseStages(stages{})
	return f
}

func (f *fixture) create(token, at string, inputs object) (cloud.State, error) {
	for _, r := range f.service.Resources() {
		if strings.HasSuffix(r.Token, ":"+token) {
			return r.Create(context.Background(), at, "acl", inputs)
		}
	}
	return cloud.State{}, errors.New("no resource type " + token)
}

// protect puts a web ACL with the given rules in front of the stage.
func (f *fixture) protect(t *testing.T, rules ...object) {
	t.Helper()
	acl, err := f.create("WebAcl", region, with(base(), object{"rules": list(rules...)}))
	require.NoError(t, err)
	_, err = f.create("WebAclAssociation", region, object{"webAclArn": acl.Outputs["arn"], "resourceArn": stage})
	require.NoError(t, err)
}

func visible() object {
	return object{"metricName": "m", "cloudwatchMetricsEnabled": true, "sampledRequestsEnabled": false}
}

func base() object {
	return object{"scope": "REGIONAL", "defaultAction": object{"allow": object{}}, "visibilityConfig": visible()}
}

func with(base, extra object) object {
	all := maps.Clone(base)
	maps.Copy(all, extra)
	return all
}

func list(rules ...object) []any {
	all := make([]any, len(rules))
	for i, r := range rules {
		all[i] = r
	}
	return all
}

func own(name string, priority int, action string, statement object) object {
	return object{"name": name, "priority": priority, "action": object{action: object{}}, "statement": statement, "visibilityConfig": visible()}
}

func path(constraint, search string) object {
	return object{"byteMatchStatement": object{"fieldToMatch": object{"uriPath": object{}}, "positionalConstraint": constraint,
		"searchString": search, "textTransformations": []any{object{"priority": 0, "type": "NONE"}}}}
}

func limit(n int) object {
	return object{"rateBasedStatement": object{"limit": n, "aggregateKeyType": "IP"}}
}

func core(priority int, overrides ...any) object {
	return object{"name": "core", "priority": priority, "overrideAction": object{"none": object{}}, "visibilityConfig": visible(),
		"statement": object{"managedRuleGroupStatement": object{
			"vendorName": "AWS", "name": "AWSManagedRulesCommonRuleSet", "ruleActionOverrides": overrides,
		}}}
}

func override(rule, action string) object {
	return object{"name": rule, "actionToUse": object{action: object{}}}
}

func request(edit ...func(*wafv2.Request)) wafv2.Request {
	r := wafv2.Request{IP: "192.0.2.1", Path: "/v1/models", Header: http.Header{"User-Agent": {"test"}}}
	for _, e := range edit {
		e(&r)
	}
	return r
}

func prompt(bytes int) func(*wafv2.Request) {
	return func(r *wafv2.Request) { r.Body = make([]byte, bytes) }
}

func TestTheCoreRuleSet(t *testing.T) {
	tests := []struct {
		name      string
		overrides []any
		edit      func(*wafv2.Request)
		blocked   bool
	}{
		{"8 KB of body pass", nil, prompt(8192), false},
		{"one byte more does not", nil, prompt(8193), true},
		{"a prompt of 1 MB passes where its size only counts", []any{override("SizeRestrictions_BODY", "count")}, prompt(1 << 20), false},
		{"a rule that allows ends the evaluation", []any{override("SizeRestrictions_BODY", "allow")}, func(r *wafv2.Request) {
			r.Body, r.Path = make([]byte, 1<<20), "/"+strings.Repeat("x", 1024)
		}, false},
		{"a rule that counts does not", []any{override("SizeRestrictions_BODY", "count")}, func(r *wafv2.Request) {
			r.Body, r.Path = make([]byte, 1<<20), "/"+strings.Repeat("x", 1024)
		}, true},
		{"a long query", nil, func(r *wafv2.Request) { r.Query = strings.Repeat("x", 2049) }, true},
		{"long cookies", nil, func(r *wafv2.Request) { r.Header["Cookie"] = []string{strings.Repeat("x", 10_241)} }, true},
		{"no user agent", nil, func(r *wafv2.Request) { r.Header.Del("User-Agent") }, true},
		{"an ordinary request", nil, func(*wafv2.Request) {}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture()
			f.protect(t, core(0, tt.overrides...))
			assert.Equal(t, tt.blocked, f.service.Inspect(stage, request(tt.edit)).Blocked)
		})
	}
}

func TestAGroupThatOnlyCountsBlocksNothing(t *testing.T) {
	f := newFixture()
	f.protect(t, with(core(0), object{"overrideAction": object{"count": object{}}}))
	assert.False(t, f.service.Inspect(stage, request(prompt(1<<20))).Blocked)
}

func TestRulesAreAskedByPriority(t *testing.T) {
	f := newFixture()
	either := object{"orStatement": object{"statements": []any{path("EXACTLY", "/healthz"), path("EXACTLY", "/live/healthz")}}}
	f.protect(t, core(5), own("health", 1, "allow", either))
	at := func(path string) bool {
		return f.service.Inspect(stage, request(prompt(9000), func(r *wafv2.Request) { r.Path = path })).Blocked
	}
	assert.False(t, at("/healthz"))
	assert.False(t, at("/live/healthz"))
	assert.True(t, at("/v1/models/healthz"))
}

// TestARateCountsWithinItsScope: other requests neither count nor match.
func TestARateCountsWithinItsScope(t *testing.T) {
	f := newFixture()
	scoped := limit(10)
	scoped["rateBasedStatement"].(object)["scopeDownStatement"] = path("EXACTLY", "/healthz")
	f.protect(t, own("rate", 0, "block", scoped))
	at := func(path string) bool {
		return f.service.Inspect(stage, request(func(r *wafv2.Request) { r.Path = path })).Blocked
	}
	for range 10 {
		require.False(t, at("/healthz"))
		require.False(t, at("/v1/models"))
	}
	assert.True(t, at("/healthz"), "the eleventh")
	assert.False(t, at("/v1/models"))
}

func TestAnAddressIsLimitedOverAWindow(t *testing.T) {
	f := newFixture()
	f.protect(t, own("rate", 0, "block", limit(10)))
	from := func(ip string) bool {
		return f.service.Inspect(stage, request(func(r *wafv2.Request) { r.IP = ip })).Blocked
	}
	for range 10 {
		require.False(t, from("192.0.2.1"))
	}
	assert.True(t, from("192.0.2.1"), "the eleventh")
	assert.False(t, from("192.0.2.2"), "another address")
	f.clock.Advance(299 * time.Second)
	assert.True(t, from("192.0.2.1"), "the window is five minutes")
	f.clock.Advance(time.Second)
	assert.False(t, from("192.0.2.1"))
}

func TestARateCountsWhatIsInItsScope(t *testing.T) {
	f := newFixture()
	scoped := limit(10)
	scoped["rateBasedStatement"].(object)["scopeDownStatement"] = path("EXACTLY", "/counted")
	f.protect(t, own("rate", 0, "block", scoped))
	to := func(path string) bool {
		return f.service.Inspect(stage, request(func(r *wafv2.Request) { r.Path = path })).Blocked
	}
	for range 11 {
		require.False(t, to("/other"))
	}
	for range 10 {
		require.False(t, to("/counted"), "what is outside does not count")
	}
	assert.True(t, to("/counted"))
	assert.False(t, to("/other"), "nor is it limited")
}

func TestABlockCanBeWorded(t *testing.T) {
	f := newFixture()
	rule := own("rate", 0, "block", path("STARTS_WITH", "/"))
	rule["action"] = object{"block": object{"customResponse": object{"responseCode": 429, "customResponseBodyKey": "k",
		"responseHeaders": []any{object{"name": "Retry-After", "value": "60"}}}}}
	acl, err := f.create("WebAcl", region, with(base(), object{"rules": list(rule),
		"customResponseBodies": []any{object{"key": "k", "content": "{}", "contentType": "APPLICATION_JSON"}}}))
	require.NoError(t, err)
	_, err = f.create("WebAclAssociation", region, object{"webAclArn": acl.Outputs["arn"], "resourceArn": stage})
	require.NoError(t, err)
	assert.Equal(t, wafv2.Verdict{Blocked: true, Response: &wafv2.Response{
		Status: 429, Body: "{}", Header: http.Header{"Retry-After": {"60"}, "Content-Type": {"application/json"}},
	}}, f.service.Inspect(stage, request()))
	assert.Equal(t, wafv2.Verdict{}, f.service.Inspect("arn:of:another", request()), "only what is protected")
}

func TestTheDefaultActionMayBlock(t *testing.T) {
	f := newFixture()
	acl, err := f.create("WebAcl", region, with(base(), object{"defaultAction": object{"block": object{}}}))
	require.NoError(t, err)
	_, err = f.create("WebAclAssociation", region, object{"webAclArn": acl.Outputs["arn"], "resourceArn": stage})
	require.NoError(t, err)
	assert.True(t, f.service.Inspect(stage, request()).Blocked)
}

func TestAWebACLTellsWhatAWSWould(t *testing.T) {
	acl, err := newFixture().create("WebAcl", region, with(base(), object{"rules": list(core(0), own("rate", 1, "block", limit(10)))}))
	require.NoError(t, err)
	assert.Regexp(t, `^arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/acl-[0-9a-f]{7}/[0-9a-f]{32}$`, acl.Outputs["arn"])
	b, err := json.Marshal(acl.Outputs["capacity"])
	require.NoError(t, err)
	assert.Equal(t, "702", string(b))
}
