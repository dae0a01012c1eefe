package up_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// unreachable is what npm says when its registry is.
var unreachable = regexp.MustCompile(`(?m)^npm (error|ERR!) code (ENOTFOUND|EAI_AGAIN|ECONN\w+|E\w*TIMEDOUT|E\w*UNREACH|ERR_SOCKET_TIMEOUT|E429|E5\d\d)\b`)

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
	run := func(name string, args ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "ENDPOINT="+r.Endpoint, "OTHER_ENDPOINT="+r.Regions["eu-north-1"],
			"API_KEY="+r.APIKey, "MODEL=claude-sonnet")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	if err != nil && unreachable.MatchString(out) {
		t.Skip("left out: the SDK for Node.js cannot be fetched:", out)
	}
	require.NoError(t, err, out)
	out, err = run("npm", "test")
	require.NoError(t, err, out)
}
