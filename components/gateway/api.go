package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/crossregion/crossregion/components/invoker"
	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// apiType is part of every child's URN. Changing it replaces deployed
// resources unless the old token is kept as an alias.
const apiType = "crossregion:gateway:RegionalAPI"

// stageName is the only stage: another would be another stack.
const stageName = "live"

// RegionalAPI is one region's REST API, and with a domain its custom domains:
// the name that all regions share, and the wildcard under it that names this
// region alone.
type RegionalAPI struct {
	pulumi.ResourceState

	// URL is the address of the API on its own endpoint, with the stage. With
	// a domain that endpoint is off.
	URL pulumi.StringOutput `pulumi:"url"`
	// Shared is the target of an alias record for the shared name. Nil without
	// a domain.
	Shared *Target
	// Wildcard is the target of alias records for names under the shared one.
	// Nil without a domain.
	Wildcard *Target
}

// Target is what an alias record points to.
type Target struct {
	Name   pulumi.StringOutput // DNS name
	ZoneID pulumi.StringOutput // hosted zone of that name, API Gateway's own
}

// Domain is the shared name of a stack in one region.
type Domain struct {
	// Name is shared by all regions, e.g. "llm.example.com". Required.
	Name string
	// Certificate covers the name and the wildcard under it. Required.
	Certificate *Certificate
}

// RegionalAPIArgs are the arguments of [NewRegionalAPI].
type RegionalAPIArgs struct {
	// Title names the API in its reference. Required.
	Title string
	// Functions serve contract's functions, by name. Required: all of them.
	Functions map[string]*invoker.Function
	// Domain gives the API its names. Default: its own endpoint only.
	Domain *Domain
}

func (a *RegionalAPIArgs) validate() error {
	if a == nil {
		return errors.New("no arguments")
	}
	var errs []error
	for _, name := range []string{contract.FunctionInvoker, contract.FunctionHealth, contract.FunctionAuthorizer} {
		if a.Functions[name] == nil {
			errs = append(errs, fmt.Errorf("missing Functions[%q]", name))
		}
	}
	if a.Domain != nil && (a.Domain.Name == "" || a.Domain.Certificate == nil) {
		errs = append(errs, errors.New("a domain needs a name and a certificate"))
	}
	return errors.Join(errs...)
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
		EndpointConfiguration:     apigateway.RestApiEndpointConfigurationArgs{Types: pulumi.String("REGIONAL")},
	}, pulumi.Parent(a))
	if err != nil {
		return nil, fmt.Errorf("api of %s: %w", name, err)
	}
	permissions, err := a.permit(ctx, name, args, api)
	if err != nil {
		return nil, err
	}
	stage, err := a.deploy(ctx, name, args, snapshot{api, body, permissions})
	if err != nil {
		return nil, err
	}
	a.URL = stage.InvokeUrl
	if args.Domain != nil {
		if err := a.name(ctx, name, args.Domain, stage); err != nil {
			return nil, err
		}
	}
	return a, ctx.RegisterResourceOutputs(a, pulumi.Map{"url": a.URL})
}

func (a *RegionalAPI) document(args *RegionalAPIArgs) pulumi.StringOutput {
	arns := pulumi.StringMap{}
	for name, f := range args.Functions {
		arns[name] = f.Arn
	}
	return arns.ToStringMapOutput().ApplyT(func(arns map[string]string) (string, error) {
		return Document{Title: args.Title, Functions: arns}.OpenAPI()
	}).(pulumi.StringOutput)
}

// permit lets this API, and nobody else, invoke the functions.
func (a *RegionalAPI) permit(ctx *pulumi.Context, name string, args *RegionalAPIArgs, api *apigateway.RestApi) ([]pulumi.Resource, error) {
	sources := map[string]string{
		contract.FunctionInvoker:    "/" + stageName + "/*",
		contract.FunctionHealth:     "/" + stageName + "/GET" + contract.HealthPath,
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

// snapshot is what goes into service together.
type snapshot struct {
	api         *apigateway.RestApi
	body        pulumi.StringOutput
	permissions []pulumi.Resource // without them the API answers nothing but errors
}

// deploy puts the document into service. A deployment is a snapshot that does
// not notice a changed document by itself, and its successor must exist before
// it goes: a stage cannot be without one. Whether its own endpoint is off may
// also take effect with a deployment only.
func (a *RegionalAPI) deploy(ctx *pulumi.Context, name string, args *RegionalAPIArgs, s snapshot) (*apigateway.Stage, error) {
	digest := s.body.ApplyT(func(body string) string {
		sum := sha256.Sum256([]byte(body))
		return hex.EncodeToString(sum[:])
	}).(pulumi.StringOutput)
	deployment, err := apigateway.NewDeployment(ctx, name+"-deployment", &apigateway.DeploymentArgs{
		RestApi:  s.api.ID(),
		Triggers: pulumi.StringMap{"document": digest, "ownEndpoint": pulumi.String(strconv.FormatBool(args.Domain == nil))},
	}, pulumi.Parent(a))
	if err != nil {
		return nil, fmt.Errorf("deployment of %s: %w", name, err)
	}
	stage, err := apigateway.NewStage(ctx, name+"-stage", &apigateway.StageArgs{
		RestApi: s.api.ID(), Deployment: deployment.ID(), StageName: pulumi.String(stageName),
	}, pulumi.Parent(a), pulumi.DependsOn(s.permissions))
	if err != nil {
		return nil, fmt.Errorf("stage of %s: %w", name, err)
	}
	return stage, nil
}

// name gives the API the shared name and the wildcard under it: an alias
// record must bear the name of one of the API's custom domains.
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html
func (a *RegionalAPI) name(ctx *pulumi.Context, name string, domain *Domain, stage *apigateway.Stage) error {
	for _, d := range []struct {
		role, name string
		target     **Target
	}{{"shared", domain.Name, &a.Shared}, {"wildcard", "*." + domain.Name, &a.Wildcard}} {
		custom, err := apigateway.NewDomainName(ctx, name+"-"+d.role, &apigateway.DomainNameArgs{
			DomainName:             pulumi.String(d.name),
			EndpointConfiguration:  apigateway.DomainNameEndpointConfigurationArgs{Types: pulumi.String("REGIONAL")},
			RegionalCertificateArn: domain.Certificate.Arn,
			// Route 53's health checkers cannot speak TLS 1.3 alone.
			SecurityPolicy: pulumi.String("TLS_1_2"),
		}, pulumi.Parent(a))
		if err != nil {
			return fmt.Errorf("domain %s of %s: %w", d.name, name, err)
		}
		_, err = apigateway.NewBasePathMapping(ctx, name+"-"+d.role+"-mapping", &apigateway.BasePathMappingArgs{
			DomainName: custom.DomainName, RestApi: stage.RestApi, StageName: stage.StageName,
		}, pulumi.Parent(a))
		if err != nil {
			return fmt.Errorf("mapping of %s to %s: %w", d.name, name, err)
		}
		*d.target = &Target{Name: custom.RegionalDomainName, ZoneID: custom.RegionalZoneId}
	}
	return nil
}
