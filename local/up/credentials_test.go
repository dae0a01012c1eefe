package up_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/crossregion/crossregion/local/up"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOtherCredentials deploys a stack for each other mode of auth. Who brings an
// API key there, or nothing, is refused; health is open to all.
func TestOtherCredentials(t *testing.T) {
	for name, tt := range map[string]struct {
		auth   map[string]any
		status []int // without a credential, and with a key
	}{
		"signatures": {map[string]any{"mode": "iam"}, []int{http.StatusForbidden, http.StatusUnauthorized}},
		"tokens": {map[string]any{"mode": "oidc", "issuer": "http://127.0.0.1:9", "audience": "llm", "tenantClaim": "tenant"},
			[]int{http.StatusUnauthorized, http.StatusUnauthorized}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := up.Start(t.Context(), up.Options{Root: "../..", Stack: "eu", Listen: "127.0.0.1:0", Settings: map[string]any{"auth": tt.auth}})
			require.NoError(t, err)
			defer func() { assert.NoError(t, r.Close()) }()
			for i, credential := range []string{"", "Bearer " + r.APIKey} {
				status, body := fetch(t, r.Endpoint+"/v1/models", credential)
				assert.Equal(t, tt.status[i], status, body)
				assert.Contains(t, body, `"error"`)
			}
			status, _ := fetch(t, r.Endpoint+"/healthz", "")
			assert.Equal(t, http.StatusOK, status)
		})
	}
}

func fetch(t *testing.T, url, credential string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	if credential != "" {
		req.Header.Set("Authorization", credential)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}
