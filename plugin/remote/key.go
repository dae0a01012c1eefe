package remote

import (
	"github.com/crossregion/crossregion/components/encryption"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

type keyArgs struct {
	Region    string                  `pulumi:"region"`
	Regions   []string                `pulumi:"regions"`
	Operators []string                `pulumi:"operators,optional"`
	Roles     pulumi.StringArrayInput `pulumi:"roles,optional"`
	Protect   bool                    `pulumi:"protect,optional"`
}

// Annotate implements infer.Annotated.
func (k *keyArgs) Annotate(a infer.Annotator) {
	a.Describe(&k.Region, "Region of the key, that of the provider.")
	a.Describe(&k.Regions, "All regions whose tables are replicas of each other.")
	a.Describe(&k.Operators, "ARNs of principals who deploy the tables and work on them by hand. Default: who runs the program.")
	a.Describe(&k.Roles, "ARNs of roles that read or write tables of the region. Default: none.")
	a.Describe(&k.Protect, "Guards the key against deletion by Pulumi.")
}

func newKey(ctx *pulumi.Context, name string, args keyArgs, opts ...pulumi.ResourceOption) (*encryption.Key, error) {
	return encryption.NewKey(ctx, name, &encryption.KeyArgs{
		Region: args.Region, Regions: args.Regions, Operators: args.Operators, Roles: args.Roles, Protect: args.Protect,
	}, opts...)
}
