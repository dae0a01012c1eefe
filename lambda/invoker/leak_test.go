package invoker_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/crossregion/crossregion/lambda/apigw"
	"github.com/crossregion/crossregion/lambda/invoker"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// heap is what is in use once all that is garbage is gone.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestNothingIsLeftOfRequests that are answered, refused, fail over, find no
// table, or are left by their caller in the middle: no goroutine, no connection,
// no memory.
func TestNothingIsLeftOfRequests(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	models := bedrock(t)
	tables := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/model/") {
			models.Config.Handler.ServeHTTP(w, r)
			return
		}
		_, err := io.Copy(io.Discard, r.Body)
		assert.NoError(t, err)
		w.WriteHeader(http.StatusBadRequest)
		_, err = io.WriteString(w, `{"__type": "ResourceNotFoundException"}`)
		assert.NoError(t, err)
	}))
	defer tables.Close()
	h, err := invoker.New(environment(t, config(), tables.URL), log)
	require.NoError(t, err)
	handle := apigw.Handler(h, log)
	ask := func(method, path, body string, leave bool) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		resp, err := handle(ctx, events.APIGatewayProxyRequest{
			HTTPMethod: method, Path: path, Body: body, MultiValueHeaders: map[string][]string{"Content-Type": {"application/json"}},
			RequestContext: events.APIGatewayProxyRequestContext{Authorizer: map[string]any{"tenant": "acme"}},
		})
		require.NoError(t, err)
		if !leave {
			_, err := io.Copy(io.Discard, resp.Body)
			require.NoError(t, err)
		}
		require.NoError(t, resp.Close())
	}
	round := func() {
		const messages = `"messages":[{"role":"user","content":"hello"}]`
		for _, leave := range []bool{false, true} {
			ask("POST", "/v1/chat/completions", `{"model":"claude-sonnet",`+messages+`}`, leave)
			ask("POST", "/v1/chat/completions", `{"model":"claude-sonnet","stream":true,`+messages+`}`, leave)
			ask("POST", "/v1/chat/completions", `{"model":"none",`+messages+`}`, leave)
			ask("POST", "/v1/responses", `{"model":"claude-sonnet","stream":true,"store":false,"input":"hello"}`, leave)
			ask("POST", "/v1/responses", `{"model":"claude-sonnet","input":"hello"}`, leave)
			ask("GET", "/v1/models", "", leave)
		}
	}
	for range 20 { // connections and caches come to stay
		round()
	}
	goroutines, before := runtime.NumGoroutine(), heap()
	for range 40 {
		round()
	}
	// The servers of the test have a few for their connections.
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+4 }, 30*time.Second, 10*time.Millisecond)
	assert.Less(t, heap()-before, int64(1<<20), "bytes kept of 480 requests")
}
