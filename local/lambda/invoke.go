package lambda

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// Invocation asks for one run of a function.
type Invocation struct {
	// FunctionARN names the function, with ":alias" or ":version" where the
	// caller named one.
	FunctionARN string
	// Payload is the event, at most 6 MB.
	Payload []byte
	// Principal is the service principal of the invoker, e.g.
	// "apigateway.amazonaws.com". A permission of exactly the function, version
	// or alias invoked must name it.
	Principal string
	// SourceARN is the resource on whose behalf the invoker calls; permissions
	// may be restricted to it.
	SourceARN string
	// Stream asks for the response as the function sends it
	// (response-streaming-invocations) instead of whole.
	Stream bool
}

// Result is what an invocation that reached the function brought back.
type Result struct {
	// ContentType is the one that the function's runtime gave its response.
	ContentType string
	// Body is the response and must be closed. With Stream it delivers bytes as
	// the function sends them, and ends with an error when the function breaks
	// off. A clean end tells that the environment is free again, or gone.
	Body io.ReadCloser
	// FunctionError is "Unhandled" when the function reported an error or died
	// before its response; Body then holds the JSON error object. Otherwise it
	// is empty.
	FunctionError string
}

// maxRequestBytes is the largest payload.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxRequestBytes = 6 << 20

// Invoke runs a function and returns when it begins to respond (Stream) or has
// responded. Cancelling ctx does not stop the function: its invoker leaves, and
// the rest of the response is dropped.
//
// Errors are [*cloud.APIError]: ResourceNotFoundException 404,
// AccessDeniedException 403, RequestTooLargeException 413,
// TooManyRequestsException 429, ServiceException 500 when no process can be
// started; or ctx's error.
func (s *Service) Invoke(ctx context.Context, in Invocation) (*Result, error) {
	inv, err := s.dispatch(in)
	if err != nil {
		return nil, fmt.Errorf("invoke %s: %w", in.FunctionARN, err)
	}
	stop := context.AfterFunc(ctx, func() { inv.leave(ctx.Err()) })
	select {
	case r := <-inv.result:
		r.Body = &body{ReadCloser: r.Body, stop: stop}
		return r, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("invoke %s: %w", in.FunctionARN, ctx.Err())
	}
}

// body is a response that no longer watches its invoker's context once closed.
type body struct {
	io.ReadCloser
	stop func() bool
}

func (b *body) Close() error {
	b.stop()
	return b.ReadCloser.Close()
}

// dispatch gives the invocation to an environment: one that waits for work, or
// else a new one.
func (s *Service) dispatch(in Invocation) (*invocation, error) {
	if len(in.Payload) > maxRequestBytes {
		return nil, refuse(http.StatusRequestEntityTooLarge, "RequestTooLargeException",
			"Request must be smaller than %d bytes for the InvokeFunction operation", maxRequestBytes)
	}
	ref, err := parseARN(in.FunctionARN)
	if err != nil {
		return nil, err
	}
	inv, cold, err := s.admit(ref, in)
	if err != nil || cold == nil {
		return inv, err
	}
	if err := cold.start(); err != nil {
		s.remove(cold, true)
		s.owned.Done()
		return nil, refuse(http.StatusInternalServerError, "ServiceException", "start an execution environment: %v", err)
	}
	return inv, nil
}

// admit decides whether the invocation may run, and chooses its environment,
// which it returns when it has yet to be started.
func (s *Service) admit(ref reference, in Invocation) (*invocation, *environment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, refuse(http.StatusInternalServerError, "ServiceException", "the embedded Lambda is closed")
	}
	v, err := s.find(ref)
	if err != nil {
		return nil, nil, err
	}
	if err := v.authorize(in, ref.qualifier); err != nil {
		return nil, nil, err
	}
	if err := s.enter(v.function); err != nil {
		return nil, nil, err
	}
	inv := s.newInvocation(in, v.in.sampled())
	for len(v.idle) > 0 {
		e := v.idle[len(v.idle)-1]
		s.takeIdle(e)
		if e.assign(inv, s.cfg.World.Clock.Now()) {
			return inv, nil, nil
		}
		e.stop()
	}
	e := newEnvironment(s, v, inv)
	s.running[e] = true
	s.owned.Add(1)
	return inv, e, nil
}

// enter counts an invocation, or refuses it. The caller holds s.mu.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
func (s *Service) enter(f *function) error {
	r := s.inRegion(f.region)
	full := r.active >= regionConcurrency-r.reserved
	if f.reserved != unreserved {
		full = f.active >= f.reserved
	}
	if full {
		return refuse(http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.")
	}
	s.count(f, 1)
	return nil
}

// count adds n to the invocations that run. The caller holds s.mu.
func (s *Service) count(f *function, n int) {
	f.active += n
	if f.reserved == unreserved {
		s.inRegion(f.region).active += n
	}
}

// release lets an environment wait for more work, and ends it when none comes.
// One that died meanwhile does not wait: nobody would remove it again.
func (s *Service) release(e *environment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count(e.v.function, -1)
	if s.closed || e.gone() {
		return
	}
	if s.cold || e.v.retired {
		e.stop()
		return
	}
	ctx, cancel := context.WithCancel(s.ctx)
	e.lease = cancel
	e.v.idle = append(e.v.idle, e)
	s.owned.Go(func() {
		defer cancel()
		if s.cfg.World.Clock.Sleep(ctx, s.limits.idle) == nil {
			s.expire(ctx, e)
		}
	})
}

// expire ends an environment unless it was given work, which cancels ctx.
func (s *Service) expire(ctx context.Context, e *environment) {
	s.mu.Lock()
	expired := ctx.Err() == nil
	if expired {
		s.takeIdle(e)
	}
	s.mu.Unlock()
	if expired {
		e.stop()
	}
}

// takeIdle takes an environment from those that wait for work, and tells whether
// it was among them. The caller holds s.mu.
func (s *Service) takeIdle(e *environment) bool {
	i := slices.Index(e.v.idle, e)
	if i < 0 {
		return false
	}
	e.v.idle = slices.Delete(e.v.idle, i, i+1)
	e.lease()
	return true
}

// remove forgets an environment whose process is gone.
func (s *Service) remove(e *environment, busy bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takeIdle(e)
	delete(s.running, e)
	if busy {
		s.count(e.v.function, -1)
	}
}
