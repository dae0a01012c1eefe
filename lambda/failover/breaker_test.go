package failover_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ask has e answer one request, and returns the calls that it took.
func ask(t *testing.T, e *failover.Engine, n int) failover.Report {
	t.Helper()
	_, report, err := e.Answer(t.Context(), targets[:n], converse.Request{})
	require.NoError(t, err)
	return report
}

func TestBreakerSparesATargetThatFails(t *testing.T) {
	tests := []struct {
		name  string
		fault []step
		calls int // until it is spared; 0 for never
	}{
		{"by throttling", []step{fail(converse.Throttled)}, 3},
		{"by an outage", []step{fail(converse.Unavailable)}, 3},
		{"by saying nothing", []step{silence()}, 3},
		{"by cutting answers", []step{say("Hel"), fail(converse.Incomplete)}, 3},
		{"by stopping in the middle", []step{say("Hel"), silence()}, 3},
		{"by refusing, at once", []step{fail(converse.Denied)}, 1},
		{"by not having the model, at once", []step{fail(converse.NotFound)}, 1},
		{"by a model that breaks down in the middle", []step{say("Hel"), fail(converse.ModelFailed)}, 3},
		{"but not by a model that breaks down before it says anything", []step{fail(converse.ModelFailed)}, 0},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			m := &model{regions: map[string]script{"a": {tt.fault}, "b": {good()}}}
			e := engine(t, m, func(c *failover.Config) { c.Breaker.Open = time.Hour })
			for range 5 {
				ask(t, e, 2)
			}
			want := tt.calls
			if want == 0 {
				want = 5
			}
			assert.Equal(t, want, m.count("a"))
			report := ask(t, e, 2)
			assert.Equal(t, tt.calls > 0, len(report.Open) == 1 && report.Open[0] == "a", "%v", report.Open)
		})
	}
}

func TestBreakerIsNotOpenedByTheRequest(t *testing.T) {
	for _, class := range []converse.Class{converse.Invalid, converse.TooLong, converse.Canceled, converse.Outside} {
		bubble(t, string(class), func(t *testing.T) {
			m := &model{regions: map[string]script{"a": always(fail(class))}}
			e := engine(t, m)
			for range 5 {
				_, report, err := e.Answer(t.Context(), targets[:1], converse.Request{})
				assertSum(t, class, err)
				assert.Empty(t, report.Open)
			}
		})
	}
}

func TestBreakerCountsFailuresInARowOnly(t *testing.T) {
	bubble(t, "an answer between them", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": {{fail(converse.Throttled)}, {fail(converse.Throttled)}, good(), {fail(converse.Throttled)}, {fail(converse.Throttled)}, good()}, "b": {good()}}}
		e := engine(t, m)
		for range 6 {
			assert.Empty(t, ask(t, e, 2).Open)
		}
		assert.Equal(t, 6, m.count("a"))
	})
	bubble(t, "the beginning of one is not enough", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(say("1"), fail(converse.Incomplete)), "b": {good()}}}
		e := engine(t, m)
		for range 3 {
			ask(t, e, 2)
		}
		assert.Equal(t, []string{"a"}, ask(t, e, 2).Open)
	})
}

func TestProbes(t *testing.T) {
	// down is an engine whose target a is spared from now on.
	down := func(t *testing.T, m *model, change ...func(*failover.Config)) *failover.Engine {
		e := engine(t, m, change...)
		for range failover.DefaultFailures {
			ask(t, e, 2)
		}
		require.Equal(t, []string{"first b"}, reasons(ask(t, e, 2)))
		return e
	}
	bubble(t, "are spaced, and find out that a target is back", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Unavailable)), "b": {good()}}}
		e := down(t, m)
		for range 60 {
			time.Sleep(second)
			ask(t, e, 2)
		}
		assert.Equal(t, []time.Duration{0, 0, 0, 10 * second, 20 * second, 30 * second, 40 * second, 50 * second, 60 * second}, m.spacing("a"))
		m.set("a", script{good()})
		time.Sleep(10 * second)
		assert.Equal(t, []string{"probe a"}, reasons(ask(t, e, 2)))
		report := ask(t, e, 2)
		assert.Equal(t, []string{"first a"}, reasons(report))
		assert.Empty(t, report.Open)
	})
	bubble(t, "come one at a time", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Unavailable)), "b": {good()}}}
		e := down(t, m)
		m.set("a", always(say("Hello").later(2*second), end()))
		time.Sleep(10 * second)
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() { ask(t, e, 2) })
		}
		all.Wait()
		assert.Equal(t, 4, m.count("a"))
	})
	bubble(t, "of a silent target do not cost the caller its whole limit", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(silence()), "b": {good()}}}
		e := down(t, m)
		time.Sleep(10 * second)
		started := time.Now()
		report := ask(t, e, 2)
		assert.Equal(t, []string{"probe a", "hedge b"}, reasons(report))
		assert.Equal(t, []string{"a late", "b ok"}, outcomes(report))
		assert.Equal(t, 2500*ms, time.Since(started))
		assert.Equal(t, []string{"first b"}, reasons(ask(t, e, 2)), "and are spaced though they come to no verdict")
	})
	bubble(t, "that find a target slow find it well", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Unavailable)), "b": {good()}}}
		e := down(t, m)
		m.set("a", always(say("Hello").later(8*second), end()))
		m.set("b", always(say("Hello").later(8*second), end()))
		time.Sleep(10 * second)
		assert.Equal(t, []string{"a ok", "b late"}, outcomes(ask(t, e, 2)))
		assert.Equal(t, []string{"first a"}, reasons(ask(t, e, 2)))
	})
	bubble(t, "that are cut open the breaker again", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Unavailable)), "b": {good()}}}
		e := down(t, m)
		m.set("a", always(say("Hel"), fail(converse.Incomplete)))
		time.Sleep(10 * second)
		assert.Equal(t, []string{"probe a", "failover b"}, reasons(ask(t, e, 2)))
		assert.Equal(t, []string{"first b"}, reasons(ask(t, e, 2)))
	})
	bubble(t, "that are cut are spaced twice as far each time, until an answer is whole", func(t *testing.T) {
		cut := always(say("Hel"), fail(converse.Incomplete))
		m := &model{regions: map[string]script{"a": cut, "b": {good()}}}
		e := down(t, m)
		for range 330 {
			time.Sleep(second)
			ask(t, e, 2)
		}
		assert.Equal(t, []time.Duration{0, 0, 0, 10 * second, 30 * second, 70 * second, 150 * second, 230 * second, 310 * second}, m.spacing("a"))
		m.set("a", script{good()})
		time.Sleep(80 * second)
		assert.Equal(t, []string{"probe a"}, reasons(ask(t, e, 2)))
		m.set("a", cut)
		for range failover.DefaultFailures {
			assert.Equal(t, []string{"first a", "failover b"}, reasons(ask(t, e, 2)))
		}
		time.Sleep(10 * second)
		assert.Equal(t, []string{"probe a", "failover b"}, reasons(ask(t, e, 2)))
	})
	bubble(t, "close the breaker with their first content", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Unavailable)), "b": {good()}}}
		e := down(t, m)
		m.set("a", script{{say("Hel"), silence()}, good()})
		time.Sleep(10 * second)
		s, report, err := e.Open(t.Context(), targets[:2], converse.Request{})
		require.NoError(t, err)
		assert.Equal(t, []string{"probe a"}, reasons(report))
		assert.Equal(t, []string{"first a"}, reasons(ask(t, e, 2)))
		require.NoError(t, s.Close())
	})
	bubble(t, "are not joined by a second, however long they take", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Unavailable))}}
		e := engine(t, m)
		_, _, err := e.Answer(t.Context(), targets[:1], converse.Request{})
		assertSum(t, converse.Unavailable, err)
		m.set("a", script{{say("Hello").later(19 * second), end()}, good()})
		time.Sleep(10 * second)
		var probe sync.WaitGroup
		probe.Go(func() { assert.Equal(t, []string{"probe a"}, reasons(ask(t, e, 1))) })
		time.Sleep(15 * second)
		assert.Equal(t, []string{"first a"}, reasons(ask(t, e, 1)), "called for want of another, not to probe")
		probe.Wait()
	})
	bubble(t, "are not over with another call that is", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Unavailable))}}
		e := engine(t, m)
		_, _, err := e.Answer(t.Context(), targets[:1], converse.Request{})
		assertSum(t, converse.Unavailable, err)
		m.set("a", script{{say("Hello").later(19 * second), end()}, {silence()}, good()})
		time.Sleep(10 * second)
		var probe sync.WaitGroup
		probe.Go(func() { assert.Equal(t, []string{"probe a"}, reasons(ask(t, e, 1))) })
		time.Sleep(second)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(second, cancel)
		_, report, err := e.Answer(ctx, targets[:1], converse.Request{})
		assertSum(t, converse.Canceled, err)
		assert.Equal(t, []string{"first a"}, reasons(report))
		time.Sleep(13 * second)
		assert.Equal(t, []string{"first a"}, reasons(ask(t, e, 1)), "the probe is still under way")
		probe.Wait()
	})
	bubble(t, "whose caller goes away leave the next to another", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Unavailable)), "b": {good()}}}
		e := down(t, m)
		m.set("a", script{{silence()}, good()})
		time.Sleep(10 * second)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(second, cancel)
		_, _, err := e.Answer(ctx, targets[:2], converse.Request{})
		assertSum(t, converse.Canceled, err)
		time.Sleep(10 * second)
		assert.Equal(t, []string{"probe a"}, reasons(ask(t, e, 2)))
	})
	bubble(t, "wait longer for what is mended by hand", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Denied)), "b": {good()}}}
		e := engine(t, m)
		assert.Equal(t, 1, ask(t, e, 2).Misconfigured())
		for range 119 {
			time.Sleep(second)
			ask(t, e, 2)
		}
		assert.Equal(t, []time.Duration{0, 60 * second}, m.spacing("a"))
	})
	bubble(t, "are left to chance by half of their space", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Unavailable)), "b": {good()}}}
		e := down(t, m, func(c *failover.Config) { c.Random = func() float64 { return 0.5 } })
		for range 26 {
			time.Sleep(second)
			ask(t, e, 2)
		}
		assert.Equal(t, []time.Duration{0, 0, 0, 13 * second, 26 * second}, m.spacing("a"), "12.5 s apart, in steps of a second")
	})
}

// TestATargetIsNotToldAsSparedForEver: one whose turn does not come is not probed.
func TestATargetIsNotToldAsSparedForEver(t *testing.T) {
	bubble(t, "while the first is well", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": {{fail(converse.Denied)}, good()}, "b": always(fail(converse.Denied))}}
		e := engine(t, m)
		_, report, err := e.Answer(t.Context(), targets[:2], converse.Request{})
		assertSum(t, converse.Denied, err)
		assert.Equal(t, []string{"a", "b"}, report.Open)
		assert.Equal(t, []string{"b"}, ask(t, e, 2).Open)
		time.Sleep(time.Minute)
		assert.Empty(t, ask(t, e, 2).Open)
		assert.Equal(t, 1, m.count("b"))
	})
}

func TestNoRequestFailsWithoutATry(t *testing.T) {
	down := func(t *testing.T, m *model) *failover.Engine {
		e := engine(t, m, func(c *failover.Config) { c.Breaker.Failures = 1 })
		_, report, err := e.Answer(t.Context(), targets[:2], converse.Request{})
		assertSum(t, converse.Throttled, err)
		assert.Equal(t, []string{"a", "b"}, report.Open)
		return e
	}
	bubble(t, "with all breakers open the targets are called in order, once each", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Throttled)), "b": always(fail(converse.Throttled))}}
		e := down(t, m)
		_, report, err := e.Answer(t.Context(), targets[:2], converse.Request{})
		assertSum(t, converse.Throttled, err)
		assert.Equal(t, []string{"first a", "failover b"}, reasons(report))
	})
	bubble(t, "and one that answers is used again", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Throttled)), "b": {{fail(converse.Throttled)}, good()}}}
		e := down(t, m)
		assert.Equal(t, []string{"first a", "failover b"}, reasons(ask(t, e, 2)))
		assert.Equal(t, []string{"first b"}, reasons(ask(t, e, 2)))
	})
	bubble(t, "a second call of one that is well comes before the first of one that is spared", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Denied)), "b": {good(), {fail(converse.Throttled)}, good()}}}
		e := engine(t, m)
		ask(t, e, 2)
		assert.Equal(t, []string{"first b", "retry b"}, reasons(ask(t, e, 2)))
	})
}
