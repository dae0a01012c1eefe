package openai_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crossregion/crossregion/lambda/budget"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/crossregion/crossregion/lambda/openai"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ledger is a budget that notes what it is asked.
type ledger struct {
	refuse error // of every reservation
	broken error // of every settlement

	uncounted bool // is every reservation

	mu       sync.Mutex
	tenants  []string
	reserved []int64
	raised   []int64
	used     []budget.Usage
	models   []string
}

func (l *ledger) Reserve(_ context.Context, tenant string, tokens int64) (budget.Reservation, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tenants, l.reserved = append(l.tenants, tenant), append(l.reserved, tokens)
	return budget.Reservation{Uncounted: l.uncounted}, l.refuse
}

func (l *ledger) Raise(_ context.Context, r budget.Reservation, tokens int64) (budget.Reservation, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.raised = append(l.raised, tokens)
	return r, nil
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
			require.Len(t, l.reserved, 1)
			assert.InDelta(t, 102, l.reserved[0], 30, "a few words and the longest answer")
			assert.Equal(t, []budget.Usage{{Input: 11, Cached: 3, Output: 7}}, l.used)
			assert.Equal(t, []string{"claude-sonnet"}, l.models)
		}
	}
}

func TestAnAnswerThatNeverBeganIsGivenBack(t *testing.T) {
	l := &ledger{}
	url, _ := budgeted(t, none(converse.Throttled, "too many tokens"), l)
	resp, _ := post(t, url, oneChat)
	assert.Equal(t, http.StatusTooManyRequests, resp.StatusCode)
	assert.Equal(t, []budget.Usage{{}}, l.used)
}

// attempts is a report of calls with the given outcomes.
func attempts(outcomes ...string) failover.Report {
	r := failover.Report{Target: "eu-central-1"}
	for _, o := range outcomes {
		r.Attempts = append(r.Attempts, failover.Attempt{Region: "eu-west-1", Reason: failover.ReasonFirst, Outcome: o})
	}
	return r
}

// TestEveryCallThatReadTheQuestionIsCounted, as far as is known, since Bedrock
// bills it.
func TestEveryCallThatReadTheQuestionIsCounted(t *testing.T) {
	continued := attempts("incomplete", "ok")
	continued.Attempts[1].Reason = failover.ReasonContinued
	tests := []struct {
		name   string
		report failover.Report
		want   budget.Usage
	}{
		{"one call", attempts("ok"), budget.Usage{Input: 12, Cached: 8, Output: 3}},
		{"calls that failed are not billed", attempts("throttled", "unavailable", "denied", "ok"), budget.Usage{Input: 12, Cached: 8, Output: 3}},
		{"a hedge that came second", attempts("ok", "late"), budget.Usage{Input: 24, Cached: 8, Output: 3}},
		{"a target that kept silent for too long", attempts("timeout", "timeout", "ok"), budget.Usage{Input: 36, Cached: 8, Output: 3}},
		{"a continued answer tells its use as a whole", continued, budget.Usage{Input: 12, Cached: 8, Output: 3}},
	}
	for _, tt := range tests {
		for _, body := range []string{oneChat, oneStream} {
			t.Run(tt.name, func(t *testing.T) {
				l, e := &ledger{}, hello()
				e.report = tt.report
				url, _ := budgeted(t, e, l)
				post(t, url, body)
				assert.Equal(t, []budget.Usage{tt.want}, l.used)
			})
		}
	}
}

// TestAnAnswerThatBrokeOff counts as the longest that it might have been, and
// its question as one.
func TestAnAnswerThatBrokeOff(t *testing.T) {
	for _, outcome := range []string{"incomplete", "unavailable"} {
		l, e := &ledger{}, hello()
		e.err, e.report = errors.New("it broke off"), attempts(outcome)
		url, _ := served(t, openai.Config{Engine: e, Store: newMemory(), Budget: l, Now: time.Now})
		post(t, url, oneStream)
		assert.Equal(t, []budget.Usage{{Input: 2, Output: 100}}, l.used)
	}
}

// TestHistoryIsReserved as soon as it is known, and not for a question without.
func TestHistoryIsReserved(t *testing.T) {
	l := &ledger{}
	url, _ := budgeted(t, hello(), l)
	_, first := do(t, http.MethodPost, url+"/v1/responses", "application/json",
		strings.Replace(oneResponse, "hello", strings.Repeat("many words ", 400), 1))
	assert.Empty(t, l.raised)
	var created struct {
		ID string `json:"id"`
	}
	require.NoError(t, json.Unmarshal([]byte(first), &created))
	resp, got := do(t, http.MethodPost, url+"/v1/responses", "application/json",
		strings.Replace(oneResponse, "{", `{"previous_response_id":"`+created.ID+`",`, 1))
	require.Equal(t, http.StatusOK, resp.StatusCode, got)
	require.Len(t, l.raised, 1)
	assert.InDelta(t, 100+400*len("many words ")/4, l.raised[0], 20)
	assert.Less(t, l.reserved[1], int64(200))
}

func TestEstimatesKnowWhatIsRead(t *testing.T) {
	text := strings.Repeat("four", 50_000)
	data := base64.StdEncoding.EncodeToString([]byte(text))
	pages := base64.StdEncoding.EncodeToString([]byte("%PDF-1.7\n" + text))
	message := func(part string) string {
		return `{"model":"claude-sonnet","max_tokens":100,"messages":[{"role":"user","content":[{"type":"text","text":"x"},` + part + `]}]}`
	}
	pixel := "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
	tests := []struct {
		name, body string
		want       int64
	}{
		{"all of a long text", strings.Replace(oneChat, "hello", text, 1), 100 + 50_000},
		{"an image by its size on the retina", message(`{"type":"image_url","image_url":{"url":"data:image/png;base64,` + pixel + `"}}`), 100 + 1 + 1_600},
		{"all of a file of text", message(`{"type":"file","file":{"filename":"a.txt","file_data":"data:text/plain;base64,` + data + `"}}`), 100 + 1 + 50_000},
		{"a file with pages up to a bound", message(`{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,` + pages + `"}}`), 100 + 1 + 20_000},
		{"tools", strings.Replace(oneChat, "{", `{"tools":[{"type":"function","function":{"name":"abcd","description":"`+text+`","parameters":{"type":"object"}}}],`, 1), 100 + 50_007},
		{"the default of the longest answer", strings.Replace(oneChat, `"max_tokens":100,`, "", 1), 4_096 + 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := &ledger{}
			url, _ := budgeted(t, hello(), l)
			resp, got := post(t, url, tt.body)
			require.Equal(t, http.StatusOK, resp.StatusCode, got)
			assert.Equal(t, []int64{tt.want}, l.reserved)
		})
	}
}

func TestWhatIsUncountedIsAMetric(t *testing.T) {
	for name, tt := range map[string]struct {
		ledger *ledger
		want   bool
	}{
		"counted": {&ledger{}, false}, "uncounted": {&ledger{uncounted: true}, true}, "not settled": {&ledger{broken: errors.New("down")}, true},
	} {
		t.Run(name, func(t *testing.T) {
			url, log := budgeted(t, hello(), tt.ledger)
			post(t, url, oneChat)
			assert.Equal(t, tt.want, strings.Contains(log.String(), `"Uncounted":1`))
		})
	}
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
