package lambda

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
)

// Largest responses: whole and streamed. The first is 100 bytes over 6 MB, as
// AWS's error says.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const (
	maxResponseBytes = 6<<20 + 100
	maxStreamBytes   = 200 << 20
)

// Trailers with which a runtime ends a streamed response that broke off.
const (
	trailerErrorType = "Lambda-Runtime-Function-Error-Type"
	trailerErrorBody = "Lambda-Runtime-Function-Error-Body"
)

// runtimeAPI is what the process talks to.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
func (e *environment) runtimeAPI() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", e.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", e.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", e.reportError)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", e.initError)
	return mux
}

// next ends the invocation before, and waits for one to hand over.
func (e *environment) next(w http.ResponseWriter, r *http.Request) {
	if !e.settle() {
		answer(w, invalidState("respond to the current invocation first"))
		return
	}
	select {
	case inv := <-e.work:
		deadline, ok := e.begin(inv)
		if !ok {
			answer(w, invalidState("the environment has ended"))
			return
		}
		e.logStart(inv)
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", inv.arn)
		h.Set("Lambda-Runtime-Trace-Id", inv.trace)
		if _, err := w.Write(inv.payload); err != nil {
			e.s.cfg.World.Log.Warn("the runtime did not take an event", "function", e.v.arn, "err", err)
		}
	case <-r.Context().Done():
	}
}

// settle ends the invocation that was responded to and lets e wait for work. It
// reports false when the function has yet to respond, or has failed to start.
func (e *environment) settle() bool {
	done, ok := e.finish()
	if done != nil {
		e.logEnd(done, nil)
		e.s.release(e)
		done.end(nil)
	}
	return ok
}

// finish returns the invocation that was responded to, if any, and whether e
// may ask for another.
func (e *environment) finish() (*invocation, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cause != nil {
		return nil, false
	}
	if e.init != nil {
		e.init.Stop()
		e.init, e.initTook = nil, time.Since(e.born)
	}
	inv := e.current
	if inv == nil || inv.state == pending {
		return nil, true
	}
	if inv.state != responded {
		return nil, false
	}
	e.current = nil
	e.served++
	inv.timer.Stop()
	return inv, true
}

// begin starts an invocation's time and returns when it is up. It reports false
// when the process died before: then the invocation is not e's any more.
func (e *environment) begin(inv *invocation) (time.Time, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dead || e.current != inv {
		return time.Time{}, false
	}
	inv.state, inv.begun = running, time.Now()
	inv.timer = time.AfterFunc(e.v.timeout, func() { e.expired(inv) })
	return inv.begun.Add(e.v.timeout), true
}

// accept takes the invocation to which the runtime sends a response or an
// error, which it may do once. A streamed response begins here.
func (e *environment) accept(r *http.Request, response bool) (*invocation, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	inv := e.current
	if inv == nil || inv.id != r.PathValue("id") {
		return nil, refuse(http.StatusBadRequest, "InvalidRequestID", "the environment does not run this invocation")
	}
	if inv.state != running {
		return nil, invalidState("the invocation takes no response now")
	}
	inv.state = responding
	if response && inv.stream {
		inv.streaming = true
		inv.result <- &Result{ContentType: r.Header.Get("Content-Type"), Body: inv.reader}
	}
	return inv, nil
}

// response receives a response, streamed or whole. Runtimes send either form
// with or without Lambda-Runtime-Function-Response-Mode: what the invoker asked
// for decides.
func (e *environment) response(w http.ResponseWriter, r *http.Request) {
	inv, err := e.accept(r, true)
	if err != nil {
		answer(w, err)
		return
	}
	var buffer bytes.Buffer
	var to io.Writer = &buffer
	limit := int64(maxResponseBytes)
	if inv.streaming {
		to, limit = inv, maxStreamBytes
	}
	broken, err := receive(to, http.MaxBytesReader(w, r.Body, limit), r)
	switch {
	case broken != nil:
		e.responded(inv, broken.result())
		inv.leave(broken)
	case err == nil:
		e.responded(inv, whole(r.Header.Get("Content-Type"), buffer.Bytes()))
	}
	answer(w, err)
}

// receive copies a response. It returns a failure when the response is too
// large or the function broke it off, which only the second calls a success.
func receive(to io.Writer, body io.Reader, r *http.Request) (*failure, error) {
	_, err := io.Copy(to, body)
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		f := newFailure("Function.ResponseSizeTooLarge",
			fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", large.Limit))
		return f, refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "%s", f.message)
	}
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "TruncatedResponse", "read response: %v", err)
	}
	kind := r.Trailer.Get(trailerErrorType)
	if kind == "" {
		return nil, nil
	}
	document, err := base64.StdEncoding.DecodeString(r.Trailer.Get(trailerErrorBody))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidTrailer", "%s: %v", trailerErrorBody, err)
	}
	return readFailure(kind, document), nil
}

// responded records that the runtime has responded. Of a streamed response the
// invoker has its result already.
func (e *environment) responded(inv *invocation, reply *Result) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current != inv {
		return // the process was ended meanwhile
	}
	inv.state = responded
	if !inv.streaming {
		inv.reply = reply
	}
}

// reportError receives the error of a function instead of a response.
func (e *environment) reportError(w http.ResponseWriter, r *http.Request) {
	inv, err := e.accept(r, false)
	if err != nil {
		answer(w, err)
		return
	}
	f, err := receiveError(w, r)
	if err == nil {
		e.responded(inv, f.result())
	}
	answer(w, err)
}

// initError receives the reason why the runtime cannot start. It gets no
// invocation any more.
func (e *environment) initError(w http.ResponseWriter, r *http.Request) {
	f, err := receiveError(w, r)
	if err != nil {
		answer(w, err)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.init == nil || e.cause != nil {
		answer(w, invalidState("the runtime has started"))
		return
	}
	e.cause = f
	answer(w, nil)
}

func receiveError(w http.ResponseWriter, r *http.Request) (*failure, error) {
	document, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxResponseBytes))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "TruncatedResponse", "read error: %v", err)
	}
	return readFailure(cmp.Or(r.Header.Get(trailerErrorType), "Runtime.Unknown"), document), nil
}

func invalidState(message string) error {
	return refuse(http.StatusForbidden, "InvalidStateTransition", "%s", message)
}

// answer tells the runtime whether what it sent was taken. A runtime that is
// gone by then needs no answer.
func answer(w http.ResponseWriter, err error) {
	status, body := http.StatusAccepted, map[string]string{"status": "OK"}
	if err != nil {
		api := cloud.AsAPIError(err)
		status, body = api.HTTPStatus(), map[string]string{"errorType": api.Code, "errorMessage": api.Message}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
