package engine_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/provider"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lambda"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// role is a program of one role with a secret, and whatever else.
func role(region, colour, path string, more func(*pulumi.Context, *iam.Role, pulumi.ResourceOption) error) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		p, err := aws.NewProvider(ctx, "p", &aws.ProviderArgs{
			Region: pulumi.String(region), DefaultTags: aws.ProviderDefaultTagsArgs{Tags: pulumi.StringMap{"colour": pulumi.String(colour)}},
		})
		if err != nil {
			return err
		}
		r, err := iam.NewRole(ctx, "role", &iam.RoleArgs{
			AssumeRolePolicy: pulumi.String(trust), Path: pulumi.String(path), Description: pulumi.ToSecret(pulumi.String("hush hush")).(pulumi.StringOutput),
		}, pulumi.Provider(p))
		if err != nil || more == nil {
			return err
		}
		return more(ctx, r, pulumi.Provider(p))
	}
}

// TestTheProvider drives what the stacks do not come to.
func TestTheProvider(t *testing.T) {
	needsEngine(t)
	e, a := open(t, load(t, "eu", nil))
	run := func(program pulumi.RunFunc) (record, error) {
		e.Workspace().SetProgram(program)
		return update(t, e)
	}
	_, err := run(role("eu-west-1", "red", "/", nil))
	require.NoError(t, err)

	t.Run("secrets stay secret in the state", func(t *testing.T) {
		read := 0
		require.NoError(t, filepath.WalkDir(e.Workspace().WorkDir(), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".json") {
				return err
			}
			b, err := os.ReadFile(path)
			assert.NotContains(t, string(b), "hush hush", path)
			if strings.Contains(string(b), `aws:iam/role:Role`) {
				read++
			}
			return err
		}))
		assert.Positive(t, read, "the state was among the files")
	})
	t.Run("another tag of the provider changes its resources in place", func(t *testing.T) {
		got, err := run(role("eu-west-1", "blue", "/", nil))
		require.NoError(t, err)
		assert.Contains(t, got.of("update"), "role")
	})
	t.Run("a refresh finds what somebody changed, and the next update undoes it", func(t *testing.T) {
		id := strings.Fields(a.Resources()[0])[2]
		found, _, err := a.Read("aws:iam/role:Role", "eu-west-1", id)
		require.NoError(t, err)
		inputs := map[string]any{"assumeRolePolicy": trust, "path": "/", "description": "by hand", "tags": found.Inputs["tags"]}
		_, err = a.Update(t.Context(), "aws:iam/role:Role", "eu-west-1", id, inputs)
		require.NoError(t, err)
		_, err = e.Refresh(t.Context(), optrefresh.ExpectNoChanges())
		require.Error(t, err, "drift")
		_, err = e.Refresh(t.Context())
		require.NoError(t, err)
		got, err := run(role("eu-west-1", "blue", "/", nil))
		require.NoError(t, err)
		assert.Contains(t, got.of("update"), "role")
	})
	t.Run("what forces a new resource makes it before the old one goes", func(t *testing.T) {
		got, err := run(role("eu-west-1", "blue", "/else/", nil))
		require.NoError(t, err)
		created, gone := got.index("create-replacement", "role"), got.index("delete-replaced", "role")
		assert.GreaterOrEqual(t, created, 0)
		assert.Greater(t, gone, created)
		assert.Len(t, a.Resources(), 1)
	})
	t.Run("what somebody deleted is made again", func(t *testing.T) {
		require.NoError(t, a.Delete(t.Context(), "aws:iam/role:Role", "eu-west-1", strings.Fields(a.Resources()[0])[2]))
		_, err := e.Refresh(t.Context())
		require.NoError(t, err)
		got, err := run(role("eu-west-1", "blue", "/else/", nil))
		require.NoError(t, err)
		assert.Equal(t, []string{"role"}, got.of("create"))
	})
	t.Run("a preview refuses inputs that are none", func(t *testing.T) {
		e.Workspace().SetProgram(role("eu-west-1", "blue", "/else/", func(ctx *pulumi.Context, _ *iam.Role, p pulumi.ResourceOption) error {
			_, err := lambda.NewFunctionUrl(ctx, "url", &lambda.FunctionUrlArgs{FunctionName: pulumi.String("f"), AuthorizationType: pulumi.String("NONE")}, p)
			return err
		}))
		_, err := preview(t, e)
		assert.ErrorContains(t, err, "does not know resource type aws:lambda/functionUrl:FunctionUrl")
	})
	t.Run("another region of the provider moves its resources", func(t *testing.T) {
		got, err := run(role("eu-central-1", "blue", "/else/", nil))
		require.NoError(t, err)
		assert.Contains(t, got.of("create-replacement"), "p")
	})
}

// TestVersion: the engine looks for the plugin of the SDK's version.
func TestVersion(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	assert.Contains(t, string(b), "github.com/pulumi/pulumi-aws/sdk/v6 v"+provider.Version+"\n")
}
