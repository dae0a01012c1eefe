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
	r := &life{real: begin(t, load(t, "..", nil)), settings: map[string]any{"rollout": map[string]any{"bakeMinutes": 1}}}
	for _, chapter := range []func(*life){
		(*life).isBorn, (*life).changesItsModels, (*life).getsABadVersion, (*life).losesARegionForAWhile, (*life).isDrained,
		(*life).isRefusedHalfWay, (*life).gainsARegion, (*life).losesARegionForGood, (*life).triesACanary,
	} {
		chapter(r)
	}
}

// life is a stack whose settings change.
type life struct {
	*real
	settings map[string]any
}

// Titles of steps.
const (
	early = "what is new and needed"
	last  = "what all regions share, and what goes"
	first = "the first deployment, of everything"
)

// all are the regions of the stack's file.
func all() []string { return []string{"eu-central-1", "eu-west-1", "eu-north-1"} }

func (r *life) set(key string, value any) { r.settings[key] = value }

func (r *life) roll() error {
	r.t.Helper()
	return r.real.roll(r.settings)
}

// isBorn at the second attempt: what the first left is not live yet.
func (r *life) isBorn() {
	r.denied = "aws:route53/record:Record"
	require.ErrorContains(r.t, r.roll(), "the rollout stops here")
	r.denied = ""
	require.NoError(r.t, r.roll())
	assert.Equal(r.t, []string{first}, r.steps())
	for _, region := range all() {
		assert.NotZero(r.t, r.asked[region+".eu.llm.example.com"], "%s is not watched", region)
	}
	assert.NotZero(r.t, r.asked["eu.llm.example.com"], "the name of all is not watched")
	r.checkPatience()
	require.NoError(r.t, r.roll())
	assert.Empty(r.t, r.steps())
	assert.Contains(r.t, r.out.String(), "nothing to change")
}

func (r *life) changesItsModels() {
	nova := map[string]any{"name": "nova-pro", "profile": "eu.amazon.nova-pro-v1:0"}
	r.set("models", []any{nova, map[string]any{"name": "haiku", "profile": "eu.anthropic.claude-haiku-4-5-20251001-v1:0"}})
	require.NoError(r.t, r.roll(), "one model comes, one goes")
	assert.Equal(r.t, slices.Concat([]string{early}, all(), []string{last}), r.steps())
	assert.NotZero(r.t, r.asked["eu.llm.example.com"], "the last step is watched by the shared name too")

	r.set("firewall", map[string]any{"requestsPerFiveMinutes": 1000})
	require.NoError(r.t, r.roll(), "what is only added goes region by region too")
	assert.Equal(r.t, slices.Concat([]string{early}, all()), r.steps())
}

// getsABadVersion, for which an alarm rings while its first region is watched.
func (r *life) getsABadVersion() {
	r.set("failover", map[string]any{"holdSeconds": 10})
	r.clock.slept = func(time.Time) { r.ring("eu-central-1", "errors", types.StateValueAlarm) }
	err := r.roll()
	assert.ErrorContains(r.t, err, "eu-central-1 is not well: alarm errors rings")
	assert.ErrorContains(r.t, err, "eu-west-1, eu-north-1 keep what they have")
	bad, _ := r.version("eu-central-1-invoker")
	kept, _ := r.version("eu-west-1-invoker")
	assert.NotEqual(r.t, bad, kept)
	r.clock.slept = once(func() { r.ring("eu-central-1", "errors", types.StateValueOk) })
	delete(r.settings, "failover")
	require.NoError(r.t, r.roll(), "the former version cures it")
	assert.Equal(r.t, all()[:1], r.steps())
	r.clock.slept = nil
}

// losesARegionForAWhile, of which nothing may be asked.
func (r *life) losesARegionForAWhile() {
	r.set("regions", entries("eu-north-1"))
	r.set("throttle", map[string]any{"ratePerSecond": 50})
	r.down = "eu-north-1"
	require.NoError(r.t, r.roll())
	assert.Equal(r.t, all()[:2], r.steps()[:2])
	r.down = ""
	r.set("regions", entries(""))
	require.NoError(r.t, r.roll(), "it gets what it missed")
	assert.Contains(r.t, r.steps(), "eu-north-1")
}

// isDrained in one region, gets its cure there, and is undrained meanwhile: the
// alarm that the drain rang is silent some time later.
func (r *life) isDrained() {
	r.drain("eu-central-1", true)
	r.set("failover", map[string]any{"holdSeconds": 12})
	tick := 0
	r.clock.slept = func(time.Time) {
		switch tick++; tick {
		case 2:
			r.ring("eu-central-1", "getHealth", types.StateValueAlarm)
			r.drain("eu-central-1", false)
		case 6:
			r.ring("eu-central-1", "getHealth", types.StateValueOk)
		}
	}
	began := r.clock.now
	require.NoError(r.t, r.roll())
	r.clock.slept = nil
	assert.Contains(r.t, r.out.String(), "eu-central-1 is drained, and may stay so\n")
	assert.Equal(r.t, all(), r.steps())
	assert.Equal(r.t, 90*time.Second+3*time.Minute, r.clock.now.Sub(began), "the first region's quiet begins when the alarm is silent")

	r.drain("eu-west-1", true)
	r.set("failover", map[string]any{"holdSeconds": 13})
	r.clock.slept = func(time.Time) { r.drain("eu-central-1", true) }
	err := r.roll()
	r.clock.slept = nil
	assert.ErrorContains(r.t, err, "eu-central-1 is not well: it is drained", "a drain meanwhile has a reason")
	r.drain("eu-central-1", false)
	require.NoError(r.t, r.roll(), "a drain of before is no reason to stop")
	assert.Contains(r.t, r.out.String(), "eu-west-1 is drained, and may stay so\n")
	r.drain("eu-west-1", false)
}

// isRefusedHalfWay, and is live all the same.
func (r *life) isRefusedHalfWay() {
	r.set("throttle", map[string]any{"ratePerSecond": 60})
	r.denied = "aws:apigateway/methodSettings:MethodSettings"
	require.ErrorContains(r.t, r.roll(), "the rollout stops here")
	r.denied = ""
	require.NoError(r.t, r.roll())
	assert.Equal(r.t, all(), r.steps())
}

func (r *life) gainsARegion() {
	r.set("regions", entries("", entry("eu-west-3", false, "eu-central-1")))
	require.NoError(r.t, r.roll())
	assert.Equal(r.t, slices.Concat([]string{early}, all(), []string{"eu-west-3", last}), r.steps())
	assert.NotContains(r.t, r.out.String(), "troubles")
	before, _, _ := strings.Cut(r.out.String(), "step 6 of 6: "+last)
	assert.Contains(r.t, before, "aws:route53:Record routing-eu-west-3-own created")
	assert.NotContains(r.t, before, "aws:route53:Record routing-eu-west-3-latency creating", "nobody is led to it before it has been quiet")
}

// losesARegionForGood, and with it data, which has to be asked for.
func (r *life) losesARegionForGood() {
	r.set("protect", false)
	require.NoError(r.t, r.engine.Configure(r.t.Context(), load(r.t, r.root, r.settings)))
	_, err := r.engine.Up(r.t.Context())
	require.NoError(r.t, err)
	r.set("regions", entries(""))
	require.ErrorContains(r.t, r.roll(), "- delete  aws:dynamodb:TableReplica eu-west-3-conversation-content, eu-west-3-conversation-control\n")
	assert.Empty(r.t, r.steps())
	assert.Contains(r.t, r.out.String(), "~ update  aws:lambda:Function eu-central-1-health-fn, eu-central-1-invoker-fn, ")
	r.dataLoss = true
	require.NoError(r.t, r.roll())
	r.dataLoss = false
	assert.Equal(r.t, []string{"all regions at once, since eu-west-3 leaves"}, r.steps())
	require.NoError(r.t, r.roll())
	assert.Empty(r.t, r.steps())
}

// triesACanary that does well in the first region, and not in the second.
func (r *life) triesACanary() {
	r.set("rollout", map[string]any{"bakeMinutes": 1, "canaryPercent": 10})
	r.set("failover", map[string]any{"holdSeconds": 15})
	before, _ := r.version("eu-west-1-invoker")
	spoil := once(func() {
		_, weights := r.version("eu-west-1-invoker")
		assert.InDeltaMapValues(r.t, map[string]float64{next(before): 0.1}, weights, 1e-9)
		r.ring("eu-west-1", "errors", types.StateValueAlarm)
	})
	r.clock.slept = func(now time.Time) {
		if strings.Contains(r.out.String(), "eu-west-1: 10 % of calls go to the new version") {
			spoil(now)
		}
	}
	err := r.roll()
	assert.ErrorContains(r.t, err, "eu-west-1 is not well: alarm errors rings")
	assert.ErrorContains(r.t, err, "the former version has all calls of eu-west-1 again")
	after, weights := r.version("eu-west-1-invoker")
	assert.Equal(r.t, before, after)
	assert.Empty(r.t, weights)
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
