package remote

import (
	"cmp"

	"github.com/crossregion/crossregion/components/gateway"
	"github.com/crossregion/crossregion/components/observability"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

type watchedFunction struct {
	Name                pulumi.StringInput `pulumi:"name"`
	ReservedConcurrency int                `pulumi:"reservedConcurrency,optional"`
}

// Annotate implements infer.Annotated.
func (f *watchedFunction) Annotate(a infer.Annotator) {
	a.SetToken("observability", "Function")
	a.Describe(&f, "A Lambda function to watch.")
	a.Describe(&f.Name, "Name of the function, without alias.")
	a.Describe(&f.ReservedConcurrency, "Invocations that it may have at once. Default: it shares what the account has.")
}

type watchedRegion struct {
	Name        string                        `pulumi:"name"`
	API         pulumi.StringInput            `pulumi:"api"`
	Stage       string                        `pulumi:"stage,optional"`
	Functions   map[string]watchedFunction    `pulumi:"functions"`
	Tables      map[string]pulumi.StringInput `pulumi:"tables,optional"`
	Partners    []string                      `pulumi:"partners,optional"`
	HealthCheck pulumi.StringInput            `pulumi:"healthCheck,optional"`
}

// Annotate implements infer.Annotated.
func (r *watchedRegion) Annotate(a infer.Annotator) {
	a.SetToken("observability", "Region")
	a.Describe(&r, "What there is to watch in one region.")
	a.Describe(&r.API, "Name of the REST API.")
	a.Describe(&r.Stage, "Name of the API's stage. Default: \"live\", that of a RegionalAPI.")
	a.Describe(&r.Functions, "Functions by the role that they play. At least one.")
	a.Describe(&r.Tables, "Names of global tables with a replica here, by the role that they play. Default: none.")
	a.Describe(&r.Partners, "Regions towards which replication is watched. Default: none.")
	a.Describe(&r.HealthCheck, "ID of the region's health check. Default: none.")
}

func (r *watchedRegion) of() observability.Region {
	functions := map[string]observability.Function{}
	for part, f := range r.Functions {
		functions[part] = observability.Function{Name: f.Name, ReservedConcurrency: f.ReservedConcurrency}
	}
	return observability.Region{
		Name: r.Name, API: r.API, Stage: cmp.Or(r.Stage, gateway.StageName), Functions: functions,
		Tables: r.Tables, Partners: r.Partners, HealthCheck: r.HealthCheck,
	}
}

func watched(regions []watchedRegion) []observability.Region {
	var all []observability.Region
	for _, r := range regions {
		all = append(all, r.of())
	}
	return all
}

type alarmsArgs struct {
	Stack            string             `pulumi:"stack"`
	Region           string             `pulumi:"region"`
	Regions          []watchedRegion    `pulumi:"regions"`
	FirstTokenMillis int                `pulumi:"firstTokenMillis,optional"`
	ConcurrencyLimit int                `pulumi:"concurrencyLimit,optional"`
	KeyArn           pulumi.StringInput `pulumi:"keyArn,optional"`
	Emails           []string           `pulumi:"emails,optional"`
}

// Annotate implements infer.Annotated.
func (r *alarmsArgs) Annotate(a infer.Annotator) {
	a.Describe(&r.Stack, "Name of the stack, as the invoker knows it.")
	a.Describe(&r.Region, "The one to watch, that of the provider; one of regions.")
	a.Describe(&r.Regions, "All regions of the stack.")
	a.Describe(&r.FirstTokenMillis, "Time to the first token that nine in ten streamed answers keep, in milliseconds. Default: 10000.")
	a.Describe(&r.ConcurrencyLimit, "Invocations that the account may have at once in the region. Default: 1000.")
	a.Describe(&r.KeyArn, "ARN of a customer-managed key that encrypts the topic. Default: none.")
	a.Describe(&r.Emails, "Who is told, once each has confirmed it. Default: nobody.")
}

func newRegionalAlarms(ctx *pulumi.Context, name string, args alarmsArgs, opts ...pulumi.ResourceOption) (*observability.RegionalAlarms, error) {
	return observability.NewRegionalAlarms(ctx, name, &observability.RegionalAlarmsArgs{
		Stack: args.Stack, Region: args.Region, Regions: watched(args.Regions), FirstTokenMillis: args.FirstTokenMillis,
		ConcurrencyLimit: args.ConcurrencyLimit, KeyArn: args.KeyArn, Emails: args.Emails,
	}, opts...)
}

type dashboardArgs struct {
	Stack   string          `pulumi:"stack"`
	Regions []watchedRegion `pulumi:"regions"`
	Models  []string        `pulumi:"models,optional"`
}

// Annotate implements infer.Annotated.
func (d *dashboardArgs) Annotate(a infer.Annotator) {
	a.Describe(&d.Stack, "Name of the stack: letters, digits, - and _.")
	a.Describe(&d.Regions, "Regions of the stack, in the order in which they are shown.")
	a.Describe(&d.Models, "Names that callers use. Default: none are shown apart.")
}

func newDashboard(ctx *pulumi.Context, name string, args dashboardArgs, opts ...pulumi.ResourceOption) (*observability.Dashboard, error) {
	return observability.NewDashboard(ctx, name, &observability.DashboardArgs{
		Stack: args.Stack, Regions: watched(args.Regions), Models: args.Models,
	}, opts...)
}
