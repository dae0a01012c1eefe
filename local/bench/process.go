package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is the unit in which Linux tells the CPU time of a process.
const tick = 10 * time.Millisecond

// process is a subject at work.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// start runs a command with an environment of its own and the listeners that it
// inherits. Its standard output is dropped, as a log that goes to a file is.
func start(cmd *exec.Cmd, env []string, listeners ...net.Listener) (*process, error) {
	cmd.Env = env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	for _, l := range listeners {
		tcp, ok := l.(*net.TCPListener)
		if !ok {
			return nil, fmt.Errorf("start %s: a %T cannot be inherited", cmd.Path, l)
		}
		f, err := tcp.File()
		if err != nil {
			return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
		}
		defer f.Close()
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	if cmd.Stderr == nil {
		cmd.Stderr = os.Stderr
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = cmd.Wait() // how it ended is told by what it did not do
	}()
	return p, nil
}

// grace is how long a process has to end by itself.
const grace = 3 * time.Second

// stop asks the process and what it started to end, and ends them. It is safe to
// repeat.
func (p *process) stop() {
	select {
	case <-p.done:
		return
	default:
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(grace):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}

// cpu is the time that the process has worked so far, in steps of a tick.
func (p *process) cpu() (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read CPU time: %w", err)
	}
	return parseStat(b)
}

// parseStat reads user and system time, the 14th and 15th field.
// Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
func parseStat(stat []byte) (time.Duration, error) {
	// The second field is a name in brackets and may hold anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0, errors.New("read CPU time: too few fields")
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick, errors.Join(err, err2)
}

// memory is the most that the process has had in memory, in MB.
func (p *process) memory() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read memory: %w", err)
	}
	return parseStatus(string(b))
}

func parseStatus(status string) (float64, error) {
	for line := range strings.Lines(status) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
			return kb * 1024 / 1e6, err
		}
	}
	return 0, errors.New("read memory: no VmHWM")
}

// build compiles packages of the project into dir as the handlers are.
func build(ctx context.Context, root, dir string, packages ...string) error {
	args := append([]string{"build", "-trimpath", "-buildvcs=false", "-tags", "lambda.norpc", "-ldflags", "-s -w",
		"-o", dir + string(filepath.Separator)}, packages...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", strings.Join(packages, " "), err, bytes.TrimSpace(out))
	}
	return nil
}
