package stacks_test

import (
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFunctionsKnowWhoBreaksTies, and whether turns are written in pairs.
func TestFunctionsKnowWhoBreaksTies(t *testing.T) {
	tests := []struct {
		name       string
		settings   map[string]any // besides the home
		tieBreaker string
		unpaired   bool
	}{
		{"the home, if settings name none", nil, "eu-central-1", false},
		{"the one that settings name", map[string]any{"tieBreaker": "eu-west-1"}, "eu-west-1", false},
		{"one copy is what settings ask for", map[string]any{"pairWriting": false}, "eu-central-1", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stack := load(t, "eu")
			stack.Config["crossregion:settings"] = edit(t, stack.Config["crossregion:settings"], func(s map[string]any) {
				pair(s)
				for name, value := range tt.settings {
					s["conversations"].(map[string]any)[name] = value
				}
			})
			rec, err := run(t, stack, inJurisdiction)
			require.NoError(t, err)
			invokers := 0
			for _, f := range rec.Of("aws:lambda/function:Function") {
				getenv := environmentOf(f)
				if getenv(contract.EnvFunction) != contract.FunctionInvoker {
					continue
				}
				invokers++
				c, err := contract.Decode[contract.Invoker](getenv)
				require.NoError(t, err)
				assert.Equal(t, tt.tieBreaker, c.Conversations.TieBreaker)
				assert.Equal(t, tt.unpaired, c.Conversations.Unpaired)
			}
			assert.Equal(t, 2, invokers)
		})
	}
}
