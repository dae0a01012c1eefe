package cloud

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Clock is the cloud's own time: probes, replication and token pace follow it.
type Clock interface {
	Now() time.Time
	// Sleep returns after d of the cloud's time, or with ctx's error.
	Sleep(ctx context.Context, d time.Duration) error
}

// RealClock returns a clock that starts now and runs speed times as fast as the
// machine's. A speed of 0 means 1.
func RealClock(speed float64) *RunningClock {
	if speed == 0 {
		speed = 1
	}
	return &RunningClock{start: time.Now(), speed: speed}
}

// RunningClock is a clock that runs by itself. [RealClock] makes one.
type RunningClock struct {
	start   time.Time
	speed   float64
	skipped atomic.Int64 // nanoseconds
}

// Now returns the time that the clock shows.
func (c *RunningClock) Now() time.Time {
	return c.start.Add(time.Duration(float64(time.Since(c.start))*c.speed) + time.Duration(c.skipped.Load()))
}

// Skip sets the clock forward by d. Who sleeps sleeps on.
func (c *RunningClock) Skip(d time.Duration) { c.skipped.Add(int64(d)) }

// Sleep returns after d of the clock's running time, or with ctx's error.
func (c *RunningClock) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(time.Duration(float64(d) / c.speed))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ManualClock is a clock for tests: it stands still until told to move.
type ManualClock struct {
	mu      sync.Mutex
	now     time.Time
	waiting []sleeper
	changed chan struct{} // closed and replaced when a sleeper arrives
}

type sleeper struct {
	until time.Time
	wake  chan struct{}
}

// NewManualClock returns a clock that shows start.
func NewManualClock(start time.Time) *ManualClock {
	return &ManualClock{now: start, changed: make(chan struct{})}
}

// Now returns the time that the clock shows.
func (c *ManualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Sleep returns once the clock was advanced by d, or with ctx's error.
func (c *ManualClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	s := sleeper{until: c.now.Add(d), wake: make(chan struct{})}
	c.waiting = append(c.waiting, s)
	close(c.changed)
	c.changed = make(chan struct{})
	c.wakeDue()
	c.mu.Unlock()
	select {
	case <-s.wake:
		return nil
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		c.waiting = slices.DeleteFunc(c.waiting, func(other sleeper) bool { return other.wake == s.wake })
		return ctx.Err()
	}
}

// Advance moves the clock by d and wakes whoever has slept enough.
func (c *ManualClock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.wakeDue()
}

// AwaitSleepers returns once n goroutines sleep, or with ctx's error. Tests
// call it before [ManualClock.Advance], so that nobody misses the step.
func (c *ManualClock) AwaitSleepers(ctx context.Context, n int) error {
	for {
		c.mu.Lock()
		sleeping, changed := len(c.waiting), c.changed
		c.mu.Unlock()
		if sleeping >= n {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *ManualClock) wakeDue() {
	c.waiting = slices.DeleteFunc(c.waiting, func(s sleeper) bool {
		due := !s.until.After(c.now)
		if due {
			close(s.wake)
		}
		return due
	})
}
