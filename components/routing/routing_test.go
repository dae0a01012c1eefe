package routing_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/gateway"
	"github.com/crossregion/crossregion/components/invoker"
	"github.com/crossregion/crossregion/components/routing"
	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// deploy registers two regions' APIs and routes a name to them.
func deploy(ctx *pulumi.Context) error {
	args := &routing.GlobalRoutingArgs{Domain: "llm.example.com", ZoneID: "ZZONE", HealthPath: "/healthz"}
	var owner *gateway.Certificate
	for _, name := range []string{"eu-west-1", "eu-central-1"} {
		provider, err := aws.NewProvider(ctx, name, &aws.ProviderArgs{Region: pulumi.String(name)})
		if err != nil {
			return err
		}
		certificate := &gateway.CertificateArgs{Domain: args.Domain, Owner: owner}
		if owner == nil {
			certificate.ZoneID = args.ZoneID
		}
		cert, err := gateway.NewCertificate(ctx, name+"-certificate", certificate, pulumi.Provider(provider))
		if err != nil {
			return err
		}
		if owner == nil {
			owner = cert
		}
		api, err := newAPI(ctx, name, &gateway.Domain{Name: args.Domain, Certificate: cert}, pulumi.Provider(provider))
		if err != nil {
			return err
		}
		args.Regions = append(args.Regions, routing.Region{Name: name, API: api})
	}
	home, err := aws.NewProvider(ctx, "home", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
	if err != nil {
		return err
	}
	_, err = routing.NewGlobalRouting(ctx, "routing", args, pulumi.Provider(home))
	return err
}

func newAPI(ctx *pulumi.Context, region string, domain *gateway.Domain, provider pulumi.ResourceOption) (*gateway.RegionalAPI, error) {
	functions := map[string]*invoker.Function{}
	for _, name := range []string{contract.FunctionInvoker, contract.FunctionHealth, contract.FunctionAuthorizer} {
		f, err := invoker.NewFunction(ctx, region+"-"+name, &invoker.FunctionArgs{
			Code: pulumi.NewFileArchive("function.zip"), Platform: invoker.DefaultPlatform, Environment: pulumi.StringMap{},
		}, provider)
		if err != nil {
			return nil, err
		}
		functions[name] = f
	}
	return gateway.NewRegionalAPI(ctx, region+"-gateway", &gateway.RegionalAPIArgs{Title: "test", Functions: functions, Domain: domain}, provider)
}

func TestRouting(t *testing.T) {
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(deploy))
	rec.CheckComponents(t)
	for _, region := range []string{"eu-west-1", "eu-central-1"} {
		latency := rec.One(t, "aws:route53/record:Record", "routing-"+region+"-latency").Inputs
		assert.Equal(t, "llm.example.com", latency["name"].StringValue())
		assert.Equal(t, region, latency["setIdentifier"].StringValue())
		assert.Equal(t, "routing-"+region+"-health-id", latency["healthCheckId"].StringValue())
		assert.Equal(t, region+"-gateway-shared.aws", latency["aliases"].ArrayValue()[0].ObjectValue()["name"].StringValue())

		own := rec.One(t, "aws:route53/record:Record", "routing-"+region+"-own").Inputs
		assert.Equal(t, region+".llm.example.com", own["name"].StringValue())
		assert.Equal(t, region+"-gateway-wildcard.aws", own["aliases"].ArrayValue()[0].ObjectValue()["name"].StringValue())
		assert.False(t, own.HasValue("setIdentifier"), "a region's own name never fails over")

		check := rec.One(t, "aws:route53/healthCheck:HealthCheck", "routing-"+region+"-health").Inputs
		assert.Equal(t, region+".llm.example.com", check["fqdn"].StringValue(), "a check on the shared name probes whoever is nearest")
		assert.Equal(t, "/healthz", check["resourcePath"].StringValue())
		assert.Equal(t, "HTTPS", check["type"].StringValue())
		assert.Equal(t, 443.0, check["port"].NumberValue())
		assert.Equal(t, 30.0, check["requestInterval"].NumberValue(), "the detection window is made of this")
		assert.Equal(t, 3.0, check["failureThreshold"].NumberValue(), "the detection window is made of this")
		assert.True(t, latency["aliases"].ArrayValue()[0].ObjectValue()["evaluateTargetHealth"].BoolValue())
	}
}

// TestNothingIsRoutedToHalfARegion: a new health check starts healthy, so only
// the order of creation keeps clients away from an API that is not there yet.
func TestNothingIsRoutedToHalfARegion(t *testing.T) {
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(deploy))
	for _, region := range []string{"eu-west-1", "eu-central-1"} {
		latency := rec.One(t, "aws:route53/record:Record", "routing-"+region+"-latency")
		stage := rec.One(t, "aws:apigateway/stage:Stage", region+"-gateway-stage")
		for _, needed := range []string{"-gateway-stage", "-gateway-shared-mapping", "-gateway-invoker", "-gateway-authorizer"} {
			assert.Contains(t, latency.DependsOn, region+needed)
		}
		assert.Contains(t, stage.DependsOn, region+"-gateway-invoker", "a stage without permissions answers errors only")
		check := rec.One(t, "aws:route53/healthCheck:HealthCheck", "routing-"+region+"-health")
		assert.Contains(t, check.DependsOn, "routing-"+region+"-own", "a check of a name that is not there yet fails")
	}
}

// TestOneRecordProvesTheDomain since ACM asks for the same one in every
// region, and a second would be refused.
func TestOneRecordProvesTheDomain(t *testing.T) {
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(deploy))
	var proofs []string
	for _, r := range rec.Of("aws:route53/record:Record") {
		if r.Inputs["type"].StringValue() == "CNAME" {
			proofs = append(proofs, r.Name)
		}
	}
	assert.Equal(t, []string{"eu-west-1-certificate-record"}, proofs)
	for _, region := range []string{"eu-west-1", "eu-central-1"} {
		validation := rec.One(t, "aws:acm/certificateValidation:CertificateValidation", region+"-certificate-validation")
		assert.Equal(t, region, validation.Region)
		assert.Equal(t, "eu-west-1-certificate-record.fqdn", validation.Inputs["validationRecordFqdns"].ArrayValue()[0].StringValue())
		cert := rec.One(t, "aws:acm/certificate:Certificate", region+"-certificate-cert").Inputs
		assert.Equal(t, "*.llm.example.com", cert["subjectAlternativeNames"].ArrayValue()[0].StringValue())
	}
}

func TestTheAPIIsReachedThroughItsNamesOnly(t *testing.T) {
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(deploy))
	for _, api := range rec.Of("aws:apigateway/restApi:RestApi") {
		assert.True(t, api.Inputs["disableExecuteApiEndpoint"].BoolValue(), api.Name)
		assert.Equal(t, "REGIONAL", api.Inputs["endpointConfiguration"].ObjectValue()["types"].StringValue())
	}
	for _, d := range rec.Of("aws:apigateway/domainName:DomainName") {
		assert.Equal(t, "TLS_1_2", d.Inputs["securityPolicy"].StringValue(), "%s: health checkers need TLS 1.2", d.Name)
	}
}

func TestOnlyTheAPIMayInvoke(t *testing.T) {
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(deploy))
	permissions := rec.Of("aws:lambda/permission:Permission")
	require.Len(t, permissions, 6)
	for _, p := range permissions {
		assert.Equal(t, "apigateway.amazonaws.com", p.Inputs["principal"].StringValue())
		assert.Equal(t, "live", p.Inputs["qualifier"].StringValue(), "%s permits the alias, and nothing else", p.Name)
		function := p.Name[strings.LastIndexByte(p.Name, '-')+1:]
		want := fmt.Sprintf("arn:aws:test:%s:%s:thing:%s-gateway-api:live%s", p.Region, componenttest.Account, p.Region, map[string]string{
			"invoker": "/live/*", "health": "/live/GET/healthz", "authorizer": "/authorizers/*",
		}[function])
		assert.Equal(t, want, p.Inputs["sourceArn"].StringValue(), "%s names the API, and no more of it than it serves", p.Name)
	}
}

func TestRoutingRefuses(t *testing.T) {
	tests := []struct {
		name string
		args *routing.GlobalRoutingArgs
		want string
	}{
		{"no arguments", nil, "missing Domain"},
		{"no region", &routing.GlobalRoutingArgs{Domain: "d", ZoneID: "z", HealthPath: "/h"}, "missing Domain"},
		{"a region without a domain", &routing.GlobalRoutingArgs{
			Domain: "d", ZoneID: "z", HealthPath: "/h", Regions: []routing.Region{{Name: "eu-west-1", API: &gateway.RegionalAPI{}}},
		}, `region "eu-west-1" needs an API with a domain`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := componenttest.New(nil).Run(func(ctx *pulumi.Context) error {
				_, err := routing.NewGlobalRouting(ctx, "routing", tt.args)
				return err
			})
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
