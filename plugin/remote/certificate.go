package remote

import (
	"github.com/crossregion/crossregion/components/gateway"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

type certificateArgs struct {
	Domain              string             `pulumi:"domain"`
	ZoneID              string             `pulumi:"zoneId,optional"`
	OwnerValidationFqdn pulumi.StringInput `pulumi:"ownerValidationFqdn,optional"`
	Proven              bool               `pulumi:"proven,optional"`
	NameOnly            bool               `pulumi:"nameOnly,optional"`
}

// Annotate implements infer.Annotated.
func (c *certificateArgs) Annotate(a infer.Annotator) {
	a.Describe(&c.Domain, "Name to certify.")
	a.Describe(&c.ZoneID, "Hosted zone to prove it in. Exactly one of zoneId, ownerValidationFqdn and proven is required.")
	a.Describe(&c.OwnerValidationFqdn, "Output validationFqdn of the certificate whose validation record serves this one too.")
	a.Describe(&c.Proven, "Another stack of the account owns the validation record.")
	a.Describe(&c.NameOnly, "Leaves the wildcard out, as for a front door.")
}

func newCertificate(ctx *pulumi.Context, name string, args certificateArgs, opts ...pulumi.ResourceOption) (*gateway.Certificate, error) {
	var owner *gateway.Certificate
	if args.OwnerValidationFqdn != nil {
		owner = &gateway.Certificate{ValidationFqdn: args.OwnerValidationFqdn.ToStringOutput()}
	}
	return gateway.NewCertificate(ctx, name, &gateway.CertificateArgs{
		Domain: args.Domain, ZoneID: args.ZoneID, Owner: owner, Proven: args.Proven, NameOnly: args.NameOnly,
	}, opts...)
}
