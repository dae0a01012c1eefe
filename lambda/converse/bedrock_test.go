package converse_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/awsenv"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const region = "eu-west-1"

var target = contract.Target{Region: region, ID: "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/abc"}

// reply writes one answer in Bedrock's framing.
type reply struct {
	t    *testing.T
	w    http.ResponseWriter
	r    *http.Request
	body []byte // read to its end, without which a server notices no client hang up
}

func (r reply) frame(message, kind, payload string) {
	typeHeader := map[string]string{"event": ":event-type", "exception": ":exception-type"}[message]
	r.send(payload, ":message-type", message, typeHeader, kind, ":content-type", "application/json")
}

// send writes a frame with headers, names and values in turn.
func (r reply) send(payload string, headers ...string) {
	_, err := r.w.Write(encoded(r.t, payload, headers...))
	assert.NoError(r.t, err)
	r.w.(http.Flusher).Flush()
}

// write sends what is no frame.
func (r reply) write(s string) {
	_, err := io.WriteString(r.w, s)
	assert.NoError(r.t, err)
}

func (r reply) event(kind, payload string) { r.frame("event", kind, payload) }

func (r reply) start() {
	r.w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	r.event("messageStart", `{"role":"assistant"}`)
}

func (r reply) text(s string) {
	b, err := json.Marshal(map[string]any{"contentBlockIndex": 0, "delta": map[string]string{"text": s}})
	assert.NoError(r.t, err)
	r.event("contentBlockDelta", string(b))
}

// flood sends n bytes of text, and tells whether anybody takes them.
func (r reply) flood(n int) bool {
	_, err := r.w.Write(frame(r.t, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"`+strings.Repeat("x", n)+`"}}`))
	return err == nil
}

func (r reply) stop(reason string) {
	r.event("contentBlockStop", `{"contentBlockIndex":0}`)
	r.event("messageStop", `{"stopReason":"`+reason+`"}`)
}

func (r reply) usage() {
	r.event("metadata", `{"usage":{"inputTokens":7,"outputTokens":3,"totalTokens":10,`+
		`"cacheReadInputTokens":20,"cacheWriteInputTokens":5},"metrics":{"latencyMs":9}}`)
}

// cut ends the connection inside the answer.
func (r reply) cut() { panic(http.ErrAbortHandler) }

// refuse is an exception as the HTTP answer.
func (r reply) refuse(status int, code, message string) {
	r.w.Header().Set("Content-Type", "application/json")
	r.w.Header().Set("X-Amzn-ErrorType", code)
	r.w.WriteHeader(status)
	b, err := json.Marshal(map[string]string{"message": message})
	assert.NoError(r.t, err)
	_, err = r.w.Write(b)
	assert.NoError(r.t, err)
}

// bedrock answers every call with script, and returns a client for [region].
func bedrock(t *testing.T, script func(reply)) *converse.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		script(reply{t, w, r, body})
	}))
	t.Cleanup(server.Close)
	return converse.New(config(t, server.URL), []string{region})
}

// config is what a function's environment comes to, with Bedrock at url.
func config(t *testing.T, url string) aws.Config {
	t.Helper()
	cfg, err := awsenv.Config(func(name string) string {
		return map[string]string{
			"AWS_REGION": region, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_ENDPOINT_URL": url,
		}[name]
	})
	require.NoError(t, err)
	return cfg
}

func ask(text string) converse.Request {
	return converse.Request{Messages: []converse.Message{{Role: converse.User, Parts: []converse.Part{{Text: text}}}}}
}

// read drains the answer of c: the texts, and how it ended.
func read(t *testing.T, c *converse.Client) ([]string, *converse.End, error) {
	t.Helper()
	s, err := c.Open(t.Context(), target, ask("hello"))
	if err != nil {
		return nil, nil, err
	}
	defer func() { assert.NoError(t, s.Close()) }()
	var texts []string
	for {
		ev, err := s.Next()
		if err != nil {
			return texts, nil, err
		}
		if ev.End != nil {
			_, err = s.Next()
			require.Equal(t, io.EOF, err, "after its end a stream has nothing more")
			return texts, ev.End, nil
		}
		texts = append(texts, ev.Text)
	}
}
