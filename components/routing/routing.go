// Package routing makes one name out of a stack's regions: Route 53 sends each
// client to the nearest region that is healthy, or to its partner. A front door
// puts one more name over several stacks, by the country of the client.
package routing

import (
	"errors"
	"fmt"
	"slices"

	"github.com/crossregion/crossregion/components/gateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// routingType is part of every child's URN. Changing it replaces deployed
// resources unless the old token is kept as an alias.
const routingType = "crossregion:routing:GlobalRouting"

// GlobalRouting is the records and health checks of a stack's name:
//
//	name                  by latency, to the failover group of a region
//	failover-REGION.name  the region while it is healthy, else its partner
//	REGION.name           the region and never another
//
// The last is for health checks to probe and for operators to pin to. Where a
// region and its partner are both unhealthy, the next nearest region's group
// answers; where all are, Route 53 treats all as healthy. It refuses a region
// whose partner is not another region of the name.
type GlobalRouting struct {
	pulumi.ResourceState

	// Endpoint is the URL that clients use, without a path.
	Endpoint pulumi.StringOutput `pulumi:"endpoint"`
	// HealthCheckIDs are the health checks that decide, by region. Their
	// metrics are in us-east-1, wherever the region is.
	// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-health-checks.html
	HealthCheckIDs pulumi.StringMapOutput `pulumi:"healthCheckIds"`

	domain  string
	records []pulumi.Resource // of the name itself, the last to be there
}

// Region is one region of a name.
type Region struct {
	// Name of the region. Required.
	Name string
	// API serves the region; it must have a domain. Required.
	API *gateway.RegionalAPI
	// Needs are what must exist before clients are sent to the region, besides
	// its API: a firewall, say. Default: nothing.
	Needs []pulumi.Resource
	// Partner is the region that takes over this one's clients, by name. It is
	// chosen, and not left to latency, since its capacity must be planned.
	// Required.
	Partner string
}

// GlobalRoutingArgs are the arguments of [NewGlobalRouting].
type GlobalRoutingArgs struct {
	// Domain is the shared name. Required.
	Domain string
	// ZoneID is the hosted zone of the name. Required.
	ZoneID string
	// Regions that serve the name. Two at least.
	Regions []Region
	// DualStack says that every region's API has IPv6 addresses too. There is
	// none for some: clients that prefer IPv6 would be sent to the nearest of
	// those instead of the nearest of all. Default: IPv4 only.
	DualStack bool
	// Checks says how regions are probed. Default: see its fields.
	Checks Checks
}

func (a *GlobalRoutingArgs) validate() error {
	if a == nil {
		return errors.New("no arguments")
	}
	errs := []error{a.Checks.validate()}
	if a.Domain == "" || a.ZoneID == "" {
		errs = append(errs, errors.New("missing Domain or ZoneID"))
	}
	if len(a.Regions) < 2 {
		errs = append(errs, fmt.Errorf("%d region(s): with less than two there is nowhere to fail over to", len(a.Regions)))
	}
	for i, r := range a.Regions {
		if a.index(r.Name) != i {
			errs = append(errs, fmt.Errorf("region %q is listed twice", r.Name))
		}
		if r.API == nil || r.API.Shared == nil || r.API.Wildcard == nil {
			errs = append(errs, fmt.Errorf("region %q needs an API with a domain", r.Name))
		}
		if r.Partner == r.Name || a.index(r.Partner) < 0 {
			errs = append(errs, fmt.Errorf("region %q needs another region of the name as partner, not %q", r.Name, r.Partner))
		}
	}
	return errors.Join(errs...)
}

// index returns where the region of the given name stands, -1 for nowhere.
func (a *GlobalRoutingArgs) index(name string) int {
	return slices.IndexFunc(a.Regions, func(r Region) bool { return r.Name == name })
}

// NewGlobalRouting registers a GlobalRouting and its children.
func NewGlobalRouting(ctx *pulumi.Context, name string, args *GlobalRoutingArgs, opts ...pulumi.ResourceOption) (*GlobalRouting, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("routing.GlobalRouting %s: %w", name, err)
	}
	g := &GlobalRouting{domain: args.Domain}
	if err := ctx.RegisterComponentResourceV2(routingType, name, pulumi.Map{"domain": pulumi.String(args.Domain)}, g, opts...); err != nil {
		return nil, err
	}
	t := &tree{
		GlobalRoutingArgs: args, ctx: ctx, name: name, parent: g,
		own: map[string][]pulumi.Resource{}, checks: map[string]*route53.HealthCheck{},
	}
	for _, step := range []func(Region) error{t.pin, t.check, t.group} {
		for _, r := range args.Regions {
			if err := step(r); err != nil {
				return nil, fmt.Errorf("routing %s to %s: %w", args.Domain, r.Name, err)
			}
		}
	}
	g.Endpoint = pulumi.String("https://" + args.Domain).ToStringOutput()
	g.HealthCheckIDs = t.healthCheckIDs()
	return g, ctx.RegisterResourceOutputs(g, pulumi.Map{"endpoint": g.Endpoint, "healthCheckIds": g.HealthCheckIDs})
}
