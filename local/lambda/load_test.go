package lambda_test

import (
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNothingIsLeftOfALoad of invocations that end well, fail, kill their process
// or are left by their invoker: then no environment is busy, no concurrency is
// taken, after the idle time no environment is left, and no process ever.
func TestNothingIsLeftOfALoad(t *testing.T) {
	const atOnce = 10
	w := newWorld(t)
	w.SetLimits(10*time.Second, 10*time.Millisecond)
	arn := w.function(props{"reservedConcurrentExecutions": float64(atOnce)})
	orders := []order{{"do": "answer"}, {"do": "fail"}, {"do": "exit"}, {"do": "context"}, {"do": "stream"}}
	var working sync.WaitGroup
	for n := range atOnce {
		working.Go(func() {
			for i := range 10 {
				res, err := w.Invoke(t.Context(), invocation(arn, orders[(n+i)%len(orders)], i%2 == 0))
				if err != nil { // what others have left may still run
					assertAPIError(t, err, "TooManyRequestsException", 429)
					continue
				}
				if i%3 > 0 { // others leave
					_, _ = io.Copy(io.Discard, res.Body)
				}
				assert.NoError(t, res.Body.Close())
			}
		})
	}
	working.Wait()
	require.Eventually(t, func() bool { return busy(w.Processes()) == 0 }, 30*time.Second, time.Millisecond, "an environment is stuck")
	left := w.Processes()
	assert.NotEmpty(t, left)
	served := 0
	for _, p := range left {
		served += p.Served
		assert.True(t, strings.HasPrefix(p.Function, "arn:aws:lambda:eu-west-1:"), p.Function)
	}
	assert.Positive(t, served)
	assert.LessOrEqual(t, len(left), atOnce, "no more than may run at once")

	require.NoError(t, w.clock.AwaitSleepers(t.Context(), len(left)))
	w.clock.Advance(10 * time.Minute)
	require.Eventually(t, func() bool { return w.Environments() == 0 }, 30*time.Second, time.Millisecond, "the idle time has passed")
	for _, p := range left {
		assert.ErrorIs(t, syscall.Kill(p.ID, 0), syscall.ESRCH)
	}
	// All that was reserved is free again.
	g := newGate(t)
	done := w.start(arn, order{"do": "hang", "gate": g.url}, atOnce)
	for range atOnce {
		g.await()
	}
	assert.Equal(t, atOnce, busy(w.Processes()))
	w.close()
	for range atOnce {
		<-done
	}
	assert.Empty(t, w.Processes())
}

func busy(all []lambda.Process) int {
	n := 0
	for _, p := range all {
		if p.Busy {
			n++
		}
	}
	return n
}
