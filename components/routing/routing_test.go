package routing_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/gateway"
	"github.com/crossregion/crossregion/components/routing"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRecordsOfAName(t *testing.T) {
	rec := record(t, european())
	for _, r := range european().regions {
		region, partner := r[0], r[1]
		own := rec.One(t, recordToken, "routing-"+region+"-own").Inputs
		assert.Equal(t, region+".eu.example.com", own["name"].StringValue())
		assert.Equal(t, region+"-gateway-wildcard.aws", aliasOf(own)["name"].StringValue())
		assert.False(t, own.HasValue("setIdentifier"), "a region's own name never fails over")
		assert.False(t, own.HasValue("healthCheckId"))

		for role, to := range map[string]string{"primary": region, "secondary": partner} {
			leaf := rec.One(t, recordToken, "routing-"+region+"-"+role).Inputs
			assert.Equal(t, "failover-"+region+".eu.example.com", leaf["name"].StringValue())
			assert.Equal(t, to+"-gateway-wildcard.aws", aliasOf(leaf)["name"].StringValue(), "the wildcard covers the group's name")
			assert.True(t, aliasOf(leaf)["evaluateTargetHealth"].BoolValue(), "Route 53 refuses a failover alias without")
			assert.Equal(t, "routing-"+to+"-health-id", leaf["healthCheckId"].StringValue(), "the health is that of where it leads")
			assert.Equal(t, strings.ToUpper(role), leaf["failoverRoutingPolicies"].ArrayValue()[0].ObjectValue()["type"].StringValue())
		}

		latency := rec.One(t, recordToken, "routing-"+region+"-latency").Inputs
		assert.Equal(t, "eu.example.com", latency["name"].StringValue())
		assert.Equal(t, region, latency["setIdentifier"].StringValue())
		assert.Equal(t, "failover-"+region+".eu.example.com", aliasOf(latency)["name"].StringValue())
		assert.Equal(t, zoneID, aliasOf(latency)["zoneId"].StringValue())
		assert.True(t, aliasOf(latency)["evaluateTargetHealth"].BoolValue(), "without, no branch is ever backed out of")
		assert.False(t, latency.HasValue("healthCheckId"), "leaves decide")
	}
	for _, r := range rec.Of(recordToken) {
		assert.NotEqual(t, "AAAA", r.Inputs["type"].StringValue(), "%s leads to an API without IPv6", r.Name)
	}
}

func aliasOf(record resource.PropertyMap) resource.PropertyMap {
	return record["aliases"].ArrayValue()[0].ObjectValue()
}

// TestDualStackIsTheSameTreeTwice, so that no client is routed differently for
// the family of its addresses.
func TestDualStackIsTheSameTreeTwice(t *testing.T) {
	n := european()
	n.dual = true
	families := map[string][]resource.PropertyMap{}
	rec := record(t, n)
	for _, r := range rec.Of(recordToken) {
		if r.Parent.Name() == "routing" {
			kind := r.Inputs["type"].StringValue()
			delete(r.Inputs, "type")
			families[kind] = append(families[kind], r.Inputs)
		}
	}
	assert.Len(t, families["A"], 12)
	assert.Equal(t, families["A"], families["AAAA"])
	assert.Len(t, rec.Of(checkToken), 9, "health checks of a name use IPv4 only, and need no copy")
}

func TestOutputs(t *testing.T) {
	require.NoError(t, componenttest.New(nil).Run(func(ctx *pulumi.Context) error {
		g, err := european().route(ctx, "routing")
		if err != nil {
			return err
		}
		pulumi.All(g.Endpoint, g.HealthCheckIDs).ApplyT(func(all []any) error {
			assert.Equal(t, "https://eu.example.com", all[0])
			assert.Equal(t, map[string]string{"eu-central-1": "routing-eu-central-1-health-id",
				"eu-west-1": "routing-eu-west-1-health-id", "eu-north-1": "routing-eu-north-1-health-id"}, all[1])
			return nil
		})
		return nil
	}))
}

// TestNothingIsRoutedToHalfARegion: only the order of creation keeps clients
// away from an API that is not there yet.
func TestNothingIsRoutedToHalfARegion(t *testing.T) {
	rec := record(t, european())
	for _, r := range european().regions {
		region := r[0]
		for role, to := range map[string]string{"own": region, "primary": region, "secondary": r[1]} {
			leaf := rec.One(t, recordToken, "routing-"+region+"-"+role)
			for _, needed := range []string{"-gateway-stage", "-gateway-wildcard-mapping", "-gateway-shared-mapping", "-gateway-invoker", "-gateway-authorizer"} {
				assert.Contains(t, leaf.DependsOn, to+needed, leaf.Name)
			}
		}
		latency := rec.One(t, recordToken, "routing-"+region+"-latency")
		assert.Subset(t, latency.DependsOn, []string{"routing-" + region + "-primary", "routing-" + region + "-secondary"},
			"Route 53 refuses an alias to a record that is not there yet")
		stage := rec.One(t, "aws:apigateway/stage:Stage", region+"-gateway-stage")
		assert.Contains(t, stage.DependsOn, region+"-gateway-invoker", "a stage without permissions answers errors only")
		for role, probed := range map[string]string{"endpoint": region, "drained": r[1]} {
			check := rec.One(t, checkToken, "routing-"+region+"-"+role)
			assert.Contains(t, check.DependsOn, "routing-"+probed+"-own", "a check of a name that is not there yet fails")
		}
	}
}

// TestOneRecordProvesTheDomain since ACM asks for the same one in every
// region, and a second would be refused.
func TestOneRecordProvesTheDomain(t *testing.T) {
	rec := record(t, european())
	var proofs []string
	for _, r := range rec.Of(recordToken) {
		if r.Inputs["type"].StringValue() == "CNAME" {
			proofs = append(proofs, r.Name)
		}
	}
	assert.Equal(t, []string{"eu-central-1-certificate-record"}, proofs)
	for _, r := range european().regions {
		region := r[0]
		validation := rec.One(t, "aws:acm/certificateValidation:CertificateValidation", region+"-certificate-validation")
		assert.Equal(t, region, validation.Region)
		assert.Equal(t, "eu-central-1-certificate-record.fqdn", validation.Inputs["validationRecordFqdns"].ArrayValue()[0].StringValue())
		cert := rec.One(t, "aws:acm/certificate:Certificate", region+"-certificate-cert").Inputs
		assert.Equal(t, "*.eu.example.com", cert["subjectAlternativeNames"].ArrayValue()[0].StringValue())
	}
}

func TestTheAPIIsReachedThroughItsNamesOnly(t *testing.T) {
	rec := record(t, european())
	for _, api := range rec.Of("aws:apigateway/restApi:RestApi") {
		assert.True(t, api.Inputs["disableExecuteApiEndpoint"].BoolValue(), api.Name)
		assert.Equal(t, "REGIONAL", api.Inputs["endpointConfiguration"].ObjectValue()["types"].StringValue())
	}
	for _, d := range rec.Of("aws:apigateway/domainName:DomainName") {
		assert.Equal(t, "TLS_1_2", d.Inputs["securityPolicy"].StringValue(), "%s: health checkers need TLS 1.2", d.Name)
	}
}

func TestOnlyTheAPIMayInvoke(t *testing.T) {
	rec := record(t, european())
	permissions := rec.Of("aws:lambda/permission:Permission")
	require.Len(t, permissions, 9)
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
		name  string
		spoil func(*routing.GlobalRoutingArgs)
		want  []string
	}{
		{"no name", func(a *routing.GlobalRoutingArgs) { a.Domain = "" }, []string{"missing Domain or ZoneID"}},
		{"no zone", func(a *routing.GlobalRoutingArgs) { a.ZoneID = "" }, []string{"missing Domain or ZoneID"}},
		{"one region", func(a *routing.GlobalRoutingArgs) { a.Regions = a.Regions[:1] }, []string{"1 region(s): with less than two"}},
		{"a region twice", func(a *routing.GlobalRoutingArgs) { a.Regions[2].Name = "eu-west-1" }, []string{`region "eu-west-1" is listed twice`}},
		{"a region without a domain", func(a *routing.GlobalRoutingArgs) { a.Regions[1].API = &gateway.RegionalAPI{} },
			[]string{`region "eu-west-1" needs an API with a domain`}},
		{"its own partner", func(a *routing.GlobalRoutingArgs) { a.Regions[1].Partner = "eu-west-1" },
			[]string{`region "eu-west-1" needs another region of the name as partner, not "eu-west-1"`}},
		{"a partner outside of the stack", func(a *routing.GlobalRoutingArgs) { a.Regions[1].Partner = "us-east-1" }, []string{`not "us-east-1"`}},
		{"no partner", func(a *routing.GlobalRoutingArgs) { a.Regions[1].Partner = "" }, []string{`as partner, not ""`}},
		{"an interval of 20", func(a *routing.GlobalRoutingArgs) { a.Checks.IntervalSeconds = 20 }, []string{"probes every 20 seconds: Route 53 knows 10 and 30"}},
		{"a threshold of 11", func(a *routing.GlobalRoutingArgs) { a.Checks.Threshold = 11 }, []string{"a threshold of 11 probes"}},
		{"a threshold below 1", func(a *routing.GlobalRoutingArgs) { a.Checks.Threshold = -1 }, []string{"a threshold of -1 probes"}},
		{"two checker regions", func(a *routing.GlobalRoutingArgs) { a.Checks.CheckerRegions = []string{"us-east-1", "eu-west-1"} },
			[]string{"name three different regions at least"}},
		{"a checker region twice", func(a *routing.GlobalRoutingArgs) {
			a.Checks.CheckerRegions = []string{"us-east-1", "us-west-1", "us-west-2", "us-east-1"}
		}, []string{"name three different regions at least"}},
		{"a region without checkers", func(a *routing.GlobalRoutingArgs) {
			a.Checks.CheckerRegions = []string{"us-east-1", "eu-west-1", "eu-central-1"}
		}, []string{`checkers in "eu-central-1": Route 53 has them in us-east-1,`}},
		{"all that is wrong at once", func(a *routing.GlobalRoutingArgs) { a.Domain, a.Checks.Threshold = "", 11 }, []string{"missing Domain", "threshold of 11"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := componenttest.New(nil)
			err := rec.Run(func(ctx *pulumi.Context) error {
				args, home, err := european().serve(ctx)
				require.NoError(t, err)
				tt.spoil(args)
				_, err = routing.NewGlobalRouting(ctx, "routing", args, home)
				return err
			})
			for _, want := range tt.want {
				assert.ErrorContains(t, err, want)
			}
			assert.Empty(t, rec.Of(checkToken))
		})
	}
	_, err := routing.NewGlobalRouting(nil, "routing", nil)
	assert.ErrorContains(t, err, "no arguments")
}
