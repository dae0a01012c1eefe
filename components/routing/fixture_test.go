package routing_test

import (
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/gateway"
	"github.com/crossregion/crossregion/components/invoker"
	"github.com/crossregion/crossregion/components/routing"
	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

const (
	recordToken = "aws:route53/record:Record"
	checkToken  = "aws:route53/healthCheck:HealthCheck"
)

// zoneID is the hosted zone of all names.
const zoneID = "ZZONE"

// name is a stack's name and the regions behind it, each followed by its
// partner.
type name struct {
	domain  string
	regions [][2]string
	checks  routing.Checks
	dual    bool
}

func european() name {
	return name{domain: "eu.example.com", regions: [][2]string{
		{"eu-central-1", "eu-west-1"}, {"eu-west-1", "eu-central-1"}, {"eu-north-1", "eu-west-1"},
	}}
}

func american() name {
	return name{domain: "us.example.com", regions: [][2]string{
		{"us-east-1", "us-west-2"}, {"us-west-2", "us-east-1"}, {"us-east-2", "us-east-1"},
	}}
}

// route registers the APIs of a name's regions and routes it to them.
func (n name) route(ctx *pulumi.Context, component string) (*routing.GlobalRouting, error) {
	args, home, err := n.serve(ctx)
	if err != nil {
		return nil, err
	}
	return routing.NewGlobalRouting(ctx, component, args, home)
}

// serve registers the APIs, and returns what routes to them and the provider of
// the first region.
func (n name) serve(ctx *pulumi.Context) (*routing.GlobalRoutingArgs, pulumi.ResourceOption, error) {
	args := &routing.GlobalRoutingArgs{Domain: n.domain, ZoneID: zoneID, Checks: n.checks, DualStack: n.dual}
	var home pulumi.ResourceOption
	var owner *gateway.Certificate
	for _, r := range n.regions {
		aws, err := aws.NewProvider(ctx, r[0], &aws.ProviderArgs{Region: pulumi.String(r[0])})
		if err != nil {
			return nil, nil, err
		}
		provider := pulumi.Provider(aws)
		certificate := &gateway.CertificateArgs{Domain: n.domain, Owner: owner}
		if owner == nil {
			home, certificate.ZoneID = provider, zoneID
		}
		cert, err := gateway.NewCertificate(ctx, r[0]+"-certificate", certificate, provider)
		if err != nil {
			return nil, nil, err
		}
		if owner == nil {
			owner = cert
		}
		api, err := newAPI(ctx, r[0], &gateway.Domain{Name: n.domain, Certificate: cert}, provider)
		if err != nil {
			return nil, nil, err
		}
		args.Regions = append(args.Regions, routing.Region{Name: r[0], API: api, Partner: r[1]})
	}
	return args, home, nil
}

// record runs the routing of a name.
func record(t *testing.T, n name) *componenttest.Recorder {
	t.Helper()
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(func(ctx *pulumi.Context) error {
		_, err := n.route(ctx, "routing")
		return err
	}))
	rec.CheckComponents(t)
	return rec
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
