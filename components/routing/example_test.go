package routing_test

import (
	"fmt"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/routing"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// One name over three regions, probed every ten seconds, and a front door that
// sends two countries to it.
func Example() {
	checks := routing.Checks{IntervalSeconds: 10}
	rec := componenttest.New(nil)
	err := rec.Run(func(ctx *pulumi.Context) error {
		apis, home, err := european().serve(ctx)
		if err != nil {
			return err
		}
		stack, err := routing.NewGlobalRouting(ctx, "routing", &routing.GlobalRoutingArgs{
			Domain: "eu.example.com", ZoneID: zoneID, Checks: checks,
			Regions: []routing.Region{
				{Name: "eu-central-1", API: apis.Regions[0].API, Partner: "eu-west-1"},
				{Name: "eu-west-1", API: apis.Regions[1].API, Partner: "eu-central-1"},
				{Name: "eu-north-1", API: apis.Regions[2].API, Partner: "eu-west-1"},
			},
		}, home)
		if err != nil {
			return err
		}
		_, err = routing.NewFrontDoor(ctx, "door", &routing.FrontDoorArgs{
			Name: "llm.example.com", ZoneID: zoneID, Target: stack, Locations: []string{"DE", "IE"},
		}, home)
		return err
	})
	z := newZone(rec)
	fmt.Println(err)
	fmt.Println(z.resolve("llm.example.com", viewer{"eu-west-1", "IE"}, world{}))
	fmt.Println(z.resolve("llm.example.com", viewer{"eu-west-1", "IE"}, world{"eu-west-1": drained}))
	fmt.Println("after", checks.Window(), "at the latest")
	// Output:
	// <nil>
	// eu-west-1-gateway-wildcard.aws
	// eu-central-1-gateway-wildcard.aws
	// after 1m58s at the latest
}
