package failover_test

import (
	"testing"
	"time"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hedged asks a second target after a second, for every request.
func hedged(c *failover.Config) { c.Hedge = failover.Hedge{Delay: second, Share: 1} }

func TestHedge(t *testing.T) {
	hello := func(d time.Duration, text string) script { return always(say(text).later(d), end()) }
	tests := []struct {
		name    string
		regions map[string]script
		want    []string
		text    string
		took    time.Duration
	}{
		{"is not needed by a target in time", map[string]script{"a": hello(999*ms, "A")}, []string{"a ok"}, "A", 999 * ms},
		{"answers for one that is late", map[string]script{"a": hello(9*second, "A"), "b": hello(second, "B")}, []string{"a late", "b ok"}, "B", 2 * second},
		{"is given up if the first is sooner after all", map[string]script{"a": hello(1500*ms, "A"), "b": hello(second, "B")}, []string{"a ok", "b late"}, "A", 1500 * ms},
		{"goes on alone if the first fails", map[string]script{"a": always(fail(converse.Throttled).later(1500 * ms)), "b": hello(second, "B")}, []string{"a throttled", "b ok"}, "B", 2 * second},
		{"may fail while the first is waited for", map[string]script{"a": hello(3*second, "A"), "b": always(fail(converse.Unavailable))}, []string{"a ok", "b unavailable"}, "A", 3 * second},
		{"may not be allowed, which the first does not care about", map[string]script{"a": hello(3*second, "A"), "b": always(fail(converse.Outside))}, []string{"a ok"}, "A", 3 * second},
		{"is followed by a third if both fail", map[string]script{"a": always(fail(converse.Throttled).later(2 * second)), "b": always(fail(converse.Throttled).later(2 * second)), "c": hello(0, "C")},
			[]string{"a throttled", "b throttled", "c ok"}, "C", 3 * second},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			started := time.Now()
			m := &model{regions: tt.regions}
			s, report, err := engine(t, m, hedged).Open(t.Context(), targets, converse.Request{})
			require.NoError(t, err)
			assert.Equal(t, tt.took, time.Since(started))
			assert.Equal(t, tt.want, outcomes(report))
			text, err := drain(t, s)
			require.NoError(t, err)
			assert.Equal(t, tt.text, text)
			assert.LessOrEqual(t, report.Count(failover.ReasonHedge), 1)
		})
	}
	bubble(t, "is off by default", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": hello(19*second, "A")}}
		_, report, err := engine(t, m).Answer(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		assert.Equal(t, []string{"a ok"}, outcomes(report))
	})
	bubble(t, "does not go to a target that is spared", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": hello(2*second, "A"), "b": always(fail(converse.Denied)), "c": hello(0, "C")}}
		e := engine(t, m, hedged)
		ask(t, e, 3)
		assert.Equal(t, []string{"first a", "hedge c"}, reasons(ask(t, e, 3)))
	})
	bubble(t, "goes to a target that was spared once that is over, as a probe", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": hello(2*second, "A"), "b": {{fail(converse.Denied)}, good()}}}
		e := engine(t, m, hedged)
		assert.Equal(t, []string{"b"}, ask(t, e, 2).Open)
		assert.Equal(t, []string{"first a"}, reasons(ask(t, e, 2)))
		time.Sleep(time.Minute)
		for range 2 {
			report := ask(t, e, 2)
			assert.Equal(t, []string{"a late", "b ok"}, outcomes(report))
			assert.Empty(t, report.Open)
		}
	})
	bubble(t, "of a probe goes to another target that is to be probed", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": {{fail(converse.Denied)}, {silence()}}, "b": {{fail(converse.Denied)}, good()}}}
		e := engine(t, m)
		_, _, err := e.Answer(t.Context(), targets[:2], converse.Request{})
		assertSum(t, converse.Denied, err)
		time.Sleep(time.Minute)
		started := time.Now()
		assert.Equal(t, []string{"probe a", "hedge b"}, reasons(ask(t, e, 2)))
		assert.Equal(t, 2500*ms, time.Since(started))
	})
	bubble(t, "of a probe goes to what is well before it goes to another probe", func(t *testing.T) {
		down := always(fail(converse.Unavailable))
		m := &model{regions: map[string]script{"a": down, "b": down, "c": {good()}}}
		e := engine(t, m)
		for range failover.DefaultFailures {
			ask(t, e, 3)
		}
		m.set("a", script{{silence()}})
		m.set("b", script{{silence()}})
		time.Sleep(time.Minute)
		started := time.Now()
		assert.Equal(t, []string{"probe a", "hedge c"}, reasons(ask(t, e, 3)))
		assert.Equal(t, 2500*ms, time.Since(started))
	})
	bubble(t, "of a wrong request ends it when the first does", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Throttled).later(3 * second)), "b": always(fail(converse.Invalid))}}
		_, report, err := engine(t, m, hedged).Answer(t.Context(), targets, converse.Request{})
		assertSum(t, converse.Invalid, err)
		assert.Equal(t, []string{"first a", "hedge b"}, reasons(report))
	})
	bubble(t, "of a request that only the second finds wrong changes nothing", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(say("A").later(3*second), fail(converse.Incomplete)), "b": always(fail(converse.Invalid))}}
		s, _, err := engine(t, m, hedged).Open(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		_, err = drain(t, s)
		assertSum(t, converse.Incomplete, err)
	})
	bubble(t, "ends with a panic of the first", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(step{panic: true}.later(2 * second)), "b": always(silence())}}
		assert.Panics(t, func() { _, _, _ = engine(t, m, hedged).Open(t.Context(), targets, converse.Request{}) })
		assert.Equal(t, []string{"a", "b"}, m.called())
		assert.Zero(t, m.leaks())
	})
	bubble(t, "is for a share of requests only", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": hello(2*second, "A"), "b": hello(0, "B")}}
		e := engine(t, m, func(c *failover.Config) { c.Hedge = failover.Hedge{Delay: second, Share: 0.25} })
		hedges := 0
		for i := range 40 {
			hedges += ask(t, e, 2).Count(failover.ReasonHedge)
			assert.LessOrEqual(t, 4*hedges, i+1)
		}
		assert.Equal(t, 10, hedges)
	})
	bubble(t, "is not saved up for ever", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": {good()}, "b": hello(0, "B")}}
		e := engine(t, m, func(c *failover.Config) { c.Hedge = failover.Hedge{Delay: second, Share: 0.25} })
		for range 200 {
			ask(t, e, 2)
		}
		m.set("a", hello(2*second, "A"))
		hedges := 0
		for range 20 {
			hedges += ask(t, e, 2).Count(failover.ReasonHedge)
		}
		assert.Equal(t, 10+20/4-1, hedges, "the first of them added nothing to a full allowance")
	})
}
