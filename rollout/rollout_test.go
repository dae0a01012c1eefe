package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOneRegionAfterTheOther: each is quiet for as long as the settings say
// before the next is touched.
func TestOneRegionAfterTheOther(t *testing.T) {
	try := newTrial(t)
	var at []time.Time
	try.engine.after = func() { at = append(at, try.clock.now) }
	require.NoError(t, try.roll(t.Context()))
	assert.Equal(t, []string{"eu-central-1", "eu-west-1"}, try.regions())
	assert.GreaterOrEqual(t, at[1].Sub(at[0]), time.Minute)
	assert.Equal(t, []string{urn("eu-central-1-invoker-fn"), urn("eu-central-1-invoker-alias")}, try.engine.ups[0].targets)
	assert.Nil(t, try.engine.ups[0].canary)
	assert.Contains(t, try.out.String(), "step 1 of 2: eu-central-1\n")
}

// TestABadVersionStopsAfterTheFirstRegion, whatever tells of it.
func TestABadVersionStopsAfterTheFirstRegion(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*trial) // once the first region has the version
		want  string
	}{
		{"an alarm rings", func(t *trial) { t.bells["eu-central-1"] = []string{"errors-1"} }, "alarm errors rings"},
		{"its health function crashes", func(t *trial) { t.bells["eu-central-1"] = []string{"crashes-1"} }, "alarm health-crashes rings"},
		{"its health endpoint fails", func(t *trial) { t.health = http.StatusInternalServerError }, "answers 500"},
		{"Pulumi fails", func(t *trial) { t.engine.fail = errors.New("exit status 255") }, "exit status 255"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			try := newTrial(t)
			try.engine.after = func() { tt.spoil(try) }
			err := try.roll(t.Context())
			assert.ErrorContains(t, err, tt.want)
			assert.ErrorContains(t, err, "eu-west-1 keep what they have")
			assert.NotContains(t, err.Error(), "still")
			assert.Less(t, try.clock.now.Sub(begun), 15*time.Second, "it stops at once")
			assert.Equal(t, []string{"eu-central-1"}, try.regions())
		})
	}
}

// TestALateAlarmStopsToo: one that rings at the end of the time.
func TestALateAlarmStopsToo(t *testing.T) {
	try := newTrial(t)
	end := try.clock.now.Add(time.Minute)
	try.clock.slept = func(now time.Time) {
		if !now.Before(end) {
			try.bells["eu-central-1"] = []string{"errors-1"}
		}
	}
	assert.ErrorContains(t, try.roll(t.Context()), "alarm errors rings")
	assert.Len(t, try.engine.ups, 1)
}

// TestTheLastStepIsWatched in every region, and by the name that clients use: it
// changes what leads them.
func TestTheLastStepIsWatched(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*trial)
		want  string
	}{
		{"an alarm rings in a region", func(t *trial) { t.bells["eu-west-1"] = []string{"errors-2"} }, "eu-west-1 is not well: alarm errors rings"},
		{"a health check fails", func(t *trial) { t.bells["us-east-1"] = []string{"health-2"} }, "eu-west-1 is not well: alarm health rings"},
		{"the shared name leads nowhere", func(t *trial) { t.shared = http.StatusForbidden }, "the shared name is not well: "},
		{"an alarm rings once another region has been quiet", func(t *trial) {
			end := t.clock.now.Add(45 * time.Second)
			t.clock.slept = func(now time.Time) {
				if now.Equal(end) {
					t.bells["eu-west-1"] = []string{"errors-2"}
				}
			}
		}, "eu-west-1 is not well: alarm errors rings"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			try := newTrial(t)
			try.engine.preview = parsed(t, updated("routing-eu-west-1-latency"))
			try.engine.after = func() { tt.spoil(try) }
			assert.ErrorContains(t, try.roll(t.Context()), tt.want)
		})
	}
	t.Run("the shared name may lead to a region that is drained", func(t *testing.T) {
		try := newTrial(t)
		try.engine.preview = parsed(t, updated("routing-eu-west-1-latency"))
		try.engine.after = func() { try.shared, try.answer = http.StatusServiceUnavailable, `{"status":"drained"}` }
		require.NoError(t, try.roll(t.Context()))
		assert.Equal(t, time.Minute, try.clock.now.Sub(begun))
	})
}

// TestTheFirstDeploymentIsWatched everywhere, though nobody can ask before.
func TestTheFirstDeploymentIsWatched(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(*trial)
		want  string // "" for none
	}{
		"all is well":                      {func(*trial) {}, ""},
		"an alarm rings in a region":       {func(t *trial) { t.bells["eu-west-1"] = []string{"errors-2"} }, "eu-west-1 is not well: alarm errors rings"},
		"the shared name leads nowhere":    {func(t *trial) { t.shared = http.StatusForbidden }, "the shared name is still not well: "},
		"health endpoints do not answer":   {func(t *trial) { t.health = http.StatusForbidden }, "eu-central-1 is still not well: "},
		"Pulumi fails, and nobody watches": {func(t *trial) { t.engine.fail = errors.New("exit status 255") }, "exit status 255"},
	} {
		t.Run(name, func(t *testing.T) {
			try := newTrial(t)
			there := try.engine.state
			try.engine.state = deployed{}
			try.engine.after = func() {
				try.engine.state = there
				row.spoil(try)
			}
			err := try.roll(t.Context())
			assert.Len(t, try.engine.ups, 1)
			assert.Empty(t, try.engine.ups[0].targets)
			assert.NotContains(t, try.out.String(), "troubles already")
			if row.want != "" {
				assert.ErrorContains(t, err, row.want)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, time.Minute, try.clock.now.Sub(begun))
		})
	}
}

// TestWhatIsNewTakesItsTime: no probe has come yet, which its alarms take for bad.
func TestWhatIsNewTakesItsTime(t *testing.T) {
	for name, p := range map[string]preview{
		"a stack":  parsed(t, planned("create", "eu-west-1-invoker-fn", "null", "{}")),
		"a region": parsed(t, planned("create", "routing-eu-west-1-own", "null", "{}")),
	} {
		t.Run(name, func(t *testing.T) {
			try := newTrial(t)
			try.engine.preview, try.engine.state.live = p, name != "a stack"
			try.engine.state.alarms = append(try.engine.state.alarms, alarm{"probes-2", "eu-west-1-alarms-getHealth"})
			try.engine.after = func() {
				try.bells["us-east-1"], try.bells["eu-west-1"] = []string{"health-2"}, []string{"probes-2"}
				try.health = http.StatusForbidden
			}
			try.clock.slept = func(now time.Time) {
				if now.Sub(begun) >= 5*time.Minute {
					clear(try.bells)
					try.health = http.StatusOK
				}
			}
			require.NoError(t, try.roll(t.Context()))
			assert.GreaterOrEqual(t, try.clock.now.Sub(begun), 6*time.Minute, "it is quiet for as long as any other")
		})
	}
}

// TestARegionThatComes has no name by which it could be asked, until its step
// is done.
func TestARegionThatComes(t *testing.T) {
	try := newTrial(t)
	try.engine.preview = parsed(t, planned("create", "routing-eu-west-1-own", "null", "{}"))
	try.health = http.StatusBadGateway
	try.engine.after = func() { try.health = http.StatusOK }
	require.NoError(t, try.roll(t.Context()))
	assert.NotContains(t, try.out.String(), "troubles")
	try.engine.after = nil
	try.health = http.StatusBadGateway
	assert.ErrorContains(t, try.roll(t.Context()), "eu-west-1 is still not well")
	try.health, try.bells["eu-west-1"] = http.StatusOK, []string{"errors-2"}
	assert.ErrorContains(t, try.roll(t.Context()), "eu-west-1 is not well: alarm errors rings")
}

// TestARegionThatLeaves takes one step, after which the others are watched.
func TestARegionThatLeaves(t *testing.T) {
	try := newTrial(t)
	try.engine.state.regions = []string{"eu-central-1", "eu-west-1", "eu-north-1"} // of which the outputs may know no more
	try.engine.after = func() { try.bells["eu-west-1"] = []string{"errors-2"} }
	assert.ErrorContains(t, try.roll(t.Context()), "eu-west-1 is not well")
	require.Len(t, try.engine.ups, 1)
	assert.Empty(t, try.engine.ups[0].targets)
	assert.Contains(t, try.out.String(), "1. all regions at once, since eu-north-1 leaves: 4 to update\n")
}

// TestTheFirstDeploymentIsOneStep: there is nothing to protect.
func TestTheFirstDeploymentIsOneStep(t *testing.T) {
	try := newTrial(t)
	try.engine.preview, try.engine.state = additions(t), deployed{}
	require.NoError(t, try.roll(t.Context()))
	require.Len(t, try.engine.ups, 1)
	assert.Empty(t, try.engine.ups[0].targets)
}

// TestAnAdditionGoesRegionByRegion: a firewall that refuses everybody is met in
// one region, though the preview names nothing that exists.
func TestAnAdditionGoesRegionByRegion(t *testing.T) {
	try := newTrial(t)
	try.engine.preview = additions(t)
	try.engine.after = func() { try.bells["eu-central-1"] = []string{"errors-1"} }
	assert.ErrorContains(t, try.roll(t.Context()), "eu-west-1 keep what they have")
	assert.Equal(t, []string{"eu-central-1"}, try.regions())
}

// additions are a preview of nothing but creations.
func additions(t *testing.T) preview {
	t.Helper()
	return parsed(t, planned("create", "eu-central-1-firewall", "null", "{}"), planned("create", "eu-west-1-firewall", "null", "{}"))
}

// TestARegionThatIsOfflineIsLeftAlone from the preview to the last step.
func TestARegionThatIsOfflineIsLeftAlone(t *testing.T) {
	try := newTrial(t)
	try.engine.settings = strings.Replace(settings, `"name":"eu-west-1"`, `"name":"eu-west-1","offline":true`, 1)
	try.engine.preview = parsed(t, updated("eu-central-1-invoker-fn"), updated("dashboard-board"))
	require.NoError(t, try.roll(t.Context()))
	alone := []string{"**::eu-west-1", "**::eu-west-1-*"}
	assert.Equal(t, alone, try.engine.excluded)
	assert.Equal(t, []string{"eu-central-1", ""}, try.regions())
	assert.Equal(t, alone, try.engine.ups[1].exclude)
	assert.Contains(t, try.out.String(), "eu-central-1, the shared name must be quiet")
}

func TestNothingIsChanged(t *testing.T) {
	t.Run("when only the plan is asked for", func(t *testing.T) {
		try := newTrial(t)
		require.NoError(t, try.run(t.Context(), options{stack: "eu", plan: true}))
		assert.Empty(t, try.engine.ups)
		assert.Contains(t, try.out.String(), "2. eu-west-1: 2 to update\n")
		assert.NotContains(t, try.out.String(), "step ")
	})
	t.Run("when a role of alarms is misspelt", func(t *testing.T) {
		try := newTrial(t)
		err := try.run(t.Context(), options{stack: "eu", ignore: []string{"errors", "helth"}})
		assert.ErrorIs(t, err, errUsage)
		assert.ErrorContains(t, err, `no alarm has the role "helth", but errors, getHealth, health, health-crashes`)
		assert.Empty(t, try.engine.ups)
	})
	t.Run("when nothing differs", func(t *testing.T) {
		try := newTrial(t)
		try.engine.preview.Steps = nil
		require.NoError(t, try.roll(t.Context()))
		assert.Empty(t, try.engine.ups)
		assert.Contains(t, try.out.String(), "nothing to change")
	})
	t.Run("when the settings are wrong", func(t *testing.T) {
		try := newTrial(t)
		try.engine.settings = `{}`
		assert.ErrorContains(t, try.roll(t.Context()), "jurisdiction")
		assert.Empty(t, try.engine.ups)
	})
}

// TestWarnings come before the steps.
func TestWarnings(t *testing.T) {
	try := newTrial(t)
	p, err := parsePreview([]byte(`{"diagnostics":[{"severity":"warning","message":"warning: the quota is low\n"}]}`))
	require.NoError(t, err)
	try.engine.preview = p
	const early = "warning: 1m0s of quiet prove little: most alarms need up to 5m0s to ring\n"
	require.NoError(t, try.roll(t.Context()))
	assert.Equal(t, "warning: the quota is low\n"+early+"nothing to change\n", try.out.String())
	require.NoError(t, try.run(t.Context(), options{stack: "eu", bake: 5 * time.Minute}))
	assert.Equal(t, 1, strings.Count(try.out.String(), "prove little"))
}

// TestARoleOfAnAlarmThatComes can be ignored from the start.
func TestARoleOfAnAlarmThatComes(t *testing.T) {
	try := newTrial(t)
	try.engine.preview = parsed(t, planned("create", "eu-west-1-alarms-uncounted", "null", "{}"))
	require.NoError(t, try.run(t.Context(), options{stack: "eu", ignore: []string{"health", "uncounted"}}))
}

// TestAnInterruptionEndsTheWait, and nothing else is changed.
func TestAnInterruptionEndsTheWait(t *testing.T) {
	try := newTrial(t)
	ctx, stop := context.WithCancel(t.Context())
	try.engine.after = stop
	assert.ErrorIs(t, try.roll(ctx), context.Canceled)
	assert.Len(t, try.engine.ups, 1)
}

func TestCommandLine(t *testing.T) {
	for _, args := range [][]string{nil, {"--stack", "eu", "more"}, {"--unknown"}, {"--bake", "soon", "--stack", "eu"}, {"--bake", "-1ns", "--stack", "eu"}} {
		err := Run(t.Context(), args, Streams{Out: &strings.Builder{}})
		assert.ErrorIs(t, err, errUsage, args)
		assert.Equal(t, 2, exitCode(err))
	}
	assert.Equal(t, 1, exitCode(errors.New("any other")))
	var help strings.Builder
	require.NoError(t, Run(t.Context(), []string{"-h"}, Streams{Out: &help}))
	assert.Contains(t, help.String(), "--stack name")
	assert.NotContains(t, help.String(), "-1ns")
	o, err := parse([]string{"--stack", "eu", "--ignore", "errors,health", "--bake", "5m"}, &strings.Builder{})
	require.NoError(t, err)
	assert.Equal(t, options{stack: "eu", bake: 5 * time.Minute, ignore: []string{"errors", "health"}}, o)
}
