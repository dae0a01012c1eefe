package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
	for _, op := range []string{"create-replacement", "delete"} {
		t.Run("none where the former version would lose a model: "+op, func(t *testing.T) {
			try := newTrial(t)
			try.engine.settings = withCanary
			try.engine.preview = parsed(t, planned(op, "eu-west-1-inference-nova", `{}`, `{}`),
				updated("eu-central-1-invoker-fn"), alias("eu-central-1-invoker", "7"), alias("eu-west-1-invoker", "4"))
			try.engine.after = func() {
				if try.engine.ups[len(try.engine.ups)-1].region == "eu-west-1" {
					try.bells["eu-west-1"] = []string{"errors-2"}
				}
			}
			assert.ErrorContains(t, try.roll(t.Context()), "alarm errors rings")
			require.Equal(t, []string{"eu-central-1", "eu-central-1", "eu-west-1"}, try.regions(), "and no way back")
			assert.NotNil(t, try.engine.ups[0].canary, "it loses nothing")
			assert.Nil(t, try.engine.ups[2].canary)
			assert.Contains(t, try.out.String(), "eu-west-1: no canary, since the former version cannot do without what is replaced or removed: eu-west-1-inference-nova\n")
		})
	}
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
