package apigw

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

type requestIDKey struct{}

// RequestID returns API Gateway's id of the request that ctx belongs to, and ""
// outside a request.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// request rebuilds the HTTP request that API Gateway received.
func request(ctx context.Context, ev events.APIGatewayProxyRequest) (*http.Request, error) {
	body, length, err := requestBody(ev)
	if err != nil {
		return nil, err
	}
	ctx = context.WithValue(ctx, requestIDKey{}, ev.RequestContext.RequestID)
	r, err := http.NewRequestWithContext(ctx, ev.HTTPMethod, "/", body)
	if err != nil {
		return nil, fmt.Errorf("rebuild the request: %w", err)
	}
	r.URL = requestURL(ev)
	r.RequestURI = r.URL.RequestURI()
	r.Header = requestHeader(ev)
	r.Host = r.Header.Get("Host")
	if r.Host == "" {
		r.Host = ev.RequestContext.DomainName
	}
	// As net/http does, so that a handler finds the host in one place.
	r.Header.Del("Host")
	r.ContentLength = int64(length)
	r.RemoteAddr = ev.RequestContext.Identity.SourceIP
	return r, nil
}

func requestBody(ev events.APIGatewayProxyRequest) (io.Reader, int, error) {
	if !ev.IsBase64Encoded {
		return strings.NewReader(ev.Body), len(ev.Body), nil
	}
	b, err := base64.StdEncoding.DecodeString(ev.Body)
	if err != nil {
		return nil, 0, fmt.Errorf("decode the body from base64: %w", err)
	}
	return strings.NewReader(string(b)), len(b), nil
}

// requestURL keeps an escaped path as it came, so that an escaped slash stays
// inside its segment. A path that is no valid escape is taken literally.
func requestURL(ev events.APIGatewayProxyRequest) *url.URL {
	u := &url.URL{Path: ev.Path}
	if path, err := url.PathUnescape(ev.Path); err == nil {
		u.Path, u.RawPath = path, ev.Path
	}
	query := url.Values(ev.MultiValueQueryStringParameters)
	if query == nil {
		query = url.Values{}
		for k, v := range ev.QueryStringParameters {
			query.Set(k, v)
		}
	}
	u.RawQuery = query.Encode()
	return u
}

func requestHeader(ev events.APIGatewayProxyRequest) http.Header {
	h := make(http.Header, len(ev.MultiValueHeaders))
	for k, values := range ev.MultiValueHeaders {
		for _, v := range values {
			h.Add(k, v)
		}
	}
	if len(h) == 0 {
		for k, v := range ev.Headers {
			h.Set(k, v)
		}
	}
	return h
}
