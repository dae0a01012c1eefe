package stacks_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var six = []string{"eu-central-1", "eu-west-1", "eu-north-1", "eu-west-3", "eu-south-1", "eu-south-2"}

// TestTheInvokersOtherRightsHaveRoom: what components/inference leaves of IAM's
// 10,240 characters for the inline policies of a role is a fifth more than they
// take here, where names and ARNs are short. An invoker keeps conversations in
// regions too that it calls no model in.
func TestTheInvokersOtherRightsHaveRoom(t *testing.T) {
	for name, regions := range map[string][]any{"two": meshed(six[:2]), "six": meshed(six), "six in a ring": ring(six)} {
		deploy := func(models []any) (*componenttest.Recorder, error) {
			stack := load(t, "eu")
			stack.Config["crossregion:settings"] = edit(t, stack.Config["crossregion:settings"], func(s map[string]any) {
				s["regions"], s["tracing"], s["models"] = regions, true, models
			})
			return run(t, stack, inJurisdiction)
		}
		_, err := deploy(sonnets(30))
		require.ErrorContains(t, err, "that a role has room for")
		var room int
		_, after, _ := strings.Cut(err.Error(), "over the ")
		_, err = fmt.Sscan(after, &room)
		require.NoError(t, err)

		rec, err := deploy(sonnets(1))
		require.NoError(t, err)
		taken := 0
		for _, p := range rec.Of("aws:iam/rolePolicy:RolePolicy") {
			if strings.HasPrefix(p.Name, "eu-central-1-invoker-") && !strings.HasSuffix(p.Name, "-invoke-models") {
				taken += len(p.Inputs["policy"].StringValue())
			}
		}
		require.NotZero(t, taken)
		assert.LessOrEqual(t, room+taken*6/5, 10_240, name)
	}
}

// sonnets are so many models.
func sonnets(n int) (all []any) {
	for i := range n {
		all = append(all, map[string]any{"name": fmt.Sprintf("m%d", i), "profile": fmt.Sprintf("eu.anthropic.claude-sonnet-4-5-202509%02d-v1:0", i)})
	}
	return all
}

// ring are regions each of which has the next for its partner.
func ring(regions []string) []any {
	var all []any
	for i, name := range regions {
		all = append(all, map[string]any{"name": name, "failover": []any{regions[(i+1)%len(regions)]}})
	}
	return all
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
