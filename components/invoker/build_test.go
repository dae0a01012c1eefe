package invoker_test

import (
	"archive/zip"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/components/invoker"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBuildIsReproducible builds twice from nothing: a zip that differs would
// be a deployment of its own.
func TestBuildIsReproducible(t *testing.T) {
	first, err := invoker.Build(t.Context(), t.TempDir(), invoker.DefaultPlatform)
	require.NoError(t, err)
	second, err := invoker.Build(t.Context(), t.TempDir(), invoker.DefaultPlatform)
	require.NoError(t, err)
	assert.Equal(t, read(t, first.Invoker), read(t, second.Invoker))
	assert.Equal(t, read(t, first.Authorizer), read(t, second.Authorizer))
	for _, path := range []string{first.Invoker, first.Authorizer} {
		checkBootstrap(t, path)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// checkBootstrap asserts what Lambda needs to start the zip.
func checkBootstrap(t *testing.T, path string) {
	t.Helper()
	archive, err := zip.OpenReader(path)
	require.NoError(t, err)
	defer archive.Close()
	require.Len(t, archive.File, 1)
	file := archive.File[0]
	assert.Equal(t, "bootstrap", file.Name)
	assert.Equal(t, os.FileMode(0o755), file.Mode(), "Lambda executes the file")

	in, err := file.Open()
	require.NoError(t, err)
	binary := filepath.Join(t.TempDir(), "bootstrap")
	out, err := os.Create(binary)
	require.NoError(t, err)
	_, err = io.Copy(out, in)
	require.NoError(t, err)
	require.NoError(t, out.Close())
	checkBuildSettings(t, binary)
	parsed, err := elf.Open(binary)
	require.NoError(t, err)
	defer parsed.Close()
	assert.Equal(t, elf.EM_AARCH64, parsed.Machine)
}

// checkBuildSettings asserts what makes builds on other machines the same: no
// paths and no version control in the binary.
func checkBuildSettings(t *testing.T, binary string) {
	t.Helper()
	info, err := buildinfo.ReadFile(binary)
	require.NoError(t, err)
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
		assert.False(t, strings.HasPrefix(s.Key, "vcs"), "%s is in the binary", s.Key)
	}
	assert.Equal(t, "true", settings["-trimpath"])
	assert.Equal(t, "0", settings["CGO_ENABLED"])
	assert.Equal(t, "lambda.norpc", settings["-tags"])
}

func TestBuildLeavesAnUnchangedZipAlone(t *testing.T) {
	dir := t.TempDir()
	zips, err := invoker.Build(t.Context(), dir, invoker.DefaultPlatform)
	require.NoError(t, err)
	before, err := os.Stat(zips.Invoker)
	require.NoError(t, err)
	_, err = invoker.Build(t.Context(), dir, invoker.DefaultPlatform)
	require.NoError(t, err)
	after, err := os.Stat(zips.Invoker)
	require.NoError(t, err)
	assert.Equal(t, before.ModTime(), after.ModTime())
}

// TestAnInterruptedBuildLeavesNothing interrupts a build from nothing, which
// takes many seconds, once its compilers have started.
func TestAnInterruptedBuildLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("GOCACHE", t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := invoker.Build(ctx, dir, invoker.DefaultPlatform)
		done <- err
	}()
	work := filepath.Join(dir, "linux-arm64", "work-*", "go-build*")
	require.Eventually(t, func() bool {
		found, err := filepath.Glob(work)
		return err == nil && len(found) > 0
	}, time.Minute, time.Millisecond, "no build has begun")
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	left, err := os.ReadDir(filepath.Join(dir, "linux-arm64"))
	require.NoError(t, err)
	require.Len(t, left, 1)
	assert.Equal(t, "lock", left[0].Name())
}

func TestBuildSaysWhatIsMissing(t *testing.T) {
	t.Run("no toolchain", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		_, err := invoker.Build(t.Context(), t.TempDir(), invoker.DefaultPlatform)
		assert.ErrorContains(t, err, "no Go toolchain on PATH; install Go")
	})
	t.Run("a platform that Go does not know", func(t *testing.T) {
		_, err := invoker.Build(t.Context(), t.TempDir(), invoker.Platform{OS: "plan10", Arch: "arm64"})
		assert.ErrorContains(t, err, "build handlers for plan10/arm64")
	})
	t.Run("a folder that cannot be made", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		require.NoError(t, os.WriteFile(file, nil, 0o600))
		_, err := invoker.Build(t.Context(), file, invoker.DefaultPlatform)
		assert.ErrorContains(t, err, "build handlers")
	})
}

func TestParsePlatform(t *testing.T) {
	got, err := invoker.ParsePlatform("linux/amd64")
	require.NoError(t, err)
	assert.Equal(t, invoker.Platform{OS: "linux", Arch: "amd64"}, got)
	for _, bad := range []string{"", "linux", "/arm64", "linux/riscv64", "linux/arm64/v8"} {
		_, err := invoker.ParsePlatform(bad)
		assert.Error(t, err, "accepted %q", bad)
	}
}
