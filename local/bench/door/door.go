// Package door turns HTTP requests into API Gateway's events and answers them
// with a function of the gateway, in one process: what API Gateway and Lambda
// would do around it, without what they take.
package door

import (
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/apigw"
)

// Event is what API Gateway makes of a request of the tenant, received now.
func Event(r *http.Request, tenant, id string) (events.APIGatewayProxyRequest, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return events.APIGatewayProxyRequest{}, err
	}
	ev := events.APIGatewayProxyRequest{
		HTTPMethod: r.Method, Path: r.URL.Path, Body: string(body),
		MultiValueHeaders: r.Header, MultiValueQueryStringParameters: r.URL.Query(),
	}
	ev.RequestContext.RequestID, ev.RequestContext.DomainName = id, r.Host
	ev.RequestContext.RequestTimeEpoch = time.Now().UnixMilli()
	ev.RequestContext.Authorizer = contract.Caller{Tenant: tenant, KeyID: "bench"}.Context()
	return ev, nil
}

// buffers are kept, as those are with which net/http sends a function's answer.
var buffers = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// New returns a handler whose requests belong to the tenant and reach h as
// events do.
func New(h http.Handler, tenant string, log *slog.Logger) http.Handler {
	function := apigw.Handler(h, log)
	var n atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ev, err := Event(r, tenant, "bench-"+strconv.FormatInt(n.Add(1), 10))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := function(r.Context(), ev)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		maps.Copy(w.Header(), answer.MultiValueHeaders)
		w.WriteHeader(answer.StatusCode)
		buffer := buffers.Get().(*[]byte)
		// Whoever hung up has no use for an error; closing ends the function.
		_, _ = io.CopyBuffer(flushing{w}, answer.Body, *buffer)
		buffers.Put(buffer)
		_ = answer.Close()
	})
}

// flushing sends each write at once.
type flushing struct{ http.ResponseWriter }

// Write implements [io.Writer].
func (f flushing) Write(p []byte) (int, error) {
	n, err := f.ResponseWriter.Write(p)
	if flusher, ok := f.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
	return n, err
}
