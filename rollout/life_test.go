package main

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// entry is a region in the settings.
func entry(name string, offline bool, partners ...string) map[string]any {
	list := []any{}
	for _, p := range partners {
		list = append(list, p)
	}
	return map[string]any{"name": name, "failover": list, "offline": offline}
}

func entries(offline string, more ...map[string]any) []any {
	all := []any{}
	names := []string{"eu-central-1", "eu-west-1", "eu-north-1"}
	for i, name := range names {
		all = append(all, entry(name, name == offline, names[(i+1)%3], names[(i+2)%3]))
	}
	for _, m := range more {
		all = append(all, m)
	}
	return all
}

// version is the one that an alias leads to, and what it gives to another.
func (r *real) version(function string) (version string, weights map[string]float64) {
	r.t.Helper()
	raw, err := r.cli().output(r.t.Context(), "stack", "export")
	require.NoError(r.t, err)
	var export struct{ Deployment struct{ Resources []state } }
	require.NoError(r.t, json.Unmarshal(raw, &export))
	for _, resource := range export.Deployment.Resources {
		if name(resource.URN) == function+"-alias" {
			var outputs struct {
				FunctionVersion string
				RoutingConfig   struct{ AdditionalVersionWeights map[string]float64 }
			}
			require.NoError(r.t, json.Unmarshal(resource.Outputs, &outputs))
			return outputs.FunctionVersion, outputs.RoutingConfig.AdditionalVersionWeights
		}
	}
	r.t.Fatalf("no alias of %s", function)
	return "", nil
}

// checkPatience: an alarm that looks back for longer would keep a cure away.
func (r *real) checkPatience() {
	r.t.Helper()
	raw, err := r.cli().output(r.t.Context(), "stack", "export")
	require.NoError(r.t, err)
	var export struct{ Deployment struct{ Resources []state } }
	require.NoError(r.t, json.Unmarshal(raw, &export))
	var longest time.Duration
	for _, resource := range export.Deployment.Resources {
		if resource.Type == alarmType {
			var outputs struct{ EvaluationPeriods int }
			require.NoError(r.t, json.Unmarshal(resource.Outputs, &outputs))
			longest = max(longest, time.Duration(outputs.EvaluationPeriods)*time.Minute)
		}
	}
	assert.Equal(r.t, 15*time.Minute, longest, "as the guide says")
	assert.Less(r.t, longest, patience)
}

// TestTheRealEngine takes a stack through its life by rollouts alone.
func TestTheRealEngine(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: NOT TESTED is how a rollout and the real Pulumi engine go together")
	}
	const early, last = "what is new and needed", "what all regions share, and what goes"
	all := []string{"eu-central-1", "eu-west-1", "eu-north-1"}
	r := begin(t, load(t, "..", nil))
	settings := map[string]any{"rollout": map[string]any{"bakeMinutes": 1}}
	set := func(key string, value any) { settings[key] = value }

	require.NoError(t, r.roll(settings))
	assert.Equal(t, []string{"the first deployment, of everything"}, r.steps())
	r.checkPatience()
	require.NoError(t, r.roll(settings))
	assert.Empty(t, r.steps())
	assert.Contains(t, r.out.String(), "nothing to change")

	nova := map[string]any{"name": "nova-pro", "profile": "eu.amazon.nova-pro-v1:0"}
	set("models", []any{nova, map[string]any{"name": "haiku", "profile": "eu.anthropic.claude-haiku-4-5-20251001-v1:0"}})
	require.NoError(t, r.roll(settings), "one model comes, one goes")
	assert.Equal(t, slices.Concat([]string{early}, all, []string{last}), r.steps())

	set("firewall", map[string]any{"requestsPerFiveMinutes": 1000})
	require.NoError(t, r.roll(settings), "what is only added goes region by region too")
	assert.Equal(t, slices.Concat([]string{early}, all), r.steps())

	// A version that fails in its first region: the alarm rings while it is watched.
	set("failover", map[string]any{"holdSeconds": 10})
	r.clock.slept = func(time.Time) { r.ring("eu-central-1", "errors", types.StateValueAlarm) }
	err := r.roll(settings)
	assert.ErrorContains(t, err, "eu-central-1 is not well: alarm errors rings")
	assert.ErrorContains(t, err, "eu-west-1, eu-north-1 keep what they have")
	bad, _ := r.version("eu-central-1-invoker")
	kept, _ := r.version("eu-west-1-invoker")
	assert.NotEqual(t, bad, kept)
	r.clock.slept = once(func() { r.ring("eu-central-1", "errors", types.StateValueOk) })
	delete(settings, "failover")
	require.NoError(t, r.roll(settings), "the former version cures it")
	assert.Equal(t, all[:1], r.steps())
	r.clock.slept = nil

	// A region of which nothing may be asked.
	set("regions", entries("eu-north-1"))
	set("throttle", map[string]any{"ratePerSecond": 50})
	r.down = "eu-north-1"
	require.NoError(t, r.roll(settings))
	assert.Equal(t, all[:2], r.steps()[:2])
	r.down = ""
	set("regions", entries(""))
	require.NoError(t, r.roll(settings), "it gets what it missed")
	assert.Contains(t, r.steps(), "eu-north-1")

	set("regions", entries("", entry("eu-west-3", false, "eu-central-1")))
	require.NoError(t, r.roll(settings), "a region comes")
	assert.Equal(t, slices.Concat([]string{early}, all, []string{"eu-west-3", last}), r.steps())

	// A canary that does well in the first region, and not in the second.
	set("rollout", map[string]any{"bakeMinutes": 1, "canaryPercent": 10})
	set("failover", map[string]any{"holdSeconds": 15})
	before, _ := r.version("eu-west-1-invoker")
	spoil := once(func() {
		_, weights := r.version("eu-west-1-invoker")
		assert.InDeltaMapValues(t, map[string]float64{next(before): 0.1}, weights, 1e-9)
		r.ring("eu-west-1", "errors", types.StateValueAlarm)
	})
	r.clock.slept = func(now time.Time) {
		if strings.Contains(r.out.String(), "eu-west-1: 10 % of calls go to the new version") {
			spoil(now)
		}
	}
	err = r.roll(settings)
	assert.ErrorContains(t, err, "eu-west-1 is not well: alarm errors rings")
	assert.ErrorContains(t, err, "the former version has all calls of eu-west-1 again")
	after, weights := r.version("eu-west-1-invoker")
	assert.Equal(t, before, after)
	assert.Empty(t, weights)
}

// once does at the first tick what asks Pulumi, which takes its time.
func once(do func()) func(time.Time) {
	var first sync.Once
	return func(time.Time) { first.Do(do) }
}

// next is the version after one.
func next(version string) string {
	n, err := strconv.Atoi(version)
	if err != nil {
		return ""
	}
	return strconv.Itoa(n + 1)
}
