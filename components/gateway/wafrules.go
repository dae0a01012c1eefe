package gateway

import (
	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// The types below are the part of pulumi-aws' wafv2 package that a [WebACL]
// uses. That package describes statements nested in statements to a fixed
// depth, one type for each place, and takes longer to compile than the rest of
// the program.

// wafResource is what is read back of a web ACL or its association.
type wafResource struct {
	pulumi.CustomResourceState

	Arn pulumi.StringOutput `pulumi:"arn"`
}

type empty struct{}

type wafRule struct {
	Name             string        `pulumi:"name"`
	Priority         int           `pulumi:"priority"`
	Action           *wafAction    `pulumi:"action"`         // of rules of one's own
	OverrideAction   *wafAction    `pulumi:"overrideAction"` // of rule groups
	Statement        wafStatement  `pulumi:"statement"`
	VisibilityConfig wafVisibility `pulumi:"visibilityConfig"`
}

// wafAction is what to do with a request: the one that is set.
type wafAction struct {
	Allow *empty    `pulumi:"allow"`
	Block *wafBlock `pulumi:"block"`
	Count *empty    `pulumi:"count"`
	None  *empty    `pulumi:"none"` // what the rule group says
}

type wafBlock struct {
	CustomResponse wafResponse `pulumi:"customResponse"`
}

type wafResponse struct {
	ResponseCode          int         `pulumi:"responseCode"`
	CustomResponseBodyKey string      `pulumi:"customResponseBodyKey"`
	ResponseHeaders       []wafHeader `pulumi:"responseHeaders"`
}

type wafHeader struct {
	Name  string `pulumi:"name"`
	Value string `pulumi:"value"`
}

type wafBody struct {
	Key         string `pulumi:"key"`
	ContentType string `pulumi:"contentType"`
	Content     string `pulumi:"content"`
}

// wafVisibility never has samples: they keep parts of requests for hours.
type wafVisibility struct {
	MetricName               string `pulumi:"metricName"`
	CloudwatchMetricsEnabled bool   `pulumi:"cloudwatchMetricsEnabled"`
	SampledRequestsEnabled   bool   `pulumi:"sampledRequestsEnabled"`
}

// wafStatement says which requests a rule is about: the one that is set.
type wafStatement struct {
	OrStatement               *wafAny       `pulumi:"orStatement"`
	ByteMatchStatement        *wafByteMatch `pulumi:"byteMatchStatement"`
	RateBasedStatement        *wafRate      `pulumi:"rateBasedStatement"`
	ManagedRuleGroupStatement *wafGroup     `pulumi:"managedRuleGroupStatement"`
}

type wafAny struct {
	Statements []wafStatement `pulumi:"statements"`
}

type wafByteMatch struct {
	FieldToMatch         wafField       `pulumi:"fieldToMatch"`
	PositionalConstraint string         `pulumi:"positionalConstraint"`
	SearchString         string         `pulumi:"searchString"`
	TextTransformations  []wafTransform `pulumi:"textTransformations"`
}

type wafField struct {
	URIPath *empty `pulumi:"uriPath"`
}

type wafTransform struct {
	Priority int    `pulumi:"priority"`
	Type     string `pulumi:"type"`
}

type wafRate struct {
	AggregateKeyType    string `pulumi:"aggregateKeyType"`
	EvaluationWindowSec int    `pulumi:"evaluationWindowSec"`
	Limit               int    `pulumi:"limit"`
}

type wafGroup struct {
	VendorName          string        `pulumi:"vendorName"`
	Name                string        `pulumi:"name"`
	RuleActionOverrides []wafOverride `pulumi:"ruleActionOverrides"`
}

type wafOverride struct {
	Name        string    `pulumi:"name"`
	ActionToUse wafAction `pulumi:"actionToUse"`
}

// tooManyRequestsKey names the body of the answer to an address over its limit.
const tooManyRequestsKey = "too-many-requests"

// tooManyRequests is that body, in OpenAI's shape.
func tooManyRequests() wafBody {
	return wafBody{Key: tooManyRequestsKey, ContentType: "APPLICATION_JSON", Content: `{"error":{"message":` +
		`"Too many requests from this address.","type":"requests","param":null,"code":"rate_limit_exceeded"}}`}
}

// wafRules are evaluated in order, until one allows or blocks. Health checks
// pass before anything else: a region must not look sick because of a rule.
func wafRules(addressLimit int) []wafRule {
	return []wafRule{
		{
			Name: "health", Priority: 0, Action: &wafAction{Allow: &empty{}}, VisibilityConfig: visible("health"),
			// Requests to the API's own endpoint have the stage in their path.
			Statement: wafStatement{OrStatement: &wafAny{Statements: []wafStatement{
				pathIs(contract.HealthPath), pathIs("/" + StageName + contract.HealthPath),
			}}},
		},
		{
			Name: "address-limit", Priority: 1, VisibilityConfig: visible("address-limit"),
			// 429 and not WAF's own 403, so that clients wait and try again.
			Action: &wafAction{Block: &wafBlock{CustomResponse: wafResponse{
				ResponseCode: 429, CustomResponseBodyKey: tooManyRequestsKey,
				ResponseHeaders: []wafHeader{{Name: "Retry-After", Value: "60"}},
			}}},
			Statement: wafStatement{RateBasedStatement: &wafRate{AggregateKeyType: "IP", EvaluationWindowSec: 300, Limit: addressLimit}},
		},
		{
			Name: "common", Priority: 2, OverrideAction: &wafAction{None: &empty{}}, VisibilityConfig: visible("common"),
			Statement: wafStatement{ManagedRuleGroupStatement: commonRules()},
		},
	}
}

// commonRules is AWS's core rule set, with every rule about bodies set to count:
// prompts are longer than 8 KB, and may well speak of scripts, paths and URLs.
// Source: https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
func commonRules() *wafGroup {
	group := &wafGroup{VendorName: "AWS", Name: "AWSManagedRulesCommonRuleSet"}
	for _, rule := range []string{
		"SizeRestrictions_BODY", "EC2MetaDataSSRF_BODY", "GenericLFI_BODY", "GenericRFI_BODY", "CrossSiteScripting_BODY",
	} {
		group.RuleActionOverrides = append(group.RuleActionOverrides, wafOverride{rule, wafAction{Count: &empty{}}})
	}
	return group
}

func pathIs(path string) wafStatement {
	return wafStatement{ByteMatchStatement: &wafByteMatch{
		FieldToMatch: wafField{URIPath: &empty{}}, PositionalConstraint: "EXACTLY", SearchString: path,
		TextTransformations: []wafTransform{{Priority: 0, Type: "NONE"}},
	}}
}

func visible(metric string) wafVisibility {
	return wafVisibility{MetricName: metric, CloudwatchMetricsEnabled: true}
}
