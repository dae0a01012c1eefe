package gateway_test

import (
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/gateway"
	"github.com/crossregion/crossregion/components/invoker"
	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// region is where a test registers its API.
type region struct {
	ctx       *pulumi.Context
	provider  pulumi.ResourceOption
	functions map[string]*invoker.Function
}

// newRegion registers the functions of a region, named with marker.
func newRegion(ctx *pulumi.Context, then func(region) error, marker ...string) error {
	provider, err := aws.NewProvider(ctx, "region", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
	if err != nil {
		return err
	}
	r := region{ctx, pulumi.Provider(provider), map[string]*invoker.Function{}}
	for _, name := range []string{contract.FunctionInvoker, contract.FunctionHealth, contract.FunctionAuthorizer} {
		r.functions[name], err = invoker.NewFunction(ctx, name+strings.Join(marker, ""), &invoker.FunctionArgs{
			Code: pulumi.NewFileArchive("function.zip"), Platform: invoker.DefaultPlatform, Environment: pulumi.StringMap{},
		}, r.provider)
		if err != nil {
			return err
		}
	}
	return then(r)
}

// api registers an API named "test".
func (r region) api(args *gateway.RegionalAPIArgs) (*gateway.RegionalAPI, error) {
	args.Title, args.Functions = "test", r.functions
	return gateway.NewRegionalAPI(r.ctx, "test", args, r.provider)
}

// deploy registers an API without a domain, whose functions' names end in
// marker.
func deploy(marker string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		return newRegion(ctx, func(r region) error {
			_, err := r.api(&gateway.RegionalAPIArgs{})
			return err
		}, marker)
	}
}

func TestAnAPIWithoutADomainKeepsItsOwnEndpoint(t *testing.T) {
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(deploy("")))
	rec.CheckComponents(t)
	api := rec.One(t, "aws:apigateway/restApi:RestApi", "test-api").Inputs
	assert.False(t, api["disableExecuteApiEndpoint"].BoolValue())
	assert.Empty(t, rec.Of("aws:apigateway/domainName:DomainName"))
}

// TestADifferentDocumentIsADifferentDeployment since a deployment does not
// notice by itself that the document has changed.
func TestADifferentDocumentIsADifferentDeployment(t *testing.T) {
	digest := func(marker string) string {
		rec := componenttest.New(nil)
		require.NoError(t, rec.Run(deploy(marker)))
		return rec.One(t, "aws:apigateway/deployment:Deployment", "test-deployment").Inputs["triggers"].ObjectValue()["document"].StringValue()
	}
	assert.Len(t, digest("-a"), 64)
	assert.Equal(t, digest("-a"), digest("-a"))
	assert.NotEqual(t, digest("-a"), digest("-b"))
}

func TestComponentsRefuse(t *testing.T) {
	tests := []struct {
		name     string
		register func(*pulumi.Context) error
		want     string
	}{
		{"an API without arguments", func(ctx *pulumi.Context) error {
			_, err := gateway.NewRegionalAPI(ctx, "test", nil)
			return err
		}, "no arguments"},
		{"an API without functions", func(ctx *pulumi.Context) error {
			_, err := gateway.NewRegionalAPI(ctx, "test", &gateway.RegionalAPIArgs{Title: "test"})
			return err
		}, `missing Functions["health"]`},
		{"a domain without a certificate", func(ctx *pulumi.Context) error {
			_, err := gateway.NewRegionalAPI(ctx, "test", &gateway.RegionalAPIArgs{Domain: &gateway.Domain{Name: "d"}})
			return err
		}, "a domain needs a name and a certificate"},
		{"an alias without a certificate", func(ctx *pulumi.Context) error {
			_, err := gateway.NewRegionalAPI(ctx, "test", &gateway.RegionalAPIArgs{Domain: &gateway.Domain{Aliases: []gateway.Alias{{Name: "d"}}}})
			return err
		}, "Domain.Aliases[0]: an alias needs a name and a certificate"},
		{"one name twice", func(ctx *pulumi.Context) error {
			_, err := gateway.NewRegionalAPI(ctx, "test", &gateway.RegionalAPIArgs{Domain: &gateway.Domain{
				Name: "d", Aliases: []gateway.Alias{{Name: "d"}},
			}})
			return err
		}, `Domain.Aliases[0]: "d" is a name of this API already`},
		{"a negative limit", func(ctx *pulumi.Context) error {
			_, err := gateway.NewRegionalAPI(ctx, "test", &gateway.RegionalAPIArgs{RateLimit: -1})
			return err
		}, "RateLimit -1 or BurstLimit 0 is negative"},
		{"a firewall of nothing", func(ctx *pulumi.Context) error {
			_, err := gateway.NewWebACL(ctx, "test", &gateway.WebACLArgs{})
			return err
		}, "missing API"},
		{"a limit that WAF does not know", func(ctx *pulumi.Context) error {
			_, err := gateway.NewWebACL(ctx, "test", &gateway.WebACLArgs{API: &gateway.RegionalAPI{}, AddressLimit: 9})
			return err
		}, "AddressLimit is 9, want 10 to 2000000000"},
		{"a certificate that two prove", func(ctx *pulumi.Context) error {
			_, err := gateway.NewCertificate(ctx, "test", &gateway.CertificateArgs{Domain: "d", ZoneID: "Z", Proven: true})
			return err
		}, "want exactly one of ZoneID, Owner and Proven, not 2 of them"},
		{"a certificate without a domain", func(ctx *pulumi.Context) error {
			_, err := gateway.NewCertificate(ctx, "test", &gateway.CertificateArgs{ZoneID: "Z"})
			return err
		}, "missing Domain"},
		{"a certificate that nobody proves", func(ctx *pulumi.Context) error {
			_, err := gateway.NewCertificate(ctx, "test", &gateway.CertificateArgs{Domain: "d"})
			return err
		}, "want exactly one of ZoneID, Owner and Proven, not 0 of them"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.ErrorContains(t, componenttest.New(nil).Run(tt.register), tt.want)
		})
	}
}
