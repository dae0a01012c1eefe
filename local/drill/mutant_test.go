package drill

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/local/up"
)

// altered is a cloud that gets other resources than the program registers.
type altered struct {
	deploy.Target
	alter func(name string, inputs map[string]any)
}

func (a altered) Create(ctx context.Context, token, region, name string, inputs map[string]any) (cloud.State, error) {
	a.alter(name, inputs)
	return a.Target.Create(ctx, token, region, name, inputs)
}

// fast is the speed of drills in tests.
const fast = 20

// deployed is a stack for a drill, until the end of the test.
func deployed(t *testing.T, speed float64, over map[string]any, alter func(name string, inputs map[string]any)) *up.Running {
	t.Helper()
	o := up.Options{Root: "../..", Stack: "eu", Listen: "127.0.0.1:0", Speed: speed, Settings: settings(speed)}
	for key, value := range over {
		o.Settings[key] = value
	}
	if alter != nil {
		o.Target = func(inner deploy.Target) deploy.Target { return altered{inner, alter} }
	}
	running, err := start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, running.Close()) })
	return running
}

// unchecked takes the health checks from the records that lead to a region.
func unchecked(_ string, inputs map[string]any) { delete(inputs, "healthCheckId") }

// alone leaves the functions only the first target of each model.
func alone(name string, inputs map[string]any) {
	environment, ok := inputs["environment"].(map[string]any)
	if !ok || !strings.HasSuffix(name, "-invoker-fn") {
		return
	}
	variables := environment["variables"].(map[string]any)
	var config map[string]any
	if json.Unmarshal([]byte(variables[contract.EnvConfig].(string)), &config) != nil {
		return
	}
	for _, m := range config["models"].([]any) {
		model := m.(map[string]any)
		model["targets"] = model["targets"].([]any)[:1]
	}
	if b, err := json.Marshal(config); err == nil {
		variables[contract.EnvConfig] = string(b)
	}
}

// TestADrillFailsWhereAPromiseIsBroken: each stack lacks what keeps one of them,
// and the drill that puts that to the test says so.
func TestADrillFailsWhereAPromiseIsBroken(t *testing.T) {
	if testing.Short() {
		t.Skip("left out of -short: it deploys and drills a stack for each mistake")
	}
	lost := []step{{at: 20 * time.Second, what: "region lost", do: lose(0), loses: []int{0}}}
	few := map[string]any{"healthChecks": map[string]any{
		"intervalSeconds": 10, "threshold": threshold, "regions": []string{"eu-west-1", "us-east-1", "sa-east-1"},
	}}
	tests := []struct {
		name     string
		settings map[string]any
		alter    func(name string, inputs map[string]any)
		steps    []step
		broken   string
	}{
		{"few checkers, of which the isolated region's own are enough", few, nil,
			[]step{{at: 20 * time.Second, what: "isolated", do: isolate, loses: []int{0}}}, "R2: at 2m"},
		{"DNS without health checks", nil, unchecked, lost, "R2: at 2m"},
		{"no failover between models", nil, alone,
			[]step{{at: 20 * time.Second, what: "Bedrock down", do: breaks("bedrock", "drop")}}, "R2: at "},
		{"turns written to one region, which is cut off and then lost",
			map[string]any{"conversations": map[string]any{"home": "eu-central-1", "pairWriting": false}}, nil,
			append([]step{{at: 5 * time.Second, what: "replication cut", do: cut}}, lost...), "409 conversation_not_arrived"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := newDrill(scenario{name: "mutant", steps: tt.steps, probed: tt.settings["healthChecks"] != nil}, deployed(t, fast, tt.settings, tt.alter), fast)
			require.NoError(t, err)
			d.length = 165 * time.Second
			require.NoError(t, d.run(t.Context(), func(string) {}))
			v := d.judge()
			for _, p := range v.Places[1:] {
				assert.Positive(t, p.Turns, "all else is well in %s", p.Place)
			}
			assert.Contains(t, strings.Join(v.Broken, "\n"), tt.broken)
		})
	}
}

// TestADrillHolds on a stack that lacks nothing: what fails above fails for what
// was taken away.
func TestADrillHolds(t *testing.T) {
	if testing.Short() {
		t.Skip("left out of -short: it deploys and drills a stack")
	}
	const speed = 10
	for _, s := range []scenario{
		{name: "region-lost", expectation: ownClientsMove, steps: []step{
			{at: 10 * time.Second, what: "region lost", do: lose(0), loses: []int{0}},
			{at: 150 * time.Second, what: "mended", do: mend, mends: true},
		}},
		{name: "region-isolated", expectation: otherCheckersDecide, probed: true, steps: []step{
			{at: 10 * time.Second, what: "isolated", do: isolate, loses: []int{0}},
			{at: 150 * time.Second, what: "rejoined", do: rejoin, mends: true},
		}},
	} {
		t.Run(s.name, func(t *testing.T) {
			d, err := newDrill(s, deployed(t, speed, nil, nil), speed)
			require.NoError(t, err)
			require.NoError(t, d.run(t.Context(), func(string) {}))
			v := d.judge()
			assert.Empty(t, v.Broken)
			assert.Positive(t, v.Allowed, "clients of the region were hit")
			for _, p := range v.Places {
				assert.Positive(t, p.Turns, p.Place)
			}
		})
	}
}
