package apigateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
)

// errTimedOut is the cause of a context that its watchdog has ended.
var errTimedOut = errors.New("the function took too long")

// watchdog ends the wait for a function that takes too long in all, or that is
// silent for too long. It does not end the function: Lambda lets it finish.
type watchdog struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	clock  cloud.Clock
	end    time.Time
	idle   time.Duration
	last   atomic.Int64 // when the function was last heard, in Unix nanoseconds
	done   chan struct{}
}

// watch starts a watchdog; the caller ends it with stop.
func watch(parent context.Context, clock cloud.Clock, total, idle time.Duration) *watchdog {
	now := clock.Now()
	d := &watchdog{clock: clock, end: now.Add(total), idle: idle, done: make(chan struct{})}
	d.last.Store(now.UnixNano())
	d.ctx, d.cancel = context.WithCancelCause(parent)
	go d.run()
	return d
}

func (d *watchdog) run() {
	defer close(d.done)
	for {
		now := d.clock.Now()
		left := min(d.end.Sub(now), time.Unix(0, d.last.Load()).Add(d.idle).Sub(now))
		if left <= 0 {
			d.cancel(errTimedOut)
			return
		}
		if d.clock.Sleep(d.ctx, left) != nil {
			return
		}
	}
}

// feed tells that the function was heard.
func (d *watchdog) feed() { d.last.Store(d.clock.Now().UnixNano()) }

func (d *watchdog) stop() {
	d.cancel(nil)
	<-d.done
}

func (d *watchdog) timedOut() bool { return errors.Is(context.Cause(d.ctx), errTimedOut) }

// tie closes body as soon as the wait is over, so that a blocked Read returns.
// The caller still closes body, and calls release before.
func (d *watchdog) tie(body io.Closer) (release func() bool) {
	return context.AfterFunc(d.ctx, func() { _ = body.Close() }) // a second Close reports to the caller
}

// readAll reads a body to its end and closes it.
func (d *watchdog) readAll(body io.ReadCloser, limit int64) ([]byte, error) {
	release := d.tie(body)
	b, err := io.ReadAll(io.LimitReader(body, limit+1))
	release()
	err = errors.Join(err, body.Close())
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("body is over %d bytes", limit)
	}
	return b, err
}
