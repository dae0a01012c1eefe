package health_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/health"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryRouteOfTheHealthFunctionAnswers(t *testing.T) {
	h, err := health.New("eu-west-1")
	require.NoError(t, err)
	served := 0
	for _, r := range contract.Routes {
		if r.Function != contract.FunctionHealth {
			continue
		}
		served++
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(r.Method, r.Path, nil))
		assert.Equal(t, http.StatusOK, w.Code)
		assert.JSONEq(t, `{"status":"ok","region":"eu-west-1"}`, w.Body.String())
		assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
		assert.Equal(t, "no-store", w.Header().Get("Cache-Control"), "a cached answer would hide a fault")
		assert.Equal(t, "eu-west-1", w.Header().Get(contract.HeaderRegion))
	}
	assert.NotZero(t, served)
}

func TestAnotherPathIsNotFound(t *testing.T) {
	h, err := health.New("eu-west-1")
	require.NoError(t, err)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/models", nil))
	assert.Equal(t, http.StatusNotFound, w.Code)
}
