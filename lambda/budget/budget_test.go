package budget_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/budget"
	"github.com/crossregion/crossregion/lambda/parallel"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	minuteItem = "usage#acme|eu-west-1#minute#2026-11-26T12:00"
	dayItem    = "usage#acme|eu-west-1#day#2026-11-26"
	recordItem = "usage#acme|eu-west-1#usage#2026-11-26#claude"
)

var both = contract.Budget{TokensPerMinute: 100, TokensPerDay: 1000}

func TestUseIsCountedAndRecorded(t *testing.T) {
	r, now := newReplica(), noon
	c := counter(t, r, "eu-west-1", &now, both)
	first, err := c.Reserve(t.Context(), "acme", 60)
	require.NoError(t, err)
	assert.Equal(t, int64(60), r.all()[minuteItem]["tokens"], "the estimate counts at once")
	assert.Equal(t, int64(60), r.all()[dayItem]["tokens"])
	assert.Equal(t, 2, r.calls)
	now = now.Add(time.Minute) // what counts is when it began
	require.NoError(t, c.Settle(t.Context(), first, budget.Usage{Input: 10, Cached: 4, Output: 20}, "claude"))
	expires := func(s string) int64 {
		at, err := time.Parse(time.DateTime, s)
		require.NoError(t, err)
		return at.Unix()
	}
	assert.Equal(t, map[string]map[string]int64{
		minuteItem: {"tokens": 30, "expiresAt": expires("2026-11-27 12:01:00")},
		dayItem:    {"tokens": 30, "expiresAt": expires("2026-11-28 00:00:00")},
		recordItem: {"requests": 1, "inputTokens": 10, "cachedTokens": 4, "outputTokens": 20, "expiresAt": expires("2026-11-27 00:00:00") + 400*24*3600},
	}, r.all())
}

func TestNothingUsedIsGivenBack(t *testing.T) {
	r, now := newReplica(), noon
	c := counter(t, r, "eu-west-1", &now, both)
	res, err := c.Reserve(t.Context(), "acme", 60)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // as when the client goes away
	require.NoError(t, c.Settle(ctx, res, budget.Usage{}, "claude"))
	assert.Zero(t, r.all()[minuteItem]["tokens"])
	assert.Zero(t, r.all()[dayItem]["tokens"])
	assert.NotContains(t, r.all(), recordItem)
}

// learned is a counter that remembers the tenant's limits, after a request that
// took nothing.
func learned(t require.TestingT, r *replica, now *time.Time, share contract.Budget) *budget.Counter {
	c := counter(t, r, "eu-west-1", now, share)
	res, err := c.Reserve(context.Background(), "acme", 0)
	require.NoError(t, err)
	require.NoError(t, c.Settle(context.Background(), res, budget.Usage{}, "claude"))
	r.calls = 0
	return c
}

func TestWithoutALimitUseIsRecorded(t *testing.T) {
	r, now := newReplica(), noon
	c := counter(t, r, "eu-west-1", &now, contract.Budget{})
	res, err := c.Reserve(t.Context(), "acme", 60)
	require.NoError(t, err)
	assert.Equal(t, 2, r.calls, "it is counted before it is known that there is no limit")
	require.NoError(t, c.Settle(t.Context(), res, budget.Usage{Input: 1}, "claude"))
	assert.Equal(t, int64(1), r.all()[dayItem]["tokens"], "in case that there will be one")

	r.calls = 0
	res, err = c.Reserve(t.Context(), "acme", 60)
	require.NoError(t, err)
	assert.Zero(t, r.calls, "then nothing is reserved")
	require.NoError(t, c.Settle(t.Context(), res, budget.Usage{Input: 1}, "claude"))
	assert.Equal(t, int64(2), r.all()[recordItem]["requests"])
}

func TestShareThatIsUsedUp(t *testing.T) {
	tests := []struct {
		name   string
		limits contract.Budget
		want   budget.ExceededError
	}{
		{"a minute", contract.Budget{TokensPerMinute: 60, TokensPerDay: 1000}, budget.ExceededError{Window: "minute", RetryAfter: 42 * time.Second}},
		{"a minute alone", contract.Budget{TokensPerMinute: 60}, budget.ExceededError{Window: "minute", RetryAfter: 42 * time.Second}},
		{"a day", contract.Budget{TokensPerMinute: 1000, TokensPerDay: 60}, budget.ExceededError{Window: "day", RetryAfter: 12*time.Hour - 18*time.Second}},
		{"both", contract.Budget{TokensPerMinute: 60, TokensPerDay: 60}, budget.ExceededError{Window: "day", RetryAfter: 12*time.Hour - 18*time.Second}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, now := newReplica(), noon
			c := counter(t, r, "eu-west-1", &now, tt.limits)
			_, err := c.Reserve(t.Context(), "acme", 60)
			require.NoError(t, err)
			// The second has yet to learn the limits.
			for _, c := range []*budget.Counter{c, counter(t, r, "eu-west-1", &now, tt.limits)} {
				_, err = c.Reserve(t.Context(), "acme", 5)
				var exceeded *budget.ExceededError
				require.ErrorAs(t, err, &exceeded)
				assert.Equal(t, tt.want, *exceeded)
				for _, item := range []string{minuteItem, dayItem} {
					assert.Equal(t, int64(60), r.all()[item]["tokens"], "what was refused does not count: %s", item)
				}
				_, err = c.Reserve(t.Context(), "umbrella", 5)
				require.NoError(t, err, "another tenant's is its own")
			}
			now = now.Add(tt.want.RetryAfter)
			_, err = c.Reserve(t.Context(), "acme", 5)
			require.NoError(t, err, "the next window is empty")
		})
	}
}

func TestRegionWithoutAShareLetsNothingThrough(t *testing.T) {
	r, now := newReplica(), noon
	c := counter(t, r, "eu-west-1", &now, contract.Budget{TokensPerDay: contract.NoTokens})
	for range 2 {
		_, err := c.Reserve(t.Context(), "acme", 7)
		var exceeded *budget.ExceededError
		assert.ErrorAs(t, err, &exceeded)
		assert.Zero(t, r.all()[dayItem]["tokens"])
	}
	assert.Equal(t, 4, r.calls, "the second needs none")
}

func TestReserveWithFaults(t *testing.T) {
	tests := []struct {
		name      string
		fault     fault
		uncounted bool
		settled   int64
	}{
		{"done", none, false, 30},
		{"a refusal is served, and counted later", refused, true, 30},
		{"a lost reply is served, and counted twice rather than never", lostReply, true, 90},
	}
	for _, tt := range tests {
		for name, start := range map[string]func(*replica, *time.Time) *budget.Counter{
			"remembered": func(r *replica, now *time.Time) *budget.Counter { return learned(t, r, now, both) },
			"unknown":    func(r *replica, now *time.Time) *budget.Counter { return counter(t, r, "eu-west-1", now, both) },
		} {
			t.Run(tt.name+", with limits "+name, func(t *testing.T) {
				var log bytes.Buffer
				r, now := newReplica(), noon
				c := start(r, &now)
				c.Log = slog.New(slog.NewJSONHandler(&log, nil))
				r.fault = func(string) fault { return tt.fault }
				res, err := c.Reserve(t.Context(), "acme", 60)
				require.NoError(t, err)
				assert.Equal(t, tt.uncounted, res.Uncounted)
				assert.Equal(t, tt.uncounted, strings.Contains(log.String(), `"outcome":"uncounted"`))
				assert.NotContains(t, log.String(), "acme")
				r.fault = nil
				require.NoError(t, c.Settle(t.Context(), res, budget.Usage{Input: 10, Output: 20}, "claude"))
				assert.Equal(t, tt.settled, r.all()[minuteItem]["tokens"])
				assert.Equal(t, tt.settled, r.all()[dayItem]["tokens"])
			})
		}
	}
}

func TestSettleWithFaults(t *testing.T) {
	tests := []struct {
		name    string
		fault   fault
		counted int64
		records int64
	}{
		{"done", none, 30, 1},
		{"a refusal leaves the estimate", refused, 60, 0},
		{"a lost reply is done once", lostReply, 30, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, now := newReplica(), noon
			c := counter(t, r, "eu-west-1", &now, both)
			res, err := c.Reserve(t.Context(), "acme", 60)
			require.NoError(t, err)
			r.fault = func(string) fault { return tt.fault }
			err = c.Settle(t.Context(), res, budget.Usage{Input: 10, Output: 20}, "claude")
			assert.Equal(t, tt.fault != none, err != nil)
			assert.Equal(t, tt.counted, r.all()[minuteItem]["tokens"])
			assert.Equal(t, tt.records, r.all()[recordItem]["requests"])
		})
	}
}

// TestRefusalThatIsNotGivenBack is for the minute's room, which a request takes
// that the day has none for.
func TestRefusalThatIsNotGivenBack(t *testing.T) {
	for f, want := range map[fault]int64{refused: 65, lostReply: 60} {
		r, now := newReplica(), noon
		c := learned(t, r, &now, contract.Budget{TokensPerMinute: 1000, TokensPerDay: 60})
		_, err := c.Reserve(t.Context(), "acme", 60)
		require.NoError(t, err)
		minutes := 0
		r.fault = func(sort string) fault {
			if strings.Contains(sort, "minute") {
				if minutes++; minutes == 2 {
					return f
				}
			}
			return none
		}
		_, err = c.Reserve(t.Context(), "acme", 5)
		var exceeded *budget.ExceededError
		require.ErrorAs(t, err, &exceeded, "it is refused all the same")
		assert.Equal(t, want, r.all()[minuteItem]["tokens"])
	}
}

func TestSilentTableIsNotWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, now := newReplica(), noon
		c := counter(t, r, "eu-west-1", &now, both)
		c.Limits = func(ctx context.Context, _ string) (contract.Budget, error) {
			<-ctx.Done()
			return contract.Budget{}, ctx.Err()
		}
		r.fault = func(string) fault { return silent }
		began := time.Now()
		res, err := c.Reserve(t.Context(), "acme", 60)
		require.NoError(t, err)
		assert.True(t, res.Uncounted)
		assert.Equal(t, budget.DefaultCallTimeout, time.Since(began))
		assert.Error(t, c.Settle(t.Context(), res, budget.Usage{Input: 1}, "claude"))
	})
}

func TestMisuse(t *testing.T) {
	_, err := budget.New(budget.Config{})
	for _, want := range []string{"client, limits or log", "table or region", "retention is 0s"} {
		assert.ErrorContains(t, err, want)
	}
	r, now := newReplica(), noon
	c := counter(t, r, "eu-west-1", &now, both)
	_, err = c.Reserve(t.Context(), "a#b", 1)
	assert.Error(t, err)
	_, err = c.Reserve(t.Context(), "acme", -1)
	assert.Error(t, err)
	assert.Error(t, c.Settle(t.Context(), budget.Reservation{}, budget.Usage{Input: 1}, "claude"))
	assert.Zero(t, r.calls)
}

// TestAPanicIsThatOfTheCaller, in whichever goroutine it happens, who can handle
// it.
func TestAPanicIsThatOfTheCaller(t *testing.T) {
	tests := []struct {
		name    string
		learned bool
		do      func(*budget.Counter, budget.Reservation)
	}{
		{"when limits are read", false, func(c *budget.Counter, _ budget.Reservation) { _, _ = c.Reserve(t.Context(), "acme", 1) }},
		{"when a request is counted", true, func(c *budget.Counter, _ budget.Reservation) { _, _ = c.Reserve(t.Context(), "acme", 1) }},
		{"when it grows", true, func(c *budget.Counter, r budget.Reservation) { _, _ = c.Raise(t.Context(), r, 9) }},
		{"when its use is settled", true, func(c *budget.Counter, r budget.Reservation) { _ = c.Settle(t.Context(), r, budget.Usage{}, "claude") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, now := newReplica(), noon
			c := counter(t, r, "eu-west-1", &now, both)
			var reserved budget.Reservation
			if tt.learned {
				var err error
				reserved, err = c.Reserve(t.Context(), "acme", 1)
				require.NoError(t, err)
			}
			r.fault = func(string) fault { panic("sesame") }
			caught := parallel.Catch(func() { tt.do(c, reserved) })
			require.NotNil(t, caught)
			assert.Equal(t, "sesame", caught.Value)
			assert.Contains(t, string(caught.Stack), "(*replica)", "where it happened")
		})
	}
}
