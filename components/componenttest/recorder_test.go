package componenttest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// complaints collects what a check reports instead of failing.
type complaints struct {
	testing.TB
	said []string
}

func (c *complaints) Helper() {}

func (c *complaints) Errorf(format string, args ...any) {
	c.said = append(c.said, fmt.Sprintf(format, args...))
}

type component struct{ pulumi.ResourceState }

// design says how a program registers one component with one role.
type design struct {
	token, child                  string
	parentless, regionless, twice bool
	incomplete                    bool
}

func (d design) program(ctx *pulumi.Context) error {
	region, err := aws.NewProvider(ctx, "region", &aws.ProviderArgs{Region: pulumi.String("eu-west-1")})
	if err != nil {
		return err
	}
	var c component
	opts := []pulumi.ResourceOption{pulumi.Provider(region)}
	if d.regionless {
		opts = nil
	}
	if err := ctx.RegisterComponentResourceV2(d.token, "thing", pulumi.Map{}, &c, opts...); err != nil {
		return err
	}
	child := pulumi.ResourceOption(pulumi.Parent(&c))
	if d.parentless {
		child = pulumi.Provider(region)
	}
	for range map[bool]int{true: 2, false: 1}[d.twice] {
		if _, err := iam.NewRole(ctx, d.child, &iam.RoleArgs{AssumeRolePolicy: pulumi.String("{}")}, child); err != nil {
			return err
		}
	}
	if d.incomplete {
		return nil
	}
	return ctx.RegisterResourceOutputs(&c, pulumi.Map{})
}

func TestCheckComponentsFinds(t *testing.T) {
	const token = "test:thing:Thing"
	tests := []struct {
		name string
		design
		want string
	}{
		{"nothing wrong", design{token: token, child: "thing-role"}, ""},
		{"a token of two parts", design{token: "test:Thing", child: "thing-role"}, "is not package:module:Type"},
		{"a child of its own name", design{token: token, child: "role"}, "role is not named after its parent thing"},
		{"a child without a parent", design{token: token, child: "thing-role", parentless: true}, "belongs to no component"},
		{"a child without a provider", design{token: token, child: "thing-role", regionless: true}, "has no provider"},
		{"a name used twice", design{token: token, child: "thing-role", twice: true}, "is registered twice"},
		{"outputs that were never registered", design{token: token, child: "thing-role", incomplete: true}, "was called 1 times, want 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := componenttest.New(nil)
			require.NoError(t, rec.Run(tt.program))
			c := &complaints{}
			rec.CheckComponents(c)
			if tt.want == "" {
				assert.Empty(t, c.said)
				return
			}
			assert.Contains(t, strings.Join(c.said, "\n"), tt.want)
		})
	}
}
