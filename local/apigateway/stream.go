package apigateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/lambda"
)

// maxPrelude is where the delimiter must have come.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
const maxPrelude = 16 << 10

// delimiter stands between the metadata and the body of a streamed answer.
var delimiter = make([]byte, 8)

// metadata is the head of a streamed answer.
type metadata struct {
	StatusCode        int                 `json:"statusCode"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Cookies           []string            `json:"cookies"`
}

func parseMetadata(raw []byte) (*metadata, error) {
	var m metadata
	if err := cloud.DecodeStrict(raw, &m); err != nil {
		return nil, fmt.Errorf("read the metadata of a streamed response: %w", err)
	}
	return &m, m.check()
}

func (m *metadata) check() error {
	if m.StatusCode < 200 || m.StatusCode > 599 {
		return fmt.Errorf("statusCode is %d, want 200 to 599", m.StatusCode)
	}
	return nil
}

// writeHeaders sets the function's headers, except for those that API Gateway
// keeps for itself and passes on under another name.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
func (m *metadata) writeHeaders(h http.Header) {
	set := http.Header{}
	for name, value := range m.Headers {
		set.Set(name, value)
	}
	for name, values := range m.MultiValueHeaders {
		set.Del(name)
		for _, v := range values {
			set.Add(name, v)
		}
	}
	for name, values := range set {
		switch name {
		case "Transfer-Encoding": // the edge frames the body itself
		case "Connection", "Date", "Server", "Www-Authenticate":
			h["X-Amzn-Remapped-"+name] = values
		default:
			h[name] = values
		}
	}
	for _, c := range m.Cookies {
		h.Add("Set-Cookie", c)
	}
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
}

// relay passes a streamed answer on as it comes.
func (s *Service) relay(x *exchange, guard *watchdog, res *lambda.Result) *refusal {
	release := guard.tie(res.Body)
	defer res.Body.Close()
	defer release()
	m, rest, err := readPrelude(guard, res)
	if err != nil {
		return s.failure(x, guard, http.StatusInternalServerError, err)
	}
	x.took.status = m.StatusCode
	if len(rest) > 0 {
		x.took.content = s.cfg.RequestClock.Now()
	}
	m.writeHeaders(x.w.Header())
	x.w.WriteHeader(m.StatusCode)
	out := http.NewResponseController(x.w)
	if !x.send(rest) || out.Flush() != nil {
		return nil
	}
	chunk := make([]byte, 32<<10)
	for {
		n, err := res.Body.Read(chunk)
		guard.feed()
		if n > 0 && x.took.content.IsZero() {
			x.took.content = s.cfg.RequestClock.Now()
		}
		if n > 0 && (!x.send(chunk[:n]) || out.Flush() != nil) {
			return nil
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			s.warn(x, "response cut after it had begun", err)
			// The status is gone: only a broken connection tells the client.
			panic(http.ErrAbortHandler)
		}
	}
}

// readPrelude reads up to the delimiter, and returns what came behind it.
func readPrelude(guard *watchdog, res *lambda.Result) (*metadata, []byte, error) {
	buf := make([]byte, 0, maxPrelude)
	for {
		n, err := res.Body.Read(buf[len(buf):cap(buf)])
		guard.feed()
		buf = buf[:len(buf)+n]
		if i := bytes.Index(buf, delimiter); i >= 0 && res.FunctionError == "" {
			m, err := parseMetadata(buf[:i])
			return m, buf[i+len(delimiter):], err
		}
		switch {
		case errors.Is(err, io.EOF) && res.FunctionError != "":
			return nil, nil, fmt.Errorf("the function failed (%s): %s", res.FunctionError, buf)
		case errors.Is(err, io.EOF):
			return nil, nil, errors.New("a STREAM integration got no 8 NUL bytes after JSON metadata")
		case err != nil:
			return nil, nil, err
		case len(buf) == cap(buf):
			return nil, nil, fmt.Errorf("no 8 NUL bytes within the first %d bytes of a streamed response", maxPrelude)
		}
	}
}
