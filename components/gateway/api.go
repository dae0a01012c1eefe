package gateway

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/crossregion/crossregion/components/invoker"
	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// apiType is part of every child's URN. Changing it replaces deployed
// resources unless the old token is kept as an alias.
const apiType = "crossregion:gateway:RegionalAPI"

// StageName is the only stage: another would be another stack.
const StageName = "live"

// RegionalAPI is one region's REST API, and with a domain its custom domains:
// the name that all regions share, and the wildcard under it that names this
// region alone.
type RegionalAPI struct {
	pulumi.ResourceState

	// URL is the address of the API on its own endpoint, with the stage. With
	// a domain that endpoint is off.
	URL pulumi.StringOutput `pulumi:"url"`
	// Name is the API's name, the dimension ApiName of its metrics.
	Name pulumi.StringOutput `pulumi:"name"`
	// StageArn is the ARN of the stage [StageName], which a firewall attaches to.
	StageArn pulumi.StringOutput `pulumi:"stageArn"`
	// Shared is the target of an alias record for the shared name. Nil without
	// a domain.
	Shared *Target
	// Wildcard is the target of alias records for names under the shared one.
	// Nil without a domain.
	Wildcard *Target

	parts []pulumi.Resource
}

// Parts are what must exist before the API answers as it should. Records that
// lead to it depend on them one by one: a component that is depended upon
// stands for the children that happen to be registered by then.
func (a *RegionalAPI) Parts() []pulumi.Resource { return slices.Clone(a.parts) }

// RegionalAPIArgs are the arguments of [NewRegionalAPI].
type RegionalAPIArgs struct {
	// Title names the API in its reference. Required.
	Title string
	// Functions serve contract's functions, by name. Required: all that
	// [Credentials.Functions] names.
	Functions map[string]*invoker.Function
	// Credentials say what callers prove themselves with. Default: API keys.
	Credentials Credentials
	// Domain gives the API its names. Default: its own endpoint only.
	Domain *Domain
	// DualStack lets clients come by IPv6 too. Default: IPv4 only.
	// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-ip-address-type.html
	DualStack bool
	// RateLimit is how many requests a second each method of the API takes.
	// Default: 100.
	RateLimit float64
	// BurstLimit is how many requests at once each method takes. Default: 200.
	BurstLimit int
	// AccessLogs writes a line for each request. Default: none.
	AccessLogs *AccessLogs
}

func (a *RegionalAPIArgs) validate() error {
	if a == nil {
		return errors.New("no arguments")
	}
	var errs []error
	for _, name := range a.Credentials.Functions() {
		if a.Functions[name] == nil {
			errs = append(errs, fmt.Errorf("missing Functions[%q]", name))
		}
	}
	if a.RateLimit < 0 || a.BurstLimit < 0 {
		errs = append(errs, fmt.Errorf("RateLimit %v or BurstLimit %d is negative", a.RateLimit, a.BurstLimit))
	}
	return errors.Join(append(errs, a.Domain.validate())...)
}

// ipAddressType is always told: the AWS provider leaves as it is what it is not
// told, so that IPv6 would stay where it was once switched on.
// Source: https://github.com/hashicorp/terraform-provider-aws (internal/service/apigateway/rest_api.go)
func (a *RegionalAPIArgs) ipAddressType() pulumi.StringPtrInput {
	if a.DualStack {
		return pulumi.String("dualstack")
	}
	return pulumi.String("ipv4")
}

// NewRegionalAPI registers a RegionalAPI and its children.
func NewRegionalAPI(ctx *pulumi.Context, name string, args *RegionalAPIArgs, opts ...pulumi.ResourceOption) (*RegionalAPI, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("gateway.RegionalAPI %s: %w", name, err)
	}
	a := &RegionalAPI{}
	if err := ctx.RegisterComponentResourceV2(apiType, name, pulumi.Map{"title": pulumi.String(args.Title)}, a, opts...); err != nil {
		return nil, err
	}
	body := a.document(args)
	api, err := apigateway.NewRestApi(ctx, name+"-api", &apigateway.RestApiArgs{
		Body:                      body,
		DisableExecuteApiEndpoint: pulumi.Bool(args.Domain != nil),
		EndpointConfiguration: apigateway.RestApiEndpointConfigurationArgs{
			Types: pulumi.String("REGIONAL"), IpAddressType: args.ipAddressType(),
		},
	}, pulumi.Parent(a))
	if err != nil {
		return nil, fmt.Errorf("api of %s: %w", name, err)
	}
	permissions, err := a.permit(ctx, name, args, api)
	if err != nil {
		return nil, err
	}
	a.parts = append(a.parts, permissions...)
	stage, err := a.deploy(ctx, name, args, snapshot{api, body, permissions})
	if err != nil {
		return nil, err
	}
	a.URL, a.Name, a.StageArn = stage.InvokeUrl, api.Name, stage.Arn
	if args.Domain != nil {
		if err := a.name(ctx, name, args, stage); err != nil {
			return nil, err
		}
	}
	return a, ctx.RegisterResourceOutputs(a, pulumi.Map{"url": a.URL, "name": a.Name, "stageArn": a.StageArn})
}

func (a *RegionalAPI) document(args *RegionalAPIArgs) pulumi.StringOutput {
	arns := pulumi.StringMap{}
	for name, f := range args.Functions {
		arns[name] = f.Arn
	}
	return arns.ToStringMapOutput().ApplyT(func(arns map[string]string) (string, error) {
		return Document{Title: args.Title, Functions: arns, Credentials: args.Credentials}.OpenAPI()
	}).(pulumi.StringOutput)
}

// permit lets this API, and nobody else, invoke the functions.
func (a *RegionalAPI) permit(ctx *pulumi.Context, name string, args *RegionalAPIArgs, api *apigateway.RestApi) ([]pulumi.Resource, error) {
	sources := map[string]string{
		contract.FunctionInvoker:    "/" + StageName + "/*",
		contract.FunctionHealth:     "/" + StageName + "/GET" + contract.HealthPath,
		contract.FunctionAuthorizer: "/authorizers/*",
	}
	var permissions []pulumi.Resource
	for _, function := range slices.Sorted(maps.Keys(args.Functions)) {
		f := args.Functions[function]
		permission, err := lambda.NewPermission(ctx, name+"-"+function, &lambda.PermissionArgs{
			Action: pulumi.String("lambda:InvokeFunction"), Principal: pulumi.String("apigateway.amazonaws.com"),
			Function: f.Name, Qualifier: f.Qualifier, SourceArn: pulumi.Sprintf("%s%s", api.ExecutionArn, sources[function]),
		}, pulumi.Parent(a))
		if err != nil {
			return nil, fmt.Errorf("permission of %s to invoke %s: %w", name, function, err)
		}
		permissions = append(permissions, permission)
	}
	return permissions, nil
}
