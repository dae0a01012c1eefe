package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// documents are all Markdown files under version control, by path.
func documents(t *testing.T) map[string]string {
	t.Helper()
	out, err := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md").Output()
	require.NoError(t, err)
	texts := map[string]string{}
	for _, file := range strings.Fields(string(out)) {
		raw, err := os.ReadFile(file)
		if os.IsNotExist(err) { // removed, and not yet committed
			continue
		}
		require.NoError(t, err)
		texts[file] = string(raw)
	}
	require.NotEmpty(t, texts)
	return texts
}

var (
	fenced  = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.+)$`)
	dropped = regexp.MustCompile("[^a-z0-9 _-]")
)

// anchors are the fragments that a code host gives to a document's headings.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		found[strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return found
}

// TestLinksLeadSomewhere: every relative link of every document, and its anchor.
func TestLinksLeadSomewhere(t *testing.T) {
	texts := documents(t)
	checked := 0
	for file, text := range texts {
		for _, m := range link.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			checked++
			path, anchor, _ := strings.Cut(m[1], "#")
			target := file
			if path != "" {
				target = filepath.Join(filepath.Dir(file), path)
				_, err := os.Stat(target)
				assert.NoError(t, err, "%s links to %s", file, m[1])
			}
			if anchor != "" {
				assert.True(t, anchors(texts[target])[anchor], "%s links to %s: no such heading", file, m[1])
			}
		}
	}
	assert.Greater(t, checked, 30)
}

// TestDocumentsNameWhatExists: a folder or a file of the project that a document
// names in code letters is there.
func TestDocumentsNameWhatExists(t *testing.T) {
	path := regexp.MustCompile("`((?:components|contract|docs|lambda|local|ops|plugin|rollout|stacks|tools)/[A-Za-z0-9_./-]+)`")
	for file, text := range documents(t) {
		for _, m := range path.FindAllStringSubmatch(text, -1) {
			_, err := os.Stat(m[1])
			assert.NoError(t, err, "%s names %s", file, m[1])
		}
	}
}
