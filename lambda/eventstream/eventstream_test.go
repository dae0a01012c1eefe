package eventstream_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	sdk "github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/crossregion/crossregion/lambda/eventstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMessages(t *testing.T) {
	tests := []struct {
		name  string
		frame []byte
		want  said
	}{
		{"an event", event(t, "messageStop", "{}"), said{kind: "event", event: "messageStop", payload: "{}"}},
		{
			"an exception", encode(t, "{}", text(":message-type", "exception"), text(":exception-type", "throttlingException")),
			said{kind: "exception", exception: "throttlingException", payload: "{}"},
		},
		{
			"an error, which is all header", encode(t, "", text(":message-type", "error"), text(":error-code", "Oops"), text(":error-message", "é")),
			said{kind: "error", code: "Oops", message: "é"},
		},
		{"nothing at all", encode(t, ""), said{}},
		{"a payload alone", encode(t, "{}"), said{payload: "{}"}},
		{"headers of every type", encode(t, "{}", others...), said{payload: "{}"}},
		{
			"headers of every type around those that matter", encode(t, "{}", slices.Concat(others[:5], []sdk.Header{text(":message-type", "event")}, others[5:])...),
			said{kind: "event", payload: "{}"},
		},
		{"a header that says nothing", encode(t, "", text(":event-type", "")), said{}},
		{"a header without a name", frame([]byte("\x00\x00\x05:type\x01"), nil), said{}},
		{"a header that comes twice", frame([]byte("\x0d:message-type\x07\x00\x01a\x0d:message-type\x07\x00\x01b"), nil), said{kind: "b"}},
		{"a header that comes again as another type", frame([]byte("\x0d:message-type\x07\x00\x01a\x0d:message-type\x00"), nil), said{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all, err := drain(eventstream.NewReader(bytes.NewReader(tt.frame)))
			assert.Equal(t, io.EOF, err)
			assert.Equal(t, []said{tt.want}, all)
		})
	}
}

func TestHeadersThatAreNoStringsSayNothing(t *testing.T) {
	for _, h := range others {
		if h.Name == "string" {
			continue
		}
		t.Run(h.Name, func(t *testing.T) {
			m, err := eventstream.NewReader(bytes.NewReader(encode(t, "{}", sdk.Header{Name: ":message-type", Value: h.Value}))).Next()
			require.NoError(t, err)
			assert.Nil(t, m.Type)
			assert.Equal(t, "{}", string(m.Payload))
		})
	}
}

func TestPayloadsOfEverySize(t *testing.T) {
	var stream bytes.Buffer
	var want []said
	for _, size := range []int{0, 1, 2, 1007, 1008, 1009, 4095, 4096, 4097, 65_519, 65_520, 65_536, 65_537, 131_072, 1 << 20, 7, 24<<20 + 1, 7} {
		payload := strings.Repeat("x", size)
		stream.Write(event(t, "e", payload))
		want = append(want, said{kind: "event", event: "e", payload: payload})
	}
	all, err := drain(eventstream.NewReader(&stream))
	assert.Equal(t, io.EOF, err)
	assert.True(t, slices.Equal(want, all), "what was read is not what was written")
}

// Services keep to 128 KiB, which clients must not check.
func TestHeadersOfAnySize(t *testing.T) {
	long := append([]byte("\x04long\x06\xff\xff"), make([]byte, math.MaxUint16)...)
	m, err := eventstream.NewReader(bytes.NewReader(frame(slices.Concat(bytes.Repeat(long, 5), []byte("\x0d:message-type\x07\x00\x05event")), []byte("{}")))).Next()
	require.NoError(t, err)
	assert.Equal(t, said{kind: "event", payload: "{}"}, keep(m))
}

func TestHoweverTheBytesArrive(t *testing.T) {
	var stream []byte
	want := make([]said, 0, 20)
	for i := range 20 {
		payload := strings.Repeat("x", i*100)
		stream = append(stream, event(t, "e", payload)...)
		want = append(want, said{kind: "event", event: "e", payload: payload})
	}
	for name, arriving := range map[string]func(io.Reader) io.Reader{
		"one at a time": iotest.OneByteReader, "half of what fits": iotest.HalfReader, "the last with the end": iotest.DataErrReader,
	} {
		t.Run(name, func(t *testing.T) {
			all, err := drain(eventstream.NewReader(arriving(bytes.NewReader(stream))))
			assert.Equal(t, io.EOF, err)
			assert.Equal(t, want, all)
		})
	}
}

func TestFrameCutAtEveryByte(t *testing.T) {
	whole := event(t, "messageStop", `{"stopReason":"end_turn"}`)
	for n := range whole {
		all, err := drain(eventstream.NewReader(bytes.NewReader(slices.Concat(whole, whole[:n]))))
		assert.Len(t, all, 1, "what came before the cut is read")
		if n == 0 {
			assert.Equal(t, io.EOF, err)
			continue
		}
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF, "after %d bytes", n)
	}
}

func TestBrokenSourceIsToldFromAnEnd(t *testing.T) {
	broken := errors.New("connection reset")
	whole := event(t, "e", strings.Repeat("x", 100))
	for _, n := range []int{0, 1, 11, 12, 13, len(whole) - 1} {
		_, err := eventstream.NewReader(io.MultiReader(bytes.NewReader(whole[:n]), iotest.ErrReader(broken))).Next()
		assert.ErrorIs(t, err, broken, "after %d bytes", n)
	}
}

func TestFlipOfAnyBitIsSeen(t *testing.T) {
	whole := event(t, "messageStop", `{"stopReason":"end_turn"}`)
	for i := range whole {
		for bit := range 8 {
			flipped := slices.Clone(whole)
			flipped[i] ^= 1 << bit
			_, err := eventstream.NewReader(bytes.NewReader(flipped)).Next()
			assert.ErrorIs(t, err, eventstream.ErrChecksum, "bit %d of byte %d", bit, i)
		}
	}
}

func TestFramesThatAreNone(t *testing.T) {
	rest := make([]byte, 64)
	tests := []struct {
		name  string
		frame []byte
		want  string
	}{
		{"a frame of no bytes", append(prelude(0, 0), rest...), "0 bytes cannot hold 0 bytes of headers"},
		{"a frame shorter than the least", append(prelude(15, 0), rest...), "15 bytes cannot hold 0"},
		{"headers that leave no room for the checksum", append(prelude(26, 11), rest...), "26 bytes cannot hold 11"},
		{"headers longer than the frame", append(prelude(16, math.MaxUint32), rest...), "16 bytes cannot hold 4294967295"},
		{"a frame longer than what comes", append(prelude(math.MaxUint32, 0), rest...), "unexpected EOF"},
		{"headers longer than what comes", append(prelude(math.MaxUint32, math.MaxUint32-16), rest...), "unexpected EOF"},
		{"a header that ends after the length of its name", frame([]byte("\x01"), nil), "in the middle of one"},
		{"a header that ends in its name", frame([]byte("\x05:mes"), nil), "in the middle of one"},
		{"a header that ends before its type", frame([]byte("\x05:mess"), nil), "in the middle of one"},
		{"a header of a type that is none", frame([]byte("\x05:mess\x0a"), nil), "10 is no type of a header"},
		{"a string that ends in its length", frame([]byte("\x05:mess\x07\x00"), nil), "in the middle of one"},
		{"a string longer than its headers", frame([]byte("\x05:mess\x07\x00\x05even"), []byte("t")), "in the middle of one"},
		{"bytes longer than their headers", frame([]byte("\x05:mess\x06\xff\xffeven"), []byte("t")), "in the middle of one"},
		{"a short that is cut", frame([]byte("\x05:mess\x03\x00"), nil), "in the middle of one"},
		{"a second header that is cut", frame([]byte("\x05:mess\x00\x05:"), nil), "in the middle of one"},
		{"a UUID that is cut", frame([]byte("\x05:mess\x09123456789012345"), nil), "in the middle of one"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := eventstream.NewReader(bytes.NewReader(tt.frame)).Next()
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestLengthThatLiesTakesNoMemory(t *testing.T) {
	stream := append(prelude(math.MaxUint32, 0), make([]byte, 1<<10)...)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := eventstream.NewReader(bytes.NewReader(stream)).Next()
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

func TestMemoryOfALargeFrameIsGivenBack(t *testing.T) {
	small, large := event(t, "e", "small"), event(t, "e", strings.Repeat("x", 1<<20))
	r := eventstream.NewReader(bytes.NewReader(slices.Concat(small, large, small)))
	var held []int
	for range 3 {
		_, err := r.Next()
		require.NoError(t, err)
		held = append(held, eventstream.Held(r))
	}
	assert.Greater(t, held[1], 1<<20)
	assert.Equal(t, held[0], held[2])
}

func TestBytesOfAMessageAreTheNextOnesOnceThatIsRead(t *testing.T) {
	r := eventstream.NewReader(bytes.NewReader(append(event(t, "e", "first"), event(t, "e", "after")...)))
	first, err := r.Next()
	require.NoError(t, err)
	assert.Equal(t, "first", string(first.Payload))
	_, err = r.Next()
	require.NoError(t, err)
	assert.Equal(t, "after", string(first.Payload))
}

func TestFramesTakeNoMemoryOfTheirOwn(t *testing.T) {
	const runs = 100
	r := eventstream.NewReader(bytes.NewReader(bytes.Repeat(event(t, "contentBlockDelta", `{"delta":{"text":"a word "}}`), runs+2)))
	_, err := r.Next() // makes the buffer
	require.NoError(t, err)
	assert.Zero(t, testing.AllocsPerRun(runs, func() {
		if _, err := r.Next(); err != nil {
			t.Error(err)
		}
	}))
}

func TestFrameIsReadyOnceAllOfItHasCome(t *testing.T) {
	first, next := event(t, "e", "first"), event(t, "e", "next")
	for n := range len(next) + 1 {
		r := eventstream.NewReader(bytes.NewReader(append(first, next[:n]...)))
		assert.False(t, r.Ready(), "nothing has come")
		_, err := r.Next()
		require.NoError(t, err)
		assert.Equal(t, n == len(next), r.Ready(), "after %d bytes of %d", n, len(next))
	}
	t.Run("but not one that is larger than the buffer", func(t *testing.T) {
		r := eventstream.NewReader(bytes.NewReader(append(first, event(t, "e", strings.Repeat("x", 1<<20))...)))
		_, err := r.Next()
		require.NoError(t, err)
		assert.False(t, r.Ready())
		m, err := r.Next()
		require.NoError(t, err)
		assert.Len(t, m.Payload, 1<<20)
	})
	t.Run("nor a length below the least, of which more may come", func(t *testing.T) {
		r := eventstream.NewReader(bytes.NewReader(append(first, prelude(0, 0)[:11]...)))
		_, err := r.Next()
		require.NoError(t, err)
		assert.False(t, r.Ready())
	})
	t.Run("and one that is none, which is told at once", func(t *testing.T) {
		r := eventstream.NewReader(io.MultiReader(bytes.NewReader(append(first, prelude(0, 0)...)), iotest.ErrReader(errors.New("it waited"))))
		_, err := r.Next()
		require.NoError(t, err)
		assert.True(t, r.Ready())
		_, err = r.Next()
		assert.ErrorContains(t, err, "0 bytes cannot hold")
	})
}
