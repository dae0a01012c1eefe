package encryption_test

import (
	"encoding/json"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/encryption"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func run(t *testing.T, args *encryption.KeyArgs) (*componenttest.Recorder, error) {
	t.Helper()
	rec := componenttest.New(nil)
	err := rec.Run(func(ctx *pulumi.Context) error {
		region, err := aws.NewProvider(ctx, "region", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		_, err = encryption.NewKey(ctx, "test", args, pulumi.Provider(region))
		return err
	})
	return rec, err
}

func valid() *encryption.KeyArgs {
	return &encryption.KeyArgs{
		Region: "eu-west-1", Regions: []string{"eu-west-1", "eu-central-1"}, Protect: true,
		Roles: pulumi.StringArray{pulumi.String("arn:aws:iam::" + componenttest.Account + ":role/reader")},
	}
}

func TestKey(t *testing.T) {
	rec, err := run(t, valid())
	require.NoError(t, err)
	rec.CheckComponents(t)
	key := rec.One(t, "aws:kms/key:Key", "test-key")
	assert.True(t, key.Inputs["enableKeyRotation"].BoolValue())
	assert.Equal(t, 30.0, key.Inputs["deletionWindowInDays"].NumberValue())
	assert.True(t, key.Protect, "a lost key loses the tables")
	assert.NotContains(t, key.Inputs, "multiRegion", "the key stays in its region")
	alias := rec.One(t, "aws:kms/alias:Alias", "test-alias").Inputs
	assert.Equal(t, "alias/test-", alias["namePrefix"].StringValue())
	assert.Contains(t, alias["targetKeyId"].StringValue(), "test-key")
}

// TestOperators are who runs the program unless they are listed.
func TestOperators(t *testing.T) {
	deployer := []string{"arn:aws:iam::" + componenttest.Account + ":role/deployer", "arn:aws:iam::" + componenttest.Account + ":role/*/deployer"}
	ops := "arn:aws:iam::" + componenttest.Account + ":user/ops"
	for _, tt := range []struct {
		name   string
		listed []string
		want   []string
	}{
		{"a session stands for its role", nil, deployer},
		{"those listed replace who runs the program", []string{ops}, []string{ops}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := valid()
			args.Operators = tt.listed
			rec, err := run(t, args)
			require.NoError(t, err)
			p := parse(t, rec.One(t, "aws:kms/key:Key", "test-key").Inputs["policy"].StringValue())
			assert.Equal(t, tt.want, p.Statement[1].Condition["ArnLike"]["aws:PrincipalArn"])
		})
	}
}

func TestKeyRefuses(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*encryption.KeyArgs)
		want  string
	}{
		{"no region", func(a *encryption.KeyArgs) { a.Region = "" }, "missing Region"},
		{"no regions", func(a *encryption.KeyArgs) { a.Regions = nil }, "missing Regions"},
		{"an operator without ARN", func(a *encryption.KeyArgs) { a.Operators = []string{"me"} }, `"me" is not the ARN`},
		{"a whole account", func(a *encryption.KeyArgs) { a.Operators = []string{"arn:aws:iam::1:root"} }, "is not the ARN of a role"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := valid()
			tt.spoil(args)
			rec, err := run(t, args)
			assert.ErrorContains(t, err, tt.want)
			assert.Empty(t, rec.Of("aws:kms/key:Key"))
		})
	}
	_, err := run(t, nil)
	assert.ErrorContains(t, err, "no arguments")
}

type document struct {
	Statement []struct {
		Principal map[string]string
		Action    []string
		Condition map[string]map[string][]string
	}
}

func parse(t *testing.T, policy string) document {
	t.Helper()
	var d document
	require.NoError(t, json.Unmarshal([]byte(policy), &d))
	return d
}
