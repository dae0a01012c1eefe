package conversation

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// said is text of n bytes in words without an order: it compresses as what is
// said does, and not as a repetition.
func said(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("the region of a table is down and its partner answers because an order that was to arrive on Tuesday " +
		"has not so we can refund it or send another within three days please tell me which you want")
	text := make([]byte, 0, n+16)
	for len(text) < n {
		text = append(append(text, words[random.IntN(len(words))]...), ' ')
	}
	return text[:n]
}

// BenchmarkCodec writes and reads the items of one turn, whose body is text that
// compresses or an image that does not.
func BenchmarkCodec(b *testing.B) {
	image := make([]byte, 1<<20)
	_, err := rand.NewChaCha8([32]byte{1}).Read(image)
	require.NoError(b, err)
	for _, kept := range []struct {
		name string
		body []byte
	}{{"500 B of text", said(500)}, {"4 KB of text", said(4 << 10)}, {"100 KB of text", said(100 << 10)}, {"1 MB image", image}} {
		name, body := kept.name, kept.body
		t := Turn{ID: TurnID{Thread: strings.Repeat("1", 20), Turn: strings.Repeat("2", 20), Region: "eu-west-1"}, Body: body}
		items, err := encodeTurn("acme", t, sortTurn+t.ID.Turn)
		require.NoError(b, err)
		b.Run(fmt.Sprint("encode ", name), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				_, err := encodeTurn("acme", t, sortTurn+t.ID.Turn)
				require.NoError(b, err)
			}
		})
		b.Run(fmt.Sprint("decode ", name), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				_, err := decodeTurn(t.ID.Thread, items)
				require.NoError(b, err)
			}
		})
	}
}

func TestABodyThatDoesNotComeOutWholeIsRefused(t *testing.T) {
	body := []byte(strings.Repeat("hello ", 1000))
	packed, ok, err := pack(body)
	require.NoError(t, err)
	require.True(t, ok)
	got, err := unpack(packed, int64(len(body)))
	require.NoError(t, err)
	require.Equal(t, body, got)
	for name, size := range map[string]int64{"longer": 5999, "shorter": 6001, "negative": -1, "larger than all": maxBodyBytes + 1} {
		_, err := unpack(packed, size)
		require.Error(t, err, name)
	}
	_, err = unpack(packed[:len(packed)/2], int64(len(body)))
	require.Error(t, err, "cut off")
}

// TestWhatIsStoredCanBeRead, or it is not stored.
func TestWhatIsStoredCanBeRead(t *testing.T) {
	turn := Turn{ID: TurnID{Thread: strings.Repeat("1", 20), Turn: strings.Repeat("2", 20), Region: "eu-west-1"}, Body: make([]byte, maxBodyBytes+1)}
	_, err := encodeTurn("acme", turn, sortTurn+turn.ID.Turn)
	require.ErrorContains(t, err, "too large")
	turn.Body = turn.Body[1:]
	items, err := encodeTurn("acme", turn, sortTurn+turn.ID.Turn)
	require.NoError(t, err)
	got, err := decodeTurn(turn.ID.Thread, items)
	require.NoError(t, err)
	require.Len(t, got.Body, maxBodyBytes)
}

// TestATurnWhoseParentCannotBeReadIsRefused: to go on without would be to forget
// what came before.
func TestATurnWhoseParentCannotBeReadIsRefused(t *testing.T) {
	id := TurnID{Thread: strings.Repeat("1", 20), Turn: strings.Repeat("2", 20), Region: "eu-west-1"}
	items, err := encodeTurn("acme", Turn{ID: id, Parent: id, Body: []byte("hello")}, sortTurn+id.Turn)
	require.NoError(t, err)
	got, err := decodeTurn(id.Thread, items)
	require.NoError(t, err)
	require.Equal(t, id, got.Parent)
	items[0][attrParent] = text("nonsense")
	_, err = decodeTurn(id.Thread, items)
	require.ErrorContains(t, err, "its parent")
}
