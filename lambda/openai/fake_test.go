package openai_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/apigw"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/crossregion/crossregion/lambda/openai"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// engine answers with events and end, or fails with err after the events;
// without events it fails at once.
type engine struct {
	events []converse.Event
	end    converse.End
	err    error
	report failover.Report

	mu       sync.Mutex
	question converse.Request
	targets  []contract.Target
	closed   int
}

func (e *engine) ask(targets []contract.Target, r converse.Request) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.targets, e.question = targets, r
	if len(e.events) == 0 {
		return e.err
	}
	return nil
}

func (e *engine) Open(_ context.Context, targets []contract.Target, r converse.Request) (converse.Stream, failover.Report, error) {
	if err := e.ask(targets, r); err != nil {
		return nil, e.report, err
	}
	return &stream{engine: e, events: e.events}, e.report, nil
}

func (e *engine) Answer(_ context.Context, targets []contract.Target, r converse.Request) (converse.Answer, failover.Report, error) {
	if err := e.ask(targets, r); err != nil {
		return converse.Answer{}, e.report, err
	}
	var whole converse.Collector
	for _, ev := range e.events {
		whole.Add(ev)
	}
	return whole.Answer(e.end), e.report, e.err
}

type stream struct {
	engine *engine
	events []converse.Event
}

func (s *stream) Next() (converse.Event, error) {
	if len(s.events) == 0 {
		if s.engine.err != nil {
			return converse.Event{}, s.engine.err
		}
		return converse.Event{End: &s.engine.end}, nil
	}
	ev := s.events[0]
	s.events = s.events[1:]
	return ev, nil
}

func (s *stream) Close() error {
	s.engine.mu.Lock()
	defer s.engine.mu.Unlock()
	s.engine.closed++
	return nil
}

// hello is an engine that says hello from the second region.
func hello() *engine {
	return &engine{
		events: []converse.Event{{Text: "Hel"}, {Text: "lo <&>"}},
		end:    converse.End{Reason: converse.StopEnd, Usage: converse.Usage{Input: 12, Output: 3, CacheRead: 8}},
		report: failover.Report{Target: "eu-central-1", Attempts: []failover.Attempt{
			{Region: "eu-west-1", Reason: failover.ReasonFirst, Outcome: "throttled", Duration: 30 * time.Millisecond},
			{Region: "eu-central-1", Reason: failover.ReasonFailover, Outcome: "ok", Duration: 200 * time.Millisecond},
		}},
	}
}

// none is an engine whose targets all failed with class.
func none(class converse.Class, message string) *engine {
	return &engine{
		report: failover.Report{Attempts: []failover.Attempt{{Region: "eu-west-1", Outcome: string(class)}}},
		err:    &failover.Error{Class: class, Failures: []*converse.Error{{Class: class, Region: "eu-west-1", Message: message}}},
	}
}

var models = []contract.Model{
	{Name: "claude-sonnet", Base: "anthropic.claude-sonnet-4-5-20250929-v1:0", Targets: []contract.Target{{Region: "eu-west-1", ID: "a"}, {Region: "eu-central-1", ID: "b"}}},
	{Name: "meta/llama", Base: "meta.llama3-3-70b-instruct-v1:0", Targets: []contract.Target{{Region: "eu-west-1", ID: "c"}}},
	{Name: "nova-lite", Base: "amazon.nova-2-lite-v1:0", Targets: []contract.Target{{Region: "eu-west-1", ID: "d"}}},
	{Name: "embed", Base: "amazon.titan-embed-text-v2:0", Targets: []contract.Target{{Region: "eu-west-1", ID: "e"}}},
	{Name: "cohere", Base: "cohere.embed-english-v3", Targets: []contract.Target{{Region: "eu-west-1", ID: "f"}}},
}

// api serves e behind the adapter that the deployed function uses, as request
// "req-1" of tenant "acme", and returns its URL and its log.
func api(t *testing.T, e openai.Engine) (string, *logged) {
	t.Helper()
	return stateful(t, e, newMemory())
}

// stateful is api over a store.
func stateful(t *testing.T, e openai.Engine, s openai.Store) (string, *logged) {
	t.Helper()
	return served(t, openai.Config{Engine: e, Store: s, Budget: &ledger{}})
}

// budgeted is api with a budget.
func budgeted(t *testing.T, e openai.Engine, l *ledger) (string, *logged) {
	t.Helper()
	return served(t, openai.Config{Engine: e, Store: newMemory(), Budget: l})
}

func served(t *testing.T, cfg openai.Config) (string, *logged) {
	t.Helper()
	h, log := gatewayTo(t, cfg)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL, log
}

// gatewayTo is the API without a server.
func gatewayTo(t *testing.T, cfg openai.Config) (http.Handler, *logged) {
	t.Helper()
	log := &logged{}
	logger := slog.New(slog.NewJSONHandler(log, nil))
	cfg.Stack, cfg.Region, cfg.Models, cfg.Log = "eu", "eu-west-1", models, logger
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return time.Unix(1_700_000_000, 0) }
	}
	h, err := openai.New(cfg)
	require.NoError(t, err)
	return gateway(t, apigw.Handler(h, logger)), log
}

// gateway does what API Gateway does with a function.
func gateway(t *testing.T, f apigw.Function) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		ev := events.APIGatewayProxyRequest{
			HTTPMethod: r.Method, Path: r.URL.EscapedPath(), MultiValueHeaders: r.Header, Body: string(body),
			MultiValueQueryStringParameters: r.URL.Query(),
		}
		ev.RequestContext.RequestID = "req-1"
		ev.RequestContext.Authorizer = map[string]any{contract.ContextTenant: cmp.Or(r.Header.Get("Test-Tenant"), "acme"), contract.ContextKeyID: "key-1"}
		resp, err := f(r.Context(), ev)
		if !assert.NoError(t, err) {
			return
		}
		for k, v := range resp.MultiValueHeaders {
			w.Header()[k] = v
		}
		w.WriteHeader(resp.StatusCode)
		_, err = io.Copy(w, resp.Body)
		assert.NoError(t, err)
		assert.NoError(t, resp.Close())
	})
}

type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// line returns the log's only line.
func (l *logged) line(t *testing.T) map[string]any {
	t.Helper()
	var line map[string]any
	require.NoError(t, json.Unmarshal([]byte(l.String()), &line), "one line per request, got %q", l.String())
	return line
}

// post sends body as a client without an SDK would.
func post(t *testing.T, url, body string) (*http.Response, string) {
	t.Helper()
	return do(t, http.MethodPost, url+"/v1/chat/completions", "application/json", body)
}

func do(t *testing.T, method, url, contentType, body string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	b, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp, string(b)
}
