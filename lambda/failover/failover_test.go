package failover_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/crossregion/crossregion/lambda/parallel"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var targets = []contract.Target{{Region: "a", ID: "1"}, {Region: "b", ID: "2"}, {Region: "c", ID: "3"}}

// bubble runs f where time is only what f waits for. No goroutine outlives it.
func bubble(t *testing.T, name string, f func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, f) })
}

// engine has every second call of a target at once, and leaves nothing to chance.
func engine(t *testing.T, m *model, change ...func(*failover.Config)) *failover.Engine {
	t.Helper()
	cfg := failover.Config{Model: m, Random: func() float64 { return 0 }}
	for _, f := range change {
		f(&cfg)
	}
	e, err := failover.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { assert.Zero(t, m.leaks(), "streams left open") })
	return e
}

// once makes an engine call each target once.
func once(c *failover.Config) { c.Retries = -1 }

// drain reads s to its end or failure, and closes it.
func drain(t *testing.T, s converse.Stream) (string, error) {
	t.Helper()
	defer func() { assert.NoError(t, s.Close()) }()
	text := ""
	for {
		ev, err := s.Next()
		if err != nil || ev.End != nil {
			return text, err
		}
		text += ev.Text
	}
}

func outcomes(r failover.Report) []string {
	var all []string
	for _, a := range r.Attempts {
		all = append(all, a.Region+" "+a.Outcome)
	}
	return all
}

func reasons(r failover.Report) []string {
	var all []string
	for _, a := range r.Attempts {
		all = append(all, string(a.Reason)+" "+a.Region)
	}
	return all
}

func final(s converse.Stream) failover.Report { return s.(failover.Reporter).Report() }

func assertSum(t *testing.T, want converse.Class, err error) {
	t.Helper()
	var e *failover.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, want, e.Class)
}

func TestOpenMovesOnUntilTheFirstContent(t *testing.T) {
	late := say("late")
	tests := []struct {
		name    string
		regions map[string]script
		want    []string
		text    string
	}{
		{"the first region answers", map[string]script{"a": {good()}}, []string{"a ok"}, "Hello"},
		{"a throttled region is passed over", map[string]script{"a": always(fail(converse.Throttled)), "b": {good()}}, []string{"a throttled", "b ok"}, "Hello"},
		{"so are two", map[string]script{"a": always(fail(converse.Unavailable)), "b": always(fail(converse.Timeout)), "c": {good()}}, []string{"a unavailable", "b timeout", "c ok"}, "Hello"},
		{"an answer without content yet is no answer", map[string]script{"a": always(fail(converse.Incomplete)), "b": {good()}}, []string{"a incomplete", "b ok"}, "Hello"},
		{"a region without the model is passed over", map[string]script{"a": always(fail(converse.NotFound)), "b": {good()}}, []string{"a not_found", "b ok"}, "Hello"},
		{"a region that refuses is passed over", map[string]script{"a": always(fail(converse.Denied)), "b": {good()}}, []string{"a denied", "b ok"}, "Hello"},
		{"a whole answer may be empty", map[string]script{"a": always(end())}, []string{"a ok"}, ""},
		{"a silent region is passed over", map[string]script{"a": always(late.later(21 * time.Second)), "b": {good()}}, []string{"a timeout", "b ok"}, "Hello"},
		{"a slow one is waited for", map[string]script{"a": always(say("Hello").later(19*time.Second), end())}, []string{"a ok"}, "Hello"},
		{"an error of no class counts as unavailable", map[string]script{"a": always(step{err: errors.New("odd")}), "b": {good()}}, []string{"a unavailable", "b ok"}, "Hello"},
		{"an end before anything, of no reason, does too", map[string]script{"a": always(), "b": {good()}}, []string{"a unavailable", "b ok"}, "Hello"},
	}
	for _, tt := range tests {
		for _, immediate := range []bool{true, false} {
			bubble(t, tt.name, func(t *testing.T) {
				e := engine(t, &model{regions: tt.regions, immediate: immediate}, func(c *failover.Config) { c.Hold = time.Minute })
				s, report, err := e.Open(t.Context(), targets, converse.Request{})
				require.NoError(t, err)
				assert.Equal(t, tt.want, outcomes(report))
				assert.Equal(t, report.Attempts[len(report.Attempts)-1].Region, report.Target)
				text, err := drain(t, s)
				require.NoError(t, err)
				assert.Equal(t, tt.text, text)
				assert.Equal(t, tt.want, outcomes(final(s)))
			})
		}
	}
}

func TestThoughtsAndToolsAreContent(t *testing.T) {
	for name, ev := range map[string]converse.Event{
		"a thought":  {Reasoning: &converse.Reasoning{Text: "hm"}},
		"a tool use": {Tool: &converse.ToolDelta{ID: "1", Name: "clock"}},
	} {
		bubble(t, name, func(t *testing.T) {
			m := &model{regions: map[string]script{"a": always(step{event: ev}, fail(converse.Throttled)), "b": {good()}}}
			s, _, err := engine(t, m).Open(t.Context(), targets, converse.Request{})
			require.NoError(t, err)
			first, err := s.Next()
			require.NoError(t, err)
			assert.Equal(t, ev, first)
			_, err = drain(t, s)
			assertSum(t, converse.Throttled, err)
			assert.Equal(t, []string{"a"}, m.called(), "nothing is generated twice")
		})
	}
}

func TestNothingIsGeneratedTwiceAfterTheFirstContent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Unavailable)), "b": always(say("Hel"), fail(converse.Throttled)), "c": {good()}}}
		s, report, err := engine(t, m).Open(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		assert.Equal(t, []string{"a unavailable", "b ok"}, outcomes(report))
		text, err := drain(t, s)
		assert.Equal(t, "Hel", text)
		assertSum(t, converse.Throttled, err)
		assert.Equal(t, []string{"a", "b"}, m.called())
		assert.Equal(t, []string{"a unavailable", "b throttled"}, outcomes(final(s)))
		_, again := s.Next()
		assert.Same(t, err, again, "the failure stays")
	})
}

func TestSilenceInTheMiddleEndsTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(
			say("1").later(15*time.Second), say("2").later(59*time.Second), say("3").later(61*time.Second),
		)}}
		s, _, err := engine(t, m).Open(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		text, err := drain(t, s)
		assert.Equal(t, "12", text)
		assertSum(t, converse.Timeout, err)
		assert.Equal(t, 15*time.Second+59*time.Second+60*time.Second, time.Since(m.started))
	})
}

func TestTheTimeOfTheCallerIsNotTheTargetsSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, err := engine(t, &model{regions: map[string]script{"a": always(say("1"), say("2"), say("3").later(30*time.Second), end())}}).
			Open(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		ev, err := s.Next()
		require.NoError(t, err)
		assert.Equal(t, "1", ev.Text)
		time.Sleep(time.Hour) // over a slow connection
		text, err := drain(t, s)
		require.NoError(t, err)
		assert.Equal(t, "23", text)
	})
}

func TestStreamIsOverAfterItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(end())}}
		s, _, err := engine(t, m).Open(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		ev, err := s.Next()
		require.NoError(t, err)
		require.NotNil(t, ev.End)
		_, err = s.Next()
		assert.Equal(t, io.EOF, err)
		require.NoError(t, s.Close())
		require.NoError(t, s.Close(), "closing is safe to repeat")
		assert.Equal(t, []string{"a"}, m.called())
	})
}

func TestCloseEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(say("1"), silence())}}
		s, _, err := engine(t, m).Open(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		require.NoError(t, s.Close())
		assert.Zero(t, m.leaks())
		assert.Equal(t, []string{"a canceled"}, outcomes(final(s)))
	})
}

func TestAnswerStartsAnewWhereverOneBreaksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{regions: map[string]script{
			"a": always(say("Hel"), fail(converse.Incomplete)),
			"b": always(say("Hell"), say("o?").later(61*time.Second)),
			"c": always(say("Hel").later(time.Second), say("lo").later(2*time.Second), end()),
		}}
		answer, report, err := engine(t, m).Answer(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		assert.Equal(t, "Hello", answer.Text())
		assert.Equal(t, converse.StopEnd, answer.Reason)
		assert.Equal(t, 1, answer.Usage.Output)
		assert.Equal(t, failover.Report{Target: "c", Attempts: []failover.Attempt{
			{Region: "a", Reason: failover.ReasonFirst, Outcome: "incomplete"},
			{Region: "b", Reason: failover.ReasonFailover, Outcome: "timeout", Duration: time.Minute},
			{Region: "c", Reason: failover.ReasonFailover, Outcome: "ok", Duration: 3 * time.Second},
		}}, report)
	})
}

func TestWhatEndsTheSearch(t *testing.T) {
	const throttled, unavailable, denied, notFound = converse.Throttled, converse.Unavailable, converse.Denied, converse.NotFound
	tests := []struct {
		name     string
		failures []converse.Class
		want     converse.Class
		called   int
	}{
		{"an invalid request is invalid everywhere", []converse.Class{converse.Invalid}, converse.Invalid, 1},
		{"one that is too long fits nowhere", []converse.Class{converse.TooLong}, converse.TooLong, 1},
		{"even after another failure", []converse.Class{throttled, converse.Invalid}, converse.Invalid, 2},
		{"nobody waits any more", []converse.Class{converse.Canceled}, converse.Canceled, 1},
		{"all throttled", []converse.Class{throttled, throttled, throttled}, throttled, 3},
		{"all silent", []converse.Class{converse.Timeout, converse.Timeout, converse.Timeout}, converse.Timeout, 3},
		{"all refuse", []converse.Class{denied, denied, denied}, denied, 3},
		{"nobody has the model", []converse.Class{notFound, notFound, notFound}, notFound, 3},
		{"a refusal weighs more than a missing model", []converse.Class{denied, notFound, notFound}, denied, 3},
		{"different failures", []converse.Class{throttled, unavailable, throttled}, unavailable, 3},
		{"those who have the model decide", []converse.Class{denied, throttled, notFound}, throttled, 3},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			m := &model{regions: map[string]script{}}
			for i, class := range tt.failures {
				m.regions[targets[i].Region] = always(fail(class))
			}
			s, report, err := engine(t, m, once).Open(t.Context(), targets, converse.Request{})
			assert.Nil(t, s)
			var e *failover.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, tt.want, e.Class)
			assert.Len(t, e.Failures, tt.called)
			assert.Len(t, report.Attempts, tt.called)
			assert.Empty(t, report.Target)
			assert.Contains(t, err.Error(), "no whole answer: "+string(tt.want)+": [converse in there")
			assert.Len(t, m.calls, tt.called)
		})
	}
}

func TestTargetOutsideIsNoAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Throttled)), "b": always(fail(converse.Outside)), "c": {good()}}}
		_, report, err := engine(t, m).Open(t.Context(), targets, converse.Request{})
		assertSum(t, converse.Outside, err)
		assert.Equal(t, []string{"a throttled"}, outcomes(report))
	})
}

func TestNoTargetsAtAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, err := engine(t, &model{}).Open(t.Context(), nil, converse.Request{})
		assertSum(t, converse.Unavailable, err)
		left, leave := context.WithCancel(t.Context())
		leave()
		_, _, err = engine(t, &model{}).Open(left, nil, converse.Request{})
		assertSum(t, converse.Canceled, err)
	})
}

func TestPanicOfTheModelIsTheCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(say("1"), step{panic: true})}}
		e := engine(t, m)
		s, _, err := e.Open(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		caught := parallel.Catch(func() { _, _ = drain(t, s) })
		require.NotNil(t, caught)
		assert.Equal(t, "this region breaks the program", caught.Value)
		assert.Contains(t, string(caught.Stack), "attempt", "the stack is that of the call")
		m.set("a", always(step{panic: true}))
		assert.Panics(t, func() { _, _, _ = e.Open(t.Context(), targets, converse.Request{}) })
		assert.Panics(t, func() { _, _, _ = e.Answer(t.Context(), targets, converse.Request{}) })
		assert.Zero(t, m.leaks())
	})
}

func TestNewRejects(t *testing.T) {
	_, err := failover.New(failover.Config{
		Idle: -time.Second, Whole: -time.Minute, Retries: -2, Hedge: failover.Hedge{Delay: time.Second, Share: 1.5},
	})
	assert.ErrorContains(t, err, "model is missing")
	assert.ErrorContains(t, err, "idle -1s")
	assert.ErrorContains(t, err, "whole -1m0s")
	assert.ErrorContains(t, err, "retries -2")
	assert.ErrorContains(t, err, "share of hedged requests is 1.5")
	_, err = failover.New(failover.Config{Model: &model{}, Hedge: failover.Hedge{Delay: time.Second}})
	assert.ErrorContains(t, err, "share of hedged requests is 0")
}

func TestCallerThatGoesAway(t *testing.T) {
	bubble(t, "before the first call", func(t *testing.T) {
		m := &model{}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, _, err := engine(t, m).Open(ctx, targets, converse.Request{})
		assertSum(t, converse.Canceled, err)
		assert.Empty(t, m.called())
	})
	bubble(t, "during it", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, report, err := engine(t, &model{regions: map[string]script{"a": always(say("1").later(time.Minute))}}).Open(ctx, targets, converse.Request{})
		assertSum(t, converse.Canceled, err)
		assert.Equal(t, []string{"a canceled"}, outcomes(report))
	})
	bubble(t, "by its own deadline", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(context.DeadlineExceeded) })
		_, report, err := engine(t, &model{regions: map[string]script{"a": always(say("1").later(time.Minute))}}).Open(ctx, targets, converse.Request{})
		assertSum(t, converse.Timeout, err)
		assert.Equal(t, []string{"a timeout"}, outcomes(report), "nobody would hear of another target's answer")
	})
	bubble(t, "within the answer", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s, _, err := engine(t, &model{regions: map[string]script{"a": always(say("1"), silence())}}).Open(ctx, targets, converse.Request{})
		require.NoError(t, err)
		time.AfterFunc(time.Second, cancel)
		text, err := drain(t, s)
		assert.Equal(t, "1", text)
		assertSum(t, converse.Canceled, err)
	})
}
