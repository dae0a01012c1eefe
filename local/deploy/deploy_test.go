package deploy_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/stacks"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// target records what it is asked to create.
type target struct {
	mu      sync.Mutex
	opened  []string
	created map[string]map[string]any // by "region name"
}

func newTarget() *target { return &target{created: map[string]map[string]any{}} }

func (t *target) OpenRegion(region string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.opened = append(t.opened, region)
	return nil
}

func (t *target) Taggable(token string) bool { return token == "aws:iam/role:Role" }

func (t *target) Create(_ context.Context, token, region, name string, inputs map[string]any) (cloud.State, error) {
	if token == "aws:lambda/alias:Alias" {
		return cloud.State{}, fmt.Errorf("%s %q: no", token, name)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.created[region+" "+name] = inputs
	return cloud.State{ID: name + "-1", Outputs: map[string]any{"arn": "arn:" + name}}, nil
}

func (t *target) Call(_ context.Context, token, region string, args map[string]any) (map[string]any, error) {
	return map[string]any{"partition": "aws-" + region}, nil
}

func run(t *testing.T, to *target, program pulumi.RunFunc) (map[string]any, error) {
	t.Helper()
	stack := &deploy.Stack{Root: t.TempDir(), Project: "crossregion", Name: "test", Config: map[string]string{}}
	return deploy.Run(t.Context(), stack, program, deploy.Options{Target: to, Created: func(deploy.Resource) {}})
}

// in returns a provider of a region as an option.
func in(ctx *pulumi.Context, region string) (pulumi.ResourceOption, error) {
	p, err := aws.NewProvider(ctx, region, &aws.ProviderArgs{
		Region:            pulumi.String(region),
		AllowedAccountIds: pulumi.StringArray{pulumi.String(cloud.Account)},
		DefaultTags:       aws.ProviderDefaultTagsArgs{Tags: pulumi.StringMap{"a": pulumi.String("a"), "b": pulumi.String("b")}},
	})
	return pulumi.Provider(p), err
}

func TestResourcesReachTheirProvidersRegion(t *testing.T) {
	to := newTarget()
	out, err := run(t, to, func(ctx *pulumi.Context) error {
		for _, region := range []string{"eu-west-1", "us-east-1"} {
			provider, err := in(ctx, region)
			if err != nil {
				return err
			}
			role, err := iam.NewRole(ctx, region+"-role", &iam.RoleArgs{
				AssumeRolePolicy: pulumi.ToSecret(pulumi.String("{}")), Tags: pulumi.StringMap{"a": pulumi.String("own")},
			}, provider)
			if err != nil {
				return err
			}
			if _, err := lambda.NewFunction(ctx, region+"-fn", &lambda.FunctionArgs{Role: role.Arn, Code: pulumi.NewFileArchive("x.zip")}, provider); err != nil {
				return err
			}
			ctx.Export(region, role.Arn)
		}
		return nil
	})
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"eu-west-1", "us-east-1"}, to.opened)
	assert.Equal(t, "{}", to.created["us-east-1 us-east-1-role"]["assumeRolePolicy"], "a secret is laid open, as a provider sees it")
	assert.Equal(t, map[string]any{"a": "own", "b": "b"}, to.created["eu-west-1 eu-west-1-role"]["tags"], "a resource's own tags go over the provider's")
	assert.Equal(t, map[string]any{"role": "arn:eu-west-1-role", "code": "x.zip"}, to.created["eu-west-1 eu-west-1-fn"])
	assert.Equal(t, map[string]any{"eu-west-1": "arn:eu-west-1-role", "us-east-1": "arn:us-east-1-role"}, out)
}

func TestFunctionsAreAskedInTheirProvidersRegion(t *testing.T) {
	_, err := run(t, newTarget(), func(ctx *pulumi.Context) error {
		p, err := aws.NewProvider(ctx, "p", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
		if err != nil {
			return err
		}
		got, err := aws.GetPartition(ctx, nil, pulumi.Provider(p))
		if err != nil {
			return err
		}
		assert.Equal(t, "aws-eu-west-1", got.Partition)
		return nil
	})
	require.NoError(t, err)
}

func TestRunRefuses(t *testing.T) {
	role := &iam.RoleArgs{AssumeRolePolicy: pulumi.String("{}")}
	tests := []struct {
		name    string
		program pulumi.RunFunc
		want    string
	}{
		{"a resource without a provider", func(ctx *pulumi.Context) error {
			_, err := iam.NewRole(ctx, "role", role)
			return err
		}, "must use an explicit provider"},
		{"a function without a provider", func(ctx *pulumi.Context) error {
			_, err := aws.GetPartition(ctx, nil)
			return err
		}, "must use an explicit provider"},
		{"a resource registered twice", func(ctx *pulumi.Context) error {
			provider, err := in(ctx, "eu-west-1")
			if err != nil {
				return err
			}
			if _, err := iam.NewRole(ctx, "role", role, provider); err != nil {
				return err
			}
			_, err = iam.NewRole(ctx, "role", role, provider)
			return err
		}, "duplicate resource URN"},
		{"a region that does not exist", func(ctx *pulumi.Context) error {
			_, err := in(ctx, "eu-nowhere-1")
			return err
		}, "invalid AWS Region: eu-nowhere-1"},
		{"another account", func(ctx *pulumi.Context) error {
			_, err := aws.NewProvider(ctx, "p", &aws.ProviderArgs{
				Region: pulumi.String("eu-west-1"), AllowedAccountIds: pulumi.StringArray{pulumi.String("999999999999")},
			})
			return err
		}, "AWS account ID not allowed: 123456789012"},
		{"a provider setting that it does not understand", func(ctx *pulumi.Context) error {
			_, err := aws.NewProvider(ctx, "p", &aws.ProviderArgs{Region: pulumi.String("eu-west-1"), Profile: pulumi.String("me")})
			return err
		}, `does not know property "profile"`},
		{"code that is not a file", func(ctx *pulumi.Context) error {
			provider, err := in(ctx, "eu-west-1")
			if err != nil {
				return err
			}
			_, err = lambda.NewFunction(ctx, "fn", &lambda.FunctionArgs{
				Role: pulumi.String("r"), Code: pulumi.NewAssetArchive(map[string]any{"a": pulumi.NewStringAsset("b")}),
			}, provider)
			return err
		}, "takes archives by path only"},
		{"what the cloud refuses", func(ctx *pulumi.Context) error {
			provider, err := in(ctx, "eu-west-1")
			if err != nil {
				return err
			}
			_, err = lambda.NewAlias(ctx, "alias", &lambda.AliasArgs{FunctionName: pulumi.String("f"), FunctionVersion: pulumi.String("1")}, provider)
			return err
		}, `aws:lambda/alias:Alias "alias": no`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := run(t, newTarget(), tt.program)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestLoad(t *testing.T) {
	for _, name := range []string{"prod", "eu"} {
		s, err := deploy.Load("../..", name)
		require.NoError(t, err)
		assert.Equal(t, "crossregion", s.Project)
		assert.Contains(t, s.Config, "crossregion:settings")
		assert.NotEmpty(t, s.Settings.Regions)
	}
}

func TestLoadRefuses(t *testing.T) {
	write := func(t *testing.T, stack string) string {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: crossregion\nruntime: go\n"), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.dev.yaml"), []byte(stack), 0o600))
		return dir
	}
	tests := []struct{ name, stack, load, want string }{
		{"an unknown stack", "config: {}", "prod", `no stack "prod"`},
		{"and names those it knows", "config: {}", "prod", "known stacks are dev"},
		{"a file that is not YAML", "config: [", "dev", "read stack dev"},
		{"a secret", "config:\n  crossregion:token:\n    secure: abc\n", "dev", "crossregion:token is encrypted"},
		{"faults in the settings, all of them", "config:\n  crossregion:settings: {jurisdiction: mars}\n", "dev", "conversations.home"},
		{"missing settings", "config: {}", "dev", "crossregion:settings: missing"},
		{"a misspelt key beside the settings", "config:\n  crossregion:seetings: {}\n", "dev", `crossregion:seetings: unknown key; did you mean "settings"?`},
		{"a platform that Lambda does not run", "config:\n  crossregion:platform: windows/386\n", "dev", "crossregion:platform: platform windows/386"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := deploy.Load(write(t, tt.stack), tt.load)
			assert.ErrorContains(t, err, tt.want)
		})
	}
	_, err := deploy.Load(t.TempDir(), "dev")
	assert.ErrorContains(t, err, "read project")
}

// TestWhatHoldsInTheRealAccountStaysThere: the embedded cloud is another account,
// and what asks for the settings hears what the file says.
func TestWhatHoldsInTheRealAccountStaysThere(t *testing.T) {
	const account, boundary = "210987654321", "arn:aws:iam::210987654321:policy/edge"
	stack, err := deploy.Load("../..", "eu")
	require.NoError(t, err)
	require.NoError(t, stack.Override(map[string]any{
		"account": account, "permissionsBoundary": boundary, "deployers": []string{"arn:aws:iam::210987654321:role/deploy-eu"}, "tracing": true,
	}))
	require.NoError(t, stack.ForThisMachine())
	deployed, err := stacks.ParseConfig(stack.Project, stack.Config)
	require.NoError(t, err)
	assert.Empty(t, deployed.Account)
	assert.Empty(t, deployed.PermissionsBoundary)
	assert.Empty(t, deployed.Deployers)
	assert.True(t, deployed.Tracing, "all else is as it was")
	assert.Equal(t, account, stack.Settings.Account)
	assert.Equal(t, boundary, stack.Settings.PermissionsBoundary)
}
