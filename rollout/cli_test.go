package main

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAnInterruptionReachesPulumiOnce: at the second it leaves resources behind
// that its state does not know. A Ctrl-C of the terminal's goes to the group of
// the rollout, so that Pulumi is in another.
func TestAnInterruptionReachesPulumiOnce(t *testing.T) {
	standIn(t, "trap 'echo interrupted; exit 0' INT\necho ready\nwhile read -r line; do :; done\necho left alone\n")
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()

	cmd := cli{stack: "eu"}.command(ctx, "up")
	in, err := cmd.StdinPipe() // open until it ends
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	require.Equal(t, "ready", lines.Text())

	group, err := syscall.Getpgid(cmd.Process.Pid)
	require.NoError(t, err)
	assert.NotEqual(t, syscall.Getpgrp(), group)
	interrupt()
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
	}
	assert.Equal(t, []string{"interrupted"}, said)
	require.NoError(t, in.Close())
	assert.ErrorIs(t, cmd.Wait(), context.Canceled)
}

// standIn has a script stand in for the Pulumi CLI.
func standIn(t *testing.T, script string) {
	t.Helper()
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "pulumi"), []byte("#!/bin/sh\n"+script), 0o755))
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
}

// TestSettingsThatAreASecret are not missing, and are refused as the program
// refuses them.
func TestSettingsThatAreASecret(t *testing.T) {
	standIn(t, `echo '{"crossregion:settings":{"secret":true},"crossregion:other":{"secret":true},"a:b":{"value":"c","secret":false}}'`)
	_, err := cli{stack: "eu"}.Config(t.Context())
	assert.EqualError(t, err, "config crossregion:settings of stack eu is a secret, and would be spread in plain text: settings hold no secrets, store it in plain")
}
