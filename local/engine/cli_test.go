package engine_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/crossregion/crossregion/local/engine"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// onPath puts a pulumi before all others on PATH that says it is of a version.
func onPath(t *testing.T, version string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pulumi"), []byte("#!/bin/sh\necho "+version+"\n"), 0o755))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestAFittingCLIOnPathIsUsed(t *testing.T) {
	onPath(t, "v3.999.0")
	cli, err := engine.CLI(t.Context(), root, func(step string) { t.Error(step) })
	require.NoError(t, err)
	assert.Equal(t, "3.999.0", cli.Version().String())
}

func TestAnotherCLIOnPathIsNot(t *testing.T) {
	needsEngine(t)
	for _, version := range []string{"v3.200.0", "v4.0.0", "nonsense"} {
		t.Run(version, func(t *testing.T) {
			onPath(t, version)
			cli, err := engine.CLI(t.Context(), root, func(step string) { t.Log(step) })
			require.NoError(t, err)
			assert.Equal(t, "3.250.0", cli.Version().String())
		})
	}
}

func TestNoPinnedVersion(t *testing.T) {
	_, err := engine.CLI(t.Context(), t.TempDir(), func(string) {})
	assert.ErrorContains(t, err, "find the version of the Pulumi CLI")
}
