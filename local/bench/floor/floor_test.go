package floor_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/crossregion/crossregion/local/bench/floor"
	"github.com/crossregion/crossregion/local/bench/upstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newFloor(t *testing.T) *floor.Handler {
	t.Helper()
	h, err := upstream.New()
	require.NoError(t, err)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	env := map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": server.URL}
	return floor.New(func(name string) string { return env[name] })
}

func TestFloorAnswers(t *testing.T) {
	h := newFloor(t)
	const rest = `"messages":[{"role":"user","content":"hello"}]}`
	tests := []struct {
		name, body string
		status     int
		want       string
	}{
		{"whole", `{"model":"instant",` + rest, http.StatusOK, `"finish_reason":"stop"`},
		{"collected", `{"model":"instant","collect":true,` + rest, http.StatusOK, `"finish_reason":"stop"`},
		{"streamed", `{"model":"instant","stream":true,` + rest, http.StatusOK, "data: [DONE]\n\n"},
		{"no JSON", `{`, http.StatusBadRequest, ""},
		{"no such model", `{"model":"other",` + rest, http.StatusBadGateway, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(tt.body)))
			assert.Equal(t, tt.status, w.Code)
			assert.Contains(t, w.Body.String(), tt.want)
			if tt.status == http.StatusOK {
				assert.Equal(t, upstream.InstantWords, strings.Count(w.Body.String(), upstream.Word))
			}
		})
	}
}

func TestFloorIsAFunction(t *testing.T) {
	h := newFloor(t)
	answer, err := h.Invoke(t.Context(), events.APIGatewayProxyRequest{Body: `{"model":"instant","messages":[{"role":"user","content":"hello"}]}`})
	require.NoError(t, err)
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	assert.Equal(t, upstream.InstantWords, strings.Count(string(body), upstream.Word))
	_, err = h.Invoke(t.Context(), events.APIGatewayProxyRequest{Body: `{`})
	assert.Error(t, err)
}
