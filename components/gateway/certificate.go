package gateway

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// certificateType is part of every child's URN. Changing it replaces deployed
// resources unless the old token is kept as an alias.
const certificateType = "crossregion:gateway:Certificate"

// Certificate is one region's TLS certificate for a name, and unless told
// otherwise for the wildcard under it, validated by DNS.
type Certificate struct {
	pulumi.ResourceState

	// Arn is known once the certificate has been issued.
	Arn pulumi.StringOutput `pulumi:"arn"`
	// ValidationFqdn is the name of the record that proves ownership.
	ValidationFqdn pulumi.StringOutput `pulumi:"validationFqdn"`
}

// CertificateArgs are the arguments of [NewCertificate].
type CertificateArgs struct {
	// Domain is the name to certify. Required.
	Domain string
	// ZoneID is the hosted zone to prove it in. Exactly one of ZoneID, Owner and
	// Proven is required.
	ZoneID string
	// Owner is the certificate whose validation record serves this one too:
	// ACM asks for the same record in every region of an account.
	Owner *Certificate
	// Proven says that another stack of the account owns the validation record.
	Proven bool
	// NameOnly leaves the wildcard out, as for a front door.
	NameOnly bool
}

func (a *CertificateArgs) validate() error {
	if a == nil || a.Domain == "" {
		return errors.New("missing Domain")
	}
	proofs := 0
	for _, given := range []bool{a.ZoneID != "", a.Owner != nil, a.Proven} {
		if given {
			proofs++
		}
	}
	if proofs != 1 {
		return fmt.Errorf("domain %s: want exactly one of ZoneID, Owner and Proven, not %d of them", a.Domain, proofs)
	}
	return nil
}

// alternatives are the names besides the domain.
func (a *CertificateArgs) alternatives() pulumi.StringArrayInput {
	if a.NameOnly {
		return nil
	}
	return pulumi.StringArray{pulumi.String("*." + a.Domain)}
}

// NewCertificate registers a Certificate and its children.
func NewCertificate(ctx *pulumi.Context, name string, args *CertificateArgs, opts ...pulumi.ResourceOption) (*Certificate, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("gateway.Certificate %s: %w", name, err)
	}
	c := &Certificate{}
	if err := ctx.RegisterComponentResourceV2(certificateType, name, pulumi.Map{"domain": pulumi.String(args.Domain)}, c, opts...); err != nil {
		return nil, err
	}
	cert, err := acm.NewCertificate(ctx, name+"-cert", &acm.CertificateArgs{
		DomainName:              pulumi.String(args.Domain),
		SubjectAlternativeNames: args.alternatives(),
		ValidationMethod:        pulumi.String("DNS"),
	}, pulumi.Parent(c))
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", name, err)
	}
	switch {
	case args.Owner != nil:
		c.ValidationFqdn = args.Owner.ValidationFqdn
	case args.Proven:
		c.ValidationFqdn = cert.DomainValidationOptions.Index(pulumi.Int(0)).ResourceRecordName().Elem()
	default:
		if err := c.prove(ctx, name, args.ZoneID, cert); err != nil {
			return nil, err
		}
	}
	issued, err := acm.NewCertificateValidation(ctx, name+"-validation", &acm.CertificateValidationArgs{
		CertificateArn: cert.Arn, ValidationRecordFqdns: pulumi.StringArray{c.ValidationFqdn},
	}, pulumi.Parent(c))
	if err != nil {
		return nil, fmt.Errorf("validation of %s: %w", name, err)
	}
	c.Arn = issued.CertificateArn
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"arn": c.Arn, "validationFqdn": c.ValidationFqdn})
}

// prove creates the record that shows that the account owns the domain. The
// name and its wildcard ask for the same one.
func (c *Certificate) prove(ctx *pulumi.Context, name, zoneID string, cert *acm.Certificate) error {
	option := cert.DomainValidationOptions.Index(pulumi.Int(0))
	record, err := route53.NewRecord(ctx, name+"-record", &route53.RecordArgs{
		ZoneId:  pulumi.String(zoneID),
		Name:    option.ResourceRecordName().Elem(),
		Type:    option.ResourceRecordType().Elem(),
		Records: pulumi.StringArray{option.ResourceRecordValue().Elem()},
		Ttl:     pulumi.Int(300),
	}, pulumi.Parent(c))
	if err != nil {
		return fmt.Errorf("validation record of %s: %w", name, err)
	}
	c.ValidationFqdn = record.Fqdn
	return nil
}
