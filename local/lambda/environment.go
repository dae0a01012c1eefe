package lambda

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"
)

// environment is one process of one version of a function, with a Runtime API
// of its own. It has one invocation at a time.
type environment struct {
	s     *Service
	v     *version
	log   *logStream
	api   *http.Server
	work  chan *invocation   // has room for the one invocation
	lease context.CancelFunc // ends the wait for work; guarded by Service.mu
	stale time.Time          // of the cloud's clock: from then on e takes no more work

	mu       sync.Mutex
	cmd      *exec.Cmd
	current  *invocation
	served   int // invocations that ended
	born     time.Time
	init     *time.Timer   // ends the process when it does not come up; nil once it did
	initTook time.Duration // reported with the first invocation
	stopped  bool          // takes no more work
	dead     bool
	cause    *failure // why the process is ended; nil when it ends by itself
	kill     *time.Timer
}

func newEnvironment(s *Service, v *version, first *invocation) *environment {
	e := &environment{
		s: s, v: v, current: first, work: make(chan *invocation, 1),
		stale: s.cfg.World.Clock.Now().Add(s.limits.credentials),
	}
	e.work <- first
	return e
}

// assign gives e its next invocation, unless e is about to end or has old
// credentials.
func (e *environment) assign(inv *invocation, now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped || e.dead || !now.Before(e.stale) {
		return false
	}
	e.current = inv
	e.work <- inv
	return true
}

// start starts the process and what it talks to. After an error nothing is
// left of it.
func (e *environment) start() error {
	e.log = e.s.openStream(e.v)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("runtime API: %w", err)
	}
	variables, err := e.variables(l.Addr().String())
	if err != nil {
		return errors.Join(err, l.Close())
	}
	if err := e.launch(variables); err != nil {
		return errors.Join(err, l.Close())
	}
	e.api = &http.Server{Handler: e.runtimeAPI()}
	e.s.owned.Go(func() { e.serve(l) })
	go e.wait()
	return nil
}

// variables is the whole environment of the process. Its credentials are never
// renewed.
func (e *environment) variables(runtimeAPI string) ([]string, error) {
	credentials, err := e.s.cfg.IAM.Issue(e.v.in.Role, e.v.region, e.v.in.Name)
	if err != nil {
		return nil, fmt.Errorf("credentials of %s: %w", e.v.in.Role, err)
	}
	env := e.v.variables()
	maps.Copy(env, map[string]string{
		"AWS_LAMBDA_RUNTIME_API":     runtimeAPI,
		"AWS_LAMBDA_LOG_STREAM_NAME": e.log.name,
		"AWS_ACCESS_KEY_ID":          credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY":      credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN":          credentials.SessionToken,
		"AWS_ENDPOINT_URL":           e.s.cfg.Endpoint,
	})
	list := make([]string, 0, len(env))
	for _, key := range slices.Sorted(maps.Keys(env)) {
		list = append(list, key+"="+env[key])
	}
	return list, nil
}

func (e *environment) launch(variables []string) error {
	cmd := exec.Command(filepath.Join(e.v.code.dir, bootstrap))
	cmd.Dir, cmd.Env = e.v.code.dir, variables
	cmd.Stdout, cmd.Stderr = e.log, e.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// A grandchild that keeps standard output open must not keep e alive.
	cmd.WaitDelay = e.s.limits.grace
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped {
		return errors.New("the embedded Lambda is closed")
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	e.cmd, e.born = cmd, time.Now()
	e.init = time.AfterFunc(e.s.limits.init, e.initExpired)
	return nil
}

func (e *environment) serve(l net.Listener) {
	if err := e.api.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		e.s.cfg.World.Log.Error("runtime API ended", "function", e.v.arn, "err", err)
	}
}

// wait ends everything about e after its process has ended.
func (e *environment) wait() {
	defer e.s.owned.Done()
	e.died(e.cmd.Wait())
	ctx, cancel := context.WithTimeout(context.Background(), e.s.limits.grace)
	defer cancel()
	if err := e.api.Shutdown(ctx); err != nil {
		err = errors.Join(err, e.api.Close())
		e.s.cfg.World.Log.Warn("runtime API had to be cut off", "function", e.v.arn, "err", err)
	}
}

// died takes a dead environment from its service and ends what it worked on.
func (e *environment) died(exit error) {
	inv, cause := e.bury(exit)
	e.log.flush()
	e.s.remove(e, inv != nil)
	if inv != nil {
		e.logEnd(inv, cause)
		inv.end(cause)
	}
}

// bury marks e as dead and returns the invocation that dies with it, if any,
// and why.
func (e *environment) bury(exit error) (*invocation, *failure) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.signal(syscall.SIGKILL) // what the process started must not outlive it
	if e.cause == nil {
		e.cause = e.failure("Runtime.ExitError", "%s", describe(exit))
	}
	e.dead = true
	inv := e.current
	e.current = nil
	if inv != nil && inv.timer != nil {
		inv.timer.Stop()
	}
	for _, t := range []*time.Timer{e.init, e.kill} {
		if t != nil {
			t.Stop()
		}
	}
	return inv, e.cause
}

// gone reports whether the process has ended.
func (e *environment) gone() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.dead
}

// describe words the end of a process as Lambda does.
func describe(exit error) string {
	if status := (*exec.ExitError)(nil); errors.As(exit, &status) {
		return "Runtime exited with error: " + status.Error()
	}
	return "Runtime exited without providing a reason"
}

// initExpired ends a process that has not come up in time.
func (e *environment) initExpired() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.init != nil {
		e.fail(e.failure("Sandbox.Timedout", "Init phase timed out after %.2f seconds", e.s.limits.init.Seconds()))
	}
}

// expired ends a process whose invocation has not ended in time.
func (e *environment) expired(inv *invocation) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == inv {
		e.fail(e.failure("Sandbox.Timedout", "Task timed out after %.2f seconds", e.v.timeout.Seconds()))
	}
}

// failure words an error of the current invocation. The caller holds e.mu.
func (e *environment) failure(kind, format string, args ...any) *failure {
	message := "Error: " + fmt.Sprintf(format, args...)
	if e.current != nil {
		message = "RequestId: " + e.current.id + " " + message
	}
	return newFailure(kind, message)
}

// fail ends the process at once. The caller holds e.mu.
func (e *environment) fail(cause *failure) {
	if e.cause == nil {
		e.cause = cause
	}
	e.stopped = true
	e.signal(syscall.SIGKILL)
}

// stop asks the process to end, and kills it when it does not.
func (e *environment) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.stopped || e.dead {
		return
	}
	e.stopped = true
	if e.cause == nil {
		e.cause = e.failure("Sandbox.Shutdown", "The execution environment was shut down")
	}
	if e.cmd == nil {
		return
	}
	e.signal(syscall.SIGTERM)
	e.kill = time.AfterFunc(e.s.limits.grace, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.signal(syscall.SIGKILL)
	})
}

// signal signals the process and what it started. The caller holds e.mu.
func (e *environment) signal(sig syscall.Signal) {
	if e.cmd == nil || e.dead {
		return
	}
	if err := syscall.Kill(-e.cmd.Process.Pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		e.s.cfg.World.Log.Warn("signal process group", "function", e.v.arn, "signal", sig, "err", err)
	}
}
