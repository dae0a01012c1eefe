package openai_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/openai"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryRouteOfTheInvokerHasAHandler(t *testing.T) {
	url, _ := api(t, hello())
	for _, r := range contract.Routes {
		resp, body := do(t, r.Method, url+strings.ReplaceAll(r.Path, "{model}", "claude-sonnet"), "application/json", "{}")
		if r.Function == contract.FunctionInvoker {
			assert.NotEqual(t, 405, resp.StatusCode, "%s %s: %s", r.Method, r.Path, body)
			assert.NotContains(t, body, "unknown_url", "%s %s", r.Method, r.Path)
		} else {
			assert.Equal(t, 404, resp.StatusCode, "%s %s belongs to another function", r.Method, r.Path)
		}
	}
}

func TestModels(t *testing.T) {
	url, _ := api(t, hello())
	c := client(url)
	page, err := c.Models.List(t.Context())
	require.NoError(t, err)
	assert.JSONEq(t, `{"object":"list","data":[
		{"id":"claude-sonnet","object":"model","created":0,"owned_by":"crossregion"},
		{"id":"meta/llama","object":"model","created":0,"owned_by":"crossregion"},
		{"id":"nova-lite","object":"model","created":0,"owned_by":"crossregion"},
		{"id":"embed","object":"model","created":0,"owned_by":"crossregion"},
		{"id":"cohere","object":"model","created":0,"owned_by":"crossregion"}]}`, page.RawJSON())
	for _, name := range []string{"claude-sonnet", "meta/llama"} {
		m, err := c.Models.Get(t.Context(), name)
		require.NoError(t, err)
		assert.Equal(t, name, m.ID)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	url, _ := api(t, hello())
	tests := []struct {
		name, method, path string
		status             int
		body, allow        string
	}{
		{"another model", "GET", "/v1/models/gpt-9", 404,
			`{"error":{"message":"The model ` + "`gpt-9`" + ` does not exist or you do not have access to it.","type":"invalid_request_error","param":"model","code":"model_not_found"}}`, ""},
		{"another path", "GET", "/v1/images", 404,
			`{"error":{"message":"Unknown request URL. See the API reference for the URLs that exist.","type":"invalid_request_error","param":null,"code":"unknown_url"}}`, ""},
		{"another method", "DELETE", "/v1/models", 405,
			`{"error":{"message":"Not allowed on this URL; use GET.","type":"invalid_request_error","param":null,"code":"method_not_supported"}}`, "GET"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := do(t, tt.method, url+tt.path, "application/json", "")
			assert.Equal(t, tt.status, resp.StatusCode)
			assert.Equal(t, tt.body, body)
			assert.Equal(t, tt.allow, resp.Header.Get("Allow"))
			assert.Equal(t, "eu-west-1", resp.Header.Get(contract.HeaderRegion))
			assert.Equal(t, "req-1", resp.Header.Get(contract.HeaderRequestID))
		})
	}
}

func TestOneLineInTheLogSaysHowItWent(t *testing.T) {
	url, log := api(t, hello())
	post(t, url, `{"model":"claude-sonnet","messages":[{"role":"user","content":"hello"}]}`)
	line := log.line(t)
	delete(line, "time")
	delete(line, "_aws")
	assert.Equal(t, map[string]any{
		"level": "INFO", "msg": "request", "requestId": "req-1", "operation": "createChatCompletion", "model": "claude-sonnet",
		"status": 200.0, "error": "", "target": "eu-central-1", "ms": 0.0, "stack": "eu", "region": "eu-west-1",
		"Requests": 1.0, "Errors": 0.0, "Failovers": 1.0, "Throttles": 1.0, "ResidencyViolations": 0.0,
		"InputTokens": 12.0, "OutputTokens": 3.0,
		"attempts": []any{
			map[string]any{"region": "eu-west-1", "reason": "first", "outcome": "throttled", "ms": 30.0},
			map[string]any{"region": "eu-central-1", "reason": "failover", "outcome": "ok", "ms": 200.0},
		},
	}, line)
}

func TestTargetThatIsNotAsSetUpIsAWarning(t *testing.T) {
	for outcome, want := range map[converse.Class]string{
		converse.Denied: "WARN", converse.NotFound: "WARN", converse.Throttled: "INFO", converse.Timeout: "INFO",
	} {
		e := hello()
		e.report.Attempts[0].Outcome = string(outcome)
		url, log := api(t, e)
		resp, _ := post(t, url, `{"model":"claude-sonnet","messages":[{"role":"user","content":"hello"}]}`)
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Equal(t, want, log.line(t)["level"], outcome)
	}
}

func TestNothingPersonalIsLogged(t *testing.T) {
	broken := hello()
	broken.err = &converse.Error{Class: converse.Unavailable, Region: "eu-west-1", Message: "sesame", Err: errors.New("sesame")}
	for _, e := range []*engine{hello(), broken, none(converse.Invalid, "sesame"), {err: errors.New("sesame")}} {
		for _, body := range []string{
			`{"model":"claude-sonnet","stream":true,"user":"jane","metadata":{"who":"jane"},"messages":[{"role":"user","content":"sesame"}]}`,
			`{"model":"claude-sonnet","safety_identifier":"jane","messages":[{"role":"user","content":"sesame"}]}`,
			`{"model":"sesame","messages":[{"role":"user","content":"sesame"}]}`,
			`{"model":"claude-sonnet","sesame":"sesame","messages":[{"role":"sesame","content":"sesame"}]}`,
			`sesame`,
		} {
			url, log := api(t, e)
			post(t, url, body)
			do(t, http.MethodGet, url+"/v1/models/sesame", "text/plain", "")
			do(t, http.MethodGet, url+"/sesame?sesame=jane", "text/plain", "")
			assert.Equal(t, 3, strings.Count(log.String(), "\n"))
			for _, secret := range []string{"sesame", "jane", "Hel", "lo <", "acme", "key-1", "cr_key"} {
				assert.NotContains(t, log.String(), secret, "body %s", body)
			}
		}
	}
}

// hungUp is a client that takes some writes and then is gone.
type hungUp struct {
	*httptest.ResponseRecorder
	takes int
}

func (w *hungUp) Write(p []byte) (int, error) {
	if w.takes == 0 {
		return 0, errors.New("nobody there")
	}
	w.takes--
	return w.ResponseRecorder.Write(p)
}

func TestStreamEndsWhenNobodyReads(t *testing.T) {
	e, log := hello(), &logged{}
	h, err := openai.New(openai.Config{Stack: "eu", Region: "eu-west-1", Models: models, Engine: e, Store: newMemory(), Budget: &ledger{}, Log: slog.New(slog.NewJSONHandler(log, nil))})
	require.NoError(t, err)
	r := httptest.NewRequest("POST", "/v1/chat/completions",
		strings.NewReader(`{"model":"claude-sonnet","stream":true,"messages":[{"role":"user","content":"hello"}]}`))
	r.Header.Set("Content-Type", "application/json")
	w := &hungUp{httptest.NewRecorder(), 2}
	h.ServeHTTP(w, r)
	assert.Equal(t, 2, strings.Count(w.Body.String(), "data: "))
	assert.Equal(t, 1, e.closed)
	assert.Equal(t, "canceled", log.line(t)["error"])
}

func TestNewNamesEveryFault(t *testing.T) {
	_, err := openai.New(openai.Config{})
	for _, fault := range []string{"stack is missing", "region is missing", "models is empty", "engine is missing", "store is missing", "log is missing"} {
		assert.ErrorContains(t, err, fault)
	}
}
