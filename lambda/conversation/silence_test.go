package conversation_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// moody does not answer while it is hung.
type moody struct {
	conversation.DynamoDB
	hung  *atomic.Bool
	calls *atomic.Int32
}

func (m moody) wait(ctx context.Context) error {
	m.calls.Add(1)
	if m.hung.Load() {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (m moody) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	if err := m.wait(ctx); err != nil {
		return nil, err
	}
	return m.DynamoDB.PutItem(ctx, in, opts...)
}

func (m moody) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	if err := m.wait(ctx); err != nil {
		return nil, err
	}
	return m.DynamoDB.Query(ctx, in, opts...)
}

func (m moody) GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	if err := m.wait(ctx); err != nil {
		return nil, err
	}
	return m.DynamoDB.GetItem(ctx, in, opts...)
}

// hush is three regions, each of which can be made to hang.
type hush struct {
	*testing.T
	store *conversation.Store
	hung  map[string]*atomic.Bool
	calls map[string]*atomic.Int32
	turn  conversation.Turn
	begun conversation.Conversation
	added conversation.Turn // to begun
}

func newHush(t *testing.T) *hush {
	h := &hush{T: t, hung: map[string]*atomic.Bool{}, calls: map[string]*atomic.Int32{}}
	w, clients := newWorld(three...), []conversation.DynamoDB{}
	for _, region := range three {
		h.hung[region], h.calls[region] = &atomic.Bool{}, &atomic.Int32{}
		clients = append(clients, moody{at(w, region), h.hung[region], h.calls[region]})
	}
	h.store = inBubble(t, clients[0], clients[1], clients[2])
	h.turn, _ = h.say()
	var err error
	h.begun, _, err = h.store.CreateConversation(t.Context(), "acme", nil)
	require.NoError(t, err)
	h.added.ID, err = h.store.NewConversationTurn(h.begun.ID, nil)
	require.NoError(t, err)
	h.added, _, err = h.store.Append(t.Context(), "acme", conversation.Turn{ID: h.added.ID, InConversation: true, Expires: h.begun.Expires})
	require.NoError(t, err)
	return h
}

func (h *hush) say() (conversation.Turn, conversation.Stored) {
	id, err := h.store.NewTurn(conversation.TurnID{})
	require.NoError(h, err)
	turn, stored, err := h.store.Append(h.Context(), "acme", conversation.Turn{ID: id, Body: []byte("x")})
	require.NoError(h, err)
	return turn, stored
}

// took is how long each of some requests waits.
func (h *hush) took(requests int, f func()) (waits []time.Duration) {
	for range requests {
		started := time.Now()
		f()
		waits = append(waits, time.Since(started))
	}
	return waits
}

// TestASilentRegionIsSpared: two requests wait for it, further ones do not, and
// have their second copy from another region.
func TestASilentRegionIsSpared(t *testing.T) {
	const second = conversation.DefaultCallTimeout
	tests := []struct {
		name    string
		silent  string
		request func(h *hush)
	}{
		{"when a turn is written", there, func(h *hush) {
			_, stored := h.say()
			assert.ElementsMatch(h, []string{here, beyond}, stored.Regions)
			assert.False(h, stored.Short)
		}},
		{"when a conversation is read", there, func(h *hush) {
			_, _, err := h.store.History(h.Context(), "acme", h.begun.ID)
			require.NoError(h, err)
		}},
		{"when a turn of a conversation is read", there, func(h *hush) {
			_, err := h.store.Turn(h.Context(), "acme", h.added.ID)
			require.NoError(h, err)
		}},
		{"when a response is read, the local one too", here, func(h *hush) {
			_, err := h.store.Chain(h.Context(), "acme", h.turn.ID)
			require.NoError(h, err)
		}},
		{"when a conversation is read, the local one too", here, func(h *hush) {
			_, _, err := h.store.History(h.Context(), "acme", h.begun.ID)
			require.NoError(h, err)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHush(t)
				h.hung[tt.silent].Store(true)
				waits := h.took(4, func() { tt.request(h) })
				assert.Equal(t, []time.Duration{second, second, 0, 0}, waits)
			})
		})
	}
}

// TestARegionThatIsBackIsUsed within five seconds, and nobody waits to find out.
func TestARegionThatIsBackIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHush(t)
		h.hung[there].Store(true)
		h.took(2, func() { h.say() })
		calls := h.calls[there].Load()
		time.Sleep(5 * time.Second)
		assert.Equal(t, []time.Duration{0, 0}, h.took(2, func() { h.say() }), "it is silent still")
		synctest.Wait()
		assert.Equal(t, calls+1, h.calls[there].Load(), "one of the two asked it")

		h.hung[there].Store(false)
		time.Sleep(6 * time.Second)
		_, err := h.store.NewTurn(conversation.TurnID{})
		require.NoError(t, err)
		synctest.Wait() // as long as a model takes to answer
		_, stored := h.say()
		assert.ElementsMatch(t, []string{here, there}, stored.Regions)
	})
}

// TestARegionThatIsBackIsFoundUnderLoad, however often it is spared meanwhile.
func TestARegionThatIsBackIsFoundUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHush(t)
		h.hung[there].Store(true)
		h.took(2, func() { h.say() })
		h.hung[there].Store(false)
		for range 5 {
			time.Sleep(time.Second)
			h.say()
		}
		synctest.Wait()
		_, stored := h.say()
		assert.ElementsMatch(t, []string{here, there}, stored.Regions)
	})
}

// TestASparedRegionIsTheLastResort: nothing fails that it could answer.
func TestASparedRegionIsTheLastResort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHush(t)
		h.hung[there].Store(true)
		h.took(2, func() { h.say() })
		h.hung[there].Store(false)
		h.hung[beyond].Store(true)
		_, stored := h.say()
		assert.ElementsMatch(t, []string{here, there}, stored.Regions, "for the second copy")
		h = newHush(t)
		h.hung[there].Store(true)
		h.took(2, func() { h.say() })
		h.hung[there].Store(false)
		h.hung[here].Store(true)
		_, _, err := h.store.History(t.Context(), "acme", h.begun.ID)
		require.NoError(t, err, "two of three are needed")
		_, err = h.store.Chain(t.Context(), "acme", h.turn.ID)
		require.NoError(t, err)
	})
}

// TestADeletionSparesNoRegion: one that is spared here may be at work for others,
// which would go on from what was deleted.
func TestADeletionSparesNoRegion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, hung, calls := newWorld(three...), &atomic.Bool{}, &atomic.Int32{}
		local := moody{at(w, here), hung, calls}
		one, other := inBubble(t, local, at(w, there), at(w, beyond)), inBubble(t, local, at(w, there), at(w, beyond))
		id, err := one.NewTurn(conversation.TurnID{})
		require.NoError(t, err)
		turn, _, err := one.Append(t.Context(), "acme", conversation.Turn{ID: id, Body: []byte("secret")})
		require.NoError(t, err)
		hung.Store(true)
		for range 2 {
			_, err = one.Turn(t.Context(), "acme", id)
			require.NoError(t, err)
		}
		hung.Store(false)
		require.NoError(t, one.DeleteTurn(t.Context(), "acme", turn.ID))
		_, err = other.Chain(t.Context(), "acme", turn.ID)
		assert.ErrorIs(t, err, conversation.ErrNotFound)
	})
}

// TestOnlySilenceIsRemembered: neither refusals nor what the caller gave up.
func TestOnlySilenceIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHush(t)
		h.hung[there].Store(true)
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			_, _, err := h.store.History(ctx, "acme", h.begun.ID)
			require.NoError(t, err)
			require.Error(t, ctx.Err(), "it waited for the region that hangs")
			cancel()
		}
		h.hung[there].Store(false)
		_, stored := h.say()
		assert.ElementsMatch(t, []string{here, there}, stored.Regions)
	})
	b := newBench(t)
	b.down[there] = true
	for range 3 {
		b.say(t, here, "x", conversation.Turn{})
	}
	b.down[there] = false
	_, stored, err := b.trySay(t, here, "x", conversation.Turn{})
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{here, there}, stored.Regions)
}
