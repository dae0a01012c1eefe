package conversation_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// redactLines takes a body for lines, each an item.
func redactLines(body []byte, numbers []int) ([]byte, error) {
	lines := bytes.Split(body, []byte("\n"))
	for _, n := range numbers {
		lines[n] = nil
	}
	return bytes.Join(lines, []byte("\n")), nil
}

// holding are the regions that have an item with these bytes.
func (b *bench) holding(text string) (regions []string) {
	for _, region := range b.regions {
		for _, rec := range b.replicas[region] {
			if body, ok := rec.item["b"].(*types.AttributeValueMemberB); ok && bytes.Contains(body.Value, []byte(text)) {
				regions = append(regions, region)
			}
		}
	}
	return regions
}

// rest lets all writes arrive.
func (b *bench) rest() {
	for _, region := range b.regions {
		b.deliver(region, -1)
	}
}

func (b *bench) strike(t *testing.T, region string, turn conversation.Turn, n int) error {
	t.Helper()
	c := conversation.ConversationID{Thread: turn.ID.Thread, Region: here}
	return b.stores[region].DeleteItem(t.Context(), "acme", c, conversation.ItemID{TurnID: turn.ID, Number: n}, redactLines)
}

func (b *bench) body(t *testing.T, region string, turn conversation.Turn) string {
	t.Helper()
	got, err := b.stores[region].Turn(t.Context(), "acme", turn.ID)
	require.NoError(t, err)
	return string(got.Body)
}

func TestADeletedItemLeavesNoBytes(t *testing.T) {
	for name, kept := range map[string]string{"of a turn of one part": "kept", "of a turn of many": noise(t, 900<<10)} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			kept := strings.ReplaceAll(kept, "\n", " ")
			c := b.begin(t, here)
			turn, err := b.speak(t, here, "first\nsecret\n"+kept, c)
			require.NoError(t, err)
			require.Equal(t, []string{here, there}, b.holding("secret"))
			require.NoError(t, b.strike(t, there, turn, 1))
			assert.Equal(t, "first\n\n"+kept, b.body(t, beyond, turn), "though nothing has arrived there")
			b.rest()
			assert.Empty(t, b.holding("secret"))
			require.NoError(t, b.strike(t, beyond, turn, 0))
			b.rest()
			assert.Empty(t, b.holding("first"))
			assert.Equal(t, "\n\n"+kept, b.body(t, here, turn))
			_, turns, err := b.stores[there].History(t.Context(), "acme", c.ID)
			require.NoError(t, err)
			require.Len(t, turns, 1)
			assert.Equal(t, []int{0, 1}, turns[0].Deleted)
			assert.Equal(t, turn.Expires, turns[0].Expires)
			require.ErrorIs(t, b.strike(t, here, turn, 0), conversation.ErrNotFound, "again")
		})
	}
}

// TestALateWriterBringsNothingBack: what it writes does not count.
func TestALateWriterBringsNothingBack(t *testing.T) {
	b := newBench(t)
	turn, err := b.speak(t, here, "secret\nkept", b.begin(t, here))
	require.NoError(t, err)
	first := slices.IndexFunc(b.written, func(rec record) bool { return strings.HasPrefix(rec.sk, "turn#") })
	require.NoError(t, b.strike(t, here, turn, 0))
	b.late(there, first)
	b.rest()
	for _, region := range three {
		assert.Equal(t, "\nkept", b.body(t, region, turn), region)
	}
	require.NoError(t, b.strike(t, here, turn, 0), "repeated, it removes that too")
	b.rest()
	assert.Empty(t, b.holding("secret"))
}

// TestAnInterruptedDeletionOfAnItemIsFinished by its repetition, and hides the
// item meanwhile.
func TestAnInterruptedDeletionOfAnItemIsFinished(t *testing.T) {
	for name, refused := range map[string]func(operation, sk string) bool{
		"before what is left was written": func(operation, sk string) bool { return operation == "PutItem" && strings.Contains(sk, "#v") },
		"before the turn was removed":     func(operation, _ string) bool { return operation == "DeleteItem" },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c := b.begin(t, here)
			turn, err := b.speak(t, here, "secret\nkept", c)
			require.NoError(t, err)
			b.refuse = func(_, operation, sk string) bool { return refused(operation, sk) }
			require.ErrorIs(t, b.strike(t, here, turn, 0), errDown)
			_, turns, err := b.stores[there].History(t.Context(), "acme", c.ID)
			require.NoError(t, err)
			assert.Equal(t, []int{0}, turns[0].Deleted)
			b.refuse = func(string, string, string) bool { return false }
			require.NoError(t, b.strike(t, there, turn, 0))
			b.rest()
			assert.Empty(t, b.holding("secret"))
			assert.Equal(t, "\nkept", b.body(t, beyond, turn))
		})
	}
}

// between runs something once, before the first write of what is left of a turn.
type between struct {
	conversation.DynamoDB
	do *func()
}

func (b between) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if do := *b.do; do != nil && strings.Contains(str(in.Item["sk"]), "#v") {
		*b.do = nil
		do()
	}
	return b.DynamoDB.PutItem(ctx, in, opts...)
}

// TestTwoDeletionsAtOnceLeaveNoBytes of either item, though one has read the turn
// before the other was begun, and writes after it has ended.
func TestTwoDeletionsAtOnceLeaveNoBytes(t *testing.T) {
	b := newBench(t)
	c := b.begin(t, here)
	turn, err := b.speak(t, here, "one\ntwo\nkept", c)
	require.NoError(t, err)
	meanwhile := func() { require.NoError(t, b.strike(t, there, turn, 1)) }
	first, err := conversation.New(conversation.Config{
		Table: "content", Region: here, Partners: []string{there}, Retention: time.Hour, Now: func() time.Time { return b.now },
		Clients: map[string]conversation.DynamoDB{here: between{at(b.world, here), &meanwhile}, there: at(b.world, there)},
	})
	require.NoError(t, err)
	require.NoError(t, first.DeleteItem(t.Context(), "acme", c.ID, conversation.ItemID{TurnID: turn.ID}, redactLines))
	b.rest()
	assert.Empty(t, b.holding("one"))
	assert.Empty(t, b.holding("two"))
	assert.Equal(t, "\n\nkept", b.body(t, beyond, turn))
}

// beforeGet runs something once, before the first item is read by its key.
type beforeGet struct {
	conversation.DynamoDB
	do *sync.Once
	f  func()
}

func (b beforeGet) GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	b.do.Do(b.f)
	return b.DynamoDB.GetItem(ctx, in, opts...)
}

// TestATurnIsNotMissedWhileAnItemOfItIsDeleted by who has seen that it is in
// another region, and finds it replaced there.
func TestATurnIsNotMissedWhileAnItemOfItIsDeleted(t *testing.T) {
	b := newBench(t)
	c := b.begin(t, here)
	b.rest()
	turn, err := b.speak(t, here, "secret\nkept", c)
	require.NoError(t, err)
	require.NotContains(t, b.holding("secret"), beyond)
	once, meanwhile := &sync.Once{}, func() {
		require.NoError(t, b.strike(t, here, turn, 0))
		b.rest()
	}
	reader, err := conversation.New(conversation.Config{
		Table: "content", Region: beyond, Partners: []string{here, there}, Retention: time.Hour, Now: func() time.Time { return b.now },
		Clients: map[string]conversation.DynamoDB{
			beyond: at(b.world, beyond), here: beforeGet{at(b.world, here), once, meanwhile}, there: beforeGet{at(b.world, there), once, meanwhile},
		},
	})
	require.NoError(t, err)
	_, _, err = reader.History(t.Context(), "acme", c.ID)
	require.ErrorIs(t, err, conversation.ErrNotArrived)
	_, turns, err := reader.History(t.Context(), "acme", c.ID)
	require.NoError(t, err)
	assert.Equal(t, []string{"\nkept"}, bodies(turns))
}

// TestTheVersionWithoutMostCounts, while regions have older ones still.
func TestTheVersionWithoutMostCounts(t *testing.T) {
	b := newBench(t)
	c := b.begin(t, here)
	turn, err := b.speak(t, here, "one\ntwo\nkept", c)
	require.NoError(t, err)
	b.refuse = func(_, operation, _ string) bool { return operation == "DeleteItem" }
	require.ErrorIs(t, b.strike(t, here, turn, 1), errDown)
	require.ErrorIs(t, b.strike(t, here, turn, 0), errDown)
	require.NotEmpty(t, b.holding("one"), "nothing was removed")
	for _, region := range three {
		_, turns, err := b.stores[region].History(t.Context(), "acme", c.ID)
		require.NoError(t, err)
		assert.Equal(t, []string{"\n\nkept"}, bodies(turns), region)
	}
}

// afterPage runs something once, after the first page of a turn was read.
type afterPage struct {
	conversation.DynamoDB
	do *sync.Once
	f  func()
}

func (a afterPage) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	out, err := a.DynamoDB.Query(ctx, in, opts...)
	if strings.HasPrefix(str(in.ExpressionAttributeValues[":from"]), "turn#") {
		a.do.Do(a.f)
	}
	return out, err
}

// TestATurnOfManyPartsIsReadWhileAnItemOfItIsDeleted, page by page, in the only
// region that has it.
func TestATurnOfManyPartsIsReadWhileAnItemOfItIsDeleted(t *testing.T) {
	b := newPair(t, here)
	c := b.begin(t, here)
	b.rest()
	b.down[there] = true
	kept := strings.ReplaceAll(noise(t, 1600<<10), "\n", " ")
	turn, err := b.speak(t, here, "secret\n"+kept, c)
	require.NoError(t, err)
	clear(b.down)
	struck := false
	meanwhile := func() { struck = b.strike(t, here, turn, 0) == nil }
	reader, err := conversation.New(conversation.Config{
		Table: "content", Region: there, Partners: []string{here}, Retention: time.Hour, TieBreaker: here, Now: func() time.Time { return b.now },
		Clients: map[string]conversation.DynamoDB{here: afterPage{at(b.world, here), &sync.Once{}, meanwhile}, there: at(b.world, there)},
	})
	require.NoError(t, err)
	got, err := reader.Turn(t.Context(), "acme", turn.ID)
	require.NoError(t, err)
	require.True(t, struck)
	assert.Equal(t, "\n"+kept, string(got.Body))
	assert.Equal(t, []int{0}, got.Deleted)
}

// betweenRanges runs something once, between what a deletion reads first and what
// it reads next.
type betweenRanges struct {
	conversation.DynamoDB
	first *string
	do    *sync.Once
	f     func()
}

func (b betweenRanges) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	*b.first = "" // the tombstone
	return b.DynamoDB.PutItem(ctx, in, opts...)
}

func (b betweenRanges) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	from := str(in.ExpressionAttributeValues[":from"])
	switch *b.first {
	case "":
		*b.first = from
	case from, "nothing yet":
	default:
		b.do.Do(b.f)
	}
	return b.DynamoDB.Query(ctx, in, opts...)
}

// TestWhatReplacesATurnSortsBehindIt: who reads page by page would miss it
// elsewhere.
func TestWhatReplacesATurnSortsBehindIt(t *testing.T) {
	b := newBench(t)
	c := b.begin(t, here)
	turn, err := b.speak(t, here, "one\ntwo\nkept", c)
	require.NoError(t, err)
	before, meanwhile := "nothing yet", func() { require.NoError(t, b.strike(t, there, turn, 1)) }
	first, err := conversation.New(conversation.Config{
		Table: "content", Region: here, Partners: []string{there}, Retention: time.Hour, Now: func() time.Time { return b.now },
		Clients: map[string]conversation.DynamoDB{here: betweenRanges{at(b.world, here), &before, &sync.Once{}, meanwhile}, there: at(b.world, there)},
	})
	require.NoError(t, err)
	require.NoError(t, first.DeleteItem(t.Context(), "acme", c.ID, conversation.ItemID{TurnID: turn.ID}, redactLines))
	var versions []string
	for _, rec := range b.written {
		if strings.HasPrefix(rec.sk, "turn#") {
			versions = append(versions, rec.sk)
		}
	}
	versions = slices.Compact(versions)
	assert.IsIncreasing(t, versions)
	assert.Len(t, versions, 2, "the turn, and what both have left of it")
}
