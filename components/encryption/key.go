// Package encryption owns a stack's keys: one in each region, for everything
// that the stack keeps there. It grants their use to named users only, and
// refuses to name nobody.
package encryption

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// keyType is part of every child's URN. Changing it replaces deployed resources
// unless the old token is kept as an alias.
const keyType = "crossregion:encryption:Key"

// deletionDays is how long a deleted key can be had back: the longest that KMS
// knows, since what it protected is lost with it.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
const deletionDays = 30

// Key is a customer-managed key of one region, with yearly rotation, for the
// tables and the log groups there. It never leaves its region.
type Key struct {
	pulumi.ResourceState

	// Arn is the key's ARN.
	Arn pulumi.StringOutput `pulumi:"arn"`
	// Alias is the name under which consoles show the key.
	Alias pulumi.StringOutput `pulumi:"alias"`
}

// KeyArgs are the arguments of [NewKey].
type KeyArgs struct {
	// Region of the key, that of the provider. Required.
	Region string
	// Regions are those of the stack. Required.
	Regions []string
	// Operators are ARNs of principals who deploy the stack and work on its
	// tables by hand. Default: who runs the program, so list them when several
	// do, or each takes the key from the others.
	Operators []string
	// Roles are ARNs of roles that read or write tables of Region. Default:
	// none.
	Roles pulumi.StringArrayInput
	// Protect guards the key against deletion by Pulumi.
	Protect bool
	// Witness is the provider that is asked who runs the program. Default: that
	// of the key, whose region has to answer.
	Witness pulumi.ProviderResource
}

func (a *KeyArgs) validate() error {
	if a == nil {
		return errors.New("no arguments")
	}
	var errs []error
	if a.Region == "" {
		errs = append(errs, errors.New("missing Region"))
	}
	if len(a.Regions) == 0 {
		errs = append(errs, errors.New("missing Regions"))
	}
	return errors.Join(errs...)
}

// NewKey registers a Key and its children.
func NewKey(ctx *pulumi.Context, name string, args *KeyArgs, opts ...pulumi.ResourceOption) (*Key, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("encryption.Key %s: %w", name, err)
	}
	k := &Key{}
	inputs := pulumi.Map{"region": pulumi.String(args.Region), "regions": pulumi.ToStringArray(args.Regions)}
	if err := ctx.RegisterComponentResourceV2(keyType, name, inputs, k, opts...); err != nil {
		return nil, err
	}
	key, err := kms.NewKey(ctx, name+"-key", &kms.KeyArgs{
		Description:          pulumi.String("tables and log groups of " + args.Region),
		DeletionWindowInDays: pulumi.Int(deletionDays),
		EnableKeyRotation:    pulumi.Bool(true),
		Policy:               k.policy(ctx, args),
	}, pulumi.Parent(k), pulumi.Protect(args.Protect))
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", name, err)
	}
	alias, err := kms.NewAlias(ctx, name+"-alias", &kms.AliasArgs{
		NamePrefix: pulumi.String("alias/" + name + "-"), TargetKeyId: key.Arn,
	}, pulumi.Parent(k))
	if err != nil {
		return nil, fmt.Errorf("alias of %s: %w", name, err)
	}
	k.Arn, k.Alias = key.Arn, alias.Name
	return k, ctx.RegisterResourceOutputs(k, pulumi.Map{"arn": k.Arn, "alias": k.Alias})
}

func (k *Key) policy(ctx *pulumi.Context, args *KeyArgs) pulumi.StringOutput {
	roles := args.Roles
	if roles == nil {
		roles = pulumi.StringArray{}
	}
	ask := pulumi.InvokeOption(pulumi.Parent(k))
	if args.Witness != nil {
		ask = pulumi.Provider(args.Witness)
	}
	caller := aws.GetCallerIdentityOutput(ctx, aws.GetCallerIdentityOutputArgs{}, ask)
	return pulumi.All(caller.AccountId(), caller.Arn(), roles.ToStringArrayOutput()).ApplyT(func(values []any) (string, error) {
		users := Users{
			Account: values[0].(string), Region: args.Region, Regions: args.Regions, Operators: args.Operators, Roles: values[2].([]string),
		}
		if len(users.Operators) == 0 {
			users.Operators = []string{values[1].(string)}
		}
		return users.Policy()
	}).(pulumi.StringOutput)
}
