package openai_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/budget"
	state "github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/crossregion/crossregion/lambda/openai"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// panicking is an engine that panics, at once or after its events.
type panicking struct{ *engine }

func (p panicking) Answer(context.Context, []contract.Target, converse.Request) (converse.Answer, failover.Report, error) {
	panic("sesame")
}

func (p panicking) Open(ctx context.Context, targets []contract.Target, r converse.Request) (converse.Stream, failover.Report, error) {
	if len(p.events) == 0 {
		panic("sesame")
	}
	s, report, err := p.engine.Open(ctx, targets, r)
	return panickingStream{s, p.engine}, report, err
}

type panickingStream struct {
	converse.Stream
	*engine
}

func (s panickingStream) Next() (converse.Event, error) {
	ev, err := s.Stream.Next()
	if ev.End != nil {
		panic("sesame")
	}
	return ev, err
}

func (s panickingStream) Close() error { return s.Stream.Close() }

// panickingStore panics in a goroutine that reads a history.
type panickingStore struct{ *memory }

func (panickingStore) Chain(context.Context, string, state.TurnID) ([]state.Turn, error) {
	panic("sesame")
}

// panickingTurns panics in a goroutine that reads what is referred to.
type panickingTurns struct{ *memory }

func (panickingTurns) Turn(context.Context, string, state.TurnID) (state.Turn, error) {
	panic("sesame")
}

func TestAPanicIsAnErrorOfItsRequest(t *testing.T) {
	const (
		chat      = `{"model":"claude-sonnet","messages":[{"role":"user","content":"a"}]`
		response  = `{"model":"claude-sonnet","input":"a"`
		reference = `{"model":"claude-sonnet","input":[{"type":"item_reference","id":"msg_` + threadOne + turnTwo + `001eu-west-1"}]`
	)
	silent := &engine{}
	tests := []struct {
		name, path, body string
		engine           *engine
		store            openai.Store
		begun            bool // a part of the answer has been sent
	}{
		{"before a chat", "/v1/chat/completions", chat + `}`, silent, newMemory(), false},
		{"before a streamed chat", "/v1/chat/completions", chat + `,"stream":true}`, silent, newMemory(), false},
		{"in a streamed chat", "/v1/chat/completions", chat + `,"stream":true}`, hello(), newMemory(), true},
		{"before a response", "/v1/responses", response + `}`, silent, newMemory(), false},
		{"in a streamed response", "/v1/responses", response + `,"stream":true}`, hello(), newMemory(), true},
		{"beside a response", "/v1/responses", response + `,"previous_response_id":"resp_` + firstID + `"}`, hello(), panickingStore{newMemory()}, false},
		{"behind a reference", "/v1/responses", reference + `}`, hello(), panickingTurns{newMemory()}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url, log := stateful(t, panicking{tt.engine}, tt.store)
			resp, body := do(t, http.MethodPost, url+tt.path, "application/json", tt.body)
			if tt.begun {
				assert.Equal(t, http.StatusOK, resp.StatusCode)
				events := strings.Split(strings.TrimSpace(body), "\n\n")
				assert.Contains(t, events[len(events)-1], `"internal_error"`, "the last event is an error")
				assert.Equal(t, 1, tt.engine.closed)
			} else {
				assert.Equal(t, http.StatusInternalServerError, resp.StatusCode)
				assert.JSONEq(t, `{"error":{"message":"The server had an error while processing your request.","type":"server_error","param":null,"code":"internal_error"}}`, body)
			}
			assertPanicIsLogged(t, log)
		})
	}
}

func assertPanicIsLogged(t *testing.T, log *logged) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, lines, 2, "the panic, then the request")
	var panicked, request map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &panicked))
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &request))
	assert.Equal(t, "panic", panicked["msg"])
	assert.Equal(t, "req-1", panicked["requestId"])
	assert.Contains(t, panicked["stack"], "panic_test.go", "where it happened")
	assert.Equal(t, 1.0, request["Errors"])
	assert.Equal(t, "internal_error", request["error"])
	assert.NotContains(t, log.String(), "sesame")
}

// panickingLedger panics in the goroutines that count.
type panickingLedger struct{ *ledger }

func (panickingLedger) Raise(context.Context, budget.Reservation, int64) (budget.Reservation, error) {
	panic("sesame")
}

func (panickingLedger) Settle(context.Context, budget.Reservation, budget.Usage, string) error {
	panic("sesame")
}

// TestAPanicWhileUseIsCountedCostsNoAnswer: the model has been paid for.
func TestAPanicWhileUseIsCountedCostsNoAnswer(t *testing.T) {
	url, log := served(t, openai.Config{Engine: hello(), Store: newMemory(), Budget: panickingLedger{&ledger{}}})
	_, first := do(t, http.MethodPost, url+"/v1/responses", "application/json",
		strings.Replace(oneResponse, "hello", strings.Repeat("many words ", 400), 1))
	var created struct {
		ID string `json:"id"`
	}
	require.NoError(t, json.Unmarshal([]byte(first), &created))
	resp, body := do(t, http.MethodPost, url+"/v1/responses", "application/json",
		strings.Replace(oneResponse, "{", `{"previous_response_id":"`+created.ID+`",`, 1))
	assert.Equal(t, http.StatusOK, resp.StatusCode, body)
	assert.Equal(t, 3, strings.Count(log.String(), `"msg":"panic"`), "to settle, to raise, and to settle")
	assert.Equal(t, 2, strings.Count(log.String(), "use not counted"))
	assert.Contains(t, log.String(), "history not counted yet")
	assert.NotContains(t, log.String(), "sesame")
}

// panickingHold panics in the goroutine that keeps a key.
type panickingHold struct{ *memory }

func (panickingHold) Hold(context.Context, string, string, state.Claim) error { panic("sesame") }

func TestAPanicBesideAStreamEndsIt(t *testing.T) {
	m := newMemory()
	url, log := stateful(t, endless{hello()}, panickingHold{m})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/responses", strings.NewReader(`{"model":"claude-sonnet","input":"x","stream":true}`))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "k")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Contains(t, string(body), "internal_error")
	assertPanicIsLogged(t, log)
	assert.Empty(t, m.turns)
}
