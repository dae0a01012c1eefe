package apigw_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/apigw"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func event() events.APIGatewayProxyRequest {
	ev := events.APIGatewayProxyRequest{HTTPMethod: http.MethodPost, Path: "/v1/things"}
	ev.RequestContext.RequestID = "req-1"
	ev.RequestContext.DomainName = "api.example.com"
	ev.RequestContext.Identity.SourceIP = "192.0.2.7"
	ev.RequestContext.Authorizer = map[string]any{"tenant": "acme", "keyId": "k1", "principalId": "acme"}
	return ev
}

// invoke runs h as a function on ev and closes the answer with the test.
func invoke(t *testing.T, ev events.APIGatewayProxyRequest, h http.HandlerFunc) *events.APIGatewayProxyStreamingResponse {
	t.Helper()
	resp, err := apigw.Handler(h, slog.New(slog.DiscardHandler))(t.Context(), ev)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, resp.Close()) })
	return resp
}

// received returns the request that a handler is given for ev, and its body.
func received(t *testing.T, ev events.APIGatewayProxyRequest) (*http.Request, string) {
	t.Helper()
	var got *http.Request
	var body []byte
	resp := invoke(t, ev, func(_ http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	})
	_, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NotNil(t, got, "the handler did not run")
	return got, string(body)
}

func TestRequestIsWhatTheClientSent(t *testing.T) {
	ev := event()
	ev.Body = `{"a":1}`
	ev.Headers = map[string]string{"Accept": "b"}
	ev.MultiValueHeaders = map[string][]string{"Accept": {"a", "b"}, "host": {"eu.example.com"}}
	ev.QueryStringParameters = map[string]string{"q": "2"}
	ev.MultiValueQueryStringParameters = map[string][]string{"q": {"1", "2 3"}}
	r, body := received(t, ev)
	assert.Equal(t, http.MethodPost, r.Method)
	assert.Equal(t, "/v1/things", r.URL.Path)
	assert.Equal(t, []string{"1", "2 3"}, r.URL.Query()["q"])
	assert.Equal(t, []string{"a", "b"}, r.Header.Values("Accept"))
	assert.Equal(t, "eu.example.com", r.Host)
	assert.Empty(t, r.Header.Get("Host"))
	assert.Equal(t, "192.0.2.7", r.RemoteAddr)
	assert.Equal(t, "/v1/things?q=1&q=2+3", r.RequestURI)
	assert.Equal(t, `{"a":1}`, body)
	assert.EqualValues(t, 7, r.ContentLength)
}

func TestRequestWithSingleValuesOnly(t *testing.T) {
	ev := event()
	ev.Headers = map[string]string{"content-type": "application/json"}
	ev.QueryStringParameters = map[string]string{"q": "2"}
	r, _ := received(t, ev)
	assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
	assert.Equal(t, "2", r.URL.Query().Get("q"))
	assert.Equal(t, "api.example.com", r.Host)
}

func TestPathKeepsItsEscapes(t *testing.T) {
	tests := []struct{ name, path, want, escaped string }{
		{"an escaped slash stays in its segment", "/v1/models/a%2Fb", "/v1/models/a/b", "/v1/models/a%2Fb"},
		{"an escaped question mark starts no query", "/v1/models/a%3Fb", "/v1/models/a?b", "/v1/models/a%3Fb"},
		{"what is no escape is literal", "/v1/models/100%", "/v1/models/100%", "/v1/models/100%25"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ev := event()
			ev.Path = tt.path
			r, _ := received(t, ev)
			assert.Equal(t, tt.want, r.URL.Path)
			assert.Equal(t, tt.escaped, r.URL.EscapedPath())
			assert.Empty(t, r.URL.RawQuery)
		})
	}
}

func TestBodyInBase64IsDecoded(t *testing.T) {
	ev := event()
	ev.Body, ev.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte("\x00\xff")), true
	_, body := received(t, ev)
	assert.Equal(t, "\x00\xff", body)
}

func TestIdentityComesFromTheAuthorizer(t *testing.T) {
	ev := event()
	ev.MultiValueHeaders = map[string][]string{"tenant": {"evil"}}
	r, _ := received(t, ev)
	assert.Equal(t, apigw.Caller{Tenant: "acme", KeyID: "k1"}, apigw.Identity(r.Context()))
	assert.Equal(t, "req-1", apigw.RequestID(r.Context()))
}

func TestOutsideARequestNobodyIsKnown(t *testing.T) {
	ev := event()
	ev.RequestContext.Authorizer = nil
	r, _ := received(t, ev)
	assert.Zero(t, apigw.Identity(r.Context()), "a public route")
	assert.Zero(t, apigw.Identity(t.Context()))
	assert.Zero(t, apigw.RequestID(t.Context()))
}

// TestExpiryIsHonouredInSpiteOfTheCache is for API Gateway, which keeps an
// authorizer's answer for longer than a credential may last.
func TestExpiryIsHonouredInSpiteOfTheCache(t *testing.T) {
	expires := time.Unix(1_700_000_000, 0)
	for at, want := range map[int64]int{expires.UnixMilli() - 1: 200, expires.UnixMilli(): 401, 0: 401} {
		ev := event()
		ev.RequestContext.Authorizer = contract.Caller{Tenant: "acme", Expires: expires}.Context()
		ev.RequestContext.RequestTimeEpoch = at
		resp, err := apigw.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), slog.New(slog.DiscardHandler))(t.Context(), ev)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Close())
		assert.Equal(t, want, resp.StatusCode, "at %d", at)
		assert.Equal(t, want == 401, strings.Contains(string(body), "invalid_api_key"))
	}
}

func TestTenantOfASignerIsItsRole(t *testing.T) {
	ev := event()
	ev.RequestContext.Authorizer = nil
	ev.RequestContext.Identity.UserArn = "arn:aws:sts::123456789012:assumed-role/reports/session"
	r, _ := received(t, ev)
	assert.Equal(t, apigw.Caller{Tenant: "123456789012-role-reports"}, apigw.Identity(r.Context()))
	ev.RequestContext.Authorizer = map[string]any{"tenant": "acme"}
	r, _ = received(t, ev)
	assert.Equal(t, "acme", apigw.Identity(r.Context()).Tenant, "an authorizer's word comes first")
}

func TestSignerThatIsNoTenantIsNotServed(t *testing.T) {
	ev := event()
	ev.RequestContext.Authorizer = nil
	ev.RequestContext.Identity.UserArn = "arn:aws:iam::123456789012:root"
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("served") })
	resp, err := apigw.Handler(h, slog.New(slog.DiscardHandler))(t.Context(), ev)
	require.NoError(t, err)
	assert.Equal(t, http.StatusForbidden, resp.StatusCode)
}

func TestCallerThatCannotBeReadIsNotServed(t *testing.T) {
	var log bytes.Buffer
	ev := event()
	ev.RequestContext.Authorizer = map[string]any{"tenant": 7}
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("served") })
	resp, err := apigw.Handler(h, slog.New(slog.NewJSONHandler(&log, nil)))(t.Context(), ev)
	require.NoError(t, err)
	assert.Equal(t, http.StatusInternalServerError, resp.StatusCode)
	assert.Contains(t, log.String(), "tenant is no text")
}

func TestMalformedEventIsTheClientsFault(t *testing.T) {
	broken := event()
	broken.Body, broken.IsBase64Encoded = "%%%", true
	method := event()
	method.HTTPMethod = "NO SUCH METHOD"
	for name, ev := range map[string]events.APIGatewayProxyRequest{"body": broken, "method": method} {
		t.Run(name, func(t *testing.T) {
			resp := invoke(t, ev, func(http.ResponseWriter, *http.Request) { t.Error("the handler ran") })
			assert.Equal(t, http.StatusBadRequest, resp.StatusCode)
			assert.Equal(t, "invalid_request_error", errorType(t, resp.Body))
		})
	}
}

func TestEachWriteIsVisibleAtOnce(t *testing.T) {
	next := make(chan struct{})
	resp := invoke(t, event(), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("X-Many", "1")
		w.Header().Add("X-Many", "2")
		w.WriteHeader(http.StatusAccepted)
		w.Header().Set("X-Late", "lost")
		w.WriteHeader(http.StatusTeapot)
		for _, s := range []string{"one", "two"} {
			_, err := io.WriteString(w, s)
			assert.NoError(t, err)
			assert.Implements(t, (*http.Flusher)(nil), w)
			w.(http.Flusher).Flush()
			<-next
		}
	})
	assert.Equal(t, http.StatusAccepted, resp.StatusCode)
	assert.Equal(t, map[string][]string{"X-Many": {"1", "2"}}, resp.MultiValueHeaders)
	buf := make([]byte, 16)
	for _, want := range []string{"one", "two"} {
		n, err := resp.Body.Read(buf)
		require.NoError(t, err)
		assert.Equal(t, want, string(buf[:n]))
		next <- struct{}{}
	}
	_, err := resp.Body.Read(buf)
	assert.Equal(t, io.EOF, err)
}

func TestStatusWithoutBody(t *testing.T) {
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    int
	}{
		{"a handler that does nothing has answered 200", func(http.ResponseWriter, *http.Request) {}, 200},
		{"a flush is a 200", func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush() }, 200},
		{"a status of its own", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, 204},
		{"an informational status does not count", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(204)
		}, 204},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := invoke(t, event(), tt.handler)
			assert.Equal(t, tt.want, resp.StatusCode)
			b, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Empty(t, b)
		})
	}
}

func TestPanic(t *testing.T) {
	var logged bytes.Buffer
	run := func(h http.HandlerFunc) (*events.APIGatewayProxyStreamingResponse, []byte, error) {
		logged.Reset()
		resp, err := apigw.Handler(h, slog.New(slog.NewJSONHandler(&logged, nil)))(t.Context(), event())
		require.NoError(t, err)
		b, readErr := io.ReadAll(resp.Body)
		require.NoError(t, resp.Close())
		return resp, b, readErr
	}
	t.Run("before the status is a 500 in OpenAI's shape", func(t *testing.T) {
		resp, b, err := run(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			panic("the prompt said: hush")
		})
		require.NoError(t, err)
		assert.Equal(t, http.StatusInternalServerError, resp.StatusCode)
		assert.Equal(t, []string{"application/json"}, resp.MultiValueHeaders["Content-Type"])
		assert.Equal(t, "server_error", errorType(t, bytes.NewReader(b)))
		assert.Contains(t, logged.String(), "req-1")
		assert.Contains(t, logged.String(), "TestPanic", "the stack is logged")
		assert.NotContains(t, logged.String(), "hush", "the value is not")
	})
	t.Run("after the first byte cuts the body", func(t *testing.T) {
		resp, b, err := run(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half")
			panic(errors.New("boom"))
		})
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Equal(t, "half", string(b))
		assert.ErrorContains(t, err, "panicked")
	})
	t.Run("to abort is deliberate and not logged", func(t *testing.T) {
		_, _, err := run(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			panic(http.ErrAbortHandler)
		})
		assert.Error(t, err)
		assert.Empty(t, logged.String())
	})
}

func TestCloseEndsTheHandler(t *testing.T) {
	ended := make(chan error, 2)
	resp, err := apigw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		<-r.Context().Done()
		_, err := io.WriteString(w, "nobody reads this")
		ended <- err
		ended <- context.Cause(r.Context())
	}), slog.New(slog.DiscardHandler))(t.Context(), event())
	require.NoError(t, err)
	require.NoError(t, resp.Close())
	require.Len(t, ended, 2, "Close returned before the handler did")
	assert.ErrorIs(t, <-ended, io.ErrClosedPipe)
	assert.ErrorIs(t, <-ended, context.Canceled)
}

func errorType(t *testing.T, r io.Reader) string {
	t.Helper()
	var body struct {
		Error struct {
			Message string  `json:"message"`
			Type    string  `json:"type"`
			Param   *string `json:"param"`
			Code    *string `json:"code"`
		} `json:"error"`
	}
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	require.NoError(t, dec.Decode(&body))
	assert.NotEmpty(t, body.Error.Message)
	return body.Error.Type
}
