package bench_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/bench"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

// TestEveryPartMeasures runs each part once, and looks at nothing that depends on
// how quick the machine is.
func TestEveryPartMeasures(t *testing.T) {
	tests := []struct{ part, some string }{
		{"overhead", "whole, 2 in flight: CPU of a request"},
		{"overhead", "streamed, 2 in flight: first word p50"},
		{"overhead", "deployed binary, one at a time: p50 of an event, with usage counted"},
		{"coldstart", "invoker, the models: to its first answer"},
		{"state", "store of 5 threads: units read for the tenth turn"},
		{"program", "preview of 3 regions"},
		{"money", "idle a month, 2 regions: all *"},
	}
	r, err := bench.Run(t.Context(), bench.Tiny(root, "overhead", "coldstart", "state", "program", "money"))
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, f := range r.Figures {
		name := f.Part + ": " + f.Name
		assert.False(t, seen[name], "%s is told twice", name)
		seen[name] = true
	}
	for _, tt := range tests {
		assert.True(t, seen[tt.part+": "+tt.some], "%s: %s is not told of", tt.part, tt.some)
	}
	units(t, r.Figures)
	costsAgree(t, r.Figures)
}

// units checks what is computed and not timed: it is the same on every machine.
func units(t *testing.T, figures []bench.Figure) {
	t.Helper()
	for _, f := range figures {
		if strings.HasPrefix(f.Name, "store of") && f.Unit == "WRU" {
			assert.InDelta(t, 1, *f.Ratio, 0, "a turn costs the same in a larger store")
		}
		if f.Name == "3 regions: units written for a turn, in all regions" {
			assert.InDelta(t, 12, f.Value, 0, "2 units, written in two regions and replicated to all three")
		}
	}
}

func TestPeersThatCannotBeInstalledAreLeftOut(t *testing.T) {
	o := bench.Tiny(root, "peers")
	// Nothing is on PATH but what the bench's own commands are built with.
	bin := t.TempDir()
	gobin, err := filepath.EvalSymlinks(findGo(t))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(bin, "go"),
		[]byte("#!/bin/sh\ncase $PWD in */bifrost) echo no such module >&2; exit 1;; esac\nexec "+gobin+" \"$@\"\n"), 0o755))
	t.Setenv("PATH", bin)
	r, err := bench.Run(t.Context(), o)
	require.NoError(t, err)
	assert.Empty(t, r.Figures)
	notes := strings.Join(r.Notes, "\n")
	assert.Contains(t, notes, "portkey is left out")
	assert.Contains(t, notes, "bifrost is left out: build it: exit status 1: no such module")
}

func findGo(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("go")
	require.NoError(t, err)
	return path
}

func TestBuildsAreWatched(t *testing.T) {
	cache, err := exec.Command("go", "env", "GOCACHE").Output()
	require.NoError(t, err)
	took, memory, largest, err := bench.GoBuild(t.Context(), root, strings.TrimSpace(string(cache)), "./contract")
	require.NoError(t, err)
	assert.Positive(t, took)
	assert.Positive(t, memory)
	assert.Positive(t, largest)
	_, _, _, err = bench.GoBuild(t.Context(), root, strings.TrimSpace(string(cache)), "./nowhere")
	assert.ErrorContains(t, err, "nowhere", "what go says of it is told")
}

func TestCommandRefuses(t *testing.T) {
	for args, want := range map[string]string{
		"--only speed":   `no part is called "speed"`,
		"overhead":       "bench takes no argument",
		"--only state,x": `no part is called "x"`,
	} {
		var out bytes.Buffer
		err := bench.Command(t.Context(), strings.Fields(args), bench.Streams{Out: &out, Err: &out})
		assert.ErrorContains(t, err, want, args)
	}
}
