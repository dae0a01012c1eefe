package failover_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fleet are the environments of a function, each with an engine that knows only
// what befell itself.
type fleet struct {
	*rand.Rand
	engines []*failover.Engine
}

// stream has any of them answer, and tells which target did, "" if none to the end.
func (f fleet) stream(t *testing.T) string {
	t.Helper()
	s, _, err := f.engines[f.IntN(len(f.engines))].Open(t.Context(), targets[:2], question)
	require.NoError(t, err)
	_, err = drain(t, s)
	require.NoError(t, s.Close())
	if err != nil {
		return ""
	}
	return final(s).Target
}

func newFleet(t *testing.T, m *model) fleet {
	f := fleet{Rand: rand.New(rand.NewPCG(1, 2))}
	for range 20 {
		f.engines = append(f.engines, engine(t, m, func(c *failover.Config) { c.Random = f.Float64 }))
	}
	return f
}

// forTenMinutes runs f four times a second.
func (f fleet) forTenMinutes(do func()) {
	for started := time.Now(); time.Since(started) < 10*time.Minute; {
		time.Sleep(time.Duration(f.ExpFloat64() * float64(250*ms)))
		do()
	}
}

// TestARegionThatBreaksStreamsCostsFew of them, for as long as it does, and is
// used again soon after. All that an environment can lose streams to is what opens
// its breaker and the probes.
func TestARegionThatBreaksStreamsCostsFew(t *testing.T) {
	for _, class := range []converse.Class{converse.Incomplete, converse.ModelFailed} {
		bubble(t, string(class), func(t *testing.T) {
			m := &model{regions: map[string]script{"a": always(say("Hel"), fail(class)), "b": {good()}}}
			f := newFleet(t, m)
			streams, broken := 0, 0
			f.forTenMinutes(func() {
				streams++
				if f.stream(t) == "" {
					broken++
				}
			})
			assert.LessOrEqual(t, broken, 20*11, "three streams of each environment, and eight probes; of %d", streams)
			m.set("a", script{good()})
			time.Sleep(2 * time.Minute)
			for range 200 {
				f.stream(t)
			}
			for range 200 {
				assert.Equal(t, "a", f.stream(t))
			}
		})
	}
}

// TestRequestsThatBreakTheirAnswersCostOthersLittle, wherever they are answered.
func TestRequestsThatBreakTheirAnswersCostOthersLittle(t *testing.T) {
	bubble(t, "five in a hundred", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": {good()}, "b": {good()}}}
		f := newFleet(t, m)
		streams, away := 0, 0
		f.forTenMinutes(func() {
			if f.Float64() < 0.05 {
				for _, region := range []string{"a", "b"} {
					m.set(region, always(say("Hel"), fail(converse.ModelFailed)))
					defer m.set(region, script{good()})
				}
				assert.Empty(t, f.stream(t))
				return
			}
			streams++
			if f.stream(t) == "b" {
				away++
			}
		})
		assert.Less(t, away, streams/100, "of %d streams", streams)
	})
}
