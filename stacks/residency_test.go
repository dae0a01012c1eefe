package stacks_test

import (
	"strings"
	"testing"

	"github.com/crossregion/crossregion/stacks"
	"github.com/stretchr/testify/assert"
)

func TestResidencyNamesEveryPlace(t *testing.T) {
	r := stacks.Residency{
		Stack: "eu", Jurisdiction: "eu", Allowed: []string{"eu-central-1", "eu-west-1"},
		Places: []stacks.Place{
			{What: "conversation table", How: "stored", Region: "eu-west-1", Why: "a region of the stack"},
			{What: "model m", How: "processed", Region: "eu-central-1", Why: "a destination"},
		},
	}
	assert.Empty(t, r.Outside())
	text := r.Markdown()
	assert.Contains(t, text, "| conversation table | stored | eu-west-1 | yes | a region of the stack |")
	assert.Contains(t, text, "All 2 places below are inside it.")

	r.Places[1].Region = "eu-west-2"
	assert.Equal(t, r.Places[1:], r.Outside())
	text = r.Markdown()
	assert.Contains(t, text, "| model m | processed | eu-west-2 | **no** |")
	assert.Contains(t, text, "**1 places are outside it.**")
	assert.NotContains(t, strings.ToLower(text), "all 2 places")
}
