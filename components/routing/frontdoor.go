package routing

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// frontDoorType is part of every child's URN. Changing it replaces deployed
// resources unless the old token is kept as an alias.
const frontDoorType = "crossregion:routing:FrontDoor"

// FrontDoor is one stack's part of a name that several stacks share: it sends
// the countries that the stack lists to the stack's own name. Every API of the
// stack must serve the shared name too, as a custom domain.
//
// It is a convenience and no control of residency, since it goes by where a
// client's resolver seems to be: clients that are bound to a jurisdiction use
// the stack's own name. It knows countries only: Route 53's continent EU is not
// the European Union. Route 53 refuses a country that another stack lists.
type FrontDoor struct {
	pulumi.ResourceState

	// Endpoint is the URL that clients use, without a path.
	Endpoint pulumi.StringOutput `pulumi:"endpoint"`
}

// FrontDoorArgs are the arguments of [NewFrontDoor].
type FrontDoorArgs struct {
	// Name is what the stacks share, e.g. "llm.example.com". It cannot be the
	// name of its hosted zone, since its records are CNAMEs. Required.
	Name string
	// ZoneID is the hosted zone of the name. Required.
	ZoneID string
	// Target is the stack's own name, or what [Elsewhere] makes of it. Required.
	Target *GlobalRouting
	// Locations are the countries whose clients get this stack, by ISO 3166
	// code in capitals, e.g. "DE". Required without Default.
	Locations []string
	// Default sends here whoever no stack lists, and whoever Route 53 cannot
	// locate. One stack at most has it; without, those get no answer.
	Default bool
}

// Elsewhere stands for a GlobalRouting that this program does not register, such
// as that of another stack. A [FrontDoor] cannot wait for its records.
func Elsewhere(domain string) *GlobalRouting { return &GlobalRouting{domain: domain} }

func (a *FrontDoorArgs) validate() error {
	if a == nil {
		return errors.New("no arguments")
	}
	var errs []error
	if a.Name == "" || a.ZoneID == "" || a.Target == nil {
		errs = append(errs, errors.New("missing Name, ZoneID or Target"))
	} else if a.Name == a.Target.domain {
		errs = append(errs, fmt.Errorf("name %q is the stack's own: a front door needs another", a.Name))
	}
	if len(a.Locations) == 0 && !a.Default {
		errs = append(errs, errors.New("no Locations, and not the Default: nobody would be sent here"))
	}
	for i, code := range a.Locations {
		if !IsCountry(code) {
			errs = append(errs, fmt.Errorf("location %q is no country that Route 53 can locate: "+
				"give its ISO 3166 code in capitals, e.g. DE, GB for the United Kingdom or GR for Greece", code))
		}
		if slices.Index(a.Locations, code) != i {
			errs = append(errs, fmt.Errorf("location %q is listed twice", code))
		}
	}
	return errors.Join(errs...)
}

// NewFrontDoor registers a FrontDoor and its children.
func NewFrontDoor(ctx *pulumi.Context, name string, args *FrontDoorArgs, opts ...pulumi.ResourceOption) (*FrontDoor, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("routing.FrontDoor %s: %w", name, err)
	}
	d := &FrontDoor{}
	if err := ctx.RegisterComponentResourceV2(frontDoorType, name, pulumi.Map{"name": pulumi.String(args.Name)}, d, opts...); err != nil {
		return nil, err
	}
	for _, code := range args.Locations {
		if err := d.admit(ctx, name+"-"+strings.ToLower(code), code, args); err != nil {
			return nil, err
		}
	}
	if args.Default {
		if err := d.admit(ctx, name+"-default", everywhereElse, args); err != nil {
			return nil, err
		}
	}
	d.Endpoint = pulumi.String("https://" + args.Name).ToStringOutput()
	return d, ctx.RegisterResourceOutputs(d, pulumi.Map{"endpoint": d.Endpoint})
}

// doorTTL is for how long resolvers keep where a country goes, in seconds. It
// adds nothing to a failover, which the target's own records do.
const doorTTL = 300

// admit sends one location to the stack. The record has no health check, and as
// a CNAME evaluates none: an unhealthy record would be passed over for the
// default, which may be another stack's, and take a listed country's clients
// out of their jurisdiction. A stack that is down in every region has no answer
// for them but itself.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html
func (d *FrontDoor) admit(ctx *pulumi.Context, name, code string, args *FrontDoorArgs) error {
	_, err := route53.NewRecord(ctx, name, &route53.RecordArgs{
		ZoneId: pulumi.String(args.ZoneID), Name: pulumi.String(args.Name), Type: pulumi.String("CNAME"),
		Records: pulumi.StringArray{pulumi.String(args.Target.domain)}, Ttl: pulumi.Int(doorTTL),
		SetIdentifier: pulumi.String(code),
		GeolocationRoutingPolicies: route53.RecordGeolocationRoutingPolicyArray{
			route53.RecordGeolocationRoutingPolicyArgs{Country: pulumi.String(code)},
		},
	}, pulumi.Parent(d), pulumi.DependsOn(args.Target.records))
	if err != nil {
		return fmt.Errorf("front door %s for %s: %w", args.Name, code, err)
	}
	return nil
}
