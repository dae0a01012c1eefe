package lambda_test

import (
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/iam"
	"github.com/crossregion/crossregion/local/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIdleEnvironmentsEnd(t *testing.T) {
	w := newWorld(t)
	arn := w.function(nil)
	first, _ := w.call(arn, order{"do": "context"})
	require.NoError(t, w.clock.AwaitSleepers(t.Context(), 1))
	w.clock.Advance(10*time.Minute - time.Second)
	assert.Equal(t, 1, w.Environments())
	w.clock.Advance(time.Second)
	require.Eventually(t, func() bool { return w.Environments() == 0 }, 30*time.Second, time.Millisecond)
	second, _ := w.call(arn, order{"do": "context"})
	assert.NotEqual(t, decode(t, first)["pid"], decode(t, second)["pid"])
}

// TestNothingIsKeptWarm where that is wanted: each invocation has a process of
// its own, and none is left.
func TestNothingIsKeptWarm(t *testing.T) {
	w := newWorld(t)
	arn := w.function(nil)
	pid := func() any {
		body, _ := w.call(arn, order{"do": "context"})
		return decode(t, body)["pid"]
	}
	warm := pid()
	w.KeepWarm(false)
	seen := map[any]bool{warm: true}
	for range 3 {
		seen[pid()] = true
	}
	assert.Len(t, seen, 4)
	require.Eventually(t, func() bool { return w.Environments() == 0 }, 30*time.Second, time.Millisecond)
	w.KeepWarm(true)
	assert.Equal(t, pid(), pid())
}

func TestCloseLeavesNoProcess(t *testing.T) {
	for _, start := range []string{"", "stubborn"} {
		t.Run("START="+start, func(t *testing.T) {
			w, g := newWorld(t), newGate(t)
			w.SetLimits(10*time.Second, 10*time.Millisecond)
			arn := w.function(props{"environment": props{"variables": props{"START": start}}})
			body, _ := w.call(arn, order{"do": "context"})
			w.call(arn, order{"do": "answer"})
			done := w.start(arn, order{"do": "hang", "gate": g.url}, 1)
			g.await()
			w.close()
			assert.Contains(t, <-done, "Sandbox.Shutdown")
			assert.Zero(t, w.Environments())
			assert.ErrorIs(t, syscall.Kill(int(decode(t, body)["pid"].(float64)), 0), syscall.ESRCH)
			_, err := w.Invoke(t.Context(), invocation(arn, order{"do": "answer"}, false))
			assert.ErrorContains(t, err, "is closed")
			w.close()
		})
	}
}

func TestInvokeFailsWithoutCredentials(t *testing.T) {
	w := newWorld(t)
	arn := w.function(props{"reservedConcurrentExecutions": 1.0})
	w.iam.noIssue = true
	for range 2 {
		_, err := w.Invoke(t.Context(), invocation(arn, order{"do": "answer"}, false))
		assertAPIError(t, err, "ServiceException", 500)
		assert.ErrorContains(t, err, "role is gone")
	}
	assert.Zero(t, w.Environments())
}

func TestProcessThatDiesIdleIsReplaced(t *testing.T) {
	w := newWorld(t)
	arn := w.function(props{"reservedConcurrentExecutions": 1.0})
	body, _ := w.call(arn, order{"do": "context"})
	pid := decode(t, body)["pid"]
	require.NoError(t, syscall.Kill(int(pid.(float64)), syscall.SIGKILL))
	require.Eventually(t, func() bool { return w.Environments() == 0 }, 30*time.Second, time.Millisecond)
	body, _ = w.call(arn, order{"do": "context"})
	assert.NotEqual(t, pid, decode(t, body)["pid"])
}

func TestEnvironmentsWithOldCredentialsTakeNoMoreWork(t *testing.T) {
	w := newWorld(t)
	arn := w.function(nil)
	pid := func() any {
		body, _ := w.call(arn, order{"do": "context"})
		return decode(t, body)["pid"]
	}
	const step = 9 * time.Minute // never idle for long enough to end
	first := pid()
	for age := step; age < iam.SessionLifetime/2; age += step {
		w.clock.Advance(step)
		require.Equal(t, first, pid(), "at the age of %s", age)
	}
	w.clock.Advance(step)
	assert.NotEqual(t, first, pid(), "half of the lifetime is over")
	require.Eventually(t, func() bool { return w.Environments() == 1 }, 30*time.Second, time.Millisecond)
	assert.ErrorIs(t, syscall.Kill(int(first.(float64)), 0), syscall.ESRCH)
}

// step returns an environment that has an invocation and no process.
func (w *world) step(arn string) lambda.Step {
	w.t.Helper()
	x, err := w.Step(invocation(arn, order{"do": "answer"}, false))
	require.NoError(w.t, err)
	return x
}

func TestADeadEnvironmentBeginsNothing(t *testing.T) {
	w := newWorld(t)
	x := w.step(w.function(nil))
	x.Die()
	assert.False(t, x.Begin())
	assert.False(t, x.Timed(), "a timer is left")
}

func TestAProcessMayDieWhileItsInvocationIsHandedOver(t *testing.T) {
	w := newWorld(t)
	arn := w.function(nil)
	for range 200 {
		x := w.step(arn)
		var both sync.WaitGroup
		both.Go(func() { x.Begin() })
		both.Go(x.Die)
		both.Wait()
		require.False(t, x.Timed(), "a timer is left")
	}
	assert.Zero(t, w.Environments())
}

func TestADeadEnvironmentDoesNotWaitForWork(t *testing.T) {
	w := newWorld(t)
	arn := w.function(props{"reservedConcurrentExecutions": 1.0})
	x := w.step(arn)
	require.True(t, x.Begin())
	x.Respond()
	x.Finish()
	x.Die()
	x.Release()
	assert.Zero(t, x.Idle())
	body, _ := w.call(arn, order{"do": "context"})
	assert.Contains(t, body, "pid", "and its concurrency is free again")
}
