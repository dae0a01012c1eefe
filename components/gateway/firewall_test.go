package gateway_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/gateway"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/wafv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// anyStage lets every stage exist.
type anyStage struct{}

func (anyStage) HasStage(string) bool { return true }

// firewall deploys a web ACL into the embedded WAF, after edit, and returns
// what it decides on requests.
func firewall(t *testing.T, edit func(rules []any)) (func(wafv2.Request) wafv2.Verdict, *cloud.ManualClock) {
	t.Helper()
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(func(ctx *pulumi.Context) error {
		return newRegion(ctx, func(r region) error {
			api, err := r.api(&gateway.RegionalAPIArgs{})
			if err != nil {
				return err
			}
			_, err = gateway.NewWebACL(ctx, "firewall", &gateway.WebACLArgs{API: api, AddressLimit: 10}, r.provider)
			return err
		})
	}))
	inputs := rec.One(t, "aws:wafv2/webAcl:WebAcl", "firewall-acl").Inputs.Mappable()
	edit(inputs["rules"].([]any))
	clock := cloud.NewManualClock(time.Unix(0, 0))
	waf := wafv2.New(clock)
	waf.UseStages(anyStage{})
	const stage = "arn:aws:apigateway:eu-west-1::/restapis/a/stages/live"
	types := map[string]cloud.Resource{}
	for _, r := range waf.Resources() {
		types[r.Token] = r
	}
	acl, err := types["aws:wafv2/webAcl:WebAcl"].Create(t.Context(), "eu-west-1", "firewall-acl", inputs)
	require.NoError(t, err)
	_, err = types["aws:wafv2/webAclAssociation:WebAclAssociation"].Create(t.Context(), "eu-west-1", "firewall-association",
		map[string]any{"webAclArn": acl.Outputs["arn"], "resourceArn": stage})
	require.NoError(t, err)
	return func(r wafv2.Request) wafv2.Verdict { return waf.Inspect(stage, r) }, clock
}

func prompt(bytes int) wafv2.Request {
	return wafv2.Request{
		IP: "192.0.2.1", Path: "/v1/chat/completions", Header: http.Header{"User-Agent": {"OpenAI"}}, Body: make([]byte, bytes),
	}
}

func TestAPromptOfAMegabytePasses(t *testing.T) {
	inspect, _ := firewall(t, func([]any) {})
	assert.False(t, inspect(prompt(1<<20)).Blocked)
	without, _ := firewall(t, func(rules []any) {
		group := rules[3].(map[string]any)["statement"].(map[string]any)["managedRuleGroupStatement"].(map[string]any)
		group["ruleActionOverrides"] = group["ruleActionOverrides"].([]any)[1:]
	})
	assert.True(t, without(prompt(1<<20)).Blocked, "but not without the override of SizeRestrictions_BODY")
}

// probe is what a checker of Route 53 asks: it has no user agent.
func probe(ip string) wafv2.Request {
	return wafv2.Request{IP: ip, Path: "/healthz", Query: "drained=eu-west-1"}
}

// TestRoute53IsNotLimited by the limit of addresses, nor by that of health
// checks: a hundred checks by the same checker, every ten seconds, pass for good.
func TestRoute53IsNotLimited(t *testing.T) {
	inspect, clock := firewall(t, func([]any) {})
	for range 2 * 30 {
		for range 100 {
			require.False(t, inspect(probe("192.0.2.1")).Blocked)
		}
		clock.Advance(10 * time.Second)
	}
}

// TestHealthChecksAreLimitedByThemselves: neither uses up the other's limit, and
// neither path is without one.
func TestHealthChecksAreLimitedByThemselves(t *testing.T) {
	inspect, clock := firewall(t, func([]any) {})
	for i := range 3000 {
		r := probe("192.0.2.1")
		if i%2 == 1 {
			r.Path = "/live/healthz"
		}
		require.False(t, inspect(r).Blocked)
	}
	for range 10 {
		require.False(t, inspect(prompt(1)).Blocked, "prompts are counted for themselves")
	}
	for _, r := range []wafv2.Request{prompt(1), probe("192.0.2.1")} {
		verdict := inspect(r)
		require.True(t, verdict.Blocked, r.Path)
		assert.Equal(t, http.StatusTooManyRequests, verdict.Response.Status)
		assert.Equal(t, "60", verdict.Response.Header.Get("Retry-After"))
		assert.JSONEq(t, `{"error":{"message":"Too many requests from this address.","type":"requests","param":null,
			"code":"rate_limit_exceeded"}}`, verdict.Response.Body)
	}
	assert.False(t, inspect(probe("192.0.2.2")).Blocked, "another address has a limit of its own")
	clock.Advance(5 * time.Minute)
	assert.False(t, inspect(probe("192.0.2.1")).Blocked)
}
