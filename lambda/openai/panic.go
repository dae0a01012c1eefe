package openai

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"

	"github.com/crossregion/crossregion/lambda/apigw"
)

// errPanic stands for a panic, of which the log knows more.
var errPanic = errors.New("the handler panicked")

// safely turns a panic of op into an error, so that it costs its own request and
// no more, and the request is counted. It is logged without its value, which may
// quote what the caller wrote.
func (s *server) safely(ctx context.Context, op func() error) (err error) {
	defer func() {
		v := recover()
		switch {
		case v == nil:
			return
		case v == http.ErrAbortHandler:
			panic(v) // net/http's own way to hang up
		}
		stack := debug.Stack()
		if p, ok := v.(passedOn); ok {
			v, stack = p.value, p.stack
		}
		s.Log.ErrorContext(ctx, "panic", "requestId", apigw.RequestID(ctx), "type", fmt.Sprintf("%T", v), "stack", string(stack))
		err = errPanic
	}()
	return op()
}

// passedOn is a panic of another goroutine.
type passedOn struct {
	value any
	stack []byte
}

// together makes calls at once and waits for all of them. A panic in one is then
// the caller's, since in a goroutine of its own it would end the process.
func together(calls ...func()) {
	var wg sync.WaitGroup
	panics := make(chan passedOn, len(calls))
	for _, call := range calls {
		wg.Go(func() {
			defer func() {
				v := recover()
				if p, ok := v.(passedOn); ok {
					panics <- p
				} else if v != nil {
					panics <- passedOn{v, debug.Stack()}
				}
			}()
			call()
		})
	}
	wg.Wait()
	select {
	case p := <-panics:
		panic(p)
	default:
	}
}
