package openai_test

import (
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/openai"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMetricsSayHowItWent(t *testing.T) {
	broken := hello()
	broken.err = &converse.Error{Class: converse.Incomplete, Region: "eu-west-1", Err: errors.New("cut")}
	const whole, streamed = `{"model":"claude-sonnet","messages":[{"role":"user","content":"hello"}]}`,
		`{"model":"claude-sonnet","stream":true,"messages":[{"role":"user","content":"hello"}]}`
	tests := []struct {
		name   string
		engine *engine
		body   string
		want   map[string]any
	}{
		{"an answer from the second target", hello(), whole,
			map[string]any{"Errors": 0.0, "Failovers": 1.0, "Throttles": 1.0, "InputTokens": 12.0, "model": "claude-sonnet"}},
		{"a streamed answer has a first token", hello(), streamed, map[string]any{"Errors": 0.0, "TimeToFirstToken": 1000.0}},
		{"no region answers", none(converse.Unavailable, ""), whole, map[string]any{"Errors": 1.0, "Failovers": 0.0}},
		{"a stream that breaks after status 200 is an error", broken, streamed, map[string]any{"Errors": 1.0, "status": 200.0}},
		{"the caller's own fault is none", hello(), `{`, map[string]any{"Errors": 0.0, "Failovers": 0.0, "model": nil}},
		{"a target outside the jurisdiction", none(converse.Outside, ""), whole,
			map[string]any{"Errors": 1.0, "ResidencyViolations": 1.0, "status": 500.0}},
		{"every region throttles", none(converse.Throttled, ""), whole, map[string]any{"Errors": 0.0, "Throttles": 1.0, "status": 429.0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			line := request(t, tt.engine, tt.body)
			assert.Equal(t, 1.0, line["Requests"])
			for member, want := range tt.want {
				assert.Equal(t, want, line[member], member)
			}
		})
	}
}

// request asks once, with a clock that a second passes on at each reading, and
// returns the line in the log.
func request(t *testing.T, e *engine, body string) map[string]any {
	t.Helper()
	log, now := &logged{}, time.Unix(1_700_000_000, 0)
	h, err := openai.New(openai.Config{
		Stack: "eu", Region: "eu-west-1", Models: models, Engine: e, Store: newMemory(), Budget: &ledger{}, Log: slog.New(slog.NewJSONHandler(log, nil)),
		Now: func() time.Time { now = now.Add(time.Second); return now },
	})
	require.NoError(t, err)
	r := httptest.NewRequest("POST", "/v1/chat/completions", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(httptest.NewRecorder(), r)
	return log.line(t)
}
