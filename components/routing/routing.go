// Package routing makes one name out of a stack's regions: Route 53 sends each
// client to the nearest region that is healthy.
package routing

import (
	"errors"
	"fmt"

	"github.com/crossregion/crossregion/components/gateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// routingType is part of every child's URN. Changing it replaces deployed
// resources unless the old token is kept as an alias.
const routingType = "crossregion:routing:GlobalRouting"

// GlobalRouting is the records and health checks of a stack's name. The name
// itself answers by latency among healthy regions; {region}.name is one region
// and never another, for health checks to probe and operators to pin to.
type GlobalRouting struct {
	pulumi.ResourceState

	// Endpoint is the URL that clients use, without a path.
	Endpoint pulumi.StringOutput `pulumi:"endpoint"`
}

// Region is one region of a name.
type Region struct {
	// Name of the region. Required.
	Name string
	// API serves the region; it must have a domain. Required.
	API *gateway.RegionalAPI
}

// GlobalRoutingArgs are the arguments of [NewGlobalRouting].
type GlobalRoutingArgs struct {
	// Domain is the shared name. Required.
	Domain string
	// ZoneID is the hosted zone of the name. Required.
	ZoneID string
	// Regions that serve the name. At least one.
	Regions []Region
	// HealthPath answers 2xx while its region can serve. Required; it must not
	// need a credential.
	HealthPath string
}

func (a *GlobalRoutingArgs) validate() error {
	if a == nil || a.Domain == "" || a.ZoneID == "" || a.HealthPath == "" || len(a.Regions) == 0 {
		return errors.New("missing Domain, ZoneID, HealthPath or Regions")
	}
	var errs []error
	for _, r := range a.Regions {
		if r.API == nil || r.API.Shared == nil || r.API.Wildcard == nil {
			errs = append(errs, fmt.Errorf("region %q needs an API with a domain", r.Name))
		}
	}
	return errors.Join(errs...)
}

// NewGlobalRouting registers a GlobalRouting and its children.
func NewGlobalRouting(ctx *pulumi.Context, name string, args *GlobalRoutingArgs, opts ...pulumi.ResourceOption) (*GlobalRouting, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("routing.GlobalRouting %s: %w", name, err)
	}
	g := &GlobalRouting{}
	if err := ctx.RegisterComponentResourceV2(routingType, name, pulumi.Map{"domain": pulumi.String(args.Domain)}, g, opts...); err != nil {
		return nil, err
	}
	for _, r := range args.Regions {
		if err := g.route(ctx, name+"-"+r.Name, args, r); err != nil {
			return nil, fmt.Errorf("routing %s to %s: %w", args.Domain, r.Name, err)
		}
	}
	g.Endpoint = pulumi.String("https://" + args.Domain).ToStringOutput()
	return g, ctx.RegisterResourceOutputs(g, pulumi.Map{"endpoint": g.Endpoint})
}

// route registers one region's health check and records. The check probes the
// region's own name: on the shared name it would probe whoever is nearest to
// the checker.
//
// Nothing is routed to a region before all of its API exists, and the records
// go before any of it does: a new health check starts healthy, so it would not
// keep clients away.
func (g *GlobalRouting) route(ctx *pulumi.Context, name string, args *GlobalRoutingArgs, r Region) error {
	own := r.Name + "." + args.Domain
	record, err := route53.NewRecord(ctx, name+"-own", &route53.RecordArgs{
		ZoneId: pulumi.String(args.ZoneID), Name: pulumi.String(own), Type: pulumi.String("A"),
		Aliases: alias(r.API.Wildcard, false),
	}, pulumi.Parent(g), pulumi.DependsOn([]pulumi.Resource{r.API}))
	if err != nil {
		return err
	}
	check, err := route53.NewHealthCheck(ctx, name+"-health", &route53.HealthCheckArgs{
		Type: pulumi.String("HTTPS"), Fqdn: pulumi.String(own), Port: pulumi.Int(443),
		ResourcePath: pulumi.String(args.HealthPath), RequestInterval: pulumi.Int(30), FailureThreshold: pulumi.Int(3),
	}, pulumi.Parent(g), pulumi.DependsOn([]pulumi.Resource{record}))
	if err != nil {
		return err
	}
	_, err = route53.NewRecord(ctx, name+"-latency", &route53.RecordArgs{
		ZoneId: pulumi.String(args.ZoneID), Name: pulumi.String(args.Domain), Type: pulumi.String("A"),
		Aliases:                alias(r.API.Shared, true),
		SetIdentifier:          pulumi.String(r.Name),
		HealthCheckId:          check.ID(),
		LatencyRoutingPolicies: route53.RecordLatencyRoutingPolicyArray{route53.RecordLatencyRoutingPolicyArgs{Region: pulumi.String(r.Name)}},
	}, pulumi.Parent(g), pulumi.DependsOn([]pulumi.Resource{r.API}))
	return err
}

func alias(t *gateway.Target, evaluate bool) route53.RecordAliasArray {
	return route53.RecordAliasArray{route53.RecordAliasArgs{
		Name: t.Name, ZoneId: t.ZoneID, EvaluateTargetHealth: pulumi.Bool(evaluate),
	}}
}
