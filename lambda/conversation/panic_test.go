package conversation_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/lambda/parallel"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// broken is a replica whose client panics in some operations.
type broken struct {
	conversation.DynamoDB
	operation *string
}

func (b broken) enter(operation string) {
	if *b.operation == operation {
		panic("sesame")
	}
}

func (b broken) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	b.enter("PutItem")
	return b.DynamoDB.PutItem(ctx, in, opts...)
}

func (b broken) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	b.enter("Query")
	return b.DynamoDB.Query(ctx, in, opts...)
}

func (b broken) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	b.enter("DeleteItem")
	return b.DynamoDB.DeleteItem(ctx, in, opts...)
}

// TestAPanicIsThatOfTheCaller, in whichever goroutine it happens, who can handle
// it.
func TestAPanicIsThatOfTheCaller(t *testing.T) {
	tests := []struct {
		name, operation string
		do              func(context.Context, *conversation.Store, conversation.ConversationID, conversation.TurnID) error
	}{
		{"when a turn is written", "PutItem", func(ctx context.Context, s *conversation.Store, _ conversation.ConversationID, _ conversation.TurnID) error {
			id, err := s.NewTurn(conversation.TurnID{})
			if err != nil {
				return err
			}
			_, _, err = s.Append(ctx, "acme", conversation.Turn{ID: id, Body: []byte("x")})
			return err
		}},
		{"when regions are asked what they have", "Query", func(ctx context.Context, s *conversation.Store, c conversation.ConversationID, _ conversation.TurnID) error {
			_, _, err := s.History(ctx, "acme", c)
			return err
		}},
		{"when several are asked at once", "Query", func(ctx context.Context, s *conversation.Store, _ conversation.ConversationID, id conversation.TurnID) error {
			return s.DeleteTurn(ctx, "acme", id)
		}},
		{"when items are removed", "DeleteItem", func(ctx context.Context, s *conversation.Store, _ conversation.ConversationID, id conversation.TurnID) error {
			return s.DeleteTurn(ctx, "acme", id)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			c, turn := b.begin(t, here), b.say(t, here, noise(t, 500<<10), conversation.Turn{})
			b.deliver(there, -1)
			operation := ""
			s, err := conversation.New(conversation.Config{
				Table: "content", Region: here, Partners: []string{there}, Retention: time.Hour, Now: func() time.Time { return b.now },
				Clients: map[string]conversation.DynamoDB{here: broken{at(b.world, here), &operation}, there: broken{at(b.world, there), &operation}},
			})
			require.NoError(t, err)
			operation = tt.operation
			caught := parallel.Catch(func() { err = tt.do(t.Context(), s, c.ID, turn.ID) })
			require.NotNil(t, caught, "%v", err)
			assert.Equal(t, "sesame", caught.Value)
			assert.Contains(t, string(caught.Stack), "broken.enter", "where it happened")
		})
	}
}
