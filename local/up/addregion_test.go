package up_test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/up"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// snippet is what docs/add-a-region.md says under a word, without the
// indentation of its list.
func snippet(t *testing.T, word string) string {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "add-a-region.md"))
	require.NoError(t, err)
	m := regexp.MustCompile("(?ms)^   ```yaml " + word + "\n(.*?)^   ```$").FindSubmatch(doc)
	require.NotNil(t, m, "the page has no snippet to %s", word)
	var lines strings.Builder
	for line := range strings.Lines(string(m[1])) {
		lines.WriteString(strings.TrimPrefix(line, "   "))
	}
	return lines.String()
}

// project is a copy of this one's files, to be edited.
type project struct{ root, file string }

func copyProject(t *testing.T) project {
	t.Helper()
	p := project{root: t.TempDir()}
	for _, name := range []string{"Pulumi.yaml", "Pulumi.eu.yaml"} {
		raw, err := os.ReadFile(filepath.Join("..", "..", name))
		require.NoError(t, err)
		p.file = filepath.Join(p.root, name)
		require.NoError(t, os.WriteFile(p.file, raw, 0o600))
	}
	return p
}

// edit replaces what has to stand in the stack's file, once.
func (p project) edit(t *testing.T, old, replacement string) {
	t.Helper()
	raw, err := os.ReadFile(p.file)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(raw), old), "the page and the stack file differ: %s", old)
	require.NoError(t, os.WriteFile(p.file, []byte(strings.Replace(string(raw), old, replacement, 1)), 0o600))
}

// serve deploys the stack, and lets use call it.
func (p project) serve(t *testing.T, use func(r *up.Running)) {
	t.Helper()
	r, err := up.Start(t.Context(), up.Options{Root: p.root, Stack: "eu", Listen: "127.0.0.1:0"})
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	use(r)
}

// answeredBy asks one region by its own name, and tells which answered, and whose
// model.
func answeredBy(t *testing.T, r *up.Running, region string) (api, model string) {
	t.Helper()
	var raw *http.Response
	c := client(r, option.WithBaseURL(r.Regions[region]+"/v1"))
	_, err := c.Chat.Completions.New(t.Context(), ask("hello"), option.WithResponseInto(&raw))
	require.NoError(t, err)
	return raw.Header.Get(contract.HeaderRegion), raw.Header.Get(contract.HeaderTarget)
}

// TestAddARegion follows docs/add-a-region.md, and then back.
func TestAddARegion(t *testing.T) {
	const added, partner = "eu-west-3", "eu-north-1"
	p := copyProject(t)
	original, err := os.ReadFile(p.file)
	require.NoError(t, err)
	entry, before, after := snippet(t, "add"), snippet(t, "replace"), snippet(t, "with")
	assert.Contains(t, entry, added)

	p.edit(t, before, before+entry)
	p.serve(t, func(r *up.Running) {
		api, model := answeredBy(t, r, added)
		assert.Equal(t, added, api, "the new region answers")
		assert.Equal(t, added, model, "through its own profile")
	})

	p.edit(t, before, after)
	p.serve(t, func(r *up.Running) {
		r.Account.Bedrock.SetFault(partner, &bedrock.Fault{Code: "ServiceUnavailableException"})
		api, model := answeredBy(t, r, partner)
		assert.Equal(t, []string{partner, added}, []string{api, model}, "the old one fails over to it")
	})

	p.edit(t, after, before)
	p.edit(t, entry, "")
	undone, err := os.ReadFile(p.file)
	require.NoError(t, err)
	assert.Equal(t, string(original), string(undone))
	p.serve(t, func(r *up.Running) { assert.NotContains(t, r.Regions, added) })
}
