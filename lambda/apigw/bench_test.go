package apigw_test

import (
	"io"
	"log/slog"
	"net/http"
	"testing"

	"github.com/crossregion/crossregion/lambda/apigw"
)

// BenchmarkEvent is what an event takes on its way to a handler, and a whole
// answer on its way back.
func BenchmarkEvent(b *testing.B) {
	answer := []byte(`{"ok":true}`)
	f := apigw.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(answer)
	}), slog.New(slog.DiscardHandler))
	ev := event()
	ev.Body = `{"model":"m","messages":[{"role":"user","content":"hello"}]}`
	ev.MultiValueHeaders = map[string][]string{"Content-Type": {"application/json"}, "Host": {"api.example.com"}, "Accept": {"*/*"}}
	b.ReportAllocs()
	for b.Loop() {
		resp, err := f(b.Context(), ev)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			b.Fatal(err)
		}
		if err := resp.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
