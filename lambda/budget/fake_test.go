package budget_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/budget"
	"github.com/stretchr/testify/require"
)

// fault says what one call does and what its caller is told.
type fault int

const (
	none      fault = iota // done, reported done
	refused                // not done, reported failed
	lostReply              // done, reported failed
	silent                 // not done, and no answer
)

var errDown = errors.New("the table is down")

// replica is the control table in one region: numbers by item and attribute.
type replica struct {
	mu    sync.Mutex
	items map[string]map[string]int64
	fault func(sort string) fault // nil for none
	calls int
}

func newReplica() *replica { return &replica{items: map[string]map[string]int64{}} }

func (r *replica) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	sort := in.Key[contract.SortKey].(*types.AttributeValueMemberS).Value
	var f fault
	if r.fault != nil {
		f = r.fault(sort)
	}
	switch f {
	case refused:
		return nil, errDown
	case silent:
		r.mu.Unlock()
		<-ctx.Done()
		r.mu.Lock()
		return nil, ctx.Err()
	}
	key := in.Key[contract.PartitionKey].(*types.AttributeValueMemberS).Value + "|" + sort
	err := r.apply(key, in)
	if f == lostReply {
		err = errDown
		if attempts(opts) > 1 {
			err = r.apply(key, in) // as the SDK would
		}
	}
	out := &dynamodb.UpdateItemOutput{}
	if in.ReturnValues == types.ReturnValueUpdatedNew {
		out.Attributes = map[string]types.AttributeValue{contract.AttrTokens: &types.AttributeValueMemberN{Value: strconv.FormatInt(r.items[key]["tokens"], 10)}}
	}
	return out, err
}

// attempts is how often the SDK makes a call.
func attempts(opts []func(*dynamodb.Options)) int {
	o := dynamodb.Options{RetryMaxAttempts: 3}
	for _, set := range opts {
		set(&o)
	}
	if o.Retryer == nil {
		return o.RetryMaxAttempts
	}
	return o.Retryer.MaxAttempts()
}

func (r *replica) apply(key string, in *dynamodb.UpdateItemInput) error {
	it := r.items[key]
	if in.ConditionExpression != nil {
		if aws.ToString(in.ConditionExpression) != "attribute_not_exists(tokens) OR tokens < :share" {
			return errors.New("unknown condition")
		}
		if n, exists := it["tokens"]; exists && n >= value(in, ":share") {
			return &types.ConditionalCheckFailedException{}
		}
	}
	sums, ok := strings.CutPrefix(aws.ToString(in.UpdateExpression), "SET expiresAt = :expires ADD ")
	if !ok {
		return errors.New("unknown update")
	}
	if it == nil {
		it = map[string]int64{}
		r.items[key] = it
	}
	it["expiresAt"] = value(in, ":expires")
	for sum := range strings.SplitSeq(sums, ", ") {
		name, placeholder, _ := strings.Cut(sum, " ")
		it[name] += value(in, placeholder)
	}
	return nil
}

func value(in *dynamodb.UpdateItemInput, name string) int64 {
	n, err := strconv.ParseInt(in.ExpressionAttributeValues[name].(*types.AttributeValueMemberN).Value, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// limits are the same for all tenants, and cannot be read where the replica has a
// fault under "limits".
func (r *replica) limits(share contract.Budget) budget.Limits {
	return func(ctx context.Context, _ string) (contract.Budget, error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.fault != nil && r.fault("limits") != none {
			return contract.Budget{}, errDown
		}
		return share, ctx.Err()
	}
}

// all is a copy of the items.
func (r *replica) all() map[string]map[string]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.items)
}

// noon is when tests begin: 18 seconds past a minute.
var noon = time.Date(2026, 11, 26, 12, 0, 18, 0, time.UTC)

// counter counts in a region whose share of every tenant's limits is the same. It
// has learned of none yet.
func counter(t require.TestingT, r *replica, region string, now *time.Time, share contract.Budget) *budget.Counter {
	if h, ok := t.(*testing.T); ok {
		h.Helper()
	}
	c, err := budget.New(budget.Config{
		Client: r, Table: "control", Region: region, Retention: 400 * 24 * time.Hour, Log: slog.New(slog.DiscardHandler),
		Limits: r.limits(share),
		Now:    func() time.Time { return *now },
	})
	require.NoError(t, err)
	return c
}
