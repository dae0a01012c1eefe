package encryption_test

import (
	"fmt"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/encryption"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func ExampleNewKey() {
	rec := componenttest.New(nil)
	err := rec.Run(func(ctx *pulumi.Context) error {
		ireland, err := aws.NewProvider(ctx, "eu-west-1", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		key, err := encryption.NewKey(ctx, "eu-west-1-encryption", &encryption.KeyArgs{
			Region:  "eu-west-1",
			Regions: []string{"eu-west-1", "eu-central-1"},
			Roles:   pulumi.StringArray{pulumi.String("arn:aws:iam::111122223333:role/reader")},
			Protect: true,
		}, pulumi.Provider(ireland))
		if err != nil {
			return err
		}
		ctx.Export("key", key.Arn)
		return nil
	})
	fmt.Println(len(rec.Of("aws:kms/key:Key")), "key,", len(rec.Of("aws:kms/alias:Alias")), "alias, error:", err)
	// Output: 1 key, 1 alias, error: <nil>
}
