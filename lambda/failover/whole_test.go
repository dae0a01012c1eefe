package failover_test

import (
	"testing"
	"time"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// talk is an answer that is never silent for long, and takes d in all.
func talk(d time.Duration) []step {
	var steps []step
	for ; d > time.Second; d -= time.Second {
		steps = append(steps, say(".").later(time.Second))
	}
	return append(steps, end().later(d))
}

func TestTimeOfWholeAnswers(t *testing.T) {
	const slow, whole = 280 * time.Second, 279 * time.Second
	t.Run("is enough below the bound", func(t *testing.T) {
		answer, _, err := engine(t, &model{regions: map[string][]step{"a": talk(whole)}}).Answer(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		assert.Len(t, answer.Text(), 278)
	})
	t.Run("is over at it, and nobody starts anew", func(t *testing.T) {
		m := &model{regions: map[string][]step{"a": talk(slow), "b": talk(time.Second)}}
		_, report, err := engine(t, m).Answer(t.Context(), targets, converse.Request{})
		assertSum(t, converse.Timeout, err)
		require.ErrorIs(t, err, failover.ErrWhole)
		assert.Equal(t, []string{"a timeout"}, outcomes(report))
	})
	t.Run("counts for all targets together", func(t *testing.T) {
		m := &model{regions: map[string][]step{"a": append(talk(whole)[:200], fail(converse.Incomplete)), "b": talk(81 * time.Second)}}
		_, report, err := engine(t, m).Answer(t.Context(), targets[:2], converse.Request{})
		assertSum(t, converse.Timeout, err)
		require.ErrorIs(t, err, failover.ErrWhole)
		assert.Equal(t, []string{"a incomplete", "b timeout"}, outcomes(report))
	})
	t.Run("is none of a stream's", func(t *testing.T) {
		s, _, err := engine(t, &model{regions: map[string][]step{"a": talk(2 * slow)}}).Open(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		_, err = drain(t, s)
		require.NoError(t, err)
	})
	t.Run("ends earlier with the caller's", func(t *testing.T) {
		m := &model{clock: newClock(), regions: map[string][]step{"a": talk(slow)}}
		_, _, err := engine(t, m).Answer(withDeadline{t.Context(), m.clock.now.Add(time.Minute)}, targets, converse.Request{})
		assertSum(t, converse.Timeout, err)
		assert.NotErrorIs(t, err, failover.ErrWhole)
	})
	t.Run("is settable", func(t *testing.T) {
		m := &model{clock: newClock(), regions: map[string][]step{"a": talk(slow)}}
		e, err := failover.New(failover.Config{Model: m, Clock: m.clock, Whole: 5 * time.Minute})
		require.NoError(t, err)
		_, _, err = e.Answer(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
	})
}
