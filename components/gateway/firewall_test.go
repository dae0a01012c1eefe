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
func firewall(t *testing.T, edit func(rules []any)) func(wafv2.Request) wafv2.Verdict {
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
	waf := wafv2.New(cloud.NewManualClock(time.Unix(0, 0)))
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
	return func(r wafv2.Request) wafv2.Verdict { return waf.Inspect(stage, r) }
}

func prompt(bytes int) wafv2.Request {
	return wafv2.Request{
		IP: "192.0.2.1", Path: "/v1/chat/completions", Header: http.Header{"User-Agent": {"OpenAI"}}, Body: make([]byte, bytes),
	}
}

func TestAPromptOfAMegabytePasses(t *testing.T) {
	assert.False(t, firewall(t, func([]any) {})(prompt(1<<20)).Blocked)
	without := firewall(t, func(rules []any) {
		group := rules[3].(map[string]any)["statement"].(map[string]any)["managedRuleGroupStatement"].(map[string]any)
		group["ruleActionOverrides"] = group["ruleActionOverrides"].([]any)[1:]
	})
	assert.True(t, without(prompt(1<<20)).Blocked, "but not without the override of SizeRestrictions_BODY")
}

// TestHealthChecksPass: the probes of one address in five minutes, ten times as
// many as Route 53 sends, and without a user agent as the common rules want one.
// They do not count against the address, and the flood that follows is stopped.
func TestHealthChecksPass(t *testing.T) {
	inspect := firewall(t, func([]any) {})
	probe := func(n int) wafv2.Verdict {
		path := []string{"/healthz", "/live/healthz"}[n%2]
		return inspect(wafv2.Request{IP: "192.0.2.1", Path: path, Query: "drained=eu-west-1"})
	}
	for n := range 1000 {
		require.False(t, probe(n).Blocked, "probe %d", n)
	}
	flood := probe(1000)
	require.True(t, flood.Blocked)
	assert.Equal(t, http.StatusTooManyRequests, flood.Response.Status)
	for range 10 {
		require.False(t, inspect(prompt(1)).Blocked)
	}
	verdict := inspect(prompt(1))
	require.True(t, verdict.Blocked)
	assert.Equal(t, http.StatusTooManyRequests, verdict.Response.Status)
	assert.Equal(t, "60", verdict.Response.Header.Get("Retry-After"))
	assert.JSONEq(t, `{"error":{"message":"Too many requests from this address.","type":"requests","param":null,
		"code":"rate_limit_exceeded"}}`, verdict.Response.Body)
}
