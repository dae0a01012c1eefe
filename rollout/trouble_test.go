package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
		assert.ErrorContains(t, try.roll(t.Context()), "still not well: alarm errors rings")
		assert.InDelta(t, patience, try.clock.now.Sub(begun), float64(15*time.Second))
		assert.Len(t, try.engine.ups, 1)
	})
	t.Run("it stays for longer than other alarms look back", func(t *testing.T) {
		try := newTrial(t)
		try.engine.settings = strings.Replace(settings, `"bakeMinutes":1`, `"bakeMinutes":30`, 1)
		try.bells["eu-central-1"] = []string{"errors-1"}
		assert.ErrorContains(t, try.roll(t.Context()), "still not well: alarm errors rings")
		assert.InDelta(t, 30*time.Minute, try.clock.now.Sub(begun), float64(15*time.Second), "it has as long as the quiet")
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
	assert.ErrorContains(t, err, "eu-west-1 is still not well")
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
	undrain := func(try *trial) { try.health, try.answer = http.StatusOK, "" }
	t.Run("may be undrained, and its alarms ring on for a while", func(t *testing.T) {
		try := newTrial(t)
		drain(try)
		var ends []time.Time
		try.engine.after = func() { ends = append(ends, try.clock.now) }
		try.clock.slept = func(now time.Time) {
			switch now.Sub(begun) {
			case 30 * time.Second:
				undrain(try)
				try.bells["eu-central-1"] = []string{"probes-1"} // not yet when it was looked at before
			case 18 * time.Minute:
				delete(try.bells, "eu-central-1")
			}
		}
		require.NoError(t, try.roll(t.Context()))
		require.Len(t, ends, 2)
		assert.Equal(t, 19*time.Minute, ends[1].Sub(begun), "the quiet begins when they are silent")
	})
	t.Run("has been quiet only since it was undrained", func(t *testing.T) {
		try := newTrial(t)
		drain(try)
		try.engine.preview = parsed(t, updated("eu-central-1-invoker-fn"))
		try.clock.slept = func(now time.Time) {
			if now.Sub(begun) == 45*time.Second {
				undrain(try)
			}
		}
		require.NoError(t, try.roll(t.Context()))
		assert.Equal(t, 105*time.Second, try.clock.now.Sub(begun))
	})
	again := []struct {
		name  string
		spoil func(*trial)
		want  string
	}{
		{"drained again", drain, "it is drained"},
		{"ill by what no drain explains", func(try *trial) { try.bells["eu-central-1"] = []string{"errors-1"} }, "alarm errors rings"},
		{"ill by its health endpoint", func(try *trial) { try.health = http.StatusBadGateway }, "http://"},
	}
	for _, tt := range again {
		t.Run("stops a rollout if it is undrained, and then "+tt.name, func(t *testing.T) {
			try := newTrial(t)
			drain(try)
			try.clock.slept = func(now time.Time) {
				switch now.Sub(begun) {
				case 15 * time.Second:
					undrain(try)
				case 30 * time.Second:
					tt.spoil(try)
				}
			}
			assert.ErrorContains(t, try.roll(t.Context()), "eu-central-1 is not well: "+tt.want)
			assert.Len(t, try.engine.ups, 1)
		})
	}
	t.Run("stops a rollout if somebody drains it meanwhile", func(t *testing.T) {
		try := newTrial(t)
		try.engine.after = func() { drain(try) }
		assert.ErrorContains(t, try.roll(t.Context()), "eu-central-1 is not well: it is drained")
		assert.Len(t, try.engine.ups, 1)
	})
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
