package stacks_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/stacks"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// worldwide returns a stack of n regions of the jurisdiction that has them
// all, each with the next as partner.
func worldwide(t testing.TB, n int) *deploy.Stack {
	t.Helper()
	names := stacks.JurisdictionRegions("global")[:n]
	var regions []any
	for i, name := range names {
		regions = append(regions, map[string]any{"name": name, "failover": []string{names[(i+1)%n]}})
	}
	settings, err := json.Marshal(map[string]any{
		"jurisdiction": "global", "regions": regions,
		"models":        []any{map[string]any{"name": "claude", "profile": "global.claude"}, map[string]any{"name": "nova", "profile": "global.nova"}},
		"domain":        map[string]any{"name": "llm.example.com", "zone": "example.com"},
		"conversations": map[string]any{"home": names[0]},
	})
	require.NoError(t, err)
	return &deploy.Stack{Root: t.TempDir(), Name: "world", Config: map[string]string{"crossregion:settings": string(settings)}}
}

// preview runs the program and returns how many resources it registered.
func preview(t testing.TB, stack *deploy.Stack) int {
	t.Helper()
	rec := componenttest.New(calls(inJurisdiction))
	require.NoError(t, rec.Run(stacks.Program, as(stack)))
	return len(rec.Registrations())
}

// TestResourcesGrowLinearly: each region adds as many as any other.
func TestResourcesGrowLinearly(t *testing.T) {
	two, three, four := preview(t, worldwide(t, 2)), preview(t, worldwide(t, 3)), preview(t, worldwide(t, 4))
	assert.Equal(t, three-two, four-three)
}

// BenchmarkPreview measures a preview on mocks, the handlers built before.
func BenchmarkPreview(b *testing.B) {
	for _, n := range []int{2, 5, 10, 20} {
		b.Run(fmt.Sprintf("regions=%d", n), func(b *testing.B) {
			stack := worldwide(b, n)
			resources := preview(b, stack)
			for b.Loop() {
				preview(b, stack)
			}
			b.ReportMetric(float64(resources), "resources")
		})
	}
}
