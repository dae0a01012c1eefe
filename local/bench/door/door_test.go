package door_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/lambda/apigw"
	"github.com/crossregion/crossregion/local/bench/door"
	"github.com/stretchr/testify/assert"
)

func TestRequestsBelongToTheTenant(t *testing.T) {
	var got []string
	h := door.New(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		got = append(got, apigw.Identity(r.Context()).Tenant, r.URL.String(), string(body), apigw.RequestID(r.Context()))
		w.Header().Set("X-Answer", "yes")
		w.WriteHeader(http.StatusTeapot)
		_, err = w.Write([]byte("short and stout"))
		assert.NoError(t, err)
	}), "acme", slog.New(slog.DiscardHandler))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/things?q=1", strings.NewReader("in")))
	assert.Equal(t, []string{"acme", "/v1/things?q=1", "in", "bench-1"}, got)
	assert.Equal(t, http.StatusTeapot, w.Code)
	assert.Equal(t, "yes", w.Header().Get("X-Answer"))
	assert.Equal(t, "short and stout", w.Body.String())
	assert.True(t, w.Flushed, "what is written is sent at once")
}
