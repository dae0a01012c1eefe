package stacks_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheInvokersOtherRightsHaveRoom: what components/inference leaves of IAM's
// 10,240 characters for the inline policies of a role that calls models in so many
// regions, is a fifth more than they take here, where names and ARNs are short.
func TestTheInvokersOtherRightsHaveRoom(t *testing.T) {
	for _, regions := range [][]string{
		{"eu-central-1", "eu-west-1"}, {"eu-central-1", "eu-west-1", "eu-north-1", "eu-west-3", "eu-south-1", "eu-south-2"},
	} {
		stack := load(t, "eu")
		stack.Config["crossregion:settings"] = edit(t, stack.Config["crossregion:settings"], func(s map[string]any) {
			s["regions"], s["tracing"] = meshed(regions), true
		})
		rec, err := run(t, stack, inJurisdiction)
		require.NoError(t, err)
		taken := 0
		for _, p := range rec.Of("aws:iam/rolePolicy:RolePolicy") {
			if strings.HasPrefix(p.Name, "eu-central-1-invoker-") && !strings.HasSuffix(p.Name, "-invoke-models") {
				taken += len(p.Inputs["policy"].StringValue())
			}
		}
		require.NotZero(t, taken)
		assert.LessOrEqual(t, taken*6/5, 1_400+256*len(regions), "of %d regions", len(regions))
	}
}

// meshed are regions each of which has all others for partners.
func meshed(regions []string) []any {
	var all []any
	for _, name := range regions {
		var partners []any
		for _, other := range regions {
			if other != name {
				partners = append(partners, other)
			}
		}
		all = append(all, map[string]any{"name": name, "failover": partners})
	}
	return all
}
