package failover_test

import (
	"context"
	"testing"
	"time"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// within is a context that ends after d.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// talk is an answer that is never silent for long, and takes d in all.
func talk(d time.Duration) []step {
	var steps []step
	for ; d > time.Second; d -= time.Second {
		steps = append(steps, say(".").later(time.Second))
	}
	return append(steps, end().later(d))
}

func TestTimeOfWholeAnswers(t *testing.T) {
	const slow, whole = 281 * time.Second, 279 * time.Second
	bubble(t, "is enough below the bound", func(t *testing.T) {
		answer, _, err := engine(t, &model{regions: map[string]script{"a": {talk(whole)}}}).Answer(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		assert.Len(t, answer.Text(), 278)
	})
	bubble(t, "is over at it, and nobody starts anew", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": {talk(slow)}, "b": {talk(time.Second)}}}
		_, report, err := engine(t, m).Answer(t.Context(), targets, converse.Request{})
		assertSum(t, converse.Timeout, err)
		require.ErrorIs(t, err, failover.ErrWhole)
		assert.Equal(t, []string{"a timeout"}, outcomes(report))
		assert.Empty(t, report.Target)
	})
	bubble(t, "counts for all targets together", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": {append(talk(whole)[:200], fail(converse.Incomplete))}, "b": {talk(81 * time.Second)}}}
		_, report, err := engine(t, m).Answer(t.Context(), targets[:2], converse.Request{})
		assertSum(t, converse.Timeout, err)
		require.ErrorIs(t, err, failover.ErrWhole)
		assert.Equal(t, []string{"a incomplete", "b timeout"}, outcomes(report))
	})
	bubble(t, "is none of a stream's", func(t *testing.T) {
		s, _, err := engine(t, &model{regions: map[string]script{"a": {talk(2 * slow)}}}).Open(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		_, err = drain(t, s)
		require.NoError(t, err)
	})
	bubble(t, "ends earlier with the caller's", func(t *testing.T) {
		_, _, err := engine(t, &model{regions: map[string]script{"a": {talk(slow)}}}).Answer(within(t, time.Minute), targets, converse.Request{})
		assertSum(t, converse.Timeout, err)
		assert.NotErrorIs(t, err, failover.ErrWhole)
	})
	bubble(t, "is settable", func(t *testing.T) {
		e := engine(t, &model{regions: map[string]script{"a": {talk(slow)}}}, func(c *failover.Config) { c.Whole = 5 * time.Minute })
		_, _, err := e.Answer(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
	})
}

func TestTimeIsSharedAmongTheTargetsLeft(t *testing.T) {
	bubble(t, "a target has its part of it", func(t *testing.T) {
		m := &model{regions: map[string]script{
			"a": always(say("late").later(11 * time.Second)),
			"b": always(say("late").later(11 * time.Second)),
			"c": always(say("Hello").later(9*time.Second), end()),
		}}
		// Of 32 s 2 are the reserve, which leaves 10 s to each.
		s, _, err := engine(t, m).Open(within(t, 32*time.Second), targets, converse.Request{})
		require.NoError(t, err)
		text, err := drain(t, s)
		require.NoError(t, err)
		assert.Equal(t, "Hello", text)
		assert.Equal(t, []string{"a timeout", "b timeout", "c ok"}, outcomes(final(s)))
	})
	bubble(t, "and its breaker does not count silence that was cut short", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(silence()), "b": {good()}}}
		e := engine(t, m)
		for range 2 * failover.DefaultFailures {
			_, report, err := e.Answer(within(t, 12*time.Second), targets[:2], converse.Request{})
			require.NoError(t, err)
			assert.Equal(t, []string{"a timeout", "b ok"}, outcomes(report))
			assert.Empty(t, report.Open)
		}
	})
}

func TestBreakerCountsStallsOfThoseInAHurry(t *testing.T) {
	bubble(t, "whose first content came in time", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(say("1"), silence())}}
		e := engine(t, m, func(c *failover.Config) { c.Breaker.Failures, c.Idle = 1, second })
		_, report, err := e.Answer(within(t, 12*second), targets[:1], converse.Request{})
		assertSum(t, converse.Timeout, err)
		assert.Equal(t, []string{"a"}, report.Open)
	})
}

func TestTheReserveIsKept(t *testing.T) {
	bubble(t, "a caller without time is told so at once", func(t *testing.T) {
		m := &model{}
		_, report, err := engine(t, m).Open(within(t, 2*time.Second), targets, converse.Request{})
		assertSum(t, converse.Timeout, err)
		assert.Empty(t, report.Attempts)
		assert.Empty(t, m.called())
	})
	bubble(t, "an answer that would need it ends", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(say("1"), say("2").later(8*time.Second+1))}}
		s, _, err := engine(t, m).Open(within(t, 10*time.Second), targets, converse.Request{})
		require.NoError(t, err)
		text, err := drain(t, s)
		assert.Equal(t, "1", text)
		assertSum(t, converse.Timeout, err)
	})
	bubble(t, "and no other target is tried in it", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(say("1"), say("2").later(8*time.Second+1))}}
		_, report, err := engine(t, m).Answer(within(t, 10*time.Second), targets, converse.Request{})
		assertSum(t, converse.Timeout, err)
		assert.Equal(t, []string{"a timeout"}, outcomes(report))
	})
	bubble(t, "nor the same again", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": {{fail(converse.Throttled).later(3 * time.Second)}, good()}}}
		started := time.Now()
		_, report, err := engine(t, m, func(c *failover.Config) { c.Backoff = 4 * time.Second }).
			Answer(within(t, 6*time.Second), targets[:1], converse.Request{})
		assertSum(t, converse.Throttled, err)
		assert.Equal(t, []string{"a throttled"}, outcomes(report))
		assert.Equal(t, 3*time.Second, time.Since(started), "a wait in vain helps nobody")
	})
}

func TestHold(t *testing.T) {
	// Until is the time at which each event came, since the beginning.
	type told struct {
		at time.Duration
		ev string
	}
	read := func(s converse.Stream, started time.Time) (all []told, err error) {
		for {
			ev, err := s.Next()
			switch at := time.Since(started); {
			case err != nil:
				return all, err
			case ev.End != nil:
				return append(all, told{at, "end"}), nil
			case ev.Wait:
				all = append(all, told{at, "wait"})
			default:
				all = append(all, told{at, ev.Text})
			}
		}
	}
	bubble(t, "lets a late answer keep the connection alive", func(t *testing.T) {
		started := time.Now()
		m := &model{regions: map[string]script{"a": always(silence()), "b": always(say("Hello").later(19*time.Second), say("!").later(31*time.Second), end())}}
		s, report, err := engine(t, m).Open(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		assert.Equal(t, 20*time.Second, time.Since(started))
		assert.Empty(t, report.Target)
		assert.Equal(t, "a", report.Attempts[0].Region)
		all, err := read(s, started)
		require.NoError(t, err)
		assert.Equal(t, []told{
			{35 * time.Second, "wait"}, {39 * time.Second, "Hello"}, {54 * time.Second, "wait"}, {69 * time.Second, "wait"}, {70 * time.Second, "!"}, {70 * time.Second, "end"},
		}, all)
		assert.Equal(t, []string{"a timeout", "b ok"}, outcomes(final(s)))
		assert.Equal(t, "b", final(s).Target)
		require.NoError(t, s.Close())
	})
	bubble(t, "is settable, and so is the time between two signs of life", func(t *testing.T) {
		started := time.Now()
		m := &model{regions: map[string]script{"a": always(say("Hello").later(4*time.Second+1), end())}}
		s, _, err := engine(t, m, func(c *failover.Config) { c.Hold, c.KeepAlive = time.Second, 2*time.Second }).Open(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		all, err := read(s, started)
		require.NoError(t, err)
		assert.Equal(t, []told{{3 * time.Second, "wait"}, {4*time.Second + 1, "Hello"}, {4*time.Second + 1, "end"}}, all)
		require.NoError(t, s.Close())
	})
	bubble(t, "loses nothing that came while the caller was away", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(say("Hello").later(2*time.Second), end())}}
		s, _, err := engine(t, m, func(c *failover.Config) { c.Hold = time.Second }).Open(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		time.Sleep(failover.DefaultFirstContent) // a client that takes its time over a sign of life
		text, err := drain(t, s)
		require.NoError(t, err)
		assert.Equal(t, "Hello", text)
		assert.Equal(t, []string{"a ok"}, outcomes(final(s)))
	})
	bubble(t, "ends in an error of the stream if no target answers", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(silence()), "b": always(silence())}}
		s, _, err := engine(t, m).Open(t.Context(), targets[:2], converse.Request{})
		require.NoError(t, err)
		text, err := drain(t, s)
		assert.Empty(t, text)
		assertSum(t, converse.Timeout, err)
		assert.Empty(t, final(s).Target)
	})
	bubble(t, "does not hide that the request is wrong", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Invalid).later(time.Second))}}
		_, _, err := engine(t, m).Open(t.Context(), targets, converse.Request{})
		assertSum(t, converse.Invalid, err)
	})
	bubble(t, "and its signs of life are not content", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(say("1"), say("2").later(61*time.Second))}}
		s, _, err := engine(t, m).Open(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		text, err := drain(t, s)
		assert.Equal(t, "1", text)
		assertSum(t, converse.Timeout, err)
		assert.Equal(t, time.Minute, time.Since(m.started))
	})
	bubble(t, "can be closed while it lasts", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(silence())}}
		s, _, err := engine(t, m).Open(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		require.NoError(t, s.Close())
	})
}
