package failover_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"pgregory.net/rapid"
)

// right is what every target would say if it came to its end.
var right = []string{"one ", "two ", "three ", "four"}

// trial is one request, of which chance decides everything but what the right
// answer is. Nothing is drawn while it runs, so that a failure can be shrunk.
type trial struct {
	model    *model
	targets  int
	streamed bool
	deadline time.Duration // 0 for none
	cfg      failover.Config
	wrong    []string // what must not have happened
}

func drawTrial(t *rapid.T) *trial {
	c := &trial{
		model:   &model{regions: map[string]script{}, immediate: rapid.Bool().Draw(t, "immediate"), refuses: rapid.Bool().Draw(t, "refuses")},
		targets: rapid.IntRange(1, 3).Draw(t, "targets"), streamed: rapid.Bool().Draw(t, "streamed"),
		deadline: rapid.SampledFrom([]time.Duration{0, 5 * second, time.Minute, 5 * time.Minute}).Draw(t, "deadline"),
	}
	for _, target := range targets[:c.targets] {
		calls := rapid.SliceOfN(rapid.Custom(drawCall), 1, 4).Draw(t, "calls of "+target.Region)
		c.model.regions[target.Region] = calls
	}
	some := func(name string, of ...time.Duration) time.Duration { return rapid.SampledFrom(of).Draw(t, name) }
	c.cfg = failover.Config{
		FirstContent: some("first content", 0, second, 10*second), Idle: some("idle", 0, second, 10*second),
		Hold: some("hold", 0, ms, 3*second), KeepAlive: some("keep-alive", 0, ms*500, 4*second), Whole: some("whole", 0, 30*second),
		Retries: rapid.IntRange(-1, 3).Draw(t, "retries"), Backoff: some("backoff", 0, 10*ms, 5*second),
		Breaker: failover.Breaker{Failures: rapid.IntRange(0, 4).Draw(t, "failures"), Open: some("open", 0, second)},
		Random:  func() float64 { return 0.5 },
	}
	if rapid.Bool().Draw(t, "hedged") {
		c.cfg.Hedge = failover.Hedge{Delay: some("hedge", 10*ms, 2*second), Share: 1}
	}
	if rapid.Bool().Draw(t, "continued") {
		continued(&c.cfg)
	}
	return c
}

// drawCall is what one call of a region comes to: a part of the right answer, at
// some pace, and an end, a failure, silence or nothing more.
func drawCall(t *rapid.T) []step {
	pause := rapid.SampledFrom([]time.Duration{0, 0, 0, ms, second, 9 * second, 25 * second})
	var steps []step
	for _, word := range right[:rapid.IntRange(0, len(right)).Draw(t, "words")] {
		steps = append(steps, say(word).later(pause.Draw(t, "pause")))
	}
	whole := len(steps) == len(right)
	switch last := rapid.IntRange(0, 9).Draw(t, "last"); {
	case last < 5 && whole:
		return append(steps, end().later(pause.Draw(t, "pause")))
	case last < 6:
		return append(steps, silence())
	case last < 7:
		return steps
	default:
		return append(steps, fail(rapid.SampledFrom(classes).Draw(t, "class")).later(pause.Draw(t, "pause")))
	}
}

// TestAWholeAnswerOrOneError: whatever fails when, a caller gets the whole right
// answer and its end, or a part of it and one error, which nothing follows; in
// its time; and neither streams nor goroutines are left.
func TestAWholeAnswerOrOneError(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := drawTrial(rt)
		synctest.Test(t, func(t *testing.T) { c.run(t.Context()) })
		if len(c.wrong) > 0 {
			rt.Fatalf("%s\ncalls: %+v", strings.Join(c.wrong, "\n"), c.model.calls)
		}
	})
}

func (c *trial) check(ok bool, format string, args ...any) {
	if !ok {
		c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
	}
}

func (c *trial) run(ctx context.Context) {
	c.cfg.Model = c.model
	e, err := failover.New(c.cfg)
	if err != nil {
		c.check(false, "not valid: %v", err)
		return
	}
	if c.deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.deadline)
		defer cancel()
	}
	started := time.Now()
	if c.streamed {
		c.stream(ctx, e)
	} else {
		answer, _, err := e.Answer(ctx, targets[:c.targets], question)
		c.judge(answer.Text(), err == nil, err)
	}
	took := time.Since(started)
	c.check(c.deadline == 0 || took <= c.deadline-failover.DefaultReserve, "it took %s of %s", took, c.deadline)
	c.check(c.model.leaks() == 0, "%d streams are left open", c.model.leaks())
}

func (c *trial) stream(ctx context.Context, e *failover.Engine) {
	started := time.Now()
	s, _, err := e.Open(ctx, targets[:c.targets], question)
	hold := c.cfg.Hold
	if hold == 0 {
		hold = failover.DefaultHold
	}
	c.check(time.Since(started) <= hold, "its beginning was held for %s", time.Since(started))
	if err != nil {
		c.judge("", false, err)
		return
	}
	text, ended, failed := c.read(s)
	c.judge(text, ended, failed)
	for range 3 { // nothing follows
		ev, err := s.Next()
		c.check(reflect.ValueOf(ev).IsZero() && err != nil, "after its end it says %+v, %v", ev, err)
		c.check(failed == nil || errors.Is(err, failed), "after %v it fails with %v", failed, err)
	}
	c.check(s.Close() == nil, "it does not close")
}

// read reads a stream to its end or failure. It is never silent for longer than
// it promised.
func (c *trial) read(s converse.Stream) (text string, ended bool, failed error) {
	silent := c.cfg.KeepAlive
	if silent == 0 {
		silent = failover.DefaultKeepAlive
	}
	for {
		asked := time.Now()
		ev, err := s.Next()
		c.check(time.Since(asked) <= silent, "it was silent for %s", time.Since(asked))
		if err != nil || ev.End != nil {
			return text, ev.End != nil, err
		}
		text += ev.Text
	}
}

// judge allows two outcomes.
func (c *trial) judge(text string, ended bool, err error) {
	whole := strings.Join(right, "")
	var failure *failover.Error
	switch {
	case ended:
		c.check(err == nil && text == whole, "an end after %q, with %v", text, err)
	default:
		c.check(errors.As(err, &failure) && failure.Class != "" && len(failure.Failures) > 0, "no end, but %v", err)
		c.check(strings.HasPrefix(whole, text), "%q is no part of the answer", text)
	}
}
