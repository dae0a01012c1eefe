package stacks_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const removed = "eu-north-1"

// without takes a region out of a stack's settings as docs/operations.md says.
func without(t *testing.T, stack *deploy.Stack, region string) {
	t.Helper()
	stack.Config["crossregion:settings"] = edit(t, stack.Config["crossregion:settings"], func(s map[string]any) {
		left := []any{}
		for _, r := range s["regions"].([]any) {
			r := r.(map[string]any)
			r["failover"] = slices.DeleteFunc(r["failover"].([]any), func(partner any) bool { return partner == region })
			if r["name"] != region {
				left = append(left, r)
			}
		}
		s["regions"] = left
	})
}

// TestARegionIsRemovedBySettings: what is registered no longer is the region's
// own, or watched it. All else stays in its place.
func TestARegionIsRemovedBySettings(t *testing.T) {
	whole, err := run(t, load(t, "eu"), inJurisdiction)
	require.NoError(t, err)
	stack := load(t, "eu")
	without(t, stack, removed)
	fewer, err := run(t, stack, inJurisdiction)
	require.NoError(t, err)
	assert.Empty(t, onlyIn(fewer.Tree(), whole.Tree()), "nothing is new")
	gone := onlyIn(whole.Tree(), fewer.Tree())
	assert.NotEmpty(t, gone)
	for _, line := range gone {
		assert.Contains(t, line, removed, "gone with the region, and not its own")
	}
	for _, line := range strings.Split(fewer.Tree(), "\n") {
		assert.NotContains(t, line, removed, "left behind")
	}
	assert.Equal(t, updatable(), changed(whole, fewer))
}

// updatable are the types of the other regions' resources that may change when a
// region goes. AWS updates each of them in place; what holds data, or is known to
// clients by its name, is not among them.
func updatable() []string {
	return []string{
		"aws:cloudwatch/dashboard:Dashboard", "aws:iam/rolePolicy:RolePolicy", "aws:kms/key:Key", "aws:lambda/function:Function",
	}
}

// changed are the types of resources, other than components, that both have with
// other inputs.
func changed(before, after *componenttest.Recorder) []string {
	inputs := map[string]componenttest.Registration{}
	for _, r := range before.Registrations() {
		inputs[r.Type+r.Name] = r
	}
	var types []string
	for _, r := range after.Registrations() {
		if was := inputs[r.Type+r.Name]; !r.Component && !was.Inputs.DeepEquals(r.Inputs) {
			types = append(types, r.Type)
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}
