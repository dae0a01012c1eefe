package apigateway_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRoutes(t *testing.T) {
	f := newFixture(t)
	f.lambda.define(serve, returns(`{"statusCode":200}`))
	_, host := f.deploy("api", document(object{
		"/v1/models":         object{"get": open(buffered()), "post": open(buffered())},
		"/v1/models/{model}": object{"get": open(buffered())},
		"/v1/{proxy+}":       object{"get": open(buffered())},
		"/":                  object{"get": open(buffered())},
	}))
	tests := []struct {
		name, method, path string
		resource           string // empty: no route
		params             map[string]any
	}{
		{"a literal beats a greedy variable", "GET", "/prod/v1/models", "/v1/models", nil},
		{"a variable beats a greedy one", "GET", "/prod/v1/models/m", "/v1/models/{model}", map[string]any{"model": "m"}},
		{"a variable is decoded", "GET", "/prod/v1/models/a%2Fb%3Ac", "/v1/models/{model}", map[string]any{"model": "a/b:c"}},
		{"a greedy variable takes the rest", "GET", "/prod/v1/models/m/x", "/v1/{proxy+}", map[string]any{"proxy": "models/m/x"}},
		{"the root", "GET", "/prod", "/", nil},
		{"the root with a slash", "GET", "/prod/", "/", nil},
		{"no such path", "GET", "/prod/v2", "", nil},
		{"no such method", "DELETE", "/prod/v1/models", "", nil},
		{"a method of a less precise path only", "POST", "/prod/v1/models/m", "", nil},
		{"a greedy variable needs something", "GET", "/prod/v1", "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := len(f.lambda.to(serve))
			res := f.do(tt.method, host, tt.path)
			if tt.resource == "" {
				assert.Equal(t, 403, res.status)
				assert.JSONEq(t, `{"message":"Missing Authentication Token"}`, res.body)
				return
			}
			require.Equal(t, 200, res.status)
			calls := f.lambda.to(serve)[before:]
			require.Len(t, calls, 1)
			var event struct {
				Resource       string         `json:"resource"`
				PathParameters map[string]any `json:"pathParameters"`
			}
			require.NoError(t, json.Unmarshal(calls[0].Payload, &event))
			assert.Equal(t, tt.resource, event.Resource)
			assert.Equal(t, tt.params, event.PathParameters)
		})
	}
}

func TestTheEdgeRefuses(t *testing.T) {
	f := newFixture(t)
	f.lambda.define(serve, returns(`{"statusCode":200}`))
	op := open(buffered())
	op["parameters"] = []any{
		object{"name": "X-Must", "in": "header", "required": true}, object{"$ref": "#/components/parameters/q"},
		object{"name": "may", "in": "query"},
	}
	op["x-amazon-apigateway-request-validator"] = "parameters"
	doc := document(object{"/x": object{"post": open(buffered())}, "/strict": object{"get": op}})
	change(doc, object{"q": object{"name": "q", "in": "query", "required": true}}, "components", "parameters")
	change(doc, object{"parameters": object{"validateRequestParameters": true}}, "x-amazon-apigateway-request-validators")
	id, host := f.deploy("api", doc)
	_, other := f.deploy("elsewhere", document(object{"/x": object{"post": open(buffered())}}))
	tests := []struct {
		name, method, host, path string
		edit                     func(*http.Request)
		status                   int
		want                     string
	}{
		{"a host that is nobody's", "POST", "www.example.com", "/x", nil, 403, "Forbidden"},
		{"a stage that does not exist", "POST", host, "/beta/x", nil, 403, "Forbidden"},
		{"the endpoint of another region", "POST", id + ".execute-api.us-east-1.amazonaws.com", "/prod/x", nil, 403, "Forbidden"},
		{"headers over 20,480 bytes", "POST", host, "/prod/x", header("X-Long", strings.Repeat("x", 20_480)), 431, "Request Header Fields Too Large"},
		{"missing required parameters", "GET", host, "/prod/strict", nil, 400, "Missing required request parameters: [X-Must, q]"},
		{"one missing required parameter", "GET", host, "/prod/strict?q=1", nil, 400, "Missing required request parameters: [X-Must]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			edit := tt.edit
			if edit == nil {
				edit = func(*http.Request) {}
			}
			res := f.do(tt.method, tt.host, tt.path, edit)
			assert.Equal(t, tt.status, res.status)
			var got struct{ Message string }
			require.NoError(t, json.Unmarshal([]byte(res.body), &got), res.body)
			assert.Equal(t, tt.want, got.Message)
			assert.NotEmpty(t, res.header.Get("X-Amzn-Requestid"))
		})
	}
	assert.Equal(t, 200, f.do("POST", other, "/prod/x").status)
	assert.Equal(t, 200, f.do("GET", host, "/prod/strict?q=1", header("X-Must", "1")).status)
	assert.Equal(t, 200, f.do("POST", host, "/prod/x", body(strings.Repeat("x", 10<<20))).status)
}

// TestABodyIsTooLarge for API Gateway, which answers in words of its own, or for
// Lambda, which is answered in those of the API.
func TestABodyIsTooLarge(t *testing.T) {
	f := newFixture(t)
	f.lambda.define(serve, func(context.Context, lambda.Invocation) (*lambda.Result, error) {
		return nil, &cloud.APIError{Code: "RequestTooLargeException", Status: http.StatusRequestEntityTooLarge}
	})
	doc := document(object{"/x": object{"post": open(streamed())}})
	change(doc, object{"REQUEST_TOO_LARGE": object{"responseTemplates": object{"application/json": `{"worded":$context.error.messageString}`}}},
		"x-amazon-apigateway-gateway-responses")
	_, host := f.deploy("api", doc)
	for name, tt := range map[string]struct{ body, media, want string }{
		"for API Gateway": {strings.Repeat("x", 10<<20+1), "text; charset=utf-8", "HTTP content length exceeded 10485760 bytes."},
		"for Lambda":      {strings.Repeat("x", 10<<20), "application/json", `{"worded":"Request Too Long"}`},
	} {
		t.Run(name, func(t *testing.T) {
			res := f.do("POST", host, "/prod/x", body(tt.body))
			assert.Equal(t, http.StatusRequestEntityTooLarge, res.status)
			assert.Equal(t, tt.media, res.header.Get("Content-Type"))
			assert.Equal(t, tt.want, res.body)
		})
	}
}

func TestADisabledDefaultEndpointIsForbidden(t *testing.T) {
	f := newFixture(t)
	f.lambda.define(serve, returns(`{"statusCode":200}`))
	raw, err := json.Marshal(document(object{"/x": object{"get": open(buffered())}}))
	require.NoError(t, err)
	id := f.mustCreate("RestApi", "api", object{"body": string(raw), "disableExecuteApiEndpoint": true,
		"endpointConfiguration": object{"types": "REGIONAL"}}).ID
	deployment := f.mustCreate("Deployment", "api", object{"restApi": id})
	f.mustCreate("Stage", "api", object{"restApi": id, "deployment": deployment.ID, "stageName": "prod"})
	f.domain("api.example.com", object{"restApi": id, "stageName": "prod"})
	assert.Equal(t, 403, f.do("GET", id+".execute-api."+region+".amazonaws.com", "/prod/x").status)
	assert.Equal(t, 200, f.do("GET", "api.example.com", "/x").status)
}

func TestThrottles(t *testing.T) {
	f := newFixture(t)
	f.lambda.define(serve, returns(`{"statusCode":200}`))
	id, host := f.deploy("api", document(object{"/a": object{"get": open(buffered())}, "/b": object{"get": open(buffered())}}))
	f.mustCreate("MethodSettings", "all", object{"restApi": id, "stageName": "prod", "methodPath": "*/*",
		"settings": object{"throttlingRateLimit": 1.0, "throttlingBurstLimit": 2.0}})
	f.mustCreate("MethodSettings", "b", object{"restApi": id, "stageName": "prod", "methodPath": "b/GET",
		"settings": object{"throttlingRateLimit": -1.0, "throttlingBurstLimit": 0.0}})
	get := func(path string) int { return f.do("GET", host, "/prod"+path).status }
	assert.Equal(t, []int{200, 200, 429}, []int{get("/a"), get("/a"), get("/a")}, "a burst of two")
	assert.Equal(t, 429, get("/b"), "the method's own settings beat those for all")
	f.clock.Advance(time.Second)
	assert.Equal(t, []int{200, 429}, []int{get("/a"), get("/a")}, "one more token after a second")
	f.clock.Advance(time.Hour)
	assert.Equal(t, []int{200, 200, 429}, []int{get("/a"), get("/a"), get("/a")}, "never more than the burst")
}

func TestGatewayResponsesWordRefusals(t *testing.T) {
	f := newFixture(t)
	doc := document(object{"/x": object{"get": open(buffered())}})
	change(doc, object{
		"MISSING_AUTHENTICATION_TOKEN": object{
			"statusCode":         404,
			"responseParameters": object{"gatewayresponse.header.X-Why": "'no route'"},
			"responseTemplates": object{"application/json": `{"error":{"message":$context.error.messageString,` +
				`"plain":"$context.error.message","request_id":"$context.requestId"}}`},
		},
		"DEFAULT_5XX": object{"statusCode": "503"},
	}, "x-amazon-apigateway-gateway-responses")
	_, host := f.deploy("api", doc)
	res := f.do("GET", host, "/prod/none")
	assert.Equal(t, 404, res.status)
	assert.Equal(t, "no route", res.header.Get("X-Why"))
	assert.Equal(t, "MissingAuthenticationTokenException", res.header.Get("X-Amzn-Errortype"))
	assert.JSONEq(t, `{"error":{"message":"Missing Authentication Token","plain":"Missing Authentication Token","request_id":"`+
		res.header.Get("X-Amzn-Requestid")+`"}}`, res.body)
	assert.Equal(t, 503, f.do("GET", host, "/prod/x").status, "the default of the class words the rest")
	assert.Equal(t, 403, f.do("GET", host, "/beta/x").status, "no stage, no wording")
}
