package up_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/crossregion/crossregion/local/up"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// pasted expects that the line which the command prints gets an answer.
func pasted(t *testing.T, r *up.Running) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		require.Empty(t, os.Getenv("CI"), "curl is not on PATH")
		t.Skip("left out: curl is not on PATH")
	}
	printed, err := r.Printed(false)
	require.NoError(t, err)
	line := regexp.MustCompile(`(?m)^curl .*$`).FindString(printed)
	require.NotEmpty(t, line, printed)
	out, err := exec.CommandContext(t.Context(), "sh", "-c", line).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "data: [DONE]")
}

// printedFields are those of the command's JSON line.
func printedFields(t *testing.T, r *up.Running) map[string]any {
	t.Helper()
	line, err := r.Printed(true)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal([]byte(line), &fields))
	for _, name := range []string{"endpoint", "regions", "dns", "stack"} {
		assert.NotEmpty(t, fields[name], name)
	}
	return fields
}
