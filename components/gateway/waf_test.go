package gateway_test

import (
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/gateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWebACL(t *testing.T) {
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(func(ctx *pulumi.Context) error {
		return newRegion(ctx, func(r region) error {
			api, err := r.api(&gateway.RegionalAPIArgs{})
			if err != nil {
				return err
			}
			_, err = gateway.NewWebACL(ctx, "firewall", &gateway.WebACLArgs{API: api, AddressLimit: 500}, r.provider)
			return err
		})
	}))
	rec.CheckComponents(t)
	acl := rec.One(t, "aws:wafv2/webAcl:WebAcl", "firewall-acl").Inputs.Mappable()
	assert.Equal(t, "REGIONAL", acl["scope"])
	assert.Equal(t, map[string]any{"allow": map[string]any{}}, acl["defaultAction"])
	rules := acl["rules"].([]any)
	require.Len(t, rules, 4)
	names, priorities := []any{}, []any{}
	for _, r := range rules {
		rule := r.(map[string]any)
		names, priorities = append(names, rule["name"]), append(priorities, rule["priority"])
		assert.Equal(t, false, rule["visibilityConfig"].(map[string]any)["sampledRequestsEnabled"], "samples keep parts of requests")
	}
	assert.Equal(t, []any{"health-limit", "health", "address-limit", "common"}, names)
	assert.Equal(t, []any{0.0, 1.0, 2.0, 3.0}, priorities)
	assert.Equal(t, false, acl["visibilityConfig"].(map[string]any)["sampledRequestsEnabled"])
	association := rec.One(t, "aws:wafv2/webAclAssociation:WebAclAssociation", "firewall-association").Inputs
	assert.Contains(t, association["resourceArn"].StringValue(), ":test-stage:")
	assert.Contains(t, association["webAclArn"].StringValue(), ":firewall-acl:")
}

// TestBodiesAreCountedOnly since prompts are long and speak of anything.
func TestBodiesAreCountedOnly(t *testing.T) {
	common := wafRule(t, "common")
	assert.Equal(t, map[string]any{"none": map[string]any{}}, common["overrideAction"])
	assert.NotContains(t, common, "action", "a rule group has an override instead")
	group := common["statement"].(map[string]any)["managedRuleGroupStatement"].(map[string]any)
	assert.Equal(t, "AWSManagedRulesCommonRuleSet", group["name"])
	overridden := map[string]any{}
	for _, o := range group["ruleActionOverrides"].([]any) {
		override := o.(map[string]any)
		overridden[override["name"].(string)] = override["actionToUse"]
	}
	count := map[string]any{"count": map[string]any{}}
	assert.Equal(t, map[string]any{
		"SizeRestrictions_BODY": count, "EC2MetaDataSSRF_BODY": count, "GenericLFI_BODY": count,
		"GenericRFI_BODY": count, "CrossSiteScripting_BODY": count,
	}, overridden)
}

func TestAnAddressIsLimited(t *testing.T) {
	rule := wafRule(t, "address-limit")
	assert.Equal(t, map[string]any{"rateBasedStatement": map[string]any{
		"aggregateKeyType": "IP", "evaluationWindowSec": 300.0, "limit": 2000.0,
	}}, rule["statement"])
	response := rule["action"].(map[string]any)["block"].(map[string]any)["customResponse"].(map[string]any)
	assert.Equal(t, 429.0, response["responseCode"])
}

// wafRule registers a web ACL with all defaults and returns one of its rules.
func wafRule(t *testing.T, name string) map[string]any {
	t.Helper()
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(func(ctx *pulumi.Context) error {
		return newRegion(ctx, func(r region) error {
			api, err := r.api(&gateway.RegionalAPIArgs{})
			if err != nil {
				return err
			}
			_, err = gateway.NewWebACL(ctx, "firewall", &gateway.WebACLArgs{API: api}, r.provider)
			return err
		})
	}))
	for _, r := range rec.One(t, "aws:wafv2/webAcl:WebAcl", "firewall-acl").Inputs.Mappable()["rules"].([]any) {
		if rule := r.(map[string]any); rule["name"] == name {
			return rule
		}
	}
	t.Fatalf("no rule %q", name)
	return nil
}
