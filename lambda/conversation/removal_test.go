package conversation_test

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestADeletionThatIsFasterThanReplicationLeavesNoBytes: to delete what a replica
// does not have yet changes nothing there, and nothing that could be replicated.
func TestADeletionThatIsFasterThanReplicationLeavesNoBytes(t *testing.T) {
	for name, del := range map[string]func(*bench, conversation.Conversation, conversation.Turn) error{
		"of a turn": func(b *bench, _ conversation.Conversation, turn conversation.Turn) error {
			return b.stores[beyond].DeleteTurn(t.Context(), "acme", turn.ID)
		},
		"of a conversation": func(b *bench, c conversation.Conversation, _ conversation.Turn) error {
			return b.stores[beyond].DeleteConversation(t.Context(), "acme", c.ID)
		},
		"of an item": func(b *bench, _ conversation.Conversation, turn conversation.Turn) error {
			return b.strike(t, beyond, turn, 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c := b.begin(t, here)
			turn, err := b.speak(t, here, "first\nsecret", c)
			require.NoError(t, err)
			require.Equal(t, []string{here, there}, b.holding("secret"))
			require.NoError(t, del(b, c, turn))
			b.rest()
			assert.Empty(t, b.holding("secret"))
		})
	}
}

// deafTo fails to read the ranges that begin so.
type deafTo struct {
	conversation.DynamoDB
	from string
}

func (d deafTo) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	if in.ProjectionExpression != nil && strings.HasPrefix(str(in.ExpressionAttributeValues[":from"]), d.from) {
		return nil, errDown
	}
	return d.DynamoDB.Query(ctx, in, opts...)
}

// TestADeletionThatSawNothingIsNotDone, nor does it say that nothing was left.
func TestADeletionThatSawNothingIsNotDone(t *testing.T) {
	b := newBench(t)
	turn := b.say(t, here, "secret", conversation.Turn{})
	s, err := conversation.New(conversation.Config{
		Table: "content", Region: here, Partners: []string{there}, Retention: time.Hour, Now: func() time.Time { return b.now },
		Clients: map[string]conversation.DynamoDB{here: deafTo{at(b.world, here), "turn#"}, there: deafTo{at(b.world, there), "turn#"}},
	})
	require.NoError(t, err)
	for range 2 {
		require.ErrorIs(t, s.DeleteTurn(t.Context(), "acme", turn.ID), errDown)
	}
	require.NoError(t, b.stores[here].DeleteTurn(t.Context(), "acme", turn.ID))
}

// crowd notes how many goroutines there are when an item is removed.
type crowd struct {
	conversation.DynamoDB
	mu   sync.Mutex
	most int
}

func (c *crowd) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	out, err := c.DynamoDB.DeleteItem(ctx, in, opts...)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most = max(c.most, runtime.NumGoroutine())
	return out, err
}

// TestALongConversationTakesFewGoroutines to delete, each of which has a stack
// that is made for a call of the SDK.
func TestALongConversationTakesFewGoroutines(t *testing.T) {
	b := newBench(t)
	b.pageSize = 1000
	c := b.begin(t, here)
	for range 300 {
		id, err := b.stores[here].NewConversationTurn(c.ID, nil)
		require.NoError(t, err)
		_, _, err = b.stores[here].Append(t.Context(), "acme", conversation.Turn{ID: id, InConversation: true, Body: []byte("x")})
		require.NoError(t, err)
	}
	most := &crowd{DynamoDB: at(b.world, there)}
	s, err := conversation.New(conversation.Config{
		Table: "content", Region: here, Partners: []string{there}, Retention: time.Hour, Now: func() time.Time { return b.now },
		Clients: map[string]conversation.DynamoDB{here: at(b.world, here), there: most},
	})
	require.NoError(t, err)
	before := runtime.NumGoroutine()
	require.NoError(t, s.DeleteConversation(t.Context(), "acme", c.ID))
	assert.Positive(t, most.most)
	assert.Less(t, most.most-before, 100)
}

// TestWhatOneRegionRemovesIsRemoved, though another refuses: replication does it
// there.
func TestWhatOneRegionRemovesIsRemoved(t *testing.T) {
	b := newBench(t)
	c := b.begin(t, here)
	turn, err := b.speak(t, here, "first\nsecret", c)
	require.NoError(t, err)
	b.refuse = func(region, operation, _ string) bool { return region != there && operation == "DeleteItem" }
	require.NoError(t, b.strike(t, here, turn, 1))
	b.rest()
	assert.Empty(t, b.holding("secret"))
	require.NoError(t, b.stores[here].DeleteTurn(t.Context(), "acme", turn.ID))
	b.rest()
	assert.Empty(t, b.holding("first"))
}
