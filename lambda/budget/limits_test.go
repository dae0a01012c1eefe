package budget_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/budget"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRaise(t *testing.T) {
	tests := []struct {
		name          string
		estimate      int64
		fault         fault
		raised, after int64 // counted once raised, and once settled
	}{
		{"history is counted as soon as it is known", 90, none, 90, 30},
		{"an estimate that was high enough stands", 50, none, 60, 30},
		{"a refusal is settled all the same", 90, refused, 60, 30},
		{"a lost reply counts rather too much", 90, lostReply, 90, 60},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, now := newReplica(), noon
			c := learned(t, r, &now, both)
			res, err := c.Reserve(t.Context(), "acme", 60)
			require.NoError(t, err)
			r.fault = func(string) fault { return tt.fault }
			raised, err := c.Raise(t.Context(), res, tt.estimate)
			assert.Equal(t, tt.fault != none, err != nil)
			assert.Equal(t, tt.fault != none, raised.Uncounted)
			r.fault = nil
			for _, item := range []string{minuteItem, dayItem} {
				assert.Equal(t, tt.raised, r.all()[item]["tokens"], item)
			}
			require.NoError(t, c.Settle(t.Context(), raised, budget.Usage{Input: 10, Output: 20}, "claude"))
			for _, item := range []string{minuteItem, dayItem} {
				assert.Equal(t, tt.after, r.all()[item]["tokens"], item)
			}
		})
	}
	raised, err := counter(t, newReplica(), "eu-west-1", new(time.Time), both).Raise(t.Context(), budget.Reservation{}, 1)
	require.NoError(t, err)
	assert.Zero(t, raised, "what was not reserved is not raised")
}

// TestLimitsAreRemembered for a minute, and longer where they cannot be read.
func TestLimitsAreRemembered(t *testing.T) {
	r, now, reads := newReplica(), noon, 0
	share, broken := contract.Budget{TokensPerDay: 10}, error(nil)
	c := counter(t, r, "eu-west-1", &now, both)
	c.Limits = func(context.Context, string) (contract.Budget, error) { reads++; return share, broken }
	use := func(want bool) {
		t.Helper()
		_, err := c.Reserve(t.Context(), "acme", 10)
		assert.Equal(t, want, err == nil, "%v", err)
	}
	use(true)
	use(false)
	share = contract.Budget{TokensPerDay: 25}
	now = now.Add(59 * time.Second)
	use(false)
	assert.Equal(t, 1, reads)
	now = now.Add(time.Second)
	use(true)
	assert.Equal(t, 2, reads, "a change takes effect after a minute")
	use(true)
	broken = errDown
	now = now.Add(time.Minute)
	use(false)
	use(false)
	assert.Equal(t, 3, reads, "what cannot be read is not asked for each time")
	broken, share = nil, contract.Budget{}
	now = now.Add(5 * time.Second)
	use(true)
}

// TestLimitsThatWereNeverRead leave requests uncounted, not refused; what they
// use counts.
func TestLimitsThatWereNeverRead(t *testing.T) {
	r, now := newReplica(), noon
	c := counter(t, r, "eu-west-1", &now, contract.Budget{TokensPerDay: 10})
	r.fault = func(sort string) fault {
		if sort == "limits" {
			return refused
		}
		return none
	}
	for range 2 {
		res, err := c.Reserve(t.Context(), "acme", 60)
		require.NoError(t, err)
		assert.True(t, res.Uncounted)
		require.NoError(t, c.Settle(t.Context(), res, budget.Usage{Input: 20}, "claude"))
	}
	assert.Equal(t, int64(40), r.all()[dayItem]["tokens"])
}

func TestOfManyTenantsSomeAreForgotten(t *testing.T) {
	r, now, reads := newReplica(), noon, 0
	c := counter(t, r, "eu-west-1", &now, contract.Budget{})
	c.Limits = func(context.Context, string) (contract.Budget, error) { reads++; return contract.Budget{}, nil }
	for i := range 1001 {
		_, err := c.Reserve(t.Context(), fmt.Sprintf("tenant-%d", i), 1)
		require.NoError(t, err)
	}
	_, err := c.Reserve(t.Context(), "tenant-1000", 1)
	require.NoError(t, err)
	assert.Equal(t, 1001, reads, "the last is remembered")
	_, err = c.Reserve(t.Context(), "tenant-0", 1)
	require.NoError(t, err)
	assert.Equal(t, 1002, reads, "the first is not")
}

// slow is a replica whose answers take a while.
type slow struct{ *replica }

const takes = 10 * time.Millisecond

func (s slow) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	time.Sleep(takes)
	return s.replica.UpdateItem(ctx, in, opts...)
}

// TestNobodyWaitsForTwoCalls: limits that are not known yet are read while the
// request is counted.
func TestNobodyWaitsForTwoCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, now := newReplica(), noon
		c := counter(t, r, "eu-west-1", &now, both)
		c.Client, c.Limits = slow{r}, func(context.Context, string) (contract.Budget, error) {
			time.Sleep(takes)
			return both, nil
		}
		for range 2 {
			began := time.Now()
			_, err := c.Reserve(t.Context(), "acme", 1)
			require.NoError(t, err)
			assert.Equal(t, takes, time.Since(began))
		}
	})
}
