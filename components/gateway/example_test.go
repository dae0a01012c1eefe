package gateway_test

import (
	"fmt"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/gateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// One region's public edge: a name, a certificate for it, an API that logs
// what it served, and a firewall in front.
func Example() {
	program := func(ctx *pulumi.Context) error {
		return newRegion(ctx, func(r region) error {
			certificate, err := gateway.NewCertificate(ctx, "certificate", &gateway.CertificateArgs{
				Domain: "llm.example.com", ZoneID: "Z1EXAMPLE",
			}, r.provider)
			if err != nil {
				return err
			}
			api, err := gateway.NewRegionalAPI(ctx, "gateway", &gateway.RegionalAPIArgs{
				Title: "my gateway", Functions: r.functions,
				Domain:     &gateway.Domain{Name: "llm.example.com", Certificate: certificate},
				RateLimit:  50,
				AccessLogs: &gateway.AccessLogs{OwnsAccountRole: true},
			}, r.provider)
			if err != nil {
				return err
			}
			_, err = gateway.NewWebACL(ctx, "firewall", &gateway.WebACLArgs{API: api}, r.provider)
			return err
		})
	}
	rec := componenttest.New(nil)
	if err := rec.Run(program); err != nil {
		fmt.Println(err)
	}
	for _, domain := range rec.Of("aws:apigateway/domainName:DomainName") {
		fmt.Println(domain.Inputs["domainName"].StringValue())
	}
	// Output:
	// llm.example.com
	// *.llm.example.com
}
