package gateway

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// webACLType is part of every child's URN. Changing it replaces deployed
// resources unless the old token is kept as an alias.
const webACLType = "crossregion:gateway:WebACL"

// Requests of one address in five minutes.
// Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based-high-level-settings.html
const (
	defaultAddressLimit = 2000
	minAddressLimit     = 10
	maxAddressLimit     = 2_000_000_000
)

// WebACL is a firewall in front of one region's API: it limits each address,
// and blocks what AWS's common rules know as attacks. Prompts pass whatever
// their size and words: rules about bodies only count. It stores no request.
type WebACL struct {
	pulumi.ResourceState

	// Arn of the web ACL.
	Arn pulumi.StringOutput `pulumi:"arn"`

	association pulumi.Resource
}

// Association is what puts the firewall before its API: clients are sent there
// no sooner.
func (w *WebACL) Association() pulumi.Resource { return w.association }

// WebACLArgs are the arguments of [NewWebACL].
type WebACLArgs struct {
	// API is what to protect. Required.
	API *RegionalAPI
	// AddressLimit is how many requests one IP address may make in five
	// minutes, 10 to 2,000,000,000. Many clients can share an address.
	// Default: 2000.
	AddressLimit int
}

func (a *WebACLArgs) validate() error {
	if a == nil || a.API == nil {
		return errors.New("missing API")
	}
	if a.AddressLimit != 0 && (a.AddressLimit < minAddressLimit || a.AddressLimit > maxAddressLimit) {
		return fmt.Errorf("AddressLimit is %d, want %d to %d", a.AddressLimit, minAddressLimit, maxAddressLimit)
	}
	return nil
}

// NewWebACL registers a WebACL and its children.
func NewWebACL(ctx *pulumi.Context, name string, args *WebACLArgs, opts ...pulumi.ResourceOption) (*WebACL, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("gateway.WebACL %s: %w", name, err)
	}
	limit := cmp.Or(args.AddressLimit, defaultAddressLimit)
	w := &WebACL{}
	if err := ctx.RegisterComponentResourceV2(webACLType, name, pulumi.Map{"addressLimit": pulumi.Int(limit)}, w, opts...); err != nil {
		return nil, err
	}
	var acl wafResource
	err := ctx.RegisterResource("aws:wafv2/webAcl:WebAcl", name+"-acl", pulumi.Map{
		"scope":                pulumi.String("REGIONAL"),
		"defaultAction":        pulumi.Any(wafAction{Allow: &empty{}}),
		"rules":                pulumi.Any(wafRules(limit)),
		"customResponseBodies": pulumi.Any([]wafBody{tooManyRequests()}),
		"visibilityConfig":     pulumi.Any(visible("requests")),
	}, &acl, pulumi.Parent(w))
	if err != nil {
		return nil, fmt.Errorf("web ACL of %s: %w", name, err)
	}
	association := &wafResource{}
	err = ctx.RegisterResource("aws:wafv2/webAclAssociation:WebAclAssociation", name+"-association", pulumi.Map{
		"resourceArn": args.API.StageArn, "webAclArn": acl.Arn,
	}, association, pulumi.Parent(w))
	if err != nil {
		return nil, fmt.Errorf("association of %s: %w", name, err)
	}
	w.Arn, w.association = acl.Arn, association
	return w, ctx.RegisterResourceOutputs(w, pulumi.Map{"arn": w.Arn})
}
