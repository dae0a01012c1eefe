package conversation_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// brief is a replica that has no more than so many pages to give.
type brief struct {
	conversation.Scanner
	pages int
	over  context.CancelFunc
}

func (b *brief) Scan(ctx context.Context, in *dynamodb.ScanInput, opts ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	if b.pages--; b.pages < 0 {
		b.over()
	}
	return b.Scanner.Scan(ctx, in, opts...)
}

// TestEraseGoesPastWhatOthersHave: pages on which the tenant has nothing.
func TestEraseGoesPastWhatOthersHave(t *testing.T) {
	b := newBench(t)
	b.say(t, here, "hello", conversation.Turn{})
	for range 2 * b.pageSize {
		id, err := b.stores[here].NewTurn(conversation.TurnID{})
		require.NoError(t, err)
		_, _, err = b.stores[here].Append(t.Context(), "aardvark", conversation.Turn{ID: id, Body: []byte("kept")})
		require.NoError(t, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	client := &brief{at(b.world, here), 3, cancel}
	swept, err := conversation.Eraser{Table: "content", Clients: map[string]conversation.Scanner{here: client}}.Sweep(ctx, "acme", []string{here})
	require.NoError(t, err)
	assert.Equal(t, []conversation.Erased{{Region: here, Items: 1}}, swept)
}

func TestEraseWantsAClientForEachRegion(t *testing.T) {
	b := newBench(t)
	_, err := conversation.Eraser{Table: "content", Clients: map[string]conversation.Scanner{here: at(b.world, here)}}.Sweep(t.Context(), "acme", []string{here, there})
	assert.ErrorContains(t, err, `no client for region "`+there+`"`)
	assert.Zero(t, b.calls[here+" Scan"], "before anything is erased")
}
