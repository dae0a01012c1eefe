package openai_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/apigw"
	state "github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/openai"
	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// appends are the outcomes of storing a turn.
var appends = []struct {
	name string
	does func(store func()) error
}{
	{"it was stored", nil},
	{"it was not stored", func(func()) error { return errStore }},
	{"it was stored, but reported as failed", func(store func()) error { store(); return errStore }},
}

func TestNobodyIsToldOfATurnThatMayNotBeStored(t *testing.T) {
	for _, tt := range appends {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, stream %t", tt.name, stream), func(t *testing.T) {
				m := newMemory()
				m.appendDoes = tt.does
				url, log := stateful(t, hello(), m)
				key := option.WithHeader("Idempotency-Key", "k")
				if stream {
					events, err := collect(t, url, request1("hello"), key)
					last := events[len(events)-1]
					if tt.does == nil {
						require.NoError(t, err)
						assert.Equal(t, "response.completed", last.Type)
						return
					}
					assert.ErrorContains(t, err, "state_unavailable")
					assert.Equal(t, "response.output_item.done", last.Type, "what came before the error")
				} else {
					_, err := newSDK(url).Responses.New(t.Context(), request1("hello"), key)
					if tt.does == nil {
						require.NoError(t, err)
						return
					}
					assertError(t, err, http.StatusServiceUnavailable, "state_unavailable", "Please retry")
					var failure *sdk.Error
					require.ErrorAs(t, err, &failure)
					assert.Equal(t, "1", failure.Response.Header.Get("Retry-After"))
					assert.NotContains(t, failure.RawJSON(), "resp_")
				}
				assert.Equal(t, "state_unavailable", log.line(t)["error"])
				assert.Equal(t, 1.0, log.line(t)["Errors"])
				assert.Equal(t, "release", m.calls[len(m.calls)-1], "the request may be repeated")
				_, err := newSDK(url).Responses.New(t.Context(), request1("hello"), key)
				require.NoError(t, err)
			})
		}
	}
}

func TestStreamThatBreaksOffIsNoResponse(t *testing.T) {
	e, m := hello(), newMemory()
	e.err = &converse.Error{Class: converse.Incomplete, Region: "eu-central-1", Message: "secret cause"}
	url, log := stateful(t, e, m)
	_, body := do(t, http.MethodPost, url+"/v1/responses", "application/json", `{"model":"claude-sonnet","stream":true,"input":"hello"}`)
	events := strings.Split(strings.TrimSuffix(body, "\n\n"), "\n\n")
	assert.Equal(t, "event: error\n"+`data: {"code":"incomplete_answer","error":{"code":"incomplete_answer","message":"The model's answer broke off. Please retry.","param":null,"type":"server_error"},`+
		`"message":"The model's answer broke off. Please retry.","param":null,"sequence_number":6,"type":"error"}`, events[len(events)-1])
	for _, never := range []string{"response.completed", "output_item.done", "secret cause"} {
		assert.NotContains(t, body, never)
	}
	assert.Empty(t, m.turns)
	assert.Equal(t, "incomplete_answer", log.line(t)["error"])
	assert.Equal(t, 1, e.closed)
}

func TestStreamThatFindsTheInputTooLong(t *testing.T) {
	e := hello()
	e.events, e.err = []converse.Event{{Wait: true}}, none(converse.TooLong, "too long").err
	url, _ := api(t, e)
	_, body := do(t, http.MethodPost, url+"/v1/responses", "application/json", `{"model":"claude-sonnet","stream":true,"input":"hello"}`)
	assert.Contains(t, body, `"error":{"code":"context_length_exceeded","message":"too long","param":"input",`)
}

func TestFailedInferenceOfAResponse(t *testing.T) {
	for _, body := range []string{`{"model":"claude-sonnet","input":"hello"}`, `{"model":"claude-sonnet","stream":true,"input":"hello"}`} {
		url, _ := api(t, none(converse.Throttled, "x"))
		resp, got := do(t, http.MethodPost, url+"/v1/responses", "application/json", body)
		assert.Equal(t, http.StatusTooManyRequests, resp.StatusCode)
		assert.Equal(t, "2", resp.Header.Get("Retry-After"))
		assert.Equal(t, "1", resp.Header.Get(contract.HeaderAttempts))
		assert.Contains(t, got, `"code":"rate_limit_exceeded"`)
	}
}

// TestClientThatHangsUpGetsNothingStored, and may repeat its request.
func TestClientThatHangsUpGetsNothingStored(t *testing.T) {
	for takes := range 8 {
		e, m, log := hello(), newMemory(), &logged{}
		h, err := openai.New(openai.Config{Stack: "eu", Region: "eu-west-1", Models: models, Engine: e, Store: m, Budget: &ledger{}, Log: slog.New(slog.NewJSONHandler(log, nil))})
		require.NoError(t, err)
		serve := apigw.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			h.ServeHTTP(&leaving{hungUp{httptest.NewRecorder(), takes}, t, cancel, false}, r.WithContext(ctx))
		}), slog.New(slog.DiscardHandler))
		server := httptest.NewServer(gateway(t, serve))
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/responses", strings.NewReader(`{"model":"claude-sonnet","stream":true,"input":"hello"}`))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "k")
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		server.Close()
		assert.Empty(t, m.turns, "after %d writes", takes)
		assert.Empty(t, m.claims)
		assert.Equal(t, "canceled", log.line(t)["error"])
		assert.Equal(t, 1, e.closed)
	}
}

// leaving is a client whose hanging up is noticed: nothing is written after it.
type leaving struct {
	hungUp
	t      *testing.T
	cancel context.CancelFunc
	left   bool
}

func (w *leaving) Write(p []byte) (int, error) {
	assert.False(w.t, w.left)
	n, err := w.hungUp.Write(p)
	if err != nil {
		w.left = true
		w.cancel()
	}
	return n, err
}

func TestStateThatCannotBeReadIsNotGuessed(t *testing.T) {
	const conversation = "conv_" + threadOne + "eu-west-1"
	tests := []struct {
		name   string
		fails  error
		status int
		code   string
		retry  string
	}{
		{"it has not arrived", fmt.Errorf("read: %w", state.ErrNotArrived), 409, "conversation_not_arrived", "1"},
		{"no replica answers", errStore, 503, "state_unavailable", "1"},
		{"it does not exist", state.ErrNotFound, 404, "", ""},
	}
	requests := []struct{ method, path, body, missing string }{
		{"POST", "/v1/responses", `{"model":"claude-sonnet","input":"a","previous_response_id":"resp_` + firstID + `"}`, "previous_response_not_found"},
		{"POST", "/v1/responses", `{"model":"claude-sonnet","input":"a","conversation":"` + conversation + `"}`, "not_found"},
		{"POST", "/v1/responses", `{"model":"claude-sonnet","stream":true,"input":"a","conversation":{"id":"` + conversation + `"}}`, "not_found"},
		{"POST", "/v1/responses", `{"model":"claude-sonnet","input":[{"role":"user","content":"a"},{"type":"item_reference","id":"msg_` + threadOne + turnTwo + `001eu-west-1"}]}`, "not_found"},
		{"GET", "/v1/responses/resp_" + firstID, "", "not_found"},
		{"DELETE", "/v1/responses/resp_" + firstID, "", "not_found"},
		{"GET", "/v1/responses/resp_" + firstID + "/input_items", "", "not_found"},
		{"GET", "/v1/conversations/" + conversation, "", "not_found"},
		{"POST", "/v1/conversations/" + conversation, `{"metadata":{}}`, "not_found"},
		{"DELETE", "/v1/conversations/" + conversation, "", "not_found"},
		{"POST", "/v1/conversations/" + conversation + "/items", `{"items":[{"role":"user","content":"a"}]}`, "not_found"},
		{"GET", "/v1/conversations/" + conversation + "/items", "", "not_found"},
		{"GET", "/v1/conversations/" + conversation + "/items/msg_" + threadOne + turnTwo + "000eu-west-1", "", "not_found"},
		{"DELETE", "/v1/conversations/" + conversation + "/items/msg_" + threadOne + turnTwo + "000eu-west-1", "", "not_found"},
	}
	for _, tt := range tests {
		for _, r := range requests {
			t.Run(tt.name+", "+r.method+" "+r.path, func(t *testing.T) {
				e, m := hello(), newMemory()
				m.fails = tt.fails
				url, _ := stateful(t, e, m)
				resp, body := do(t, r.method, url+r.path, "application/json", r.body)
				assert.Equal(t, tt.status, resp.StatusCode, body)
				want := tt.code
				if want == "" {
					want = r.missing
				}
				assert.Contains(t, body, `"code":"`+want+`"`)
				assert.Equal(t, tt.retry, resp.Header.Get("Retry-After"))
				assert.Empty(t, e.question.Messages, "nothing was generated")
				assert.Empty(t, m.turns)
			})
		}
	}
}

func TestAnotherTenantFindsNothing(t *testing.T) {
	url, _ := api(t, hello())
	first, err := newSDK(url).Responses.New(t.Context(), request1("hello"))
	require.NoError(t, err)
	other := option.WithHeader("Test-Tenant", "evil")
	p := request1("tell me")
	p.PreviousResponseID = sdk.String(first.ID)
	_, err = newSDK(url).Responses.New(t.Context(), p, other)
	assertError(t, err, http.StatusNotFound, "previous_response_not_found", "No response has this id")
	_, err = newSDK(url).Responses.New(t.Context(), p)
	require.NoError(t, err)
}

func TestWithoutATenantNothingIsReadOrStored(t *testing.T) {
	m := newMemory()
	h, err := openai.New(openai.Config{Stack: "eu", Region: "eu-west-1", Models: models, Engine: hello(), Store: m, Budget: &ledger{}, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	for _, route := range contract.Routes {
		if !strings.HasPrefix(route.Path, "/v1/responses") && !strings.HasPrefix(route.Path, "/v1/conversations") {
			continue
		}
		r := httptest.NewRequest(route.Method, strings.NewReplacer("{", "", "}", "").Replace(route.Path), strings.NewReader(`{"model":"claude-sonnet","input":"a"}`))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		assert.Equal(t, http.StatusForbidden, w.Code, route.Path)
		assert.Contains(t, w.Body.String(), `"code":"no_tenant"`)
	}
	assert.Empty(t, m.calls)
}

func TestStoreThatCannotNameATurnIsUnavailable(t *testing.T) {
	url, _ := stateful(t, hello(), nameless{newMemory()})
	_, err := newSDK(url).Responses.New(t.Context(), request1("hello"))
	assertError(t, err, http.StatusServiceUnavailable, "state_unavailable", "Please retry")
}

type nameless struct{ *memory }

func (nameless) NewTurn(state.TurnID) (state.TurnID, error) {
	return state.TurnID{}, errors.New("no random bytes")
}
