package openai_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/lambda/openai"
	"github.com/stretchr/testify/require"
)

// BenchmarkWholeChat is all that a whole answer takes but the model: the request,
// the answer and the line in the log.
func BenchmarkWholeChat(b *testing.B) {
	h, err := openai.New(openai.Config{
		Stack: "eu", Region: "eu-west-1", Models: models, Engine: hello(), Store: newMemory(), Budget: &ledger{},
		Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
	})
	require.NoError(b, err)
	const body = `{"model":"claude-sonnet","stream":false,"messages":[{"role":"user","content":"Where is my order, and what can we do if it is lost?"}]}`
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body.String())
		}
	}
}
