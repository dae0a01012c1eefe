// Package inherit serves HTTP in a process that the bench has started, on
// listeners that it has opened: so their addresses are known before the process
// runs, and a first request waits for it in the kernel.
package inherit

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
	"time"
)

// EnvProfile names the file into which a process writes a profile of its CPU
// time when it is asked to end; empty for none.
const EnvProfile = "CROSSREGION_BENCH_CPUPROFILE"

// firstDescriptor is that of the first file a process inherits beyond the
// standard ones.
const firstDescriptor = 3

// Listener returns the n-th listener that the process inherits, from 0.
func Listener(n uintptr) (net.Listener, error) {
	f := os.NewFile(firstDescriptor+n, "listener")
	l, err := net.FileListener(f)
	if err != nil {
		return nil, fmt.Errorf("inherit a listener: %w; the bench starts this command", err)
	}
	return l, f.Close()
}

// Serve serves h on the first listener until the process is asked to end.
func Serve(h http.Handler) error {
	l, err := Listener(0)
	if err != nil {
		return err
	}
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, os.Interrupt)
	stop, err := Profile(os.Getenv(EnvProfile))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan error, 1)
	go func() {
		<-end
		done <- server.Close()
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(err, stop())
	}
	return errors.Join(<-done, stop())
}

// Profile writes to a file what the process spends its CPU time on, until
// stopped; without a path it does nothing.
func Profile(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("profile: %w", err), f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}
