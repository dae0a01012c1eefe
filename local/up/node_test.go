package up_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNodeSDK runs the tests in testdata/node: the official OpenAI SDK for
// Node.js against a deployed stack. The SDK is installed into a folder that goes
// with the test.
func TestNodeSDK(t *testing.T) {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("left out: the tests of the SDK for Node.js need %s on PATH", tool)
		}
	}
	r := start(t, "eu")
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "sdk.test.js"} {
		b, err := os.ReadFile(filepath.Join("testdata", "node", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
	run := func(name string, args ...string) {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "ENDPOINT="+r.Endpoint, "OTHER_ENDPOINT="+r.Regions["eu-north-1"],
			"API_KEY="+r.APIKey, "MODEL=claude-sonnet")
		out, err := cmd.CombinedOutput()
		require.NoErrorf(t, err, "%s %v:\n%s", name, args, out)
	}
	run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	run("npm", "test")
}
