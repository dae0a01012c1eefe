package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"time"
)

// runtimeAPI hands events to one process, as Lambda does.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type runtimeAPI struct {
	server  *http.Server
	served  chan error
	address string
	asked   chan time.Time // when the process asked for an event
	events  chan []byte
	replies chan reply
}

// reply is what the process answered, once it is whole.
type reply struct {
	at   time.Time
	body []byte
	err  error
}

func openRuntimeAPI() (*runtimeAPI, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &runtimeAPI{
		address: l.Addr().String(), served: make(chan error, 1),
		asked: make(chan time.Time, 1), events: make(chan []byte), replies: make(chan reply, 1),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", a.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", a.take)
	mux.HandleFunc("POST /2018-06-01/runtime/", a.failed)
	a.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { a.served <- a.server.Serve(l) }()
	return a, nil
}

func (a *runtimeAPI) close() error {
	err := a.server.Close()
	if served := <-a.served; !errors.Is(served, http.ErrServerClosed) {
		return served
	}
	return err
}

// invocationTime is how long the process may take, by what it is told.
const invocationTime = 5 * time.Minute

func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	select {
	case a.asked <- now:
	default: // nobody waits for it
	}
	select {
	case event := <-a.events:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", "bench")
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(now.Add(invocationTime).UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:"+home+":123456789012:function:bench")
		_, _ = w.Write(event) // a process that is gone does not answer either
	case <-r.Context().Done():
	}
}

func (a *runtimeAPI) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		err = errors.Join(err, errors.New(kind))
	}
	a.tell(reply{time.Now(), body, err})
	w.WriteHeader(http.StatusAccepted)
}

func (a *runtimeAPI) failed(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	a.tell(reply{at: time.Now(), err: fmt.Errorf("%s: %s: %w", r.URL.Path, body, errors.Join(errFunction, err))})
	w.WriteHeader(http.StatusAccepted)
}

// errFunction is for a function that failed.
var errFunction = errors.New("the function failed")

func (a *runtimeAPI) tell(r reply) {
	select {
	case a.replies <- r:
	default: // an answer that nobody asked for
	}
}

// invoke hands over an event and waits for the whole answer.
func (a *runtimeAPI) invoke(ctx context.Context, event []byte) (reply, error) {
	select {
	case a.events <- event:
	case r := <-a.replies:
		return r, closing(r.err, errors.New("the function answered before it was asked"))
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
	select {
	case r := <-a.replies:
		return r, r.err
	case <-ctx.Done():
		return reply{}, ctx.Err()
	}
}

// function is a bootstrap in an environment of its own.
type function struct {
	api     *runtimeAPI
	proc    *process
	started time.Time
	asked   time.Time // when it first asked for an event

	complaint bytes.Buffer // what it wrote about its errors; read after its end
}

// startLimit is Lambda's on the start of a function.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
const startLimit = 10 * time.Second

// startFunction starts a bootstrap and waits until it asks for an event.
func startFunction(ctx context.Context, bootstrap string, env []string) (_ *function, err error) {
	api, err := openRuntimeAPI()
	if err != nil {
		return nil, err
	}
	f := &function{api: api}
	env = append([]string{"AWS_LAMBDA_RUNTIME_API=" + api.address}, env...)
	f.started = time.Now()
	cmd := exec.Command(bootstrap)
	cmd.Stderr = &f.complaint
	if f.proc, err = start(cmd, env); err != nil {
		return nil, errors.Join(err, api.close())
	}
	limit := time.NewTimer(startLimit)
	defer limit.Stop()
	select {
	case f.asked = <-api.asked:
		return f, nil
	case r := <-api.replies:
		err = r.err
	case <-limit.C:
		err = fmt.Errorf("%s asked for no event within %s", bootstrap, startLimit)
	case <-ctx.Done():
		err = ctx.Err()
	}
	return nil, errors.Join(err, f.stop(), errors.New(f.complaint.String()))
}

// stop ends the process before what it talks to, which it would complain about.
func (f *function) stop() error {
	f.proc.stop()
	return f.api.close()
}
