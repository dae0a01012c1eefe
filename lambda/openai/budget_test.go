package openai_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/budget"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ledger is a budget that notes what it is asked.
type ledger struct {
	refuse error // of every reservation
	broken error // of every settlement

	mu       sync.Mutex
	tenants  []string
	reserved []int64
	used     []budget.Usage
	models   []string
}

func (l *ledger) Reserve(_ context.Context, _ contract.Budget, tenant string, tokens int64) (budget.Reservation, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tenants, l.reserved = append(l.tenants, tenant), append(l.reserved, tokens)
	return budget.Reservation{}, l.refuse
}

func (l *ledger) Settle(_ context.Context, _ budget.Reservation, used budget.Usage, model string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used, l.models = append(l.used, used), append(l.models, model)
	return l.broken
}

const (
	oneChat     = `{"model":"claude-sonnet","max_tokens":100,"messages":[{"role":"user","content":"hello"}]}`
	oneStream   = `{"model":"claude-sonnet","max_tokens":100,"stream":true,"messages":[{"role":"user","content":"hello"}]}`
	oneResponse = `{"model":"claude-sonnet","max_output_tokens":100,"input":"hello"}`
)

// TestEveryAnswerIsCounted once, with what it took, before the client is let go.
func TestEveryAnswerIsCounted(t *testing.T) {
	for path, body := range map[string]string{"/v1/chat/completions": oneChat, "/v1/responses": oneResponse} {
		for _, body := range []string{body, strings.Replace(body, "{", `{"stream":true,`, 1)} {
			l, e := &ledger{}, hello()
			e.end.Usage = converse.Usage{Input: 11, Output: 7, CacheRead: 3}
			url, _ := budgeted(t, e, l)
			resp, _ := do(t, http.MethodPost, url+path, "application/json", body)
			require.Equal(t, http.StatusOK, resp.StatusCode, body)
			assert.Equal(t, []string{"acme"}, l.tenants)
			assert.Equal(t, []int64{int64(len(body)/4) + 100}, l.reserved, body)
			assert.Equal(t, []budget.Usage{{Input: 11, Cached: 3, Output: 7}}, l.used)
			assert.Equal(t, []string{"claude-sonnet"}, l.models)
		}
	}
}

func TestAnAnswerThatNeverBeganIsGivenBack(t *testing.T) {
	l, e := &ledger{}, hello()
	e.err = errors.New("no region answers")
	url, _ := budgeted(t, e, l)
	resp, _ := post(t, url, oneChat)
	assert.Equal(t, http.StatusInternalServerError, resp.StatusCode)
	assert.Equal(t, []budget.Usage{{}}, l.used)
}

func TestOverBudgetIsATooManyRequests(t *testing.T) {
	for path, body := range map[string]string{"/v1/chat/completions": oneStream, "/v1/responses": oneResponse} {
		l, e := &ledger{refuse: &budget.ExceededError{Window: "minute", RetryAfter: 41500 * time.Millisecond}}, hello()
		url, _ := budgeted(t, e, l)
		resp, got := do(t, http.MethodPost, url+path, "application/json", body)
		assert.Equal(t, http.StatusTooManyRequests, resp.StatusCode)
		assert.Equal(t, "42", resp.Header.Get("Retry-After"))
		assert.Contains(t, got, `"code":"token_budget_exceeded"`)
		assert.Empty(t, e.targets, "no model is asked")
		assert.Empty(t, l.used)
	}
}

func TestWhatIsNotCountedIsLoggedAndServed(t *testing.T) {
	l := &ledger{broken: errors.New("the table is down")}
	url, log := budgeted(t, hello(), l)
	resp, _ := post(t, url, oneChat)
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, log.String(), "use not counted")
	assert.NotContains(t, log.String(), "acme")
}
