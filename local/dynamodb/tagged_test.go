package dynamodb_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTablesAreFoundByTheirTags(t *testing.T) {
	b := newBench(t)
	find := func(region, key string, values ...any) []any {
		filter := map[string]any{"key": key}
		if len(values) > 0 {
			filter["values"] = values
		}
		out, err := b.Functions()[0].Call(t.Context(), region, map[string]any{
			"resourceTypeFilters": []any{"dynamodb:table"}, "tagFilters": []any{filter},
		})
		require.NoError(t, err)
		return out["resourceTagMappingLists"].([]any)
	}
	assert.Empty(t, find(home, "place"), "nothing is there yet")
	_, err := b.createTable(home, map[string]any{"streamEnabled": true, "streamViewType": "NEW_AND_OLD_IMAGES", "tags": map[string]any{"place": "home"}})
	require.NoError(t, err)
	_, err = b.createReplica(far, map[string]any{"tags": map[string]any{"place": "far"}})
	require.NoError(t, err)

	assert.Equal(t, []any{map[string]any{
		"resourceArn": "arn:aws:dynamodb:" + home + ":123456789012:table/" + tbl, "tags": map[string]any{"place": "home"},
	}}, find(home, "place"))
	assert.Len(t, find(far, "place", "far"), 1, "a replica has tags of its own")
	assert.Empty(t, find(far, "place", "home"), "which are not synced")
	assert.Empty(t, find(home, "colour"))
	assert.Empty(t, find("eu-west-1", "place"), "a region without the table finds nothing")
}

func TestOtherResourcesAreNotLookedFor(t *testing.T) {
	_, err := newBench(t).Functions()[0].Call(t.Context(), home, map[string]any{
		"resourceTypeFilters": []any{"lambda:function"}, "tagFilters": []any{},
	})
	assert.ErrorContains(t, err, "finds dynamodb:table alone")
}
