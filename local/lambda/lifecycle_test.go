package lambda_test

import (
	"syscall"
	"testing"
	"time"

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
