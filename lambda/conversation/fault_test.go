package conversation_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// noise does not compress: n bytes are as many parts as they fill.
func noise(t testing.TB, n int) string {
	t.Helper()
	b := make([]byte, n)
	_, err := rand.NewChaCha8([32]byte{7}).Read(b)
	require.NoError(t, err)
	return string(b)
}

// TestTombstonesAreObeyedWhileTheLocalReplicaIsDown: partners are asked what is
// deleted, though what they have of the turn would do.
func TestTombstonesAreObeyedWhileTheLocalReplicaIsDown(t *testing.T) {
	b := newBench(t)
	first := b.say(t, here, "secret", conversation.Turn{})
	last := first
	for range 2 * b.pageSize {
		last = b.say(t, here, "more", last)
	}
	require.NoError(t, b.stores[here].DeleteTurn(t.Context(), "acme", first.ID))
	b.late(there, 0)
	b.late(beyond, 0)
	b.down[here] = true
	_, err := b.chain(t, here, last)
	require.ErrorIs(t, err, conversation.ErrNotFound)
	_, err = b.stores[here].Turn(t.Context(), "acme", first.ID)
	require.ErrorIs(t, err, conversation.ErrNotFound)

	b.down[here] = false
	c := b.begin(t, here)
	turn, err := b.speak(t, here, "hello", c)
	require.NoError(t, err)
	require.NoError(t, b.stores[here].DeleteItem(t.Context(), "acme", c.ID, conversation.ItemID{TurnID: turn.ID, Number: 1}, redact))
	b.down[here] = true
	got, err := b.stores[here].Turn(t.Context(), "acme", turn.ID)
	require.NoError(t, err)
	assert.Equal(t, []int{1}, got.Deleted)
}

// TestWhoKnowsNoTombstonesHasNoHistory: a replica that shows turns but not what
// is deleted answers for nothing.
func TestWhoKnowsNoTombstonesHasNoHistory(t *testing.T) {
	w := newWorld(three...)
	store := func(client conversation.DynamoDB) *conversation.Store {
		s, err := conversation.New(conversation.Config{
			Table: "content", Region: here, Partners: []string{there}, Retention: time.Hour,
			Clients: map[string]conversation.DynamoDB{here: client, there: client},
		})
		require.NoError(t, err)
		return s
	}
	whole := store(at(w, there))
	id, err := whole.NewTurn(conversation.TurnID{})
	require.NoError(t, err)
	_, _, err = whole.Append(t.Context(), "acme", conversation.Turn{ID: id, Body: []byte("x")})
	require.NoError(t, err)
	blind := store(noTombstones{at(w, there)})
	_, err = blind.Chain(t.Context(), "acme", id)
	require.ErrorIs(t, err, errDown)
	_, err = blind.Turn(t.Context(), "acme", id)
	require.ErrorIs(t, err, errDown)
}

// noTombstones fails to read them.
type noTombstones struct{ conversation.DynamoDB }

func (n noTombstones) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	if str(in.ExpressionAttributeValues[":from"]) == "del" {
		return nil, errDown
	}
	return n.DynamoDB.Query(ctx, in, opts...)
}

func TestNobodyContinuesATurnThatWasReportedAsFailed(t *testing.T) {
	b := newBench(t)
	for _, region := range three {
		b.lose[region] = 1
	}
	id, err := b.stores[here].NewTurn(conversation.TurnID{})
	require.NoError(t, err)
	_, _, err = b.stores[here].Append(t.Context(), "acme", conversation.Turn{ID: id, Body: []byte("lost")})
	require.ErrorIs(t, err, errLostReply)
	_, err = b.stores[here].Chain(t.Context(), "acme", id)
	require.ErrorIs(t, err, conversation.ErrNotFound, "its id was told when it began")
}

// TestHalfATurnDoesNotStopAConversation: its writer died before it was told of.
func TestHalfATurnDoesNotStopAConversation(t *testing.T) {
	b := newBench(t)
	c := b.begin(t, here)
	_, err := b.speak(t, here, "whole", c)
	require.NoError(t, err)
	for name, left := range map[string]string{"without its end": "#01", "without its head": ""} {
		t.Run(name, func(t *testing.T) {
			b.refuse = func(_, _, sk string) bool {
				return strings.HasPrefix(sk, "del") || (strings.HasSuffix(sk, "#01") == (left == "#01"))
			}
			_, err = b.speak(t, here, noise(t, 500<<10), c)
			require.ErrorIs(t, err, errDown)
			b.refuse = func(string, string, string) bool { return false }
			_, turns, err := b.stores[there].History(t.Context(), "acme", c.ID)
			require.NoError(t, err)
			assert.Equal(t, []string{"whole"}, bodies(turns))
		})
	}
}

// TestARepeatedDeletionFinishesTheFirst, whose removal failed, and finds nothing
// after that.
func TestARepeatedDeletionFinishesTheFirst(t *testing.T) {
	b := newBench(t)
	turn := b.say(t, here, "secret", conversation.Turn{})
	c := b.begin(t, here)
	_, err := b.speak(t, here, "secret", c)
	require.NoError(t, err)
	for what, del := range map[string]func() error{
		"a turn":         func() error { return b.stores[there].DeleteTurn(t.Context(), "acme", turn.ID) },
		"a conversation": func() error { return b.stores[there].DeleteConversation(t.Context(), "acme", c.ID) },
	} {
		b.refuse = func(_, operation, _ string) bool { return operation == "DeleteItem" }
		require.Error(t, del(), what, "nothing is removed yet")
		b.refuse = func(string, string, string) bool { return false }
		require.NoError(t, del(), what)
		for _, region := range three {
			b.deliver(region, -1)
		}
		require.ErrorIs(t, del(), conversation.ErrNotFound, what)
	}
	for _, region := range three {
		for _, rec := range b.replicas[region] {
			assert.True(t, rec.item == nil || strings.HasPrefix(rec.sk, "del"), "%s keeps %s", region, rec.sk)
		}
	}
}

// TestATombstoneOutlivesWhatWasKeptForLonger than is kept now.
func TestATombstoneOutlivesWhatWasKeptForLonger(t *testing.T) {
	b := newBench(t)
	turn := b.say(t, here, "secret", conversation.Turn{})
	clients := map[string]conversation.DynamoDB{here: at(b.world, here), there: at(b.world, there)}
	brief, err := conversation.New(conversation.Config{
		Table: "content", Region: here, Partners: []string{there}, Clients: clients, Retention: time.Hour, Now: func() time.Time { return b.now },
	})
	require.NoError(t, err)
	require.NoError(t, brief.DeleteTurn(t.Context(), "acme", turn.ID))
	rec := b.replicas[here]["acme#"+turn.ID.Thread+"\x00del#"+turn.ID.Turn]
	assert.Equal(t, number(turn.Expires.Add(24*time.Hour)), rec.item["expiresAt"])
}

// TestUnpairedConversationsNeedEveryRegion: any of them may have what no other
// has.
func TestUnpairedConversationsNeedEveryRegion(t *testing.T) {
	w := newWorld(here, there)
	s, err := conversation.New(conversation.Config{
		Table: "content", Region: here, Partners: []string{there}, Retention: time.Hour, Unpaired: true,
		Clients: map[string]conversation.DynamoDB{here: at(w, here), there: at(w, there)},
	})
	require.NoError(t, err)
	c, _, err := s.CreateConversation(t.Context(), "acme", nil)
	require.NoError(t, err)
	_, _, err = s.History(t.Context(), "acme", c.ID)
	require.NoError(t, err)
	w.down[there] = true
	_, _, err = s.History(t.Context(), "acme", c.ID)
	require.ErrorIs(t, err, conversation.ErrNotArrived)
}

func TestMalformedTurnsAreNeitherStoredNorFound(t *testing.T) {
	b := newBench(t)
	parent := b.say(t, here, "hello", conversation.Turn{})
	other := b.say(t, here, "hello", conversation.Turn{})
	child, err := b.stores[here].NewTurn(parent.ID)
	require.NoError(t, err)
	before := len(b.written)
	for name, turn := range map[string]conversation.Turn{
		"no id":                      {},
		"a parent in another thread": {ID: child, Parent: other.ID},
		"a parent that comes after":  {ID: parent.ID, Parent: child},
	} {
		_, _, err := b.stores[here].Append(t.Context(), "acme", turn)
		require.Error(t, err, name)
	}
	assert.Len(t, b.written, before)
	clear(b.calls)
	_, err = b.stores[here].Chain(t.Context(), "acme", conversation.TurnID{})
	require.ErrorIs(t, err, conversation.ErrNotFound)
	_, _, err = b.stores[here].History(t.Context(), "acme", conversation.ConversationID{Thread: "x", Region: here})
	require.ErrorIs(t, err, conversation.ErrNotFound)
	assert.Empty(t, b.calls, "nobody is asked")
}

// hanging never answers.
type hanging struct{ conversation.DynamoDB }

func (hanging) Query(ctx context.Context, _ *dynamodb.QueryInput, _ ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (hanging) PutItem(ctx context.Context, _ *dynamodb.PutItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// noItems answers all but reads and deletions of single items.
type noItems struct{ conversation.DynamoDB }

func (noItems) GetItem(ctx context.Context, _ *dynamodb.GetItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (noItems) DeleteItem(ctx context.Context, _ *dynamodb.DeleteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// slow takes a while for each write.
type slow struct {
	conversation.DynamoDB
	by time.Duration
}

func (s slow) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	select {
	case <-time.After(s.by):
		return s.DynamoDB.PutItem(ctx, in, opts...)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inBubble returns a store of a bubble's own clock.
func inBubble(t *testing.T, local, partner, last conversation.DynamoDB) *conversation.Store {
	s, err := conversation.New(conversation.Config{
		Table: "content", Region: here, Partners: []string{there, beyond}, Retention: time.Hour,
		Clients: map[string]conversation.DynamoDB{here: local, there: partner, beyond: last},
	})
	require.NoError(t, err)
	return s
}

func TestARegionThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(three...)
		s := inBubble(t, hanging{}, at(w, there), at(w, beyond))
		started := time.Now()
		id, err := s.NewTurn(conversation.TurnID{})
		require.NoError(t, err)
		turn, stored, err := s.Append(t.Context(), "acme", conversation.Turn{ID: id, Body: []byte("x")})
		require.NoError(t, err)
		assert.ElementsMatch(t, []string{there, beyond}, stored.Regions)
		assert.Equal(t, conversation.DefaultCallTimeout, time.Since(started))
		started = time.Now()
		_, err = s.Chain(t.Context(), "acme", turn.ID)
		require.NoError(t, err)
		assert.Equal(t, conversation.DefaultCallTimeout, time.Since(started))
	})
}

// TestManyCallsDoNotWaitOneAfterAnother for a region that stops to answer.
func TestManyCallsDoNotWaitOneAfterAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(three...)
		w.pageSize = 1000
		far := inBubble(t, at(w, there), at(w, there), at(w, there))
		c, _, err := far.CreateConversation(t.Context(), "acme", nil)
		require.NoError(t, err)
		for range 100 {
			id, err := far.NewConversationTurn(c.ID, nil)
			require.NoError(t, err)
			_, _, err = far.Append(t.Context(), "acme", conversation.Turn{ID: id, InConversation: true, Body: []byte("x")})
			require.NoError(t, err)
		}
		near := inBubble(t, noItems{at(w, here)}, noItems{at(w, there)}, noItems{at(w, beyond)})
		started := time.Now()
		_, _, err = near.History(t.Context(), "acme", c.ID)
		require.ErrorIs(t, err, conversation.ErrNotArrived)
		assert.Equal(t, conversation.DefaultCallTimeout, time.Since(started))
		w.deliver(here, -1)
		started = time.Now()
		require.Error(t, near.DeleteConversation(t.Context(), "acme", c.ID), "to be repeated")
		assert.Equal(t, conversation.DefaultCallTimeout, time.Since(started))
	})
}

// TestALargeTurnHasMoreTime: a partition takes 1,000 KB a second.
func TestALargeTurnHasMoreTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(three...)
		by := conversation.DefaultCallTimeout * 3 / 2
		s := inBubble(t, slow{at(w, here), by}, slow{at(w, there), by}, slow{at(w, beyond), by})
		for size, taken := range map[int]bool{10: false, 500 << 10: true} {
			id, err := s.NewTurn(conversation.TurnID{})
			require.NoError(t, err)
			_, _, err = s.Append(t.Context(), "acme", conversation.Turn{ID: id, Body: []byte(noise(t, size))})
			assert.Equal(t, taken, err == nil, size)
		}
	})
}
