package apigateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/apigateway"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/lambda"
	"github.com/crossregion/crossregion/local/wafv2"
	"github.com/stretchr/testify/require"
)

const (
	region     = "eu-west-1"
	serve      = "arn:aws:lambda:eu-west-1:123456789012:function:serve:live"
	authorizer = "arn:aws:lambda:eu-west-1:123456789012:function:authorizer"
	delimiter  = "\x00\x00\x00\x00\x00\x00\x00\x00"
)

// functions is a Lambda whose functions are Go functions.
type functions struct {
	mu    sync.Mutex
	by    map[string]func(context.Context, lambda.Invocation) (*lambda.Result, error)
	calls []lambda.Invocation
}

func (f *functions) Invoke(ctx context.Context, in lambda.Invocation) (*lambda.Result, error) {
	f.mu.Lock()
	f.calls = append(f.calls, in)
	answer := f.by[in.FunctionARN]
	f.mu.Unlock()
	if answer == nil {
		return nil, &cloud.APIError{Code: "ResourceNotFoundException", Message: "no such function", Status: 404}
	}
	return answer(ctx, in)
}

func (f *functions) to(arn string) []lambda.Invocation {
	f.mu.Lock()
	defer f.mu.Unlock()
	var calls []lambda.Invocation
	for _, c := range f.calls {
		if c.FunctionARN == arn {
			calls = append(calls, c)
		}
	}
	return calls
}

func (f *functions) define(arn string, answer func(context.Context, lambda.Invocation) (*lambda.Result, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.by[arn] = answer
}

// returns is a function that always answers the same.
func returns(body string) func(context.Context, lambda.Invocation) (*lambda.Result, error) {
	return func(context.Context, lambda.Invocation) (*lambda.Result, error) {
		return &lambda.Result{Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

// fails is a function that reports an error.
func fails(message string) func(context.Context, lambda.Invocation) (*lambda.Result, error) {
	return func(context.Context, lambda.Invocation) (*lambda.Result, error) {
		body := `{"errorMessage":"` + message + `","errorType":"errorString"}`
		return &lambda.Result{FunctionError: "Unhandled", Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

type certificates struct{}

func (certificates) Issued(arn, at, domain string) error {
	if !strings.HasPrefix(arn, "arn:aws:acm:"+at+":") {
		return errors.New("no such certificate in " + at)
	}
	if !strings.HasSuffix(domain, "example.com") {
		return errors.New("certificate does not cover " + domain)
	}
	return nil
}

// roles has one role that API Gateway may assume and that may write logs.
type roles struct{}

const (
	logRole  = "arn:aws:iam::123456789012:role/logs"
	logGroup = "arn:aws:logs:eu-west-1:123456789012:log-group:access"
)

func (roles) CheckTrust(role, principal string) error {
	if role != logRole && !strings.HasSuffix(role, "/unfit") || principal != "apigateway.amazonaws.com" {
		return errors.New(principal + " may not assume " + role)
	}
	return nil
}

func (roles) Authorize(c cloud.Caller, action, resource string, _ cloud.Keys) error {
	if c.Role == "reports" && action == "execute-api:Invoke" && strings.HasSuffix(resource, "/prod/GET/x") {
		return nil
	}
	if c.Role != "logs" || !strings.HasPrefix(resource, "arn:aws:logs:eu-west-1:123456789012:log-group:") {
		return errors.New(c.Role + " may not " + action + " on " + resource)
	}
	return nil
}

// logs has one log group.
type logs struct{ lines chan string }

func (l *logs) HasLogGroup(arn string) bool { return arn == logGroup }

func (l *logs) WriteLog(_, line string) error {
	l.lines <- line
	return nil
}

// fixture is a gateway with one region's edge.
type fixture struct {
	t       *testing.T
	clock   *cloud.ManualClock // of the cloud
	request *cloud.ManualClock // of timeouts
	lambda  *functions
	logs    *logs
	waf     *wafv2.Service
	acl     string // ARN of the last web ACL
	service *apigateway.Service
	types   []cloud.Resource
	server  *httptest.Server
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{
		t: t, clock: cloud.NewManualClock(time.Unix(1_700_000_000, 0)), request: cloud.NewManualClock(time.Unix(0, 0)),
		lambda: &functions{by: map[string]func(context.Context, lambda.Invocation) (*lambda.Result, error){}},
		logs:   &logs{lines: make(chan string, 100)},
	}
	f.waf = wafv2.New(f.clock)
	f.service = apigateway.New(apigateway.Config{
		World:  cloud.World{Clock: f.clock, Network: cloud.NewNetwork("0"), Log: slog.New(slog.DiscardHandler)},
		Lambda: f.lambda, Certificates: certificates{}, RequestClock: f.request,
		Roles: roles{}, Signers: signers{}, Logs: f.logs, Firewall: f.waf,
	})
	f.waf.UseStages(f.service)
	f.types = f.service.Resources()
	f.server = httptest.NewServer(f.service.Handler(region))
	t.Cleanup(f.server.Close)
	return f
}

type object = map[string]any

func (f *fixture) create(token, name string, inputs object) (cloud.State, error) {
	for _, r := range f.types {
		if strings.HasSuffix(r.Token, ":"+token) {
			return r.Create(context.Background(), region, name, inputs)
		}
	}
	return cloud.State{}, errors.New("no resource type " + token)
}

func (f *fixture) mustCreate(token, name string, inputs object) cloud.State {
	f.t.Helper()
	state, err := f.create(token, name, inputs)
	require.NoError(f.t, err)
	return state
}

// importAPI creates an API without deploying it.
func (f *fixture) importAPI(name string, doc object) cloud.State {
	f.t.Helper()
	body, err := json.Marshal(doc)
	require.NoError(f.t, err)
	return f.mustCreate("RestApi", name, object{"body": string(body), "endpointConfiguration": object{"types": "REGIONAL"}})
}

// deploy creates an API with a stage named "prod" and returns its host.
func (f *fixture) deploy(name string, doc object) (id, host string) {
	f.t.Helper()
	id = f.importAPI(name, doc).ID
	deployment := f.mustCreate("Deployment", name, object{"restApi": id, "triggers": object{"sha": "1"}})
	f.mustCreate("Stage", name, object{"restApi": id, "deployment": deployment.ID, "stageName": "prod"})
	return id, id + ".execute-api." + region + ".amazonaws.com"
}

type response struct {
	status int
	header http.Header
	body   string
}

func (f *fixture) send(method, host, path string, edit ...func(*http.Request)) (*http.Response, error) {
	r, err := http.NewRequestWithContext(f.t.Context(), method, f.server.URL+path, nil)
	require.NoError(f.t, err)
	r.Host = host
	for _, e := range edit {
		e(r)
	}
	return f.server.Client().Do(r)
}

func (f *fixture) do(method, host, path string, edit ...func(*http.Request)) response {
	f.t.Helper()
	res, err := f.send(method, host, path, edit...)
	require.NoError(f.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(f.t, err)
	return response{res.StatusCode, res.Header, string(body)}
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func body(text string) func(*http.Request) {
	return func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	}
}

func uri(function string, stream bool) string {
	path := "2015-03-31/functions/" + function + "/invocations"
	if stream {
		path = "2021-11-15/functions/" + function + "/response-streaming-invocations"
	}
	return "arn:aws:apigateway:" + region + ":lambda:path/" + path
}

func buffered() object {
	return object{"type": "aws_proxy", "httpMethod": "POST", "uri": uri(serve, false)}
}

func streamed() object {
	return object{"type": "aws_proxy", "httpMethod": "POST", "uri": uri(serve, true),
		"responseTransferMode": "STREAM", "timeoutInMillis": 900000}
}

// open is an operation that anyone may call.
func open(integration object) object {
	return object{"responses": object{"200": object{"description": "fine"}}, "x-amazon-apigateway-integration": integration}
}

// guarded is an operation behind the token authorizer.
func guarded(integration object) object {
	op := open(integration)
	op["security"] = []any{object{"key": []any{}}}
	return op
}

func document(paths object) object {
	return object{
		"openapi": "3.0.1", "info": object{"title": "test", "version": "1"}, "paths": paths,
		"components": object{"securitySchemes": object{"key": object{
			"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authtype": "custom",
			"x-amazon-apigateway-authorizer": object{
				"type": "token", "authorizerUri": uri(authorizer, false), "authorizerResultTtlInSeconds": 60,
				"identityValidationExpression": "Bearer .+",
			},
		}}},
	}
}
