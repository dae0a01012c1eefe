package openai

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/crossregion/crossregion/lambda/apigw"
	"github.com/crossregion/crossregion/lambda/parallel"
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
		if p, ok := v.(*parallel.Panic); ok { // of another goroutine
			v, stack = p.Value, p.Stack
		}
		s.Log.ErrorContext(ctx, "panic", "requestId", apigw.RequestID(ctx), "type", fmt.Sprintf("%T", v), "stack", string(stack))
		err = errPanic
	}()
	return op()
}
