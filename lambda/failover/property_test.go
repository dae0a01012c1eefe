package failover_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// chaos makes up what regions do. All that a region says bears its name.
type chaos struct {
	*rand.Rand
}

var classes = []converse.Class{
	converse.Throttled, converse.Unavailable, converse.ModelFailed, converse.Incomplete, converse.Timeout,
	converse.Denied, converse.NotFound, converse.Invalid, converse.TooLong,
}

func (c chaos) delay() time.Duration {
	return []time.Duration{0, 0, ms, second, 10 * second, 25 * second, 24 * time.Hour}[c.IntN(7)]
}

func (c chaos) call(region string) []step {
	var steps []step
	for range c.IntN(4) {
		steps = append(steps, say(region).later(c.delay()))
	}
	if c.IntN(2) == 0 {
		return append(steps, end().later(c.delay()))
	}
	return append(steps, fail(classes[c.IntN(len(classes))]).later(c.delay()))
}

func (c chaos) model() *model {
	m := &model{regions: map[string]script{}}
	for _, t := range targets {
		for range 12 {
			m.regions[t.Region] = append(m.regions[t.Region], c.call(t.Region))
		}
	}
	return m
}

// config switches on what chance says.
func (c chaos) config(cfg *failover.Config) {
	cfg.Random = c.Float64
	if c.IntN(2) == 0 {
		hedged(cfg)
	}
	if c.IntN(2) == 0 {
		continued(cfg)
	}
}

// TestPromisesHoldWhateverFails puts engines through random faults. A seed that
// fails can be run alone: -run 'TestPromisesHoldWhateverFails/seed_7$'.
func TestPromisesHoldWhateverFails(t *testing.T) {
	for seed := range uint64(400) {
		bubble(t, "seed "+strconv.FormatUint(seed, 10), func(t *testing.T) {
			c := chaos{rand.New(rand.NewPCG(seed, 0))}
			m := c.model()
			var cfg failover.Config
			e := engine(t, m, c.config, func(made *failover.Config) { cfg = *made })
			for range 4 {
				asked := targets[:1+c.IntN(3)]
				before := len(m.called())
				started := time.Now()
				if c.IntN(2) == 0 {
					checkAnswer(t, e, asked)
					assert.LessOrEqual(t, time.Since(started), failover.DefaultWhole)
				} else {
					checkStream(t, e, asked, cfg.Prefill != nil)
					assert.LessOrEqual(t, time.Since(started), 8*time.Minute, "a stream's own bound")
				}
				synctest.Wait()
				assert.Zero(t, m.leaks())
				checkCalls(t, m.called()[before:], asked, cfg)
				time.Sleep(c.delay() % time.Hour)
			}
		})
	}
}

// checkAnswer has a whole answer come from one target, or an error.
func checkAnswer(t *testing.T, e *failover.Engine, asked []contract.Target) {
	t.Helper()
	answer, report, err := e.Answer(t.Context(), asked, question)
	if err != nil {
		assertFailed(t, err, report)
		return
	}
	assert.Equal(t, strings.Repeat(report.Target, len(answer.Text())), answer.Text())
}

// checkStream has no event after an end or a failure, and content of another
// target only where an answer was continued.
func checkStream(t *testing.T, e *failover.Engine, asked []contract.Target, mayContinue bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	s, report, err := e.Open(ctx, asked, question)
	if err != nil {
		assertFailed(t, err, report)
		return
	}
	text, err := drain(t, s)
	report = final(s)
	if err != nil {
		assertFailed(t, err, report)
	} else {
		assert.Equal(t, failover.OutcomeOK, report.Attempts[slices.IndexFunc(report.Attempts, func(a failover.Attempt) bool {
			return a.Region == report.Target && a.Outcome == failover.OutcomeOK
		})].Outcome)
	}
	speakers := slices.Compact([]byte(text))
	assert.LessOrEqual(t, len(speakers), 1+report.Count(failover.ReasonContinued))
	if !mayContinue {
		assert.LessOrEqual(t, len(speakers), 1)
		assert.Zero(t, report.Count(failover.ReasonContinued))
	}
}

func assertFailed(t *testing.T, err error, report failover.Report) {
	t.Helper()
	var e *failover.Error
	require.ErrorAs(t, err, &e)
	assert.NotEmpty(t, e.Class)
	assert.NotEmpty(t, e.Failures)
	assert.Empty(t, report.Target)
	for _, a := range report.Attempts {
		assert.NotEqual(t, failover.OutcomeOK, a.Outcome)
		assert.NotEqual(t, failover.OutcomeWaiting, a.Outcome)
	}
}

// checkCalls has a request call something, nothing but what it was given, and
// nothing too often.
func checkCalls(t *testing.T, called []string, asked []contract.Target, cfg failover.Config) {
	t.Helper()
	assert.NotEmpty(t, called)
	counts := map[string]int{}
	for _, region := range called {
		counts[region]++
		assert.True(t, slices.ContainsFunc(asked, func(t contract.Target) bool { return t.Region == region }), "%s was not given", region)
		assert.LessOrEqual(t, counts[region], 1+failover.DefaultRetries)
	}
}
