package fault

import (
	"context"
	"errors"
	"net/http"
)

// call is a call that is being answered.
type call struct {
	at   place
	home string // region of the caller; "" outside AWS
	cut  context.CancelCauseFunc
}

var errCutOff = errors.New("cut off: what answered has broken")

// follow lets answer serve a call that a fault may still cut off.
func (b *Board) follow(w http.ResponseWriter, r *http.Request, of Call, answer http.HandlerFunc) {
	ctx, cut := context.WithCancelCause(r.Context())
	defer cut(nil)
	c := &call{place{of.Service, of.Region}, of.Home, cut}
	b.mu.Lock()
	b.underway[c] = true
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.underway, c)
	}()
	answer(mortal{w, ctx}, r.WithContext(ctx))
	if cutOff(ctx) {
		abort()
	}
}

func cutOff(ctx context.Context) bool { return errors.Is(context.Cause(ctx), errCutOff) }

// mortal is an answer of which nothing gets through once it is cut off.
type mortal struct {
	http.ResponseWriter
	ctx context.Context
}

func (m mortal) Write(p []byte) (int, error) {
	if cutOff(m.ctx) {
		return 0, errCutOff
	}
	return m.ResponseWriter.Write(p)
}

func (m mortal) WriteHeader(status int) {
	if !cutOff(m.ctx) {
		m.ResponseWriter.WriteHeader(status)
	}
}

// Unwrap gives [http.ResponseController] what m stands before.
func (m mortal) Unwrap() http.ResponseWriter { return m.ResponseWriter }
