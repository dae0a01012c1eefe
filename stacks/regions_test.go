package stacks_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tree is what the eu stack registers with the given settings in place of its
// file's, a line for each resource.
func tree(t *testing.T, settings map[string]any) []string {
	t.Helper()
	stack := load(t, "eu")
	require.NoError(t, stack.Override(settings))
	rec, err := run(t, stack, inJurisdiction)
	require.NoError(t, err)
	rec.CheckComponents(t)
	return strings.Split(strings.TrimSpace(rec.Tree()), "\n")
}

// twoRegions are those of stack eu without eu-north-1.
func twoRegions() map[string]any {
	return map[string]any{"regions": []any{
		map[string]any{"name": "eu-central-1", "failover": []any{"eu-west-1"}},
		map[string]any{"name": "eu-west-1", "failover": []any{"eu-central-1"}},
	}}
}

// TestARegionComesAndGoesAlone: two regions register what three do, less what is
// named after the third or leads to it. Nothing of the other regions changes its
// name.
func TestARegionComesAndGoesAlone(t *testing.T) {
	const leaving = "eu-north-1"
	two := tree(t, twoRegions())
	three := tree(t, nil)
	assert.Empty(t, onlyIn(strings.Join(two, "\n"), strings.Join(three, "\n")), "what only the smaller stack has")
	gone := onlyIn(strings.Join(three, "\n"), strings.Join(two, "\n"))
	require.NotEmpty(t, gone)
	for _, line := range gone {
		assert.Contains(t, line, leaving)
	}
	for _, line := range two {
		assert.NotContains(t, line, leaving)
	}
}

// TestARegionGoesWithoutTouchingWhatHoldsData: of the other regions' resources,
// only those change that AWS updates in place. What holds data is not among them,
// nor what clients know by its name.
func TestARegionGoesWithoutTouchingWhatHoldsData(t *testing.T) {
	stack := load(t, "eu")
	three, err := run(t, stack, inJurisdiction)
	require.NoError(t, err)
	require.NoError(t, stack.Override(twoRegions()))
	two, err := run(t, stack, inJurisdiction)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"aws:cloudwatch/dashboard:Dashboard", "aws:iam/rolePolicy:RolePolicy", "aws:kms/key:Key", "aws:lambda/function:Function",
	}, changed(three, two))
}

// changed are the types of resources, other than components, that both have with
// different inputs.
func changed(before, after *componenttest.Recorder) []string {
	inputs := map[string]resource.PropertyMap{}
	for _, r := range before.Registrations() {
		inputs[r.Type+r.Name] = r.Inputs
	}
	var types []string
	for _, r := range after.Registrations() {
		if !r.Component && !inputs[r.Type+r.Name].DeepEquals(r.Inputs) {
			types = append(types, r.Type)
		}
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// TestTheHomeCannotBeRemoved from the regions while the tables are there.
func TestTheHomeCannotBeRemoved(t *testing.T) {
	err := load(t, "eu").Override(map[string]any{"regions": []any{
		map[string]any{"name": "eu-west-1", "failover": []any{"eu-north-1"}},
		map[string]any{"name": "eu-north-1", "failover": []any{"eu-west-1"}},
	}})
	assert.ErrorContains(t, err, `conversations.home: "eu-central-1" is not one of the stack's regions`)
}
