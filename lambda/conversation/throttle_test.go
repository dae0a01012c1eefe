package conversation_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// partition is a replica of one partition, which throttles what comes above its
// rates.
type partition struct {
	conversation.DynamoDB
	writes, reads *bucket
}

// Rates of a partition, in bytes a second.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
const (
	written = 1000 << 10
	read    = 12000 << 10
)

// newPartition is one where replication writes as much as its callers.
func newPartition(client conversation.DynamoDB) partition {
	return partition{client, newBucket(written / 2), newBucket(read)}
}

// bucket is what is left of a rate, less than nothing after something large.
type bucket struct {
	rate float64
	mu   sync.Mutex
	left float64
	at   time.Time
}

func newBucket(rate float64) *bucket { return &bucket{rate: rate, left: rate, at: time.Now()} }

// take counts bytes, unless there is no room for any.
func (b *bucket) take(bytes int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.left = min(b.rate, b.left+time.Since(b.at).Seconds()*b.rate)
	b.at = time.Now()
	if b.left <= 0 {
		return &types.ProvisionedThroughputExceededException{}
	}
	b.left -= float64(bytes)
	return nil
}

func sizeOf(it item) int {
	body, ok := it["b"].(*types.AttributeValueMemberB)
	if !ok {
		return 1 << 10
	}
	return len(body.Value)
}

func (p partition) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if err := p.writes.take(sizeOf(in.Item)); err != nil {
		return nil, err
	}
	return p.DynamoDB.PutItem(ctx, in, opts...)
}

func (p partition) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	bytes := 1 << 10
	if strings.HasPrefix(str(in.Key["sk"]), "turn#") {
		bytes = 390 << 10
	}
	if err := p.writes.take(bytes); err != nil {
		return nil, err
	}
	return p.DynamoDB.DeleteItem(ctx, in, opts...)
}

func (p partition) GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	out, err := p.DynamoDB.GetItem(ctx, in, opts...)
	if err == nil {
		err = p.reads.take(sizeOf(out.Item))
	}
	return out, err
}

// Query counts all of an item, whatever of it is asked for.
func (p partition) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	full := *in
	full.ProjectionExpression = nil
	all, err := p.DynamoDB.Query(ctx, &full, opts...)
	if err != nil {
		return nil, err
	}
	bytes := 0
	for _, it := range all.Items {
		bytes += sizeOf(it)
	}
	if err := p.reads.take(bytes); err != nil {
		return nil, err
	}
	return p.DynamoDB.Query(ctx, in, opts...)
}

// TestALargeTurnIsWrittenAsItsPartitionTakesIt, read again, and removed.
func TestALargeTurnIsWrittenAsItsPartitionTakesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(three...)
		s := inBubble(t, newPartition(at(w, here)), newPartition(at(w, there)), newPartition(at(w, beyond)))
		c, _, err := s.CreateConversation(t.Context(), "acme", nil)
		require.NoError(t, err)
		id, err := s.NewConversationTurn(c.ID, nil)
		require.NoError(t, err)
		started := time.Now()
		_, stored, err := s.Append(t.Context(), "acme", conversation.Turn{ID: id, InConversation: true, Body: []byte(noise(t, 3900<<10))})
		require.NoError(t, err)
		assert.ElementsMatch(t, []string{here, there}, stored.Regions, "no region is given up for being busy")
		assert.Less(t, time.Since(started), 10*time.Second, "a second for each part")
		time.Sleep(5 * time.Second)
		started = time.Now()
		require.NoError(t, s.DeleteConversation(t.Context(), "acme", c.ID))
		assert.Less(t, time.Since(started), 10*time.Second)
		for _, region := range three {
			for _, rec := range w.replicas[region] {
				assert.True(t, rec.item == nil || strings.HasPrefix(rec.sk, "del"), "%s keeps %s", region, rec.sk)
			}
		}
	})
}

// TestALongHistoryIsReadAsItsPartitionAnswers, here or, where it has not arrived,
// in another region.
func TestALongHistoryIsReadAsItsPartitionAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(three...)
		far := inBubble(t, at(w, there), at(w, there), at(w, there))
		c, _, err := far.CreateConversation(t.Context(), "acme", nil)
		require.NoError(t, err)
		for range 60 {
			id, err := far.NewConversationTurn(c.ID, nil)
			require.NoError(t, err)
			_, _, err = far.Append(t.Context(), "acme", conversation.Turn{ID: id, InConversation: true, Body: []byte(noise(t, 390<<10))})
			require.NoError(t, err)
		}
		for name, arrived := range map[string]int{"not arrived": 1, "arrived": -1} {
			w.deliver(here, arrived)
			s := inBubble(t, newPartition(at(w, here)), newPartition(at(w, there)), newPartition(at(w, beyond)))
			_, turns, err := s.History(t.Context(), "acme", c.ID)
			require.NoError(t, err, name)
			assert.Len(t, turns, 60, name)
		}
	})
}

// scanned is a partition that is all of its table.
type scanned struct {
	partition
	table conversation.Scanner
}

func (s scanned) Scan(ctx context.Context, in *dynamodb.ScanInput, opts ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	if err := s.reads.take(1 << 20); err != nil {
		return nil, err
	}
	return s.table.Scan(ctx, in, opts...)
}

// TestLargeTurnsAreErasedAsTheirPartitionTakesIt, and found as it is read.
func TestLargeTurnsAreErasedAsTheirPartitionTakesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(three...)
		s := inBubble(t, at(w, here), at(w, there), at(w, beyond))
		for range 2 {
			id, err := s.NewTurn(conversation.TurnID{})
			require.NoError(t, err)
			_, _, err = s.Append(t.Context(), "acme", conversation.Turn{ID: id, Body: []byte(noise(t, 3900<<10))})
			require.NoError(t, err)
		}
		clients := map[string]conversation.Scanner{}
		for _, region := range three {
			w.deliver(region, -1)
			busy := newPartition(at(w, region))
			busy.reads = newBucket(128 << 10)
			clients[region] = scanned{busy, at(w, region)}
		}
		swept, err := conversation.Eraser{Table: "content", Clients: clients}.Sweep(t.Context(), "acme", three)
		require.NoError(t, err)
		for _, found := range swept {
			require.NoError(t, found.Err)
			assert.Positive(t, found.Items, found.Region)
			assert.Empty(t, at(w, found.Region).matching(func(record) bool { return true }), found.Region)
		}
	})
}
