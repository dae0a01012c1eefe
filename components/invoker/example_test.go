package invoker_test

import (
	"fmt"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/invoker"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func ExampleNewFunction() {
	rec := componenttest.New(nil)
	err := rec.Run(func(ctx *pulumi.Context) error {
		ireland, err := aws.NewProvider(ctx, "eu-west-1", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		role, err := invoker.NewRole(ctx, "eu-west-1-health-role", nil, pulumi.Provider(ireland))
		if err != nil {
			return err
		}
		// Here others name role.Arn, such as the key that encrypts the logs.
		health, err := invoker.NewFunction(ctx, "eu-west-1-health", &invoker.FunctionArgs{
			Code:        pulumi.NewFileArchive("invoker.zip"), // from invoker.Build
			Platform:    invoker.DefaultPlatform,
			Environment: pulumi.StringMap{"CROSSREGION_FUNCTION": pulumi.String("health")},
			Role:        role,
		}, pulumi.Provider(ireland))
		if err != nil {
			return err
		}
		ctx.Export("health", health.Arn)
		return nil
	})
	fmt.Println(len(rec.Of("aws:lambda/function:Function")), "function,", len(rec.Of("aws:iam/role:Role")), "role, error:", err)
	// Output: 1 function, 1 role, error: <nil>
}
