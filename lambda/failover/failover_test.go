package failover_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var targets = []contract.Target{{Region: "a", ID: "1"}, {Region: "b", ID: "2"}, {Region: "c", ID: "3"}}

func engine(t *testing.T, m *model) *failover.Engine {
	t.Helper()
	if m.clock == nil {
		m.clock = newClock()
	}
	e, err := failover.New(failover.Config{Model: m, Clock: m.clock})
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.Zero(t, m.open, "streams left open")
		assert.Zero(t, m.clock.pending(), "timers left behind")
	})
	return e
}

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

func TestOpenMovesOnUntilTheFirstContent(t *testing.T) {
	good := []step{say("Hel"), say("lo"), end()}
	tests := []struct {
		name    string
		regions map[string][]step
		want    []string
		text    string
	}{
		{"the first region answers", map[string][]step{"a": good}, []string{"a ok"}, "Hello"},
		{"a throttled region is passed over", map[string][]step{"a": {fail(converse.Throttled)}, "b": good}, []string{"a throttled", "b ok"}, "Hello"},
		{"so are two", map[string][]step{"a": {fail(converse.Unavailable)}, "b": {fail(converse.Timeout)}, "c": good}, []string{"a unavailable", "b timeout", "c ok"}, "Hello"},
		{"an answer without content yet is no answer", map[string][]step{"a": {fail(converse.Incomplete)}, "b": good}, []string{"a incomplete", "b ok"}, "Hello"},
		{"a region without the model is passed over", map[string][]step{"a": {fail(converse.NotFound)}, "b": good}, []string{"a not_found", "b ok"}, "Hello"},
		{"a region that refuses is passed over", map[string][]step{"a": {fail(converse.Denied)}, "b": good}, []string{"a denied", "b ok"}, "Hello"},
		{"a whole answer may be empty", map[string][]step{"a": {end()}}, []string{"a ok"}, ""},
		{"a silent region is passed over", map[string][]step{"a": {say("late").later(20 * time.Second)}, "b": good}, []string{"a timeout", "b ok"}, "Hello"},
		{"a slow one is waited for", map[string][]step{"a": {say("Hello").later(19 * time.Second), end()}}, []string{"a ok"}, "Hello"},
		{"content that meets the end of the wait is too late", map[string][]step{"a": {say("late").later(20 * time.Second).slipping(), end()}, "b": good}, []string{"a timeout", "b ok"}, "Hello"},
		{"an end that meets it is whole", map[string][]step{"a": {end().later(20 * time.Second).slipping()}}, []string{"a ok"}, ""},
		{"an error of no class counts as unavailable", map[string][]step{"a": {{err: errors.New("odd")}}, "b": good}, []string{"a unavailable", "b ok"}, "Hello"},
	}
	for _, tt := range tests {
		for _, immediate := range []bool{true, false} {
			t.Run(tt.name, func(t *testing.T) {
				s, report, err := engine(t, &model{regions: tt.regions, immediate: immediate}).Open(t.Context(), targets, converse.Request{})
				require.NoError(t, err)
				assert.Equal(t, tt.want, outcomes(report))
				assert.Equal(t, report.Attempts[len(report.Attempts)-1].Region, report.Target)
				text, err := drain(t, s)
				require.NoError(t, err)
				assert.Equal(t, tt.text, text)
			})
		}
	}
}

func TestNothingIsGeneratedTwiceAfterTheFirstContent(t *testing.T) {
	m := &model{regions: map[string][]step{"a": {say("Hel"), fail(converse.Throttled)}, "b": {say("Hello"), end()}}}
	s, report, err := engine(t, m).Open(t.Context(), targets, converse.Request{})
	require.NoError(t, err)
	assert.Equal(t, []string{"a ok"}, outcomes(report))
	text, err := drain(t, s)
	assert.Equal(t, "Hel", text)
	assertClass(t, converse.Throttled, err)
	assert.Equal(t, []string{"a"}, m.called)
}

func TestSilenceInTheMiddleEndsTheAnswer(t *testing.T) {
	m := &model{regions: map[string][]step{"a": {
		say("1").later(15 * time.Second), say("2").later(59 * time.Second), say("3").later(60 * time.Second),
	}}}
	s, _, err := engine(t, m).Open(t.Context(), targets, converse.Request{})
	require.NoError(t, err)
	text, err := drain(t, s)
	assert.Equal(t, "12", text)
	assertClass(t, converse.Timeout, err)
}

func TestStreamIsOverAfterItsEnd(t *testing.T) {
	s, _, err := engine(t, &model{regions: map[string][]step{"a": {end()}}}).Open(t.Context(), targets, converse.Request{})
	require.NoError(t, err)
	ev, err := s.Next()
	require.NoError(t, err)
	require.NotNil(t, ev.End)
	_, err = s.Next()
	assert.Equal(t, io.EOF, err)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "closing is safe to repeat")
}

func TestAnswerStartsAnewWhereverOneBreaksOff(t *testing.T) {
	m := &model{regions: map[string][]step{
		"a": {say("Hel"), fail(converse.Incomplete)},
		"b": {say("Hell"), say("o?").later(time.Minute)},
		"c": {say("Hel").later(time.Second), say("lo").later(2 * time.Second), end()},
	}}
	answer, report, err := engine(t, m).Answer(t.Context(), targets, converse.Request{})
	require.NoError(t, err)
	assert.Equal(t, "Hello", answer.Text())
	assert.Equal(t, converse.StopEnd, answer.Reason)
	assert.Equal(t, 1, answer.Usage.Output)
	assert.Equal(t, failover.Report{Target: "c", Attempts: []failover.Attempt{
		{Region: "a", Outcome: "incomplete"},
		{Region: "b", Outcome: "timeout", Duration: time.Minute},
		{Region: "c", Outcome: "ok", Duration: 3 * time.Second},
	}}, report)
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
		t.Run(tt.name, func(t *testing.T) {
			m := &model{regions: map[string][]step{}}
			for i, class := range tt.failures {
				m.regions[targets[i].Region] = []step{fail(class)}
			}
			s, report, err := engine(t, m).Open(t.Context(), targets, converse.Request{})
			assert.Nil(t, s)
			var e *failover.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, tt.want, e.Class)
			assert.Len(t, e.Failures, tt.called)
			assert.Len(t, report.Attempts, tt.called)
			assert.Empty(t, report.Target)
			assert.Contains(t, err.Error(), "no target answered: "+string(tt.want)+": [converse in there")
		})
	}
}

func TestTimeIsSharedAmongTheTargetsLeft(t *testing.T) {
	m := &model{clock: newClock(), regions: map[string][]step{
		"a": {say("late").later(10 * time.Second)},
		"b": {say("late").later(10 * time.Second)},
		"c": {say("Hello").later(9 * time.Second), end()},
	}}
	e := engine(t, m)
	// Of 32 s 2 are the reserve, which leaves 10 s to each.
	ctx := withDeadline{t.Context(), m.clock.now.Add(32 * time.Second)}
	s, report, err := e.Open(ctx, targets, converse.Request{})
	require.NoError(t, err)
	assert.Equal(t, []string{"a timeout", "b timeout", "c ok"}, outcomes(report))
	text, err := drain(t, s)
	require.NoError(t, err)
	assert.Equal(t, "Hello", text)
}

func TestTheReserveIsKept(t *testing.T) {
	t.Run("a caller without time is told so at once", func(t *testing.T) {
		m := &model{clock: newClock()}
		_, report, err := engine(t, m).Open(withDeadline{t.Context(), m.clock.now.Add(2 * time.Second)}, targets, converse.Request{})
		assertSum(t, converse.Timeout, err)
		assert.Empty(t, report.Attempts)
		assert.Empty(t, m.called)
	})
	t.Run("an answer that would need it ends", func(t *testing.T) {
		m := &model{clock: newClock(), regions: map[string][]step{"a": {say("1"), say("2").later(8 * time.Second)}}}
		s, _, err := engine(t, m).Open(withDeadline{t.Context(), m.clock.now.Add(10 * time.Second)}, targets, converse.Request{})
		require.NoError(t, err)
		text, err := drain(t, s)
		assert.Equal(t, "1", text)
		assertClass(t, converse.Timeout, err)
	})
	t.Run("and no other target is tried in it", func(t *testing.T) {
		m := &model{clock: newClock(), regions: map[string][]step{"a": {say("1"), say("2").later(8 * time.Second)}}}
		_, report, err := engine(t, m).Answer(withDeadline{t.Context(), m.clock.now.Add(10 * time.Second)}, targets, converse.Request{})
		assertSum(t, converse.Timeout, err)
		assert.Equal(t, []string{"a timeout"}, outcomes(report))
	})
}

func TestCallerThatGoesAway(t *testing.T) {
	ended := func(err error) context.Context {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(err)
		return ctx
	}
	t.Run("before the first call", func(t *testing.T) {
		m := &model{}
		_, _, err := engine(t, m).Open(ended(nil), targets, converse.Request{})
		assertSum(t, converse.Canceled, err)
		assert.Empty(t, m.called)
	})
	t.Run("during it", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m := &model{clock: newClock(), regions: map[string][]step{"a": {say("1").later(time.Second)}}}
		m.clock.AfterFunc(time.Second, cancel)
		_, report, err := engine(t, m).Open(ctx, targets, converse.Request{})
		assertSum(t, converse.Canceled, err)
		assert.Equal(t, []string{"a canceled"}, outcomes(report))
	})
	t.Run("by its own deadline", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		m := &model{clock: newClock(), regions: map[string][]step{"a": {say("1").later(time.Second)}}}
		m.clock.AfterFunc(time.Second, func() { cancel(context.DeadlineExceeded) })
		_, report, err := engine(t, m).Open(ctx, targets, converse.Request{})
		assertSum(t, converse.Timeout, err)
		assert.Equal(t, []string{"a timeout"}, outcomes(report), "nobody would hear of another target's answer")
	})
}

func TestNoTargetsAtAll(t *testing.T) {
	_, _, err := engine(t, &model{}).Open(t.Context(), nil, converse.Request{})
	assertSum(t, converse.Unavailable, err)
}

func TestNewRejects(t *testing.T) {
	_, err := failover.New(failover.Config{Idle: -time.Second, Whole: -time.Minute})
	assert.ErrorContains(t, err, "model is missing")
	assert.ErrorContains(t, err, "idle -1s, whole -1m0s")
}

func TestMachineClockIsTheDefault(t *testing.T) {
	m := &model{clock: newClock(), regions: map[string][]step{"a": {say("Hello"), end()}}}
	e, err := failover.New(failover.Config{Model: m, FirstContent: time.Hour, Idle: time.Hour})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	answer, _, err := e.Answer(ctx, targets, converse.Request{})
	require.NoError(t, err)
	assert.Equal(t, "Hello", answer.Text())
}

func assertClass(t *testing.T, want converse.Class, err error) {
	t.Helper()
	var e *converse.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, want, e.Class)
}

func assertSum(t *testing.T, want converse.Class, err error) {
	t.Helper()
	var e *failover.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, want, e.Class)
}
