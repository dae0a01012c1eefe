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

// TestWhatTheLossOfARegionCostsIsTold at preview, of stacks in which it stops
// conversations or costs turns.
func TestWhatTheLossOfARegionCostsIsTold(t *testing.T) {
	const stops, costs = "conversations stop while the tables of ", "conversations.pairWriting is off: "
	tests := []struct {
		name   string
		change func(map[string]any)
		want   []string // the beginnings of all warnings
	}{
		{"nothing, with three regions", func(map[string]any) {}, nil},
		{"two regions stop without the home", pair, []string{stops + "eu-central-1 "}},
		{"or without the one that settings name", func(s map[string]any) {
			pair(s)
			s["conversations"].(map[string]any)["tieBreaker"] = "eu-west-1"
		}, []string{stops + "eu-west-1 "}},
		{"one copy costs turns", onOneCopy, []string{costs}},
		{"in two regions too, of which neither goes on alone", func(s map[string]any) { pair(s); onOneCopy(s) }, []string{costs}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stack := load(t, "eu")
			stack.Config["crossregion:settings"] = edit(t, stack.Config["crossregion:settings"], tt.change)
			got := warningsOf(t, stack, (&account{}).answer)
			require.Len(t, got, len(tt.want), got)
			for i, want := range tt.want {
				assert.Contains(t, got[i], want)
			}
		})
	}
}

func onOneCopy(s map[string]any) { s["conversations"].(map[string]any)["pairWriting"] = false }
