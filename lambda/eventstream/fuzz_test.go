package eventstream_test

import (
	"bytes"
	"slices"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/crossregion/crossregion/lambda/eventstream"
	"github.com/stretchr/testify/assert"
)

// FuzzReader compares with the SDK's decoder what is read of a frame with right
// checksums, and of the bytes after it.
func FuzzReader(f *testing.F) {
	whole := event(f, "messageStop", "{}")
	f.Add(whole[12:len(whole)-6], []byte("{}"), whole)
	f.Add(encode(f, "", others...)[12:], []byte{}, whole[:7])
	f.Add([]byte("\x0d:message-type\x07\x00\x01a\x0d:message-type\x00"), []byte("{"), []byte("?"))
	f.Add([]byte("\x0b:error-code\x07\x00\x01x\x0e:error-message\x06\x00\x01x"), []byte{}, prelude(16, 0))
	f.Add([]byte("\x0f:exception-type\x07\x00\x00"), []byte{}, prelude(15, 1))
	f.Add([]byte("\x01"), []byte{}, []byte{}) // what only the SDK accepts
	f.Fuzz(func(t *testing.T, headers, payload, after []byte) {
		ours, theirs := both(slices.Concat(frame(headers, payload), after))
		if len(ours) == 0 && len(theirs) > 0 {
			// The SDK overlooks a last byte that begins a name, and nothing more.
			ours, theirs = both(slices.Concat(frame(headers[:len(headers)-1], payload), after))
		}
		assert.Equal(t, theirs, ours)
	})
}

// both reads stream with our reader and with the SDK's.
func both(stream []byte) (ours, theirs []said) {
	ours, _ = drain(eventstream.NewReader(bytes.NewReader(stream)))
	source := bytes.NewReader(stream)
	for {
		m, err := sdk.NewDecoder().Decode(source, nil)
		if err != nil {
			return ours, theirs
		}
		value := func(name string) string {
			s, _ := m.Headers.Get(name).(sdk.StringValue)
			return string(s)
		}
		theirs = append(theirs, said{
			value(":message-type"), value(":event-type"), value(":exception-type"),
			value(":error-code"), value(":error-message"), string(m.Payload),
		})
	}
}

func BenchmarkReader(b *testing.B) {
	whole := event(b, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"a word "},"p":"abcdefghijkl"}`)
	stream := bytes.Repeat(whole, 1000)
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(whole)))
		b.ReportAllocs()
		r := eventstream.NewReader(bytes.NewReader(nil))
		for i := 0; b.Loop(); i++ {
			if i%1000 == 0 {
				r = eventstream.NewReader(bytes.NewReader(stream))
			}
			if _, err := r.Next(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("the SDK's", func(b *testing.B) {
		b.SetBytes(int64(len(whole)))
		b.ReportAllocs()
		source := bytes.NewReader(stream)
		var payload []byte
		for i := 0; b.Loop(); i++ {
			if i%1000 == 0 {
				source.Reset(stream)
			}
			m, err := sdk.NewDecoder().Decode(source, payload)
			if err != nil {
				b.Fatal(err)
			}
			payload = m.Payload[:0]
		}
	})
}
