package stacks_test

import (
	"strings"
	"testing"

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

// TestARegionComesAndGoesAlone: two regions register what three do, less what is
// named after the third or leads to it. Nothing of the other regions changes its
// name, so nothing is replaced, and what must not be (tables and keys) is not
// even touched.
func TestARegionComesAndGoesAlone(t *testing.T) {
	const leaving = "eu-north-1"
	two := tree(t, map[string]any{"regions": []any{
		map[string]any{"name": "eu-central-1", "failover": []any{"eu-west-1"}},
		map[string]any{"name": "eu-west-1", "failover": []any{"eu-central-1"}},
	}})
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

// TestTheHomeCannotBeRemoved from the regions while the tables are there.
func TestTheHomeCannotBeRemoved(t *testing.T) {
	err := load(t, "eu").Override(map[string]any{"regions": []any{
		map[string]any{"name": "eu-west-1", "failover": []any{"eu-north-1"}},
		map[string]any{"name": "eu-north-1", "failover": []any{"eu-west-1"}},
	}})
	assert.ErrorContains(t, err, `conversations.home: "eu-central-1" is not one of the stack's regions`)
}
