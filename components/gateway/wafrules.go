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
	AggregateKeyType    string        `pulumi:"aggregateKeyType"`
	EvaluationWindowSec int           `pulumi:"evaluationWindowSec"`
	Limit               int           `pulumi:"limit"`
	ScopeDownStatement  *wafStatement `pulumi:"scopeDownStatement"` // the requests that count; nil: all
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

// healthLimit is how many health checks one address may make in five minutes. A
// checker of Route 53 makes 30 for each check, and a region has its own check and
// those of all that name it as their partner: this is room for a hundred. Beyond
// it, one address could use up what the API lets through of health checks, and
// the region would look sick.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
const healthLimit = 3000

// wafRules are evaluated in order, until one allows or blocks. Health checks
// have a limit of their own and pass before anything else: a region must not
// look sick because of a rule.
func wafRules(addressLimit int) []wafRule {
	return []wafRule{
		{
			Name: "health-limit", Priority: 0, Action: slowDown(), VisibilityConfig: visible("health-limit"),
			Statement: perAddress(healthLimit, isHealth()),
		},
		{Name: "health", Priority: 1, Action: &wafAction{Allow: &empty{}}, VisibilityConfig: visible("health"), Statement: *isHealth()},
		{
			Name: "address-limit", Priority: 2, Action: slowDown(), VisibilityConfig: visible("address-limit"),
			Statement: perAddress(addressLimit, nil),
		},
		{
			Name: "common", Priority: 3, OverrideAction: &wafAction{None: &empty{}}, VisibilityConfig: visible("common"),
			Statement: wafStatement{ManagedRuleGroupStatement: commonRules()},
		},
	}
}

// slowDown blocks with 429 and not WAF's own 403, so that clients wait and try
// again.
func slowDown() *wafAction {
	return &wafAction{Block: &wafBlock{CustomResponse: wafResponse{
		ResponseCode: 429, CustomResponseBodyKey: tooManyRequestsKey,
		ResponseHeaders: []wafHeader{{Name: "Retry-After", Value: "60"}},
	}}}
}

// perAddress matches the requests of an address over its limit in five minutes.
// A scope says which count; nil: all.
func perAddress(limit int, scope *wafStatement) wafStatement {
	return wafStatement{RateBasedStatement: &wafRate{
		AggregateKeyType: "IP", EvaluationWindowSec: 300, Limit: limit, ScopeDownStatement: scope,
	}}
}

// isHealth matches health checks. Requests to the API's own endpoint have the
// stage in their path.
func isHealth() *wafStatement {
	return &wafStatement{OrStatement: &wafAny{Statements: []wafStatement{
		pathIs(contract.HealthPath), pathIs("/" + StageName + contract.HealthPath),
	}}}
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
