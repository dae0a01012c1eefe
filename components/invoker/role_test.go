package invoker_test

import (
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/invoker"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAFunctionWaitsForWhatItsRoleMayDo(t *testing.T) {
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(func(ctx *pulumi.Context) error {
		region, err := aws.NewProvider(ctx, "region", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		role, err := invoker.NewRole(ctx, "test-role", &invoker.RoleArgs{PermissionsBoundary: "arn:aws:iam::1:policy/boundary"}, pulumi.Provider(region))
		if err != nil {
			return err
		}
		if err := role.Allow(ctx, "read-keys", pulumi.String("{}")); err != nil {
			return err
		}
		args := valid()
		args.Role = role
		_, err = invoker.NewFunction(ctx, "test", args, pulumi.Provider(region))
		return err
	}))
	rec.CheckComponents(t)
	role := rec.One(t, "aws:iam/role:Role", "test-role-iam").Inputs
	assert.Equal(t, "arn:aws:iam::1:policy/boundary", role["permissionsBoundary"].StringValue())
	assert.Contains(t, role["assumeRolePolicy"].StringValue(), "lambda.amazonaws.com")
	assert.Len(t, rec.Of("aws:iam/role:Role"), 1)
	fn := rec.One(t, "aws:lambda/function:Function", "test-fn")
	assert.Contains(t, fn.Inputs["role"].StringValue(), "test-role-iam")
	assert.Subset(t, fn.DependsOn, []string{"test-role-read-keys", "test-role-write-logs"})
}

func TestANewRoleMayDoNothing(t *testing.T) {
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(func(ctx *pulumi.Context) error {
		region, err := aws.NewProvider(ctx, "region", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		_, err = invoker.NewRole(ctx, "test-role", nil, pulumi.Provider(region))
		return err
	}))
	rec.CheckComponents(t)
	assert.Empty(t, rec.Of("aws:iam/rolePolicy:RolePolicy"))
	assert.NotContains(t, rec.One(t, "aws:iam/role:Role", "test-role-iam").Inputs, "permissionsBoundary")
}
