package routing

import (
	"github.com/crossregion/crossregion/components/gateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// tree is a GlobalRouting in the making. Each of its steps covers all regions
// before the next: a region's checks and records need its partner's.
type tree struct {
	*GlobalRoutingArgs
	ctx    *pulumi.Context
	name   string // of the component
	parent *GlobalRouting
	own    map[string][]pulumi.Resource    // records of a region's own name
	checks map[string]*route53.HealthCheck // of whether a region is healthy
}

func (t *tree) ownName(region string) string   { return region + "." + t.Domain }
func (t *tree) groupName(region string) string { return "failover-" + region + "." + t.Domain }

// pin registers the records of a region's own name.
func (t *tree) pin(r Region) (err error) {
	t.own[r.Name], err = t.alias(r.Name+"-own", route53.RecordArgs{
		Name: pulumi.String(t.ownName(r.Name)), Aliases: toAPI(r.API, false),
	}, r.needs()...)
	return err
}

// group registers a region's failover group, and the way to it.
//
// Nothing is routed to a region before all of its API exists, and the records
// go before any of it does: health checks that are new, or of a stack that is
// new, do not keep clients away.
func (t *tree) group(r Region) error {
	partner := t.Regions[t.index(r.Partner)]
	primary, err := t.leaf(r, "PRIMARY", r)
	if err != nil {
		return err
	}
	secondary, err := t.leaf(r, "SECONDARY", partner)
	if err != nil {
		return err
	}
	records, err := t.alias(r.Name+"-latency", route53.RecordArgs{
		Name:                   pulumi.String(t.Domain),
		Aliases:                target(pulumi.String(t.groupName(r.Name)), pulumi.String(t.ZoneID), true),
		SetIdentifier:          pulumi.String(r.Name),
		LatencyRoutingPolicies: route53.RecordLatencyRoutingPolicyArray{route53.RecordLatencyRoutingPolicyArgs{Region: pulumi.String(r.Name)}},
	}, append(primary, secondary...)...)
	t.parent.records = append(t.parent.records, records...)
	return err
}

// roles are the children of a failover group, by their part in it.
var roles = map[string]string{"PRIMARY": "primary", "SECONDARY": "secondary"}

// leaf registers one of the two records of r's failover group. Health is
// decided here and nowhere above: Route 53 backs out of a group whose leaves
// are all unhealthy. A failover alias must evaluate its target's health, which
// of an API says only whether API Gateway itself is up.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-complex-configs.html
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html
func (t *tree) leaf(r Region, role string, to Region) ([]pulumi.Resource, error) {
	return t.alias(r.Name+"-"+roles[role], route53.RecordArgs{
		Name:                    pulumi.String(t.groupName(r.Name)),
		Aliases:                 toAPI(to.API, true),
		SetIdentifier:           pulumi.String(roles[role]),
		HealthCheckId:           t.checks[to.Name].ID(),
		FailoverRoutingPolicies: route53.RecordFailoverRoutingPolicyArray{route53.RecordFailoverRoutingPolicyArgs{Type: pulumi.String(role)}},
	}, to.needs()...)
}

// needs are what must exist before clients are sent to r.
func (r Region) needs() []pulumi.Resource { return append(r.API.Parts(), r.Needs...) }

// alias registers a record for each family of addresses, once what it needs
// exists.
func (t *tree) alias(role string, args route53.RecordArgs, needs ...pulumi.Resource) ([]pulumi.Resource, error) {
	var records []pulumi.Resource
	for _, family := range []struct{ kind, suffix string }{{"A", ""}, {"AAAA", "-ipv6"}} {
		if family.kind == "AAAA" && !t.DualStack {
			continue
		}
		each := args
		each.ZoneId, each.Type = pulumi.String(t.ZoneID), pulumi.String(family.kind)
		record, err := route53.NewRecord(t.ctx, t.name+"-"+role+family.suffix, &each, pulumi.Parent(t.parent), pulumi.DependsOn(needs))
		if err != nil {
			return nil, err
		}
		records = append(records, record)
	}
	return records, nil
}

// toAPI aliases an API by its wildcard domain, which covers every name under
// the shared one: a record must bear the name of one of the API's domains.
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html
func toAPI(api *gateway.RegionalAPI, evaluate bool) route53.RecordAliasArray {
	return target(api.Wildcard.Name, api.Wildcard.ZoneID, evaluate)
}

func target(name, zoneID pulumi.StringInput, evaluate bool) route53.RecordAliasArray {
	return route53.RecordAliasArray{route53.RecordAliasArgs{Name: name, ZoneId: zoneID, EvaluateTargetHealth: pulumi.Bool(evaluate)}}
}
