// Package apigw lets an [http.Handler] answer API Gateway's REST proxy events,
// with every write on its way to the client at once. It only adapts: it routes
// nothing, limits nothing and knows no API.
//
// The integration must be one with responseTransferMode STREAM; API Gateway
// answers anything else for it with a 500.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
package apigw

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// Function is what lambda.Start runs.
type Function func(context.Context, events.APIGatewayProxyRequest) (*events.APIGatewayProxyStreamingResponse, error)

// errPanic cuts the body of an answer whose handler panicked, so that the
// client does not take the half of it for the whole.
var errPanic = errors.New("the handler panicked, see the function's log")

const (
	badRequest    = `{"error":{"message":"The request could not be read: its body or method is malformed.","type":"invalid_request_error","param":null,"code":null}}`
	expired       = `{"error":{"message":"The API key or token has expired.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}`
	nobody        = `{"error":{"message":"The request is signed neither by a role nor by a user of IAM.","type":"invalid_request_error","param":null,"code":"access_denied"}}`
	internalError = `{"error":{"message":"The server had an error while processing your request.","type":"server_error","param":null,"code":"internal_error"}}`
)

// Handler returns the function that answers each event with h. It returns once
// h has written its first byte or its status, and never an error, for which
// API Gateway would invent an answer of its own. Closing the response's body
// cancels h's request and waits for h, so nothing of one invocation reaches
// into the next. A panic of h is logged without its value, which may quote the
// request.
func Handler(h http.Handler, log *slog.Logger) Function {
	return func(ctx context.Context, ev events.APIGatewayProxyRequest) (*events.APIGatewayProxyStreamingResponse, error) {
		caller, err := identify(ev)
		if err != nil {
			return unknown(ctx, err, log), nil
		}
		ctx, cancel := context.WithCancel(context.WithValue(ctx, callerKey{}, caller))
		r, err := request(ctx, ev)
		if err != nil {
			cancel()
			return plain(http.StatusBadRequest, badRequest), nil
		}
		pr, pw := io.Pipe()
		w := &responseWriter{header: http.Header{}, pipe: pw, sent: make(chan struct{})}
		done := make(chan struct{})
		go func() {
			defer close(done)
			serve(h, w, r, log)
		}()
		<-w.sent
		return &events.APIGatewayProxyStreamingResponse{
			StatusCode:        w.status,
			MultiValueHeaders: w.released,
			Body:              &body{PipeReader: pr, cancel: cancel, done: done},
		}, nil
	}
}

// unknown answers a request whose caller could not be made out.
func unknown(ctx context.Context, err error, log *slog.Logger) *events.APIGatewayProxyStreamingResponse {
	switch {
	case errors.Is(err, errExpired):
		return plain(http.StatusUnauthorized, expired)
	case errors.Is(err, errNobody):
		return plain(http.StatusForbidden, nobody)
	}
	log.ErrorContext(ctx, "identify", "error", err.Error())
	return plain(http.StatusInternalServerError, internalError)
}

// plain answers without a handler.
func plain(status int, body string) *events.APIGatewayProxyStreamingResponse {
	return &events.APIGatewayProxyStreamingResponse{
		StatusCode:        status,
		MultiValueHeaders: http.Header{"Content-Type": {"application/json"}},
		Body:              strings.NewReader(body),
	}
}

// serve runs h and ends w's body in any case.
func serve(h http.Handler, w *responseWriter, r *http.Request, log *slog.Logger) {
	defer func() {
		v := recover()
		if v == nil {
			w.finish()
			return
		}
		if v != http.ErrAbortHandler {
			log.ErrorContext(r.Context(), "panic",
				"requestId", RequestID(r.Context()), "type", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
		}
		w.abort()
	}()
	h.ServeHTTP(w, r)
}

// body is the response body whose closing ends the handler.
type body struct {
	*io.PipeReader
	cancel context.CancelFunc
	done   <-chan struct{}
}

// Close implements [io.Closer].
func (b *body) Close() error {
	err := b.PipeReader.Close()
	b.cancel()
	<-b.done
	return err
}

// responseWriter releases the head of an answer with its first write. Only the
// handler's goroutine uses it; status and released belong to the function's
// own once sent is closed.
type responseWriter struct {
	header   http.Header
	pipe     *io.PipeWriter
	sent     chan struct{}
	status   int
	released http.Header
}

// Header implements [http.ResponseWriter].
func (w *responseWriter) Header() http.Header { return w.header }

// WriteHeader implements [http.ResponseWriter]. API Gateway forwards no 1xx
// status, so those are dropped.
func (w *responseWriter) WriteHeader(status int) {
	if w.status != 0 || status < 200 {
		return
	}
	w.status, w.released = status, w.header.Clone()
	close(w.sent)
}

// Write implements [http.ResponseWriter]. It returns once the runtime has taken
// p, so a slow client slows the handler and nothing piles up.
func (w *responseWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.pipe.Write(p)
}

// Flush implements [http.Flusher]. Each write is on its way already.
func (w *responseWriter) Flush() { w.WriteHeader(http.StatusOK) }

func (w *responseWriter) finish() {
	w.WriteHeader(http.StatusOK)
	// Closing the writing end of a pipe cannot fail.
	_ = w.pipe.Close()
}

func (w *responseWriter) abort() {
	if w.status == 0 {
		w.header = http.Header{"Content-Type": {"application/json"}}
		w.WriteHeader(http.StatusInternalServerError)
		// Fails only if nobody reads any more.
		_, _ = io.WriteString(w.pipe, internalError)
		w.finish()
		return
	}
	_ = w.pipe.CloseWithError(errPanic)
}
