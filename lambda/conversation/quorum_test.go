package conversation_test

import (
	"testing"
	"time"

	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newPair is a bench of two regions, of which the first breaks ties.
func newPair(t *testing.T, tieBreaker string) *bench {
	t.Helper()
	b := &bench{world: newWorld(here, there), now: epoch, stores: map[string]*conversation.Store{}}
	for _, region := range b.regions {
		s, err := conversation.New(conversation.Config{
			Table: "content", Region: region, Partners: b.partnersOf(region), Retention: time.Hour, TieBreaker: tieBreaker, Now: func() time.Time { return b.now },
			Clients: map[string]conversation.DynamoDB{
				here: replica{world: b.world, region: here, from: region}, there: replica{world: b.world, region: there, from: region},
			},
		})
		require.NoError(t, err)
		b.stores[region] = s
	}
	return b
}

// trySpeak adds a turn to a conversation whose history was read before.
func (b *bench) trySpeak(t *testing.T, region, text string, c conversation.Conversation) (conversation.Stored, error) {
	t.Helper()
	id, err := b.stores[region].NewConversationTurn(c.ID, nil)
	require.NoError(t, err)
	_, stored, err := b.stores[region].Append(t.Context(), "acme", conversation.Turn{ID: id, InConversation: true, Expires: c.Expires, Body: []byte(text)})
	return stored, err
}

// TestAConversationIsNotContinuedWithOneCopy: whoever continued it while that
// copy's region is silent would not know of the turn.
func TestAConversationIsNotContinuedWithOneCopy(t *testing.T) {
	b := newBench(t)
	c := b.begin(t, here)
	b.down[there], b.down[beyond] = true, true // after its history was read
	_, err := b.trySpeak(t, here, "lost", c)
	require.ErrorIs(t, err, errDown)
	assert.ErrorContains(t, err, "1 of 3 replicas took it, which is too few")
	clear(b.down)
	_, history, err := b.stores[here].History(t.Context(), "acme", c.ID)
	require.NoError(t, err)
	assert.Empty(t, history, "what was refused is buried")
}

func TestOneOfTwoRegionsBreaksTies(t *testing.T) {
	tests := []struct {
		name    string
		tie     string
		fault   func(*bench)
		in      string
		written bool // a turn can be added
		read    bool // a history can be read
	}{
		{"both answer", here, func(*bench) {}, there, true, true},
		{"the one goes on alone", here, func(b *bench) { b.down[there] = true }, here, true, true},
		{"the other does not", here, func(b *bench) { b.down[here] = true }, there, false, false},
		{"the one goes on without a link", here, func(b *bench) { b.cut[[2]string{here, there}] = true }, here, true, true},
		{"the other does not without a link", here, func(b *bench) { b.cut[[2]string{here, there}] = true }, there, false, false},
		{"whoever is called in the other, if only that is down", here, func(b *bench) { b.down[there] = true }, there, true, true},
		{"without one, neither adds and both read", "", func(b *bench) { b.cut[[2]string{here, there}] = true }, here, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newPair(t, tt.tie)
			c := b.begin(t, here)
			tt.fault(b)
			_, _, err := b.stores[tt.in].History(t.Context(), "acme", c.ID)
			assert.Equal(t, tt.read, err == nil, err)
			if !tt.read {
				require.ErrorIs(t, err, conversation.ErrNotArrived)
			}
			stored, err := b.trySpeak(t, tt.in, "more", c)
			assert.Equal(t, tt.written, err == nil, err)
			assert.Equal(t, err == nil && len(stored.Regions) == 1, stored.Short)
		})
	}
}

// TestARepeatedUpdateIsSureToLast, though the first reached one region only, where
// it may be read already.
func TestARepeatedUpdateIsSureToLast(t *testing.T) {
	b := newBench(t)
	c := b.begin(t, here)
	b.refuse = func(region, operation, _ string) bool { return region != here && operation == "PutItem" }
	_, err := b.stores[here].UpdateConversation(t.Context(), "acme", c.ID, []byte("new"))
	require.ErrorContains(t, err, "1 of 3 replicas took it")
	b.refuse = func(string, string, string) bool { return false }
	_, err = b.stores[here].UpdateConversation(t.Context(), "acme", c.ID, []byte("new"))
	require.NoError(t, err)
	b.down[here] = true
	got, err := b.stores[there].Conversation(t.Context(), "acme", c.ID)
	require.NoError(t, err)
	assert.Equal(t, "new", string(got.Meta))
}

// TestWhatIsDeletedInAConversationIsGoneByItsID too, in a region that was silent
// then, before replication comes there.
func TestWhatIsDeletedInAConversationIsGoneByItsID(t *testing.T) {
	tests := []struct {
		name   string
		delete func(b *bench, s *conversation.Store, turn conversation.Turn) error
		err    error // of whoever reads the turn
	}{
		{"an item", func(b *bench, _ *conversation.Store, turn conversation.Turn) error {
			return b.strike(t, there, turn, 0)
		}, nil},
		{"a turn", func(_ *bench, s *conversation.Store, turn conversation.Turn) error {
			return s.DeleteTurn(t.Context(), "acme", turn.ID)
		}, conversation.ErrDeleted},
		{"the conversation", func(_ *bench, s *conversation.Store, turn conversation.Turn) error {
			return s.DeleteConversation(t.Context(), "acme", conversation.ConversationID{Thread: turn.ID.Thread, Region: here})
		}, conversation.ErrDeleted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			turn, err := b.speak(t, here, "secret\nkept", b.begin(t, here))
			require.NoError(t, err)
			b.rest()
			b.down[here] = true
			require.NoError(t, tt.delete(b, b.stores[there], turn))
			clear(b.down)
			got, err := b.stores[here].Turn(t.Context(), "acme", turn.ID)
			require.ErrorIs(t, err, tt.err)
			if tt.err == nil {
				assert.Equal(t, []int{0}, got.Deleted)
			}
			b.down[there], b.down[beyond] = true, true
			_, err = b.stores[here].Turn(t.Context(), "acme", turn.ID)
			require.ErrorIs(t, err, conversation.ErrNotArrived, "those that are silent may know of a deletion")
		})
	}
}

// TestAResponseIsContinuedFromOneCopy, since what names it sees the gap.
func TestAResponseIsContinuedFromOneCopy(t *testing.T) {
	b := newPair(t, here)
	b.down[here] = true
	turn, stored, err := b.trySay(t, there, "alone", conversation.Turn{})
	require.NoError(t, err)
	assert.True(t, stored.Short)
	b.down[here], b.down[there] = false, true
	_, err = b.chain(t, here, turn)
	require.ErrorIs(t, err, conversation.ErrNotArrived)
	b.deliver(here, -1)
	got, err := b.chain(t, here, turn)
	require.NoError(t, err)
	assert.Equal(t, []string{"alone"}, got)
}

// TestARepeatedDeletionIsSureToLast, though the first reached one region only.
func TestARepeatedDeletionIsSureToLast(t *testing.T) {
	b := newBench(t)
	turn := b.say(t, here, "secret", conversation.Turn{})
	c := b.begin(t, here)
	spoken, err := b.speak(t, here, "secret", c)
	require.NoError(t, err)
	item := conversation.ItemID{TurnID: spoken.ID}
	for _, tt := range []struct {
		name string
		del  func() error
	}{
		{"an item", func() error { return b.stores[here].DeleteItem(t.Context(), "acme", c.ID, item, redact) }},
		{"a turn", func() error { return b.stores[here].DeleteTurn(t.Context(), "acme", turn.ID) }},
		{"a conversation", func() error { return b.stores[here].DeleteConversation(t.Context(), "acme", c.ID) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b.refuse = func(region, operation, _ string) bool { return region != here && operation == "PutItem" }
			require.ErrorIs(t, tt.del(), errDown, "one region has it")
			require.ErrorIs(t, tt.del(), errDown, "and one still")
			b.refuse = func(string, string, string) bool { return false }
			require.NoError(t, tt.del())
			b.down[here] = true
			if tt.name == "an item" {
				_, turns, err := b.stores[there].History(t.Context(), "acme", c.ID)
				require.NoError(t, err)
				assert.Equal(t, []int{0}, turns[0].Deleted)
			} else {
				_, err := b.chain(t, there, turn)
				require.ErrorIs(t, err, conversation.ErrNotFound)
			}
			b.down[here] = false
		})
	}
	b.down[here] = true
	_, _, err = b.stores[there].History(t.Context(), "acme", c.ID)
	require.ErrorIs(t, err, conversation.ErrNotFound)
}
