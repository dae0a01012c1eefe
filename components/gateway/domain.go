package gateway

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/apigateway"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

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
	// Aliases are further names that clients use, such as a front door's, and
	// that other records point to this domain. Default: none.
	Aliases []Alias
}

// Alias is one more name that an API answers to, without the names under it.
type Alias struct {
	// Name that clients use. Required.
	Name string
	// Certificate covers the name. Required.
	Certificate *Certificate
}

func (d *Domain) validate() error {
	if d == nil {
		return nil
	}
	var errs []error
	if d.Name == "" || d.Certificate == nil {
		errs = append(errs, errors.New("a domain needs a name and a certificate"))
	}
	seen := map[string]bool{d.Name: true}
	for i, alias := range d.Aliases {
		if alias.Name == "" || alias.Certificate == nil {
			errs = append(errs, fmt.Errorf("Domain.Aliases[%d]: an alias needs a name and a certificate", i))
		}
		if seen[alias.Name] {
			errs = append(errs, fmt.Errorf("Domain.Aliases[%d]: %q is a name of this API already", i, alias.Name))
		}
		seen[alias.Name] = true
	}
	return errors.Join(errs...)
}

// customName is one custom domain name of an API.
type customName struct {
	role, name  string
	certificate *Certificate
}

// name gives the API the shared name and the wildcard under it: an alias
// record must bear the name of one of the API's custom domains.
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html
func (a *RegionalAPI) name(ctx *pulumi.Context, name string, args *RegionalAPIArgs, stage *apigateway.Stage) error {
	d := args.Domain
	names := []customName{{"shared", d.Name, d.Certificate}, {"wildcard", "*." + d.Name, d.Certificate}}
	for _, alias := range d.Aliases {
		names = append(names, customName{"alias-" + alias.Name, alias.Name, alias.Certificate})
	}
	targets := map[string]*Target{}
	for _, n := range names {
		custom, err := apigateway.NewDomainName(ctx, name+"-"+n.role, &apigateway.DomainNameArgs{
			DomainName: pulumi.String(n.name),
			EndpointConfiguration: apigateway.DomainNameEndpointConfigurationArgs{
				Types: pulumi.String("REGIONAL"), IpAddressType: args.ipAddressType(),
			},
			RegionalCertificateArn: n.certificate.Arn,
			// Route 53's health checkers cannot speak TLS 1.3 alone.
			SecurityPolicy: pulumi.String("TLS_1_2"),
		}, pulumi.Parent(a))
		if err != nil {
			return fmt.Errorf("domain %s of %s: %w", n.name, name, err)
		}
		mapping, err := apigateway.NewBasePathMapping(ctx, name+"-"+n.role+"-mapping", &apigateway.BasePathMappingArgs{
			DomainName: custom.DomainName, RestApi: stage.RestApi, StageName: stage.StageName,
		}, pulumi.Parent(a))
		if err != nil {
			return fmt.Errorf("mapping of %s to %s: %w", n.name, name, err)
		}
		a.parts = append(a.parts, mapping)
		targets[n.role] = &Target{Name: custom.RegionalDomainName, ZoneID: custom.RegionalZoneId}
	}
	a.Shared, a.Wildcard = targets["shared"], targets["wildcard"]
	return nil
}
