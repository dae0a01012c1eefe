package conversation_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (b *bench) claim(t *testing.T, digest string) conversation.Claim {
	t.Helper()
	id, err := b.stores[here].NewTurn(conversation.TurnID{})
	require.NoError(t, err)
	return conversation.Claim{Digest: digest, Turn: id}
}

func TestAKeyIsWonOnce(t *testing.T) {
	b := newBench(t)
	first, second := b.claim(t, "one"), b.claim(t, "two")
	_, won, err := b.stores[here].Claim(t.Context(), "acme", "k", first)
	require.NoError(t, err)
	assert.True(t, won)
	found, won, err := b.stores[here].Claim(t.Context(), "acme", "k", second)
	require.NoError(t, err)
	assert.False(t, won)
	assert.Equal(t, first.Turn, found.Turn)
	assert.Equal(t, "one", found.Digest)
	assert.True(t, b.now.Add(30*time.Second).Equal(found.Until))

	_, won, err = b.stores[here].Claim(t.Context(), "other", "k", second)
	require.NoError(t, err)
	assert.True(t, won, "another tenant's key is another key")
}

// TestAKeyIsFreeAgainAfterACrash: half a minute later, if nothing was stored.
func TestAKeyIsFreeAgainAfterACrash(t *testing.T) {
	b := newBench(t)
	_, _, err := b.stores[here].Claim(t.Context(), "acme", "k", b.claim(t, "d"))
	require.NoError(t, err)
	b.now = b.now.Add(29 * time.Second)
	_, won, err := b.stores[here].Claim(t.Context(), "acme", "k", b.claim(t, "d"))
	require.NoError(t, err)
	assert.False(t, won, "its holder may be at work")
	b.now = b.now.Add(time.Second)
	next := b.claim(t, "d")
	_, won, err = b.stores[here].Claim(t.Context(), "acme", "k", next)
	require.NoError(t, err)
	assert.True(t, won, "it stored nothing")

	_, _, err = b.stores[here].Append(t.Context(), "acme", conversation.Turn{ID: next.Turn, Body: []byte("result")})
	require.NoError(t, err)
	b.now = b.now.Add(time.Hour)
	found, won, err := b.stores[here].Claim(t.Context(), "acme", "k", b.claim(t, "d"))
	require.NoError(t, err)
	assert.False(t, won, "its result is stored")
	assert.Equal(t, next.Turn, found.Turn)
}

func TestAReleasedKeyCanBeWonAgain(t *testing.T) {
	b := newBench(t)
	first := b.claim(t, "d")
	_, _, err := b.stores[here].Claim(t.Context(), "acme", "k", first)
	require.NoError(t, err)
	require.NoError(t, b.stores[here].Release(t.Context(), "acme", "k", b.claim(t, "d")))
	_, won, err := b.stores[here].Claim(t.Context(), "acme", "k", b.claim(t, "d"))
	require.NoError(t, err)
	assert.False(t, won, "who does not hold it cannot give it back")
	b.lose[here] = 1
	require.NoError(t, b.stores[here].Release(t.Context(), "acme", "k", first), "a lost reply is tried elsewhere")
	_, won, err = b.stores[here].Claim(t.Context(), "acme", "k", b.claim(t, "d"))
	require.NoError(t, err)
	assert.True(t, won)
}

// TestAClaimOfAPartnerIsReleasedThere, though the local replica answers again.
func TestAClaimOfAPartnerIsReleasedThere(t *testing.T) {
	b := newBench(t)
	b.down[here] = true
	first := b.claim(t, "d")
	_, won, err := b.stores[here].Claim(t.Context(), "acme", "k", first)
	require.NoError(t, err)
	require.True(t, won)
	b.down[here] = false
	require.NoError(t, b.stores[here].Release(t.Context(), "acme", "k", first))
	b.deliver(here, -1)
	_, won, err = b.stores[here].Claim(t.Context(), "acme", "k", b.claim(t, "d"))
	require.NoError(t, err)
	assert.True(t, won)
}

func TestALostReplyDoesNotLoseAClaim(t *testing.T) {
	b := newBench(t)
	b.lose[here] = 1
	_, won, err := b.stores[here].Claim(t.Context(), "acme", "k", b.claim(t, "d"))
	require.NoError(t, err)
	assert.True(t, won)
	_, won, err = b.stores[here].Claim(t.Context(), "acme", "k", b.claim(t, "d"))
	require.NoError(t, err)
	assert.False(t, won)
}

// meddling runs something before each write but the first.
type meddling struct {
	conversation.DynamoDB
	writes int
	meddle func()
}

func (m *meddling) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if m.writes++; m.writes > 1 {
		m.meddle()
	}
	return m.DynamoDB.PutItem(ctx, in, opts...)
}

// TestOneOfTwoTakesOverAClaimThatIsOver, though both have seen that it is.
func TestOneOfTwoTakesOverAClaimThatIsOver(t *testing.T) {
	b := newBench(t)
	dead := b.claim(t, "d")
	_, _, err := b.stores[here].Claim(t.Context(), "acme", "k", dead)
	require.NoError(t, err)
	b.now = b.now.Add(30 * time.Second)
	first, second := b.claim(t, "d"), b.claim(t, "d")
	client := &meddling{DynamoDB: at(b.world, here), meddle: func() {
		_, won, err := b.stores[here].Claim(t.Context(), "acme", "k", first)
		require.NoError(t, err)
		assert.True(t, won)
	}}
	late, err := conversation.New(conversation.Config{
		Table: "content", Region: here, Partners: []string{there}, Retention: time.Hour, Now: func() time.Time { return b.now },
		Clients: map[string]conversation.DynamoDB{here: client, there: at(b.world, there)},
	})
	require.NoError(t, err)
	found, won, err := late.Claim(t.Context(), "acme", "k", second)
	require.NoError(t, err)
	assert.False(t, won)
	assert.Equal(t, first.Turn, found.Turn)
}

// TestAClaimThatIsGivenBackWhileItIsTakenOverIsFree: its holder was slow, not dead.
func TestAClaimThatIsGivenBackWhileItIsTakenOverIsFree(t *testing.T) {
	b := newBench(t)
	slow := b.claim(t, "d")
	_, _, err := b.stores[here].Claim(t.Context(), "acme", "k", slow)
	require.NoError(t, err)
	b.rest()
	b.now = b.now.Add(30 * time.Second)
	client := &meddling{DynamoDB: at(b.world, here), meddle: func() {
		require.NoError(t, b.stores[here].Release(t.Context(), "acme", "k", slow))
		b.rest()
	}}
	next, err := conversation.New(conversation.Config{
		Table: "content", Region: here, Partners: []string{there}, Retention: time.Hour, Now: func() time.Time { return b.now },
		Clients: map[string]conversation.DynamoDB{here: client, there: at(b.world, there)},
	})
	require.NoError(t, err)
	_, won, err := next.Claim(t.Context(), "acme", "k", b.claim(t, "d"))
	require.NoError(t, err)
	assert.True(t, won)
}

// repeating tries a write again that has failed, as the SDK's client does.
type repeating struct{ conversation.DynamoDB }

func (r repeating) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	out, err := r.DynamoDB.PutItem(ctx, in, opts...)
	if err != nil {
		return r.DynamoDB.PutItem(ctx, in, opts...)
	}
	return out, nil
}

func TestAClaimThatTheClientRepeatsIsItsOwn(t *testing.T) {
	w := newWorld(here, there)
	s, err := conversation.New(conversation.Config{
		Table: "content", Region: here, Partners: []string{there}, Retention: time.Hour,
		Clients: map[string]conversation.DynamoDB{here: repeating{at(w, here)}, there: at(w, there)},
	})
	require.NoError(t, err)
	id, err := s.NewTurn(conversation.TurnID{})
	require.NoError(t, err)
	w.lose[here] = 1
	_, won, err := s.Claim(t.Context(), "acme", "k", conversation.Claim{Turn: id})
	require.NoError(t, err)
	assert.True(t, won)
}

func TestAClaimExpires(t *testing.T) {
	b := newBench(t)
	_, _, err := b.stores[here].Claim(t.Context(), "acme", "k", b.claim(t, "d"))
	require.NoError(t, err)
	require.Len(t, b.written, 1)
	assert.Equal(t, number(b.now.Add(24*time.Hour)), b.written[0].item["expiresAt"])
	assert.NotContains(t, b.written[0].key, "#k", "what the caller chose is stored as its hash")
}

func TestAClaimSurvivesTheLocalReplica(t *testing.T) {
	b := newBench(t)
	b.down[here] = true
	_, won, err := b.stores[here].Claim(t.Context(), "acme", "k", b.claim(t, "d"))
	require.NoError(t, err)
	assert.True(t, won)
	_, won, err = b.stores[here].Claim(t.Context(), "acme", "k", b.claim(t, "d"))
	require.NoError(t, err)
	assert.False(t, won, "the partner's replica decides")
}

func TestNobodyIsToldThatAKeyIsTakenWhereNoRegionAnswers(t *testing.T) {
	b := newBench(t)
	for _, region := range three {
		b.down[region] = true
	}
	_, won, err := b.stores[here].Claim(t.Context(), "acme", "k", b.claim(t, "d"))
	require.ErrorIs(t, err, errDown)
	assert.False(t, won)
}

func TestEraseRemovesATenantEverywhere(t *testing.T) {
	b := newBench(t)
	turn := b.say(t, here, "hello", conversation.Turn{})
	b.say(t, there, "again", turn)
	kept, err := b.stores[here].NewTurn(conversation.TurnID{})
	require.NoError(t, err)
	_, _, err = b.stores[here].Append(t.Context(), "acme2", conversation.Turn{ID: kept, Body: []byte("kept")})
	require.NoError(t, err)
	for _, region := range three {
		b.deliver(region, -1)
	}
	clients := map[string]conversation.Scanner{}
	for _, region := range three {
		clients[region] = at(b.world, region)
	}
	eraser := conversation.Eraser{Table: "content", Clients: clients}
	b.down[beyond] = true
	first, err := eraser.Sweep(t.Context(), "acme", three)
	require.NoError(t, err)
	for i, want := range []int{2, 2, 0} {
		assert.Equal(t, want, first[i].Items, first[i].Region)
		assert.Equal(t, want == 0, first[i].Err != nil, first[i].Region)
	}
	b.down[beyond] = false
	b.late(beyond, 0)
	for _, region := range three {
		b.deliver(region, -1)
	}
	second, err := eraser.Sweep(t.Context(), "acme", three)
	require.NoError(t, err)
	assert.Equal(t, 1, second[2].Items, "what a late writer left")
	for _, region := range three {
		for key, rec := range b.replicas[region] {
			assert.True(t, rec.item == nil || rec.pk == "acme2#"+kept.Thread, "%s keeps %s", region, key)
		}
	}
}
