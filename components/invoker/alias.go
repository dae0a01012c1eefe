package invoker

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// aliasName is the alias that callers invoke, so that a version can be moved
// under them.
const aliasName = "live"

// Canary keeps a former version in service beside a new one.
type Canary struct {
	// Version is the former one, e.g. "7". Required.
	Version string
	// Percent of calls go to the new version, 0 to 99. The rest go to Version.
	Percent int
}

func (c *Canary) validate() error {
	switch {
	case c == nil:
		return nil
	case c.Version == "":
		return errors.New("the canary names no former version")
	case c.Percent < 0 || c.Percent > 99:
		return fmt.Errorf("the canary's share is %d %%: give 0 to 99", c.Percent)
	}
	return nil
}

// newAlias registers what callers invoke: the function's newest version, or for
// a while the former one, with the newest for some of the calls.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
func newAlias(ctx *pulumi.Context, name string, fn *lambda.Function, canary *Canary, opts ...pulumi.ResourceOption) (*lambda.Alias, error) {
	args := &lambda.AliasArgs{FunctionName: fn.Name, FunctionVersion: fn.Version, Name: pulumi.String(aliasName)}
	if canary != nil {
		args.FunctionVersion = pulumi.String(canary.Version)
		args.RoutingConfig = canary.routing(fn.Version)
	}
	return lambda.NewAlias(ctx, name, args, opts...)
}

// routing gives a share of the calls to the newest version, unless that is the
// former one: nothing was published.
func (c *Canary) routing(newest pulumi.StringOutput) lambda.AliasRoutingConfigPtrInput {
	return newest.ApplyT(func(newest string) *lambda.AliasRoutingConfig {
		if newest == c.Version || c.Percent == 0 {
			return nil
		}
		return &lambda.AliasRoutingConfig{AdditionalVersionWeights: map[string]float64{newest: float64(c.Percent) / 100}}
	}).(lambda.AliasRoutingConfigPtrOutput)
}
