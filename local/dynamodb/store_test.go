package dynamodb_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/local/dynamodb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// These tests run the program's store of conversations, with the SDK's client,
// on tables of the embedded cloud.

var threeRegions = []string{home, far, third}

// talk is a bench with a table in three regions and a store in each.
type talk struct {
	*bench
	stores map[string]*conversation.Store
}

func newTalk(t *testing.T) *talk {
	t.Helper()
	b := &talk{bench: global(t), stores: map[string]*conversation.Store{}}
	_, err := b.createReplica(third, nil)
	require.NoError(t, err)
	clients := map[string]conversation.DynamoDB{}
	for _, region := range threeRegions {
		clients[region] = b.client(region)
	}
	for i, region := range threeRegions {
		b.stores[region], err = conversation.New(conversation.Config{
			Table: tbl, Region: region, Partners: []string{threeRegions[(i+1)%3], threeRegions[(i+2)%3]}, Clients: clients,
			Retention: 24 * time.Hour, Now: b.clock.Now,
			CallTimeout: time.Minute, // a busy machine is no silent region
		})
		require.NoError(t, err)
	}
	return b
}

// say appends a turn in a region, after it has read what the turn continues.
func (b *talk) say(t *testing.T, region, body string, parent conversation.Turn) conversation.Turn {
	t.Helper()
	if !parent.ID.IsZero() {
		_, err := b.stores[region].Chain(t.Context(), "acme", parent.ID)
		require.NoError(t, err)
	}
	id, err := b.stores[region].NewTurn(parent.ID)
	require.NoError(t, err)
	turn, _, err := b.stores[region].Append(t.Context(), "acme", conversation.Turn{
		ID: id, Parent: parent.ID, Expires: parent.Expires, Body: []byte(body),
	})
	require.NoError(t, err)
	return turn
}

// speak appends a turn to a conversation, after all of it.
func (b *talk) speak(t *testing.T, region, body string, id conversation.ConversationID) {
	t.Helper()
	c, history, err := b.stores[region].History(t.Context(), "acme", id)
	require.NoError(t, err)
	turn, err := b.stores[region].NewConversationTurn(id, history)
	require.NoError(t, err)
	_, _, err = b.stores[region].Append(t.Context(), "acme", conversation.Turn{
		ID: turn, InConversation: true, Expires: c.Expires, Body: []byte(body),
	})
	require.NoError(t, err)
}

func bodies(turns []conversation.Turn) []string {
	var all []string
	for _, t := range turns {
		all = append(all, string(t.Body))
	}
	return all
}

// TestAThreadMovesFasterThanReplication: each turn is said in another region, and
// no write has arrived anywhere by itself.
func TestAThreadMovesFasterThanReplication(t *testing.T) {
	b := newTalk(t)
	var last conversation.Turn
	var want []string
	for i, body := range []string{"a", "b", "c", "d", "e", "f"} {
		last = b.say(t, threeRegions[i%3], body, last)
		want = append(want, body)
	}
	for _, region := range threeRegions {
		turns, err := b.stores[region].Chain(t.Context(), "acme", last.ID)
		require.NoError(t, err)
		assert.Equal(t, want, bodies(turns), region)
		_, err = b.stores[region].Chain(t.Context(), "other", last.ID)
		assert.ErrorIs(t, err, conversation.ErrNotFound, "another tenant in %s", region)
	}
}

// TestNoRegionsTableMatters: with any one lost, threads and conversations go on
// in all regions, those that began there too.
func TestNoRegionsTableMatters(t *testing.T) {
	for _, lost := range threeRegions {
		t.Run(lost, func(t *testing.T) {
			b := newTalk(t)
			first := b.say(t, lost, "before", conversation.Turn{})
			c, _, err := b.stores[lost].CreateConversation(t.Context(), "acme", []byte("{}"))
			require.NoError(t, err)
			b.speak(t, lost, "before", c.ID)
			b.SetFault(lost, &dynamodb.Fault{Code: "ServiceUnavailable", Isolated: true})
			want := []string{"before"}
			for _, region := range threeRegions {
				next := b.say(t, region, "during", first)
				turns, err := b.stores[lost].Chain(t.Context(), "acme", next.ID)
				require.NoError(t, err)
				assert.Equal(t, []string{"before", "during"}, bodies(turns), region)
				b.speak(t, region, region, c.ID)
				want = append(want, region)
			}
			b.SetFault(lost, nil)
			for _, region := range threeRegions {
				_, turns, err := b.stores[region].History(t.Context(), "acme", c.ID)
				require.NoError(t, err)
				assert.Equal(t, want, bodies(turns), region)
			}
		})
	}
}

// TestTwoLostRegionsAreAReasonToTryAgain, never to answer from a part.
func TestTwoLostRegionsAreAReasonToTryAgain(t *testing.T) {
	b := newTalk(t)
	turn := b.say(t, home, "hello", conversation.Turn{})
	c, _, err := b.stores[home].CreateConversation(t.Context(), "acme", []byte("{}"))
	require.NoError(t, err)
	for _, lost := range []string{home, far} {
		b.SetFault(lost, &dynamodb.Fault{Code: "ServiceUnavailable", Isolated: true})
	}
	_, err = b.stores[third].Chain(t.Context(), "acme", turn.ID)
	require.ErrorIs(t, err, conversation.ErrNotArrived)
	_, _, err = b.stores[third].History(t.Context(), "acme", c.ID)
	require.ErrorIs(t, err, conversation.ErrNotArrived)
	b.SetFault(home, nil)
	turns, err := b.stores[third].Chain(t.Context(), "acme", turn.ID)
	require.NoError(t, err)
	assert.Equal(t, []string{"hello"}, bodies(turns))
}

// TestReplicasAreTheSameOnceALinkHeals, whatever was said and deleted while it was
// cut.
func TestReplicasAreTheSameOnceALinkHeals(t *testing.T) {
	b := newTalk(t)
	c, _, err := b.stores[home].CreateConversation(t.Context(), "acme", []byte("{}"))
	require.NoError(t, err)
	gone := b.say(t, home, "gone", conversation.Turn{})
	b.clock.Advance(dynamodb.ReplicationLag)
	b.Cut(home, far)
	b.Cut(home, third)
	b.speak(t, home, "from home", c.ID)
	b.clock.Advance(time.Minute)
	b.speak(t, far, "from far", c.ID)
	require.NoError(t, b.stores[third].DeleteTurn(t.Context(), "acme", gone.ID))
	_, err = b.stores[home].Chain(t.Context(), "acme", gone.ID)
	require.ErrorIs(t, err, conversation.ErrNotFound, "a tombstone is in every region at once")
	b.Heal(home, far)
	b.Heal(home, third)
	b.clock.Advance(dynamodb.ReplicationLag)
	whole, err := b.client(home).Scan(t.Context(), &sdk.ScanInput{TableName: aws.String(tbl)})
	require.NoError(t, err)
	assert.Len(t, whole.Items, 4, "metadata, two turns and a tombstone")
	for _, region := range threeRegions {
		out, err := b.client(region).Scan(t.Context(), &sdk.ScanInput{TableName: aws.String(tbl)})
		require.NoError(t, err)
		assert.Equal(t, whole.Items, out.Items, region)
		_, turns, err := b.stores[region].History(t.Context(), "acme", c.ID)
		require.NoError(t, err)
		assert.Equal(t, []string{"from home", "from far"}, bodies(turns), region)
	}
}

func TestLostRepliesLoseNoTurn(t *testing.T) {
	b := newTalk(t)
	b.SetFault(home, &dynamodb.Fault{LostReplies: 1})
	turn := b.say(t, home, "hello", conversation.Turn{})
	turns, err := b.stores[far].Chain(t.Context(), "acme", turn.ID)
	require.NoError(t, err)
	assert.Equal(t, []string{"hello"}, bodies(turns))

	for _, region := range threeRegions {
		b.SetFault(region, &dynamodb.Fault{LostReplies: 1})
	}
	id, err := b.stores[home].NewTurn(turn.ID)
	require.NoError(t, err)
	_, _, err = b.stores[home].Append(t.Context(), "acme", conversation.Turn{ID: id, Parent: turn.ID, Expires: turn.Expires, Body: []byte("lost")})
	require.Error(t, err)
	_, err = b.stores[far].Chain(t.Context(), "acme", id)
	assert.ErrorIs(t, err, conversation.ErrNotFound, "what was reported as failed is not continued")
}

// TestALongThreadComesInPages of 1 MB, of turns that fill several items.
func TestALongThreadComesInPages(t *testing.T) {
	b := newTalk(t)
	random := rand.NewChaCha8([32]byte{3})
	var last conversation.Turn
	var want []string
	for range 4 {
		body := make([]byte, 900<<10)
		_, err := random.Read(body)
		require.NoError(t, err)
		last = b.say(t, home, string(body), last)
		want = append(want, string(body))
	}
	for _, region := range threeRegions {
		turns, err := b.stores[region].Chain(t.Context(), "acme", last.ID)
		require.NoError(t, err)
		assert.True(t, slices.Equal(want, bodies(turns)), region)
	}
}

func TestClaimsOnConditions(t *testing.T) {
	b := newTalk(t)
	claim := func() conversation.Claim {
		id, err := b.stores[home].NewTurn(conversation.TurnID{})
		require.NoError(t, err)
		return conversation.Claim{Digest: "d", Turn: id, Until: b.clock.Now().Add(time.Minute)}
	}
	first := claim()
	_, won, err := b.stores[home].Claim(t.Context(), "acme", "k", first)
	require.NoError(t, err)
	assert.True(t, won)
	found, won, err := b.stores[home].Claim(t.Context(), "acme", "k", claim())
	require.NoError(t, err)
	assert.False(t, won)
	assert.Equal(t, first.Turn, found.Turn)

	b.clock.Advance(time.Minute)
	second := claim()
	_, won, err = b.stores[home].Claim(t.Context(), "acme", "k", second)
	require.NoError(t, err)
	assert.True(t, won, "the first is over")
	require.NoError(t, b.stores[home].Release(t.Context(), "acme", "k", first))
	_, won, err = b.stores[home].Claim(t.Context(), "acme", "k", claim())
	require.NoError(t, err)
	assert.False(t, won, "the first cannot release the second")
	require.NoError(t, b.stores[home].Release(t.Context(), "acme", "k", second))
	_, won, err = b.stores[home].Claim(t.Context(), "acme", "k", claim())
	require.NoError(t, err)
	assert.True(t, won)
}

func TestATenantIsErased(t *testing.T) {
	b := newTalk(t)
	last := b.say(t, home, "hello", conversation.Turn{})
	b.say(t, far, "again", last)
	clients := map[string]conversation.Scanner{}
	for _, region := range threeRegions {
		clients[region] = b.client(region)
	}
	eraser := conversation.Eraser{Table: tbl, Clients: clients}
	b.SetFault(third, &dynamodb.Fault{Code: "ServiceUnavailable", Isolated: true})
	erased, err := eraser.Sweep(t.Context(), "acme", threeRegions)
	require.NoError(t, err)
	assert.NoError(t, erased[0].Err)
	assert.Positive(t, erased[0].Items)
	assert.Error(t, erased[2].Err, "a region that did not answer is named")
	b.SetFault(third, nil)
	b.clock.Advance(dynamodb.ReplicationLag)
	erased, err = eraser.Sweep(t.Context(), "acme", threeRegions)
	require.NoError(t, err)
	for _, e := range erased {
		assert.NoError(t, e.Err)
		assert.Zero(t, e.Items, e.Region)
	}
}
