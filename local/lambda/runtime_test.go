package lambda_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hand plays the runtime of a function by hand.
type hand struct {
	t   *testing.T
	api string
}

// manual starts an invocation whose runtime is the test.
func (w *world) manual(stream bool) (hand, <-chan *lambda.Result) {
	w.t.Helper()
	g := newGate(w.t)
	arn := w.function(props{"environment": props{"variables": props{"START": "manual", "GATE": g.url}}})
	results := make(chan *lambda.Result, 1)
	go func() {
		r, err := w.Invoke(w.t.Context(), invocation(arn, order{"do": "x"}, stream))
		assert.NoError(w.t, err)
		results <- r
	}()
	return hand{w.t, "http://" + g.await() + "/2018-06-01/runtime/"}, results
}

func (h hand) do(method, path, body string, headers ...string) (*http.Response, string) {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.api+path, strings.NewReader(body))
	require.NoError(h.t, err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(h.t, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(h.t, err)
	require.NoError(h.t, resp.Body.Close())
	return resp, string(b)
}

// next takes the invocation.
func (h hand) next() (id, payload string) {
	h.t.Helper()
	resp, payload := h.do("GET", "invocation/next", "")
	require.Equal(h.t, http.StatusOK, resp.StatusCode, payload)
	return resp.Header.Get("Lambda-Runtime-Aws-Request-Id"), payload
}

// await waits for one more invocation until the test ends.
func (h hand) await() {
	go func() {
		req, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, h.api+"invocation/next", nil)
		if !assert.NoError(h.t, err) {
			return
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
		}
	}()
}

func TestRuntimeAPIRefuses(t *testing.T) {
	w := newWorld(t)
	h, results := w.manual(false)
	steps := []struct {
		name, method, path string
		status             int
		code               string
	}{
		{"what it does not know", "GET", "invocation/previous", 404, ""},
		{"a response before the invocation is taken", "POST", "invocation/{id}/response", 400, "InvalidRequestID"},
		{"", "GET", "invocation/next", 200, ""},
		{"a second invocation before the response", "GET", "invocation/next", 403, "InvalidStateTransition"},
		{"an error of the start after the start", "POST", "init/error", 403, "InvalidStateTransition"},
		{"a response to another invocation", "POST", "invocation/other/response", 400, "InvalidRequestID"},
		{"an error of another invocation", "POST", "invocation/other/error", 400, "InvalidRequestID"},
		{"", "POST", "invocation/{id}/response", 202, ""},
		{"a second response", "POST", "invocation/{id}/response", 403, "InvalidStateTransition"},
		{"an error after the response", "POST", "invocation/{id}/error", 403, "InvalidStateTransition"},
	}
	id := "unknown"
	for _, s := range steps {
		resp, body := h.do(s.method, strings.ReplaceAll(s.path, "{id}", id), "{}")
		assert.Equal(t, s.status, resp.StatusCode, "%s: %s", s.name, body)
		if s.code != "" {
			assert.Equal(t, s.code, decode(t, body)["errorType"], s.name)
		}
		if got := resp.Header.Get("Lambda-Runtime-Aws-Request-Id"); got != "" {
			id = got
		}
	}
	h.await()
	assert.Equal(t, "{}", w.read(<-results))
}

func TestStartErrorGetsNoInvocation(t *testing.T) {
	w := newWorld(t)
	h, results := w.manual(false)
	resp, _ := h.do("POST", "init/error", "not JSON", "Lambda-Runtime-Function-Error-Type", "Config.Bad")
	assert.Equal(t, http.StatusAccepted, resp.StatusCode)
	resp, _ = h.do("POST", "init/error", "{}")
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	resp, _ = h.do("GET", "invocation/next", "")
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
	w.close()
	assert.Equal(t, "Config.Bad", decode(t, w.read(<-results))["errorType"])
}

func TestStreamedResponseMayDeclareItself(t *testing.T) {
	w := newWorld(t)
	h, results := w.manual(true)
	id, payload := h.next()
	assert.JSONEq(t, `{"do":"x"}`, payload)
	go func() {
		h.do("POST", "invocation/"+id+"/response", "\x00\x00\x00\x00\x00\x00\x00\x00data",
			"Lambda-Runtime-Function-Response-Mode", "streaming", "Content-Type", "text/event-stream")
		h.await()
	}()
	r := <-results
	assert.Equal(t, "text/event-stream", r.ContentType)
	assert.Equal(t, "\x00\x00\x00\x00\x00\x00\x00\x00data", w.read(r))
}

func TestStreamIsCutAtItsLimit(t *testing.T) {
	w := newWorld(t)
	h, results := w.manual(true)
	id, _ := h.next()
	posted := make(chan struct{})
	go func() {
		defer close(posted)
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.api+"invocation/"+id+"/response", io.LimitReader(zeros{}, 200<<20+1))
		if !assert.NoError(t, err) {
			return
		}
		// The server may close the connection before it has read everything.
		if resp, err := http.DefaultClient.Do(req); err == nil {
			assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
			assert.NoError(t, resp.Body.Close())
		}
	}()
	r := <-results
	n, err := io.Copy(io.Discard, r.Body)
	assert.ErrorContains(t, err, "Function.ResponseSizeTooLarge")
	assert.Equal(t, int64(200<<20), n)
	require.NoError(t, r.Body.Close())
	<-posted
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
