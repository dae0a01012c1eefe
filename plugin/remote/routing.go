package remote

import (
	"github.com/crossregion/crossregion/components/gateway"
	"github.com/crossregion/crossregion/components/routing"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

type routedRegion struct {
	Name           string             `pulumi:"name"`
	WildcardName   pulumi.StringInput `pulumi:"wildcardName"`
	WildcardZoneID pulumi.StringInput `pulumi:"wildcardZoneId"`
	Partner        string             `pulumi:"partner"`
}

// Annotate implements infer.Annotated.
func (r *routedRegion) Annotate(a infer.Annotator) {
	a.SetToken("routing", "Region")
	a.Describe(&r, "One region of a name.")
	a.Describe(&r.WildcardName, "Output wildcardName of the region's RegionalAPI.")
	a.Describe(&r.WildcardZoneID, "Output wildcardZoneId of the region's RegionalAPI.")
	a.Describe(&r.Partner, "Region that takes over this one's clients.")
}

func (r *routedRegion) of() routing.Region {
	target := &gateway.Target{Name: r.WildcardName.ToStringOutput(), ZoneID: r.WildcardZoneID.ToStringOutput()}
	return routing.Region{Name: r.Name, API: &gateway.RegionalAPI{Shared: target, Wildcard: target}, Partner: r.Partner}
}

type checks struct {
	IntervalSeconds int      `pulumi:"intervalSeconds,optional"`
	Threshold       int      `pulumi:"threshold,optional"`
	CheckerRegions  []string `pulumi:"checkerRegions,optional"`
}

// Annotate implements infer.Annotated.
func (c *checks) Annotate(a infer.Annotator) {
	a.SetToken("routing", "Checks")
	a.Describe(&c, "How Route 53 probes regions.")
	a.Describe(&c.IntervalSeconds, "Time between two probes of one checker, 10 or 30. Default: 30.")
	a.Describe(&c.Threshold, "Probes in a row that change a checker's mind, 1 to 10. Default: 3.")
	a.Describe(&c.CheckerRegions, "Where probes come from, three at least. Default: all that Route 53 has.")
}

func (c *checks) of() routing.Checks {
	if c == nil {
		return routing.Checks{}
	}
	return routing.Checks{IntervalSeconds: c.IntervalSeconds, Threshold: c.Threshold, CheckerRegions: c.CheckerRegions}
}

type routingArgs struct {
	Domain    string         `pulumi:"domain"`
	ZoneID    string         `pulumi:"zoneId"`
	Regions   []routedRegion `pulumi:"regions"`
	DualStack bool           `pulumi:"dualStack,optional"`
	Checks    *checks        `pulumi:"checks,optional"`
}

// Annotate implements infer.Annotated.
func (r *routingArgs) Annotate(a infer.Annotator) {
	a.Describe(&r.Domain, "The shared name.")
	a.Describe(&r.ZoneID, "Hosted zone of the name.")
	a.Describe(&r.Regions, "Regions that serve the name. Two at least.")
	a.Describe(&r.DualStack, "Every region's API has IPv6 addresses too. Default: IPv4 only.")
	a.Describe(&r.Checks, "How regions are probed. Default: see its fields.")
}

func newGlobalRouting(ctx *pulumi.Context, name string, args routingArgs, opts ...pulumi.ResourceOption) (*routing.GlobalRouting, error) {
	var regions []routing.Region
	for _, r := range args.Regions {
		regions = append(regions, r.of())
	}
	return routing.NewGlobalRouting(ctx, name, &routing.GlobalRoutingArgs{
		Domain: args.Domain, ZoneID: args.ZoneID, Regions: regions, DualStack: args.DualStack, Checks: args.Checks.of(),
	}, opts...)
}

type frontDoorArgs struct {
	Name      string   `pulumi:"name"`
	ZoneID    string   `pulumi:"zoneId"`
	Target    string   `pulumi:"target"`
	Locations []string `pulumi:"locations,optional"`
	Default   bool     `pulumi:"default,optional"`
}

// Annotate implements infer.Annotated.
func (f *frontDoorArgs) Annotate(a infer.Annotator) {
	a.Describe(&f.Name, "What the stacks share. It cannot be the name of its hosted zone.")
	a.Describe(&f.ZoneID, "Hosted zone of the name.")
	a.Describe(&f.Target, "Domain of the stack's GlobalRouting, on which the front door should depend (dependsOn).")
	a.Describe(&f.Locations, "Countries whose clients get this stack, by ISO 3166 code in capitals. Required without default.")
	a.Describe(&f.Default, "Sends here whoever no stack lists. One stack at most has it.")
}

func newFrontDoor(ctx *pulumi.Context, name string, args frontDoorArgs, opts ...pulumi.ResourceOption) (*routing.FrontDoor, error) {
	return routing.NewFrontDoor(ctx, name, &routing.FrontDoorArgs{
		Name: args.Name, ZoneID: args.ZoneID, Target: routing.Elsewhere(args.Target), Locations: args.Locations, Default: args.Default,
	}, opts...)
}
