package apigateway

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/lambda"
)

// idleTimeout cuts a streamed response of a regional API that stays silent.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode.html
const idleTimeout = 5 * time.Minute

// errBufferedURI explains what API Gateway deploys without a word, and then
// answers 500 to.
var errBufferedURI = errors.New("the integration is STREAM, but its uri invokes without streaming: " +
	"use 2021-11-15/…/response-streaming-invocations")

// integrate invokes the function and passes its answer on. It returns a
// refusal only while the client has seen nothing.
func (s *Service) integrate(x *exchange) *refusal {
	i := x.method.integration
	if i.stream && !i.streamURI {
		s.warn(x, "integration", errBufferedURI)
		return internalError(http.StatusInternalServerError, "INTEGRATION_FAILURE")
	}
	event, err := x.event()
	if err != nil {
		return refuse(http.StatusBadRequest, "DEFAULT_4XX", "Bad Request")
	}
	idle := i.timeout
	if i.stream {
		idle = idleTimeout
	}
	x.took.called = s.cfg.RequestClock.Now()
	defer func() { x.took.returned = s.cfg.RequestClock.Now() }()
	guard := watch(x.r.Context(), s.cfg.RequestClock, i.timeout, idle)
	defer guard.stop()
	res, err := s.cfg.Lambda.Invoke(guard.ctx, lambda.Invocation{
		FunctionARN: i.function, Payload: event, Principal: "apigateway.amazonaws.com", Stream: i.streamURI,
		SourceARN: fmt.Sprintf("%s/%s/%s%s", x.api.executionARN(), x.stage.name, x.method.name, x.resource.path),
	})
	var large *cloud.APIError
	if errors.As(err, &large) && large.Status == http.StatusRequestEntityTooLarge {
		return refuse(large.Status, "REQUEST_TOO_LARGE", "Request Too Long")
	}
	if err != nil {
		return s.failure(x, guard, http.StatusInternalServerError, err)
	}
	if i.stream {
		return s.relay(x, guard, res)
	}
	return s.buffer(x, guard, res)
}

// failure is the answer to a fault behind the gateway.
func (s *Service) failure(x *exchange, guard *watchdog, status int, err error) *refusal {
	if guard.timedOut() {
		return refuse(http.StatusGatewayTimeout, "INTEGRATION_TIMEOUT", "Endpoint request timed out")
	}
	s.warn(x, "integration", err)
	return internalError(status, "INTEGRATION_FAILURE")
}

// proxyResponse is what a function returns to a buffered integration.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
type proxyResponse struct {
	StatusCode        int                 `json:"statusCode"`
	Headers           map[string]string   `json:"headers"`
	MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	Body              string              `json:"body"`
	IsBase64Encoded   bool                `json:"isBase64Encoded"`
}

func (s *Service) buffer(x *exchange, guard *watchdog, res *lambda.Result) *refusal {
	raw, err := guard.readAll(res.Body, maxPayload)
	if err == nil && res.FunctionError != "" {
		err = fmt.Errorf("the function failed (%s): %s", res.FunctionError, raw)
	}
	if err != nil {
		return s.failure(x, guard, http.StatusBadGateway, err)
	}
	answer, body, err := x.parseBuffered(raw)
	if err != nil {
		return s.failure(x, guard, http.StatusBadGateway, err)
	}
	x.took.content, x.took.status = s.cfg.RequestClock.Now(), answer.StatusCode
	answer.writeHeaders(x.w.Header())
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(answer.StatusCode)
	x.send(body)
	return nil
}

func (x *exchange) parseBuffered(raw []byte) (*metadata, []byte, error) {
	// A buffered integration takes the metadata of a streaming function for
	// the whole answer: the body behind them is lost.
	if i := bytes.Index(raw, delimiter); i >= 0 {
		m, err := parseMetadata(raw[:i])
		return m, nil, err
	}
	var p proxyResponse
	if err := cloud.DecodeStrict(raw, &p); err != nil {
		return nil, nil, fmt.Errorf("malformed Lambda proxy response: %w", err)
	}
	m := &metadata{StatusCode: p.StatusCode, Headers: p.Headers, MultiValueHeaders: p.MultiValueHeaders}
	if err := m.check(); err != nil {
		return nil, nil, fmt.Errorf("malformed Lambda proxy response: %w", err)
	}
	if p.IsBase64Encoded && x.stage.document.isBinary(x.r.Header.Get("Accept")) {
		body, err := base64.StdEncoding.DecodeString(p.Body)
		return m, body, err
	}
	return m, []byte(p.Body), nil
}
