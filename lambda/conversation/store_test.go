package conversation_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	here   = "eu-central-1"
	there  = "eu-west-1"
	beyond = "eu-north-1"
)

// bench is a world with a store in each region and a clock that stands still.
type bench struct {
	*world
	now    time.Time
	stores map[string]*conversation.Store
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{world: newWorld(three...), now: epoch, stores: map[string]*conversation.Store{}}
	for i, region := range three {
		s, err := storeIn(b.world, region, func() time.Time { return b.now }, rand.NewChaCha8([32]byte{byte(i)}), intact)
		require.NoError(t, err)
		b.stores[region] = s
	}
	return b
}

// say appends a turn to parent.
func (b *bench) say(t testing.TB, region, text string, parent conversation.Turn) conversation.Turn {
	t.Helper()
	turn, _, err := b.trySay(t, region, text, parent)
	require.NoError(t, err)
	return turn
}

func (b *bench) trySay(t testing.TB, region, text string, parent conversation.Turn) (conversation.Turn, conversation.Stored, error) {
	t.Helper()
	id, err := b.stores[region].NewTurn(parent.ID)
	require.NoError(t, err)
	return b.stores[region].Append(t.Context(), "acme", conversation.Turn{ID: id, Parent: parent.ID, Expires: parent.Expires, Body: []byte(text)})
}

// speak appends a turn to a conversation.
func (b *bench) speak(t testing.TB, region, text string, c conversation.Conversation) (conversation.Turn, error) {
	t.Helper()
	_, history, err := b.stores[region].History(t.Context(), "acme", c.ID)
	require.NoError(t, err)
	id, err := b.stores[region].NewConversationTurn(c.ID, history)
	require.NoError(t, err)
	turn, _, err := b.stores[region].Append(t.Context(), "acme", conversation.Turn{ID: id, InConversation: true, Expires: c.Expires, Body: []byte(text)})
	return turn, err
}

func (b *bench) begin(t testing.TB, region string) conversation.Conversation {
	t.Helper()
	c, _, err := b.stores[region].CreateConversation(t.Context(), "acme", []byte(`{"topic":"x"}`))
	require.NoError(t, err)
	return c
}

func (b *bench) chain(t testing.TB, region string, turn conversation.Turn) ([]string, error) {
	t.Helper()
	turns, err := b.stores[region].Chain(t.Context(), "acme", turn.ID)
	return bodies(turns), err
}

func TestATurnStandsInTwoRegionsBeforeItIsToldOf(t *testing.T) {
	tests := []struct {
		name  string
		fault func(*bench)
		want  []string
	}{
		{"here and in the first partner's", func(*bench) {}, []string{here, there}},
		{"the second partner's stands in for the first", func(b *bench) { b.down[there] = true }, []string{beyond, here}},
		{"both partners' stand in for the local one", func(b *bench) { b.down[here] = true }, []string{beyond, there}},
		{"a lost reply counts as a failure", func(b *bench) { b.lose[there] = 1 }, []string{beyond, here}},
		{"one alone is enough, and is told", func(b *bench) { b.down[there], b.down[beyond] = true, true }, []string{here}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			tt.fault(b)
			turn, stored, err := b.trySay(t, here, "hello", conversation.Turn{})
			require.NoError(t, err)
			assert.ElementsMatch(t, tt.want, stored.Regions)
			clear(b.down)
			for _, region := range stored.Regions {
				assert.Len(t, b.replicas[region], 1, region)
			}
			got, err := b.chain(t, beyond, turn)
			require.NoError(t, err)
			assert.Equal(t, []string{"hello"}, got)
		})
	}
}

func TestNothingIsToldOfATurnThatNoRegionTook(t *testing.T) {
	b := newBench(t)
	c := b.begin(t, here)
	for _, region := range three {
		b.lose[region] = 1
	}
	_, err := b.speak(t, here, "lost", c)
	require.ErrorIs(t, err, errLostReply)
	_, history, err := b.stores[here].History(t.Context(), "acme", c.ID)
	require.NoError(t, err)
	assert.Empty(t, bodies(history), "it was written, and reported as failed: the conversation does not have it")
}

func TestUnpairedWritesToOneRegion(t *testing.T) {
	w := newWorld(three...)
	s, err := conversation.New(conversation.Config{
		Table: "content", Region: here, Partners: []string{there}, Retention: time.Hour, Unpaired: true,
		Clients: map[string]conversation.DynamoDB{here: at(w, here), there: at(w, there)},
	})
	require.NoError(t, err)
	for _, down := range []bool{false, true} {
		w.down[here] = down
		id, err := s.NewTurn(conversation.TurnID{})
		require.NoError(t, err)
		_, stored, err := s.Append(t.Context(), "acme", conversation.Turn{ID: id, Body: []byte("x")})
		require.NoError(t, err)
		want := here
		if down {
			want = there
		}
		assert.Equal(t, []string{want}, stored.Regions)
	}
}

func TestABodyComesBackAsItWas(t *testing.T) {
	random := make([]byte, 1<<20)
	_, err := rand.NewChaCha8([32]byte{7}).Read(random)
	require.NoError(t, err)
	for name, text := range map[string]string{
		"empty": "", "small": "hello", "compressible": strings.Repeat("hello ", 100_000), "of many parts": string(random),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			turn := b.say(t, here, text, conversation.Turn{})
			got, err := b.stores[there].Turn(t.Context(), "acme", turn.ID)
			require.NoError(t, err)
			assert.True(t, bytes.Equal([]byte(text), got.Body))
			for _, rec := range b.replicas[here] {
				b, ok := rec.item["b"].(*types.AttributeValueMemberB)
				require.True(t, ok)
				assert.Less(t, len(b.Value), 400_000, "an item may have 400 KB in all")
			}
		})
	}
}

func TestATurnOfWhichAPartIsMissingHasNotArrived(t *testing.T) {
	random := make([]byte, 900<<10)
	_, err := rand.NewChaCha8([32]byte{7}).Read(random)
	require.NoError(t, err)
	b := newBench(t)
	turn := b.say(t, here, string(random), conversation.Turn{})
	b.deliver(beyond, 1)
	require.NotEmpty(t, b.underway[beyond])
	b.down[here], b.down[there] = true, true
	_, err = b.chain(t, beyond, turn)
	require.ErrorIs(t, err, conversation.ErrNotArrived)
	b.down[there] = false
	got, err := b.chain(t, beyond, turn)
	require.NoError(t, err)
	assert.Equal(t, []string{string(random)}, got)
}

// TestALongThreadIsReadOnce: neither its pages nor what is missing here make
// anything be read twice.
func TestALongThreadIsReadOnce(t *testing.T) {
	const turns = 200
	b := newBench(t)
	b.pageSize = 7
	var last conversation.Turn
	for i := range turns {
		last = b.say(t, here, fmt.Sprint(i), last)
	}
	clear(b.reads)
	got, err := b.chain(t, here, last)
	require.NoError(t, err)
	assert.Len(t, got, turns)
	assert.Equal(t, map[string]int{here: turns}, b.reads)

	b.deliver(beyond, 2*(turns-2)) // each was written in two regions
	clear(b.reads)
	got, err = b.chain(t, beyond, last)
	require.NoError(t, err)
	assert.Len(t, got, turns)
	assert.Equal(t, turns-2, b.reads[beyond])
	assert.LessOrEqual(t, b.reads[here], 2*b.pageSize, "no more than a page or two of what is missing")
	assert.Zero(t, b.reads[there])
}

func TestAHistoryEndsWithItsEarliestTurn(t *testing.T) {
	b := newBench(t)
	first := b.say(t, here, "first", conversation.Turn{})
	b.now = b.now.Add(20 * 24 * time.Hour)
	second := b.say(t, here, "second", first)
	assert.Equal(t, first.Expires, second.Expires)
	b.now = first.Expires.Add(-time.Second)
	got, err := b.chain(t, here, second)
	require.NoError(t, err)
	assert.Equal(t, []string{"first", "second"}, got)
	b.now = first.Expires
	_, err = b.chain(t, here, second)
	require.ErrorIs(t, err, conversation.ErrNotFound)
	for _, region := range three { // as DynamoDB does, sooner or later
		delete(b.replicas[region], "acme#"+first.ID.Thread+"\x00turn#"+first.ID.Turn)
	}
	b.down[beyond] = true
	_, err = b.chain(t, here, second)
	require.ErrorIs(t, err, conversation.ErrNotFound, "final, though the first could be taken for missing")
}

func TestAConversationEndsWithAllItsTurns(t *testing.T) {
	b := newBench(t)
	c := b.begin(t, here)
	b.now = b.now.Add(20 * 24 * time.Hour)
	turn, err := b.speak(t, there, "hello", c)
	require.NoError(t, err)
	assert.Equal(t, c.Expires, turn.Expires)
	b.now = c.Expires
	_, _, err = b.stores[here].History(t.Context(), "acme", c.ID)
	require.ErrorIs(t, err, conversation.ErrNotFound)
	_, err = b.stores[here].Conversation(t.Context(), "acme", c.ID)
	require.ErrorIs(t, err, conversation.ErrNotFound)
}

func TestTurnsAddedAtOnceAreBothKept(t *testing.T) {
	b := newBench(t)
	c := b.begin(t, here)
	ids := map[string]conversation.TurnID{}
	for _, region := range []string{here, there} {
		id, err := b.stores[region].NewConversationTurn(c.ID, nil)
		require.NoError(t, err)
		ids[region] = id
	}
	for region, id := range ids {
		_, _, err := b.stores[region].Append(t.Context(), "acme", conversation.Turn{ID: id, InConversation: true, Expires: c.Expires, Body: []byte(region)})
		require.NoError(t, err)
	}
	want := []string{here, there}
	if ids[there].Turn < ids[here].Turn {
		want = []string{there, here}
	}
	for _, region := range three {
		_, turns, err := b.stores[region].History(t.Context(), "acme", c.ID)
		require.NoError(t, err)
		assert.Equal(t, want, bodies(turns), region)
	}
}

func TestTheLatestMetadataCounts(t *testing.T) {
	b := newBench(t)
	c := b.begin(t, here)
	for i, region := range three {
		_, err := b.stores[region].UpdateConversation(t.Context(), "acme", c.ID, []byte(fmt.Sprint(i)))
		require.NoError(t, err)
	}
	for _, region := range three {
		got, err := b.stores[region].Conversation(t.Context(), "acme", c.ID)
		require.NoError(t, err)
		assert.Equal(t, "2", string(got.Meta))
		assert.Equal(t, c.Expires, got.Expires)
		assert.Equal(t, c.Created, got.Created)
	}
	_, err := b.stores[here].UpdateConversation(t.Context(), "other", c.ID, nil)
	require.ErrorIs(t, err, conversation.ErrNotFound)
}

func TestDeletedItemsAreNamed(t *testing.T) {
	b := newBench(t)
	c := b.begin(t, here)
	turn, err := b.speak(t, here, "hello", c)
	require.NoError(t, err)
	for _, n := range []int{3, 0} {
		require.NoError(t, b.stores[there].DeleteItem(t.Context(), "acme", c.ID, conversation.ItemID{TurnID: turn.ID, Number: n}, redact))
	}
	_, turns, err := b.stores[beyond].History(t.Context(), "acme", c.ID)
	require.NoError(t, err)
	assert.Equal(t, []int{0, 3}, turns[0].Deleted)
	for _, region := range three {
		b.deliver(region, -1)
	}
	err = b.stores[here].DeleteItem(t.Context(), "acme", c.ID, conversation.ItemID{TurnID: turn.ID, Number: 3}, redact)
	require.ErrorIs(t, err, conversation.ErrNotFound, "the second time")
}

func TestDeletionRemovesWhatWasSaid(t *testing.T) {
	b := newBench(t)
	turn := b.say(t, here, "secret", conversation.Turn{})
	c := b.begin(t, here)
	_, err := b.speak(t, here, "secret", c)
	require.NoError(t, err)
	require.NoError(t, b.stores[there].DeleteTurn(t.Context(), "acme", turn.ID))
	require.NoError(t, b.stores[there].DeleteConversation(t.Context(), "acme", c.ID))
	for _, region := range three {
		b.deliver(region, -1)
		for _, rec := range b.replicas[region] {
			assert.True(t, rec.item == nil || strings.HasPrefix(rec.sk, "del"), "%s keeps %s", region, rec.sk)
		}
	}
	require.ErrorIs(t, b.stores[here].DeleteTurn(t.Context(), "acme", turn.ID), conversation.ErrNotFound)
	require.ErrorIs(t, b.stores[here].DeleteConversation(t.Context(), "acme", c.ID), conversation.ErrNotFound)
}

// TestWhatIsDeletedIsFinal: a tombstone says so, and nobody else is asked.
func TestWhatIsDeletedIsFinal(t *testing.T) {
	b := newBench(t)
	first := b.say(t, here, "secret", conversation.Turn{})
	second := b.say(t, here, "more", first)
	require.NoError(t, b.stores[here].DeleteTurn(t.Context(), "acme", first.ID))
	b.down[there] = true
	_, err := b.chain(t, here, second)
	require.ErrorIs(t, err, conversation.ErrNotFound)
	_, err = b.stores[here].Turn(t.Context(), "acme", first.ID)
	require.ErrorIs(t, err, conversation.ErrNotFound)
}

// TestATurnGoesWithItsConversation, even one that is written late.
func TestATurnGoesWithItsConversation(t *testing.T) {
	b := newBench(t)
	c := b.begin(t, here)
	turn, err := b.speak(t, here, "secret", c)
	require.NoError(t, err)
	require.NoError(t, b.stores[here].DeleteConversation(t.Context(), "acme", c.ID))
	for n := range b.written {
		b.late(here, n)
	}
	_, err = b.stores[here].Turn(t.Context(), "acme", turn.ID)
	require.ErrorIs(t, err, conversation.ErrNotFound)
	_, _, err = b.stores[here].History(t.Context(), "acme", c.ID)
	require.ErrorIs(t, err, conversation.ErrNotFound)
}

// TestAPartnersTombstonesCount before they arrive.
func TestAPartnersTombstonesCount(t *testing.T) {
	b := newBench(t)
	c := b.begin(t, here)
	turn, err := b.speak(t, here, "hello", c)
	require.NoError(t, err)
	b.down[here] = true
	require.NoError(t, b.stores[there].DeleteItem(t.Context(), "acme", c.ID, conversation.ItemID{TurnID: turn.ID}, redact))
	b.down[here] = false
	_, turns, err := b.stores[here].History(t.Context(), "acme", c.ID)
	require.NoError(t, err)
	assert.Equal(t, []int{0}, turns[0].Deleted)
}

// TestATombstoneOutlivesWriters: what arrives after the deletion is not read,
// for as long as it lasts.
func TestATombstoneOutlivesWriters(t *testing.T) {
	b := newBench(t)
	turn := b.say(t, here, "secret", conversation.Turn{})
	require.NoError(t, b.stores[here].DeleteTurn(t.Context(), "acme", turn.ID))
	b.late(here, 0)
	_, err := b.chain(t, here, turn)
	require.ErrorIs(t, err, conversation.ErrNotFound)
	for key, rec := range b.replicas[here] {
		if strings.Contains(key, "\x00del#") {
			assert.Contains(t, fmt.Sprint(rec.item["expiresAt"]), fmt.Sprint(b.now.Add(31*24*time.Hour).Unix()), "a day more than the turn")
		}
	}
}

func TestAnIdFromElsewhereFindsNothing(t *testing.T) {
	b := newBench(t)
	turn := b.say(t, here, "hello", conversation.Turn{})
	c := b.begin(t, here)
	forged := turn
	forged.ID.Region = there
	_, err := b.chain(t, here, forged)
	require.ErrorIs(t, err, conversation.ErrNotFound, "another region than its own")
	gone := turn
	gone.ID.Region = "ap-south-1"
	_, err = b.chain(t, here, gone)
	require.ErrorIs(t, err, conversation.ErrNotFound, "a region that the stack does not have")
	c.ID.Region = there
	_, _, err = b.stores[here].History(t.Context(), "acme", c.ID)
	require.ErrorIs(t, err, conversation.ErrNotFound)
	for _, tenant := range []string{"", "a#b", strings.Repeat("a", 65)} {
		_, err := b.stores[here].Chain(t.Context(), tenant, turn.ID)
		assert.ErrorContains(t, err, "the tenant must be")
		_, _, err = b.stores[here].Append(t.Context(), tenant, turn)
		assert.ErrorContains(t, err, "the tenant must be")
	}
}

func TestWithoutAnyReplicaNothingIsClaimed(t *testing.T) {
	b := newBench(t)
	turn := b.say(t, here, "hello", conversation.Turn{})
	c := b.begin(t, here)
	for _, region := range three {
		b.down[region] = true
	}
	for what, err := range map[string]error{
		"chain":   second(b.stores[here].Chain(t.Context(), "acme", turn.ID)),
		"history": third(b.stores[here].History(t.Context(), "acme", c.ID)),
		"append":  third(b.trySay(t, here, "more", turn)),
		"delete":  b.stores[here].DeleteTurn(t.Context(), "acme", turn.ID),
	} {
		require.ErrorIs(t, err, errDown, what)
		assert.False(t, errors.Is(err, conversation.ErrNotFound) || errors.Is(err, conversation.ErrNotArrived), what)
	}
}

func second[A any](_ A, err error) error        { return err }
func third[A, B any](_ A, _ B, err error) error { return err }

func TestNewReportsEveryFault(t *testing.T) {
	_, err := conversation.New(conversation.Config{Region: here, Partners: []string{here}})
	for _, want := range []string{"table is missing", `partners are ["eu-central-1"]`, `region "eu-central-1" has no client`, "retention is 0s"} {
		assert.ErrorContains(t, err, want)
	}
	w := newWorld(here, there)
	_, err = conversation.New(conversation.Config{
		Table: "content", Region: here, Partners: []string{there, there}, Retention: time.Hour,
		Clients: map[string]conversation.DynamoDB{here: at(w, here), there: at(w, there)},
	})
	assert.ErrorContains(t, err, `partners are ["eu-west-1" "eu-west-1"]`, "one region is no two copies")
}
