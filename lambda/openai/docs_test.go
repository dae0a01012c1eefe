package openai_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEveryCodeIsDocumented reads the codes of errors in this package's source.
func TestEveryCodeIsDocumented(t *testing.T) {
	docs, err := os.ReadFile("../../docs/api.md")
	require.NoError(t, err)
	sources, err := filepath.Glob("*.go")
	require.NoError(t, err)
	code := regexp.MustCompile(`(?:code:|code = |invalid\([^,\n]+,) ?"([a-z_]+)"`)
	found := map[string]bool{}
	for _, path := range sources {
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		if ok, _ := filepath.Match("*_test.go", path); ok {
			continue
		}
		for _, m := range code.FindAllStringSubmatch(string(source), -1) {
			found[m[1]] = true
		}
	}
	assert.Greater(t, len(found), 25, "codes")
	for name := range found {
		assert.Contains(t, string(docs), "`"+name+"`")
	}
}
