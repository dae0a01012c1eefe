package observability

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// dashboardType is part of every child's URN. Changing it replaces deployed
// resources unless the old token is kept as an alias.
const dashboardType = "crossregion:observability:Dashboard"

// Dashboard shows every region of a stack side by side. An account has its
// dashboards once, not once per region, so it survives the loss of any.
type Dashboard struct {
	pulumi.ResourceState

	// URL opens the dashboard in the console.
	URL pulumi.StringOutput `pulumi:"url"`
}

// DashboardArgs are the arguments of [NewDashboard].
type DashboardArgs struct {
	// Stack is the stack's name, as the invoker knows it. It becomes part of
	// the dashboard's name, for which AWS takes letters, digits, - and _ alone.
	// Required.
	Stack string
	// Regions of the stack, in the order in which they are shown. Required.
	Regions []Region
	// Models are the names that callers use. Default: none are shown apart.
	Models []string
}

var stackPattern = regexp.MustCompile(`^[0-9A-Za-z_-]{0,200}$`)

func (a *DashboardArgs) validate() error {
	if a == nil {
		return errors.New("no arguments")
	}
	errs := []error{validate(a.Stack, a.Regions)}
	if !stackPattern.MatchString(a.Stack) {
		errs = append(errs, fmt.Errorf("stack name %q cannot name a dashboard: use letters, digits, - and _, at most 200", a.Stack))
	}
	return errors.Join(errs...)
}

// NewDashboard registers a Dashboard and its child.
func NewDashboard(ctx *pulumi.Context, name string, args *DashboardArgs, opts ...pulumi.ResourceOption) (*Dashboard, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("observability.Dashboard %s: %w", name, err)
	}
	d := &Dashboard{}
	if err := ctx.RegisterComponentResourceV2(dashboardType, name, pulumi.Map{"stack": pulumi.String(args.Stack)}, d, opts...); err != nil {
		return nil, err
	}
	// AWS makes no name up for a dashboard, so this one is ours.
	dashboard, err := cloudwatch.NewDashboard(ctx, name+"-board", &cloudwatch.DashboardArgs{
		DashboardName: pulumi.String("crossregion-" + args.Stack), DashboardBody: args.body(),
	}, pulumi.Parent(d))
	if err != nil {
		return nil, fmt.Errorf("dashboard %s: %w", name, err)
	}
	d.URL = pulumi.Sprintf("https://console.aws.amazon.com/cloudwatch/home?region=%s#dashboards/dashboard/%s",
		args.Regions[0].Name, dashboard.DashboardName)
	return d, ctx.RegisterResourceOutputs(d, pulumi.Map{"url": d.URL})
}

// body is that of [View], once all names are known.
func (a *DashboardArgs) body() pulumi.StringOutput {
	names := pulumi.StringMap{}
	for _, r := range a.Regions {
		names[r.Name] = r.API
		if r.HealthCheck != nil {
			names[r.Name+"/health"] = r.HealthCheck
		}
		for role, f := range r.Functions {
			names[r.Name+"/function/"+role] = f.Name
		}
		for role, table := range r.Tables {
			names[r.Name+"/table/"+role] = table
		}
	}
	return names.ToStringMapOutput().ApplyT(func(names map[string]string) (string, error) {
		return a.view(names).Body()
	}).(pulumi.StringOutput)
}

func (a *DashboardArgs) view(names map[string]string) View {
	v := View{Stack: a.Stack, Models: a.Models}
	for _, r := range a.Regions {
		shown := RegionView{
			Name: r.Name, API: names[r.Name], Stage: r.Stage, HealthCheck: names[r.Name+"/health"],
			Functions: map[string]string{}, Tables: map[string]string{},
		}
		for role := range r.Functions {
			shown.Functions[role] = names[r.Name+"/function/"+role]
		}
		for role := range r.Tables {
			shown.Tables[role] = names[r.Name+"/table/"+role]
		}
		v.Regions = append(v.Regions, shown)
	}
	return v
}
