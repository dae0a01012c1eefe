package gateway_test

import (
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

// deploy registers an API without a domain. Its functions' environment holds
// marker.
func deploy(marker string) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		region, err := aws.NewProvider(ctx, "region", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		functions := map[string]*invoker.Function{}
		for _, name := range []string{contract.FunctionInvoker, contract.FunctionHealth, contract.FunctionAuthorizer} {
			functions[name], err = invoker.NewFunction(ctx, name+marker, &invoker.FunctionArgs{
				Code: pulumi.NewFileArchive("function.zip"), Platform: invoker.DefaultPlatform, Environment: pulumi.StringMap{},
			}, pulumi.Provider(region))
			if err != nil {
				return err
			}
		}
		_, err = gateway.NewRegionalAPI(ctx, "test", &gateway.RegionalAPIArgs{Title: "test", Functions: functions}, pulumi.Provider(region))
		return err
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
		{"a certificate without a domain", func(ctx *pulumi.Context) error {
			_, err := gateway.NewCertificate(ctx, "test", &gateway.CertificateArgs{ZoneID: "Z"})
			return err
		}, "missing Domain, or not exactly one of ZoneID and Owner"},
		{"a certificate that nobody proves", func(ctx *pulumi.Context) error {
			_, err := gateway.NewCertificate(ctx, "test", &gateway.CertificateArgs{Domain: "d"})
			return err
		}, "missing Domain, or not exactly one of ZoneID and Owner"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.ErrorContains(t, componenttest.New(nil).Run(tt.register), tt.want)
		})
	}
}
