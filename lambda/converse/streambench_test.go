package converse_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/require"
)

// canned is an HTTP client that has one answer.
type canned []byte

// Do implements aws.HTTPClient.
func (c canned) Do(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/vnd.amazon.eventstream"}},
		Body: io.NopCloser(bytes.NewReader(c)), Request: r,
	}, nil
}

// BenchmarkStream reads an answer of a hundred words, from the request to the
// end, without a network.
func BenchmarkStream(b *testing.B) {
	var frames bytes.Buffer
	frame := func(kind, payload string) {
		m := eventstream.Message{Payload: []byte(payload)}
		m.Headers.Set(":message-type", eventstream.StringValue("event"))
		m.Headers.Set(":event-type", eventstream.StringValue(kind))
		m.Headers.Set(":content-type", eventstream.StringValue("application/json"))
		require.NoError(b, eventstream.NewEncoder().Encode(&frames, m))
	}
	frame("messageStart", `{"role":"assistant"}`)
	for range 100 {
		frame("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"a word "}}`)
	}
	frame("messageStop", `{"stopReason":"end_turn"}`)
	frame("metadata", `{"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":1}}`)
	c := converse.New(aws.Config{HTTPClient: canned(frames.Bytes()), Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}, []string{"eu-west-1"})
	to := contract.Target{Region: "eu-west-1", ID: "anthropic.claude-sonnet-4-5-20250929-v1:0"}
	in := converse.Request{Messages: []converse.Message{{Role: converse.User, Parts: []converse.Part{{Text: "hello"}}}}}
	b.SetBytes(int64(frames.Len()))
	b.ReportAllocs()
	for b.Loop() {
		s, err := c.Open(b.Context(), to, in)
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
}
