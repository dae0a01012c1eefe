package up_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/up"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startWithoutDomain deploys the stack of eu without its domain.
func startWithoutDomain(t *testing.T, settings map[string]any) *up.Running {
	t.Helper()
	root := t.TempDir()
	for _, name := range []string{"Pulumi.yaml", "Pulumi.eu.yaml"} {
		b, err := os.ReadFile(filepath.Join("../..", name))
		require.NoError(t, err)
		b = regexp.MustCompile(`(?m)^ +domain: .*\n`).ReplaceAll(b, nil)
		require.NoError(t, os.WriteFile(filepath.Join(root, name), b, 0o600))
	}
	r, err := up.Start(t.Context(), up.Options{Root: root, Stack: "eu", Listen: "127.0.0.1:0", Settings: settings})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	assert.Empty(t, r.Domain)
	require.Len(t, r.Regions, 3)
	return r
}

// TestAStackWithoutADomain is reached by regional URLs only.
func TestAStackWithoutADomain(t *testing.T) {
	r := startWithoutDomain(t, nil)
	for region, url := range r.Regions {
		var raw *http.Response
		c := client(r, option.WithBaseURL(url+"/v1"))
		_, err := c.Chat.Completions.New(t.Context(), ask("hello"), option.WithResponseInto(&raw))
		require.NoError(t, err, region)
		assert.Equal(t, region, raw.Header.Get(contract.HeaderRegion))
	}
}

// TestASignatureWithoutADomain covers API Gateway's own name, and the stage.
func TestASignatureWithoutADomain(t *testing.T) {
	pasted(t, startWithoutDomain(t, map[string]any{"auth": map[string]any{"mode": "iam"}}))
}
