package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// built is where [binary] puts the command.
var built string

// binary builds the command once.
var binary = sync.OnceValues(func() (string, error) {
	if out, err := exec.Command("go", "build", "-o", built, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return built, nil
})

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "crossregion-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built = filepath.Join(dir, "local")
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// command is the built command, run in the project's folder.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Dir = ".."
	return cmd
}

type ready struct {
	Endpoint string            `json:"endpoint"`
	APIKey   string            `json:"apiKey"`
	Regions  map[string]string `json:"regions"`
	DNS      string            `json:"dns"`
	Stack    string            `json:"stack"`
}

// TestUpServesUntilInterrupted runs the command as a user does, calls what it
// prints, and looks for what is left after Ctrl-C.
func TestUpServesUntilInterrupted(t *testing.T) {
	temp := t.TempDir()
	cmd := command(t, "up", "--stack", "eu", "--json", "--listen", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	var progress bytes.Buffer
	cmd.Stderr = &progress
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewReader(stdout)
	line, err := lines.ReadBytes('\n')
	require.NoError(t, err, "stderr: %s", &progress)
	var r ready
	require.NoError(t, json.Unmarshal(line, &r))
	assert.Equal(t, "eu", r.Stack)
	assert.Len(t, r.Regions, 3)
	assert.NotEmpty(t, r.DNS)

	call(t, r)
	functions := children(t, cmd.Process.Pid)
	if runtime.GOOS == "linux" {
		assert.NotEmpty(t, functions, "the handlers run in processes of their own")
	}
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	rest, err := lines.ReadBytes('\n')
	assert.Empty(t, rest, "one line is all that --json prints")
	assert.Error(t, err)
	require.NoError(t, cmd.Wait(), "stderr: %s", &progress)
	assert.Contains(t, progress.String(), "eu-central-1-gateway", "progress was shown")
	for _, pid := range functions {
		assert.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "process %d still runs", pid)
	}
	left, err := os.ReadDir(temp)
	require.NoError(t, err)
	assert.Empty(t, left, "files are left behind")
	_, err = net.Dial("tcp", strings.TrimPrefix(r.Endpoint, "http://"))
	assert.Error(t, err, "something still listens")
}

// TestAnInterruptedDrillLeavesNothing but its report on what ran.
func TestAnInterruptedDrillLeavesNothing(t *testing.T) {
	temp, report := t.TempDir(), filepath.Join(t.TempDir(), "report.html")
	cmd := command(t, "drill", "--stack", "eu", "--report", report, "region-lost", "all-lost")
	cmd.Env = append(os.Environ(), "TMPDIR="+temp)
	var table bytes.Buffer
	cmd.Stdout = &table
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && lines.Text() != "region-lost: running for 30 s" {
	}
	require.NoError(t, lines.Err())
	var functions []int
	require.Eventually(t, func() bool {
		functions = children(t, cmd.Process.Pid)
		return len(functions) >= 6 // each region has served somebody
	}, time.Minute, 50*time.Millisecond)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	rest, err := io.ReadAll(stderr)
	require.NoError(t, err)
	assert.Equal(t, 1, exitCode(t, cmd.Wait()))
	assert.Contains(t, string(rest), "local: interrupted; nothing is left running")
	assert.Contains(t, table.String(), "interrupted")
	assert.NotContains(t, table.String(), "all-lost")
	assert.FileExists(t, report)
	for _, pid := range functions {
		assert.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "process %d still runs", pid)
	}
	left, err := os.ReadDir(temp)
	require.NoError(t, err)
	assert.Empty(t, left, "files are left behind")
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	return exit.ExitCode()
}

// call asks for a streamed answer with nothing but what was printed.
func call(t *testing.T, r ready) {
	t.Helper()
	body := `{"model":"nova-pro","stream":true,"messages":[{"role":"user","content":"Please say 5 words."}]}`
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.Endpoint+"/v1/chat/completions", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+r.APIKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	var answer bytes.Buffer
	_, err = answer.ReadFrom(resp.Body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, resp.StatusCode, answer.String())
	assert.True(t, strings.HasSuffix(answer.String(), "data: [DONE]\n\n"), answer.String())
}

// children are the processes that a process has started, where the system
// tells: on Linux.
func children(t *testing.T, pid int) []int {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	require.NoError(t, err)
	var found []int
	for _, task := range tasks {
		b, err := os.ReadFile(task)
		require.NoError(t, err)
		for field := range strings.FieldsSeq(string(b)) {
			child, err := strconv.Atoi(field)
			require.NoError(t, err)
			found = append(found, child)
		}
	}
	return found
}

// TestThePastedCurlLineWorks runs what the command prints, as it prints it.
func TestThePastedCurlLineWorks(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		require.Empty(t, os.Getenv("CI"), "curl is not on PATH")
		t.Skip("left out: curl is not on PATH")
	}
	cmd := command(t, "up", "--listen", "127.0.0.1:0")
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() {
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		require.NoError(t, cmd.Wait(), "SIGTERM stops it cleanly too")
	}()
	lines := bufio.NewScanner(stdout)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "curl ") {
	}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", lines.Text()).Output()
	require.NoError(t, err)
	assert.Contains(t, string(out), "data: [DONE]")
}

// TestFaultsAreOneClearLine: each ends with exit code 1 and says what to do.
func TestFaultsAreOneClearLine(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer busy.Close()
	tests := []struct {
		name string
		args []string
		env  []string
		want string
	}{
		{"a port in use", []string{"up", "--listen", busy.Addr().String()}, nil, "address already in use; choose another with --listen"},
		{"a missing toolchain", []string{"up", "--listen", "127.0.0.1:0"}, []string{"PATH=" + t.TempDir(), "HOME=" + t.TempDir()}, "no Go toolchain on PATH; install Go"},
		{"an unknown stack", []string{"up", "--stack", "qa"}, nil, `no stack "qa"`},
		{"an unknown flag", []string{"up", "--speed", "9"}, nil, "see go run ./local up -h"},
		{"an argument too many", []string{"up", "prod"}, nil, `up takes no argument "prod"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := command(t, tt.args...)
			cmd.Env = append(os.Environ(), tt.env...)
			message := strings.TrimSpace(fails(t, cmd))
			last := message[strings.LastIndex(message, "\n")+1:]
			assert.Contains(t, last, tt.want)
			assert.True(t, strings.HasPrefix(last, "local: "), last)
		})
	}
}

func TestCommandsThatDoNotExistAreRefused(t *testing.T) {
	assert.Contains(t, fails(t, command(t, "drlil")), `unknown command "drlil"; did you mean drill?`)
	for _, args := range [][]string{{}, {"down"}, {"help", "me"}} {
		assert.Contains(t, fails(t, command(t, args...)), "usage: go run ./local <command>")
	}
	out, err := command(t, "help").Output()
	require.NoError(t, err)
	assert.Contains(t, string(out), "up ")
}

// TestSettingsFaultsAreReportedTogether runs in a project whose stack file is
// wrong in several ways.
func TestSettingsFaultsAreReportedTogether(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: crossregion\nruntime: go\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.prod.yaml"),
		[]byte("config:\n  crossregion:settings: {jurisdiction: mars, colour: red, regions: []}\n"), 0o600))
	cmd := command(t, "up", "--listen", "127.0.0.1:0")
	cmd.Dir = dir
	message := fails(t, cmd)
	for _, want := range []string{`jurisdiction: "mars" is not known; choose one of`, "colour: unknown key", "regions: 0 region(s) given"} {
		assert.Contains(t, message, want)
	}
}

// fails runs cmd and returns what it says on standard error.
func fails(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 1, exit.ExitCode())
	assert.NotContains(t, stderr.String(), "panic")
	return stderr.String()
}
