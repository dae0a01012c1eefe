package converse_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// canned is an HTTP client that has one answer, and gives at most so many bytes
// of it at a time.
type canned struct {
	frames []byte
	piece  int
}

// Do implements aws.HTTPClient.
func (c canned) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/vnd.amazon.eventstream"}},
		Body: io.NopCloser(pieces{bytes.NewReader(c.frames), c.piece}), Request: r,
	}, nil
}

type pieces struct {
	all  io.Reader
	size int
}

func (p pieces) Read(b []byte) (int, error) { return p.all.Read(b[:min(len(b), p.size)]) }

// client has the one answer.
func (c canned) client() *converse.Client {
	return converse.New(aws.Config{HTTPClient: c, Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}, []string{region})
}

// frame encodes an event.
func frame(t testing.TB, kind, payload string) []byte {
	t.Helper()
	return encoded(t, payload, ":message-type", "event", ":event-type", kind, ":content-type", "application/json")
}

// encoded is a frame with headers, names and values in turn, by the SDK's encoder.
func encoded(t testing.TB, payload string, headers ...string) []byte {
	t.Helper()
	m := eventstream.Message{Payload: []byte(payload)}
	for i := 0; i < len(headers); i += 2 {
		m.Headers.Set(headers[i], eventstream.StringValue(headers[i+1]))
	}
	var b bytes.Buffer
	assert.NoError(t, eventstream.NewEncoder().Encode(&b, m))
	return b.Bytes()
}

func word(t testing.TB) []byte {
	return frame(t, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"a word "}}`)
}

func ending(t testing.TB) []byte {
	return append(frame(t, "messageStop", `{"stopReason":"end_turn"}`),
		frame(t, "metadata", `{"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":1}}`)...)
}

func TestWordsThatCameTogetherAreOneEvent(t *testing.T) {
	start := frame(t, "messageStart", `{"role":"assistant"}`)
	use := frame(t, "contentBlockStart", `{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"u1","name":"weather"}}}`)
	answer := bytes.Join([][]byte{start, word(t), word(t), frame(t, "somethingNew", `{}`), word(t), use, ending(t)}, nil)
	tests := []struct {
		name  string
		piece int
		want  []string
	}{
		{"all at once", len(answer), []string{"a word a word a word "}},
		{"a byte at a time", 1, []string{"a word ", "a word ", "a word "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := canned{answer, tt.piece}.client().Open(t.Context(), target, ask("hello"))
			require.NoError(t, err)
			for _, text := range tt.want {
				ev, err := s.Next()
				require.NoError(t, err)
				assert.Equal(t, converse.Event{Text: text}, ev)
			}
			ev, err := s.Next()
			require.NoError(t, err)
			assert.Equal(t, "weather", ev.Tool.Name, "what is no text stands alone")
			ev, err = s.Next()
			require.NoError(t, err)
			assert.Equal(t, converse.Usage{Input: 1, Output: 2}, ev.End.Usage)
			_, err = s.Next()
			require.ErrorIs(t, err, io.EOF)
			require.NoError(t, s.Close())
		})
	}
}

func TestWordsBeforeAFailureAreNotLost(t *testing.T) {
	broken := append(append(word(t), word(t)...), bytes.Repeat([]byte("?"), 64)...)
	s, err := canned{broken, len(broken)}.client().Open(t.Context(), target, ask("hello"))
	require.NoError(t, err)
	var said strings.Builder
	for {
		ev, err := s.Next()
		if err != nil {
			assertClass(t, converse.Incomplete, err)
			break
		}
		said.WriteString(ev.Text)
	}
	assert.Equal(t, "a word a word ", said.String())
	require.NoError(t, s.Close())
}

// BenchmarkStream reads an answer of a hundred words, from the request to the
// end, without a network.
func BenchmarkStream(b *testing.B) {
	frames := slices.Concat(frame(b, "messageStart", `{"role":"assistant"}`), bytes.Repeat(word(b), 100), ending(b))
	in := converse.Request{Messages: []converse.Message{{Role: converse.User, Parts: []converse.Part{{Text: "hello"}}}}}
	for name, piece := range map[string]int{"at once": len(frames), "word by word": len(word(b))} {
		b.Run(name, func(b *testing.B) {
			c := canned{frames, piece}.client()
			b.SetBytes(int64(len(frames)))
			b.ReportAllocs()
			for b.Loop() {
				s, err := c.Open(b.Context(), target, in)
				require.NoError(b, err)
				for {
					ev, err := s.Next()
					require.NoError(b, err)
					if ev.End != nil {
						break
					}
				}
				require.NoError(b, s.Close())
			}
		})
	}
}
