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
	assert.Contains(t, try.out.String(), "step 1 of 2: eu-central-1: 2 changes")
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
			assert.NotContains(t, err.Error(), "as it was before")
			assert.Less(t, try.clock.now.Sub(time.Time{}), 15*time.Second, "it stops at once")
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

// TestATroubleOfBefore does not stop its own cure, and must be gone by the end
// of the time.
func TestATroubleOfBefore(t *testing.T) {
	t.Run("it is cured", func(t *testing.T) {
		try := newTrial(t)
		try.bells["eu-central-1"] = []string{"errors-1"}
		cured := try.clock.now.Add(45 * time.Second)
		var done time.Time
		try.clock.slept = func(now time.Time) {
			if !now.Before(cured) {
				delete(try.bells, "eu-central-1")
			}
		}
		try.engine.after = func() { done = try.clock.now }
		require.NoError(t, try.roll(t.Context()))
		assert.Len(t, try.engine.ups, 2)
		assert.GreaterOrEqual(t, done.Sub(cured), time.Minute, "the quiet begins when it is gone")
		assert.Contains(t, try.out.String(), "eu-central-1 has troubles already, which must end: alarm errors rings")
	})
	t.Run("it stays", func(t *testing.T) {
		try := newTrial(t)
		try.bells["eu-central-1"] = []string{"errors-1"}
		assert.ErrorContains(t, try.roll(t.Context()), "as it was before: alarm errors rings")
		assert.InDelta(t, patience, try.clock.now.Sub(time.Time{}), float64(15*time.Second))
		assert.Len(t, try.engine.ups, 1)
	})
	t.Run("it stays for longer than other alarms look back", func(t *testing.T) {
		try := newTrial(t)
		try.engine.settings = strings.Replace(settings, `"bakeMinutes":1`, `"bakeMinutes":30`, 1)
		try.bells["eu-central-1"] = []string{"errors-1"}
		assert.ErrorContains(t, try.roll(t.Context()), "as it was before: alarm errors rings")
		assert.InDelta(t, 30*time.Minute, try.clock.now.Sub(time.Time{}), float64(15*time.Second), "it has as long as the quiet")
	})
	t.Run("it goes on under another text", func(t *testing.T) {
		try := newTrial(t)
		try.health = http.StatusServiceUnavailable
		cured := try.clock.now.Add(time.Minute)
		try.engine.after = func() { try.health = http.StatusBadGateway }
		try.clock.slept = func(now time.Time) {
			if !now.Before(cured) {
				try.health = http.StatusOK
			}
		}
		require.NoError(t, try.roll(t.Context()))
		assert.Len(t, try.engine.ups, 2)
	})
	t.Run("it is the health endpoint's, and ignored", func(t *testing.T) {
		try := newTrial(t)
		try.health = http.StatusServiceUnavailable
		try.watch.ignore = []string{"health"}
		require.NoError(t, try.roll(t.Context()))
		assert.Len(t, try.engine.ups, 2)
	})
	t.Run("it is ignored", func(t *testing.T) {
		try := newTrial(t)
		try.bells["eu-central-1"] = []string{"errors-1"}
		try.watch.ignore = []string{"errors"}
		require.NoError(t, try.roll(t.Context()))
		assert.Len(t, try.engine.ups, 2)
	})
}

// TestAnAlarmOnAHealthCheckTellsOfItsRegion, not of the one that knows.
func TestAnAlarmOnAHealthCheckTellsOfItsRegion(t *testing.T) {
	try := newTrial(t)
	try.engine.after = func() { try.bells["us-east-1"] = []string{"health-2"} }
	err := try.roll(t.Context())
	assert.ErrorContains(t, err, "eu-west-1 is not well")
	assert.Equal(t, []string{"eu-central-1", "eu-west-1"}, try.regions())
}

// TestADrainedRegion answers its probes like one that fails.
func TestADrainedRegion(t *testing.T) {
	drain := func(try *trial) {
		try.health, try.answer = http.StatusServiceUnavailable, `{"status":"drained","region":"eu-central-1"}`
	}
	t.Run("gets its cure, and stays drained", func(t *testing.T) {
		try := newTrial(t)
		drain(try)
		try.engine.after = func() { try.bells["eu-central-1"] = []string{"probes-1"} }
		require.NoError(t, try.roll(t.Context()))
		assert.Len(t, try.engine.ups, 2)
		assert.Contains(t, try.out.String(), "eu-central-1 is drained, and may stay so\n")
		assert.NotContains(t, try.out.String(), "must end")
	})
	t.Run("is watched for all else", func(t *testing.T) {
		try := newTrial(t)
		drain(try)
		try.engine.after = func() { try.bells["eu-central-1"] = []string{"probes-1", "crashes-1"} }
		assert.ErrorContains(t, try.roll(t.Context()), "not well: alarm health-crashes rings\n")
	})
	t.Run("stops a rollout if somebody drains it meanwhile", func(t *testing.T) {
		try := newTrial(t)
		try.engine.after = func() { drain(try) }
		assert.ErrorContains(t, try.roll(t.Context()), "eu-central-1 is not well: it is drained")
		assert.Len(t, try.engine.ups, 1)
	})
}

// TestACanary gets a share of the calls before it gets all.
func TestACanary(t *testing.T) {
	withCanary := strings.Replace(settings, `"bakeMinutes":1`, `"bakeMinutes":1,"canaryPercent":10`, 1)
	t.Run("it does well", func(t *testing.T) {
		try := newTrial(t)
		try.engine.settings = withCanary
		require.NoError(t, try.roll(t.Context()))
		require.Equal(t, []string{"eu-central-1", "eu-central-1", "eu-west-1", "eu-west-1"}, try.regions())
		assert.Equal(t, &canary{Percent: 10, Versions: map[string]string{"eu-central-1-invoker": "7"}}, try.engine.ups[0].canary)
		assert.Nil(t, try.engine.ups[1].canary)
	})
	halfWay := []struct {
		name  string
		spoil func(t *trial, interrupt func())
		ups   int // until it loses its share
		want  string
	}{
		{"it does not do well", func(t *trial, _ func()) { t.bells["eu-central-1"] = []string{"errors-1"} }, 1, "alarm errors rings"},
		{"the alarms cannot be read", func(t *trial, _ func()) { t.bells["eu-central-1"] = []string{mute} }, 1, "does not answer"},
		{"somebody interrupts it", func(_ *trial, interrupt func()) { interrupt() }, 1, context.Canceled.Error()},
		{"Pulumi fails half-way", func(t *trial, _ func()) { t.engine.fail = errors.New("exit status 255") }, 1, "exit status 255"},
		{"Pulumi fails when it should get all", func(t *trial, _ func()) {
			if len(t.engine.ups) == 2 {
				t.engine.fail = errors.New("exit status 255")
			}
		}, 2, "exit status 255"},
	}
	for _, tt := range halfWay {
		t.Run(tt.name+", and it loses its share", func(t *testing.T) {
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			try := newTrial(t)
			try.engine.settings = withCanary
			try.engine.after = func() { tt.spoil(try, interrupt) }
			err := try.roll(ctx)
			assert.ErrorContains(t, err, tt.want)
			require.Len(t, try.engine.ups, tt.ups+1)
			assert.Equal(t, &canary{Versions: map[string]string{"eu-central-1-invoker": "7"}}, try.engine.ups[tt.ups].canary)
			said := "the former version has all calls of eu-central-1 again"
			if try.engine.fail != nil {
				said = "the new version may keep a share of the calls in eu-central-1"
			}
			assert.ErrorContains(t, err, said)
			assert.ErrorContains(t, err, "eu-west-1 keep what they have")
		})
	}
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
}

// TestAlarmsThatAreKeptInARegionThatIsOffline are not asked for: us-east-1 knows
// the state of every health check.
func TestAlarmsThatAreKeptInARegionThatIsOffline(t *testing.T) {
	us := strings.NewReplacer(`"eu"`, `"us"`, "eu.amazon", "us.amazon", "eu-central-1", "us-east-1", "eu-west-1", "us-west-2")
	try := newTrial(t)
	try.engine.settings = strings.Replace(us.Replace(settings), `{"name":"us-east-1"`, `{"offline":true,"name":"us-east-1"`, 1)
	try.engine.preview = parsed(t, updated("us-west-2-invoker-fn"))
	try.engine.state.alarms = []alarm{{"health-2", "us-east-1-alarms-health-us-west-2"}, {"errors-1", "us-east-1-alarms-errors"}, {"errors-2", "us-west-2-alarms-errors"}}
	try.engine.state.endpoints = map[string]string{"us-west-2": try.engine.state.endpoints["eu-west-1"]}
	try.bells["us-east-1"] = []string{mute}
	t.Run("all else is watched", func(t *testing.T) {
		require.NoError(t, try.roll(t.Context()))
		assert.Equal(t, []string{"us-west-2"}, try.regions())
		assert.Contains(t, try.out.String(), "offline: alarms us-east-1-alarms-health-us-west-2\n")
	})
	t.Run("and still stops it", func(t *testing.T) {
		try.engine.after = func() { try.bells["us-west-2"] = []string{"errors-2"} }
		assert.ErrorContains(t, try.roll(t.Context()), "alarm errors rings")
	})
}

func TestNothingIsChanged(t *testing.T) {
	t.Run("when only the plan is asked for", func(t *testing.T) {
		try := newTrial(t)
		require.NoError(t, try.run(t.Context(), options{stack: "eu", plan: true}))
		assert.Empty(t, try.engine.ups)
		assert.Contains(t, try.out.String(), "step 2 of 2: eu-west-1")
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

// TestAnInterruptionEndsTheWait, and nothing else is changed.
func TestAnInterruptionEndsTheWait(t *testing.T) {
	try := newTrial(t)
	ctx, stop := context.WithCancel(t.Context())
	try.engine.after = stop
	assert.ErrorIs(t, try.roll(ctx), context.Canceled)
	assert.Len(t, try.engine.ups, 1)
}

func TestCommandLine(t *testing.T) {
	for _, args := range [][]string{nil, {"--stack", "eu", "more"}, {"--unknown"}, {"--bake", "soon", "--stack", "eu"}} {
		err := Run(t.Context(), args, Streams{Out: &strings.Builder{}, Err: &strings.Builder{}})
		assert.ErrorIs(t, err, errUsage, args)
		assert.Equal(t, 2, exitCode(err))
	}
	assert.Equal(t, 1, exitCode(errors.New("any other")))
	var help strings.Builder
	require.NoError(t, Run(t.Context(), []string{"-h"}, Streams{Err: &help}))
	assert.Contains(t, help.String(), "--stack NAME")
	o, err := parse([]string{"--stack", "eu", "--ignore", "errors,health", "--bake", "5m"}, &strings.Builder{})
	require.NoError(t, err)
	assert.Equal(t, options{stack: "eu", bake: 5 * time.Minute, ignore: []string{"errors", "health"}}, o)
}
