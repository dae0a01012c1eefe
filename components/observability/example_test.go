package observability_test

import (
	"fmt"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/observability"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// The alarms of one region tell somebody; the dashboard shows all regions.
func Example() {
	program := func(ctx *pulumi.Context) error {
		provider, err := aws.NewProvider(ctx, "eu-west-1", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		stack := []observability.Region{{
			Name: "eu-west-1", API: pulumi.String("gateway"), Stage: "live",
			Functions: map[string]observability.Function{"invoker": {Name: pulumi.String("invoker")}},
		}}
		_, err = observability.NewRegionalAlarms(ctx, "eu-west-1-alarms", &observability.RegionalAlarmsArgs{
			Stack: ctx.Stack(), Region: "eu-west-1", Regions: stack, Emails: []string{"oncall@example.com"},
		}, pulumi.Provider(provider))
		if err != nil {
			return err
		}
		_, err = observability.NewDashboard(ctx, "dashboard", &observability.DashboardArgs{
			Stack: ctx.Stack(), Regions: stack,
		}, pulumi.Provider(provider))
		return err
	}
	rec := componenttest.New(nil)
	if err := rec.Run(program); err != nil {
		fmt.Println(err)
	}
	for _, alarm := range rec.Of("aws:cloudwatch/metricAlarm:MetricAlarm") {
		fmt.Println(alarm.Name)
	}
	// Output:
	// eu-west-1-alarms-concurrency
	// eu-west-1-alarms-createChatCompletion
	// eu-west-1-alarms-createEmbedding
	// eu-west-1-alarms-createResponse
	// eu-west-1-alarms-errors
	// eu-west-1-alarms-failovers
	// eu-west-1-alarms-first-token
	// eu-west-1-alarms-invoker-crashes
	// eu-west-1-alarms-invoker-throttled
	// eu-west-1-alarms-misconfigured
	// eu-west-1-alarms-residency
	// eu-west-1-alarms-single-copies
	// eu-west-1-alarms-throttles
	// eu-west-1-alarms-uncounted
}
