package up_test

import (
	"path/filepath"
	"testing"

	"github.com/crossregion/crossregion/local/up"
	"github.com/gofrs/flock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOneAtATimeKeepsItsStateInAFolder: two would each change what the other
// believes to be deployed.
func TestOneAtATimeKeepsItsStateInAFolder(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	other := flock.New(filepath.Join(state, "lock"))
	locked, err := other.TryLock()
	require.NoError(t, err)
	require.True(t, locked)
	_, err = up.Start(t.Context(), up.Options{Root: "../..", Stack: "eu", Listen: "127.0.0.1:0", State: state})
	assert.ErrorContains(t, err, "another go run ./local up keeps its state in "+state+": end that one, or give another folder with --state")
	require.NoError(t, other.Unlock())
}
