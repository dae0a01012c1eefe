package conversation_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// holder is a request at work under a claim.
type holder struct {
	claim conversation.Claim
	stop  func()
	ended chan error
}

// newHolder claims the key k and holds it.
func newHolder(t *testing.T, s *conversation.Store) *holder {
	t.Helper()
	c := newClaim(t, s)
	_, won, err := s.Claim(t.Context(), "acme", "k", c)
	require.NoError(t, err)
	require.True(t, won)
	ctx, cancel := context.WithCancel(t.Context())
	h := &holder{claim: c, stop: cancel, ended: make(chan error, 1)}
	go func() { h.ended <- s.Hold(ctx, "acme", "k", c) }()
	return h
}

func newClaim(t *testing.T, s *conversation.Store) conversation.Claim {
	t.Helper()
	id, err := s.NewTurn(conversation.TurnID{})
	require.NoError(t, err)
	return conversation.Claim{Digest: "d", Turn: id}
}

func wins(t *testing.T, s *conversation.Store) bool {
	t.Helper()
	_, won, err := s.Claim(t.Context(), "acme", "k", newClaim(t, s))
	require.NoError(t, err)
	return won
}

func TestAClaimIsHeldWhileItsHolderIsAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(three...)
		s := inBubble(t, at(w, here), at(w, there), at(w, beyond))
		h := newHolder(t, s)
		for range 14 {
			time.Sleep(61 * time.Second) // not when it is renewed
			assert.False(t, wins(t, s))
		}
		h.stop()
		require.NoError(t, <-h.ended)
		time.Sleep(20 * time.Second)
		assert.False(t, wins(t, s))
		time.Sleep(10 * time.Second)
		assert.True(t, wins(t, s), "it stored nothing")
	})
}

// TestAClaimOutlivesItsReplica: it is renewed in the next one.
func TestAClaimOutlivesItsReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(three...)
		s := inBubble(t, at(w, here), at(w, there), at(w, beyond))
		h := newHolder(t, s)
		w.deliver(there, -1)
		w.outage(here)
		time.Sleep(time.Minute)
		assert.False(t, wins(t, s))
		h.stop()
		require.NoError(t, <-h.ended)
		require.NoError(t, s.Release(t.Context(), "acme", "k", h.claim))
		assert.True(t, wins(t, s))
	})
}

// TestAHolderThatWasTakenForDeadLearnsIt, and does not take the key back.
func TestAHolderThatWasTakenForDeadLearnsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(three...)
		s := inBubble(t, at(w, here), at(w, there), at(w, beyond))
		h := newHolder(t, s)
		w.outage(three...)
		time.Sleep(35 * time.Second)
		w.outage()
		assert.True(t, wins(t, s))
		require.ErrorIs(t, <-h.ended, conversation.ErrClaimLost)
		assert.False(t, wins(t, s))
	})
}

// TestAClaimThatIsRenewedIsNotTakenOver, though it was over when it was looked
// at.
func TestAClaimThatIsRenewedIsNotTakenOver(t *testing.T) {
	b := newBench(t)
	first := b.claim(t, "d")
	_, _, err := b.stores[here].Claim(t.Context(), "acme", "k", first)
	require.NoError(t, err)
	b.now = b.now.Add(30 * time.Second)
	client := &meddling{DynamoDB: at(b.world, here), meddle: func() {
		_, won, err := b.stores[here].Claim(t.Context(), "acme", "k", first)
		require.NoError(t, err)
		assert.True(t, won, "as Hold does")
	}}
	late, err := conversation.New(conversation.Config{
		Table: "content", Region: here, Partners: []string{there}, Retention: time.Hour, Now: func() time.Time { return b.now },
		Clients: map[string]conversation.DynamoDB{here: client, there: at(b.world, there)},
	})
	require.NoError(t, err)
	found, won, err := late.Claim(t.Context(), "acme", "k", b.claim(t, "d"))
	require.NoError(t, err)
	assert.False(t, won)
	assert.Equal(t, first.Turn, found.Turn)
	assert.True(t, b.now.Add(30*time.Second).Equal(found.Until))
}
