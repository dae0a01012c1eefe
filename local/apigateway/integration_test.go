package apigateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheEventIsThatOfARESTAPI(t *testing.T) {
	f := newFixture(t)
	f.lambda.define(serve, returns(`{"statusCode":200}`))
	op := open(streamed())
	op["operationId"] = "retrieveModel"
	id, host := f.deploy("api", document(object{"/v1/models/{model}": object{"post": op}}))
	f.do("POST", host, "/prod/v1/models/a%2Fb?q=1&q=2", body(`{"a":1}`), header("X-A", "b"), header("User-Agent", "test"))
	call := f.lambda.to(serve)[0]
	assert.True(t, call.Stream)
	assert.Equal(t, "apigateway.amazonaws.com", call.Principal)
	assert.Equal(t, "arn:aws:execute-api:eu-west-1:123456789012:"+id+"/prod/POST/v1/models/{model}", call.SourceARN)
	var event map[string]any
	require.NoError(t, json.Unmarshal(call.Payload, &event))
	rc := event["requestContext"].(map[string]any)
	for key, want := range map[string]any{
		"resource": "/v1/models/{model}", "path": "/v1/models/a%2Fb", "httpMethod": "POST", "body": `{"a":1}`,
		"isBase64Encoded": false, "queryStringParameters": map[string]any{"q": "2"},
		"multiValueQueryStringParameters": map[string]any{"q": []any{"1", "2"}},
		"pathParameters":                  map[string]any{"model": "a/b"}, "stageVariables": nil,
	} {
		assert.Equal(t, want, event[key], key)
	}
	for key, want := range map[string]any{
		"accountId": "123456789012", "apiId": id, "stage": "prod", "resourcePath": "/v1/models/{model}", "httpMethod": "POST",
		"path": "/prod/v1/models/a%2Fb", "protocol": "HTTP/1.1", "domainName": host, "domainPrefix": id,
		"operationName": "retrieveModel", "requestTimeEpoch": 1.7e12, "requestTime": "14/Nov/2023:22:13:20 +0000",
	} {
		assert.Equal(t, want, rc[key], key)
	}
	assert.NotContains(t, rc, "authorizer")
	identity := rc["identity"].(map[string]any)
	assert.Equal(t, "127.0.0.1", identity["sourceIp"])
	assert.Equal(t, "test", identity["userAgent"])
	headers := event["headers"].(map[string]any)
	assert.Equal(t, "b", headers["X-A"])
	assert.Equal(t, host, headers["Host"])
	assert.Equal(t, "127.0.0.1", headers["X-Forwarded-For"])
	assert.Equal(t, "https", headers["X-Forwarded-Proto"])
	assert.Equal(t, []any{"b"}, event["multiValueHeaders"].(map[string]any)["X-A"])
}

func TestAnEmptyRequestCarriesNulls(t *testing.T) {
	f := newFixture(t)
	f.lambda.define(serve, returns(`{"statusCode":200}`))
	_, host := f.deploy("api", document(object{"/x": object{"get": open(buffered())}}))
	f.do("GET", host, "/prod/x")
	var event map[string]any
	require.NoError(t, json.Unmarshal(f.lambda.to(serve)[0].Payload, &event))
	for _, key := range []string{"body", "queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables"} {
		value, given := event[key]
		assert.True(t, given, key)
		assert.Nil(t, value, key)
	}
}

func TestBinaryMediaTypesTravelInBase64(t *testing.T) {
	f := newFixture(t)
	f.lambda.define(serve, returns(`{"statusCode":200,"body":"AAE=","isBase64Encoded":true}`))
	doc := document(object{"/x": object{"post": open(buffered())}})
	_, host := f.deploy("api", change(doc, []any{"image/png"}, "x-amazon-apigateway-binary-media-types"))
	res := f.do("POST", host, "/prod/x", body("\x00\x01"), header("Content-Type", "image/png"), header("Accept", "image/png"))
	assert.Equal(t, "\x00\x01", res.body)
	var event map[string]any
	require.NoError(t, json.Unmarshal(f.lambda.to(serve)[0].Payload, &event))
	assert.Equal(t, "AAE=", event["body"])
	assert.Equal(t, true, event["isBase64Encoded"])
	assert.Equal(t, "AAE=", f.do("POST", host, "/prod/x").body, "whoever does not accept binary gets the text")
}

func TestTextIsUTF8(t *testing.T) {
	f := newFixture(t)
	f.lambda.define(serve, returns(`{"statusCode":200}`))
	_, host := f.deploy("api", document(object{"/x": object{"post": open(buffered())}}))
	f.do("POST", host, "/prod/x", body("a\xffb"), header("Content-Type", "application/json"))
	var event map[string]any
	require.NoError(t, json.Unmarshal(f.lambda.to(serve)[0].Payload, &event))
	assert.Equal(t, "a\ufffdb", event["body"])
	assert.Equal(t, false, event["isBase64Encoded"])
}

func TestAnswers(t *testing.T) {
	throttled := func(context.Context, lambda.Invocation) (*lambda.Result, error) {
		return nil, &cloud.APIError{Code: "TooManyRequestsException", Message: "Rate Exceeded.", Status: 429}
	}
	internal := `{"message":"Internal server error"}`
	crossed := streamed()
	crossed["uri"] = uri(serve, false)
	inverse := buffered()
	inverse["uri"] = uri(serve, true)
	stream := `{"statusCode":201,"headers":{"X-A":"b"},"cookies":["c=1"]}` + delimiter + "body"
	tests := []struct {
		name        string
		integration object
		answer      func(context.Context, lambda.Invocation) (*lambda.Result, error)
		status      int
		body        string
	}{
		{"buffered: an answer", buffered(), returns(`{"statusCode":201,"headers":{"X-A":"b"},"body":"body"}`), 201, "body"},
		{"buffered: no JSON", buffered(), returns(`body`), 502, internal},
		{"buffered: an unknown key", buffered(), returns(`{"statusCode":200,"cookies":[]}`), 502, internal},
		{"buffered: no status", buffered(), returns(`{"body":"x"}`), 502, internal},
		{"buffered: two values", buffered(), returns(`{"statusCode":200}{}`), 502, internal},
		{"buffered: a failed function", buffered(), fails("boom"), 502, internal},
		{"buffered: Lambda refuses", buffered(), throttled, 500, internal},
		{"buffered: a streaming function loses its body", buffered(), returns(stream), 201, ""},
		{"buffered: through the streaming uri too", inverse, returns(stream), 201, ""},
		{"stream: an answer", streamed(), returns(stream), 201, "body"},
		{"stream: through the buffered uri", crossed, returns(stream), 500, internal},
		{"stream: a buffered function", streamed(), returns(`{"statusCode":200,"body":"x"}`), 500, internal},
		{"stream: a key that is not metadata", streamed(), returns(`{"statusCode":200,"body":"x"}` + delimiter), 500, internal},
		{"stream: a status that is none", streamed(), returns(`{"statusCode":42}` + delimiter), 500, internal},
		{"stream: seven NULs", streamed(), returns(`{"statusCode":200}` + delimiter[:7] + "x"), 500, internal},
		{"stream: NULs after 16 KB", streamed(), returns(`{"statusCode":200}` + strings.Repeat(" ", 16<<10) + delimiter), 500, internal},
		{"stream: a failed function", streamed(), fails("boom"), 500, internal},
		{"stream: Lambda refuses", streamed(), throttled, 500, internal},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			f.lambda.define(serve, tt.answer)
			_, host := f.deploy("api", document(object{"/x": object{"get": open(tt.integration)}}))
			res := f.do("GET", host, "/prod/x")
			assert.Equal(t, tt.status, res.status)
			assert.Equal(t, tt.body, res.body)
			if tt.status == 201 {
				assert.Equal(t, "b", res.header.Get("X-A"))
			}
		})
	}
}

func TestHeadersOfAnswers(t *testing.T) {
	f := newFixture(t)
	f.lambda.define(serve, returns(`{"statusCode":200,"headers":{"X-A":"1","content-type":"text/event-stream","WWW-Authenticate":"Bearer"},`+
		`"multiValueHeaders":{"x-a":["2","3"]},"cookies":["c=1","d=2"]}`+delimiter))
	_, host := f.deploy("api", document(object{"/x": object{"get": open(streamed())}}))
	h := f.do("GET", host, "/prod/x").header
	assert.Equal(t, []string{"2", "3"}, h.Values("X-A"))
	assert.Equal(t, []string{"c=1", "d=2"}, h.Values("Set-Cookie"))
	assert.Equal(t, []string{"text/event-stream"}, h.Values("Content-Type"))
	assert.Empty(t, h.Get("WWW-Authenticate"))
	assert.Equal(t, "Bearer", h.Get("X-Amzn-Remapped-Www-Authenticate"))
	assert.NotEmpty(t, h.Get("X-Amzn-Requestid"))
	assert.NotEmpty(t, h.Get("X-Amz-Apigw-Id"))
}

// streaming deploys a function that sends what the test writes.
func streaming(t *testing.T) (f *fixture, host string, write *io.PipeWriter) {
	f = newFixture(t)
	read, write := io.Pipe()
	f.lambda.define(serve, func(context.Context, lambda.Invocation) (*lambda.Result, error) {
		return &lambda.Result{Body: read}, nil
	})
	_, host = f.deploy("api", document(object{"/x": object{"get": open(streamed())}}))
	return f, host, write
}

// begin starts a request and sends the prelude.
func begin(t *testing.T, f *fixture, host string, write io.Writer) *http.Response {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(write, `{"statusCode":200}`+delimiter)
		sent <- err
	}()
	res, err := f.send("GET", host, "/prod/x")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, res.Body.Close()) })
	require.NoError(t, <-sent)
	require.Equal(t, 200, res.StatusCode)
	return res
}

func say(t *testing.T, write io.Writer, read io.Reader, text string) {
	t.Helper()
	_, err := io.WriteString(write, text)
	require.NoError(t, err)
	got := make([]byte, len(text))
	_, err = io.ReadFull(read, got)
	require.NoError(t, err)
	require.Equal(t, text, string(got))
}

func TestAStreamArrivesChunkByChunk(t *testing.T) {
	f, host, write := streaming(t)
	res := begin(t, f, host, write)
	say(t, write, res.Body, "one ")
	say(t, write, res.Body, "two")
	require.NoError(t, write.Close())
	rest, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Empty(t, rest)
}

func TestACutStreamBreaksTheConnection(t *testing.T) {
	f, host, write := streaming(t)
	res := begin(t, f, host, write)
	say(t, write, res.Body, "one")
	require.NoError(t, write.CloseWithError(errors.New("Runtime.ExitError")))
	_, err := io.ReadAll(res.Body)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestASilentStreamIsCutAfterFiveMinutes(t *testing.T) {
	f, host, write := streaming(t)
	res := begin(t, f, host, write)
	require.NoError(t, f.request.AwaitSleepers(t.Context(), 1))
	f.request.Advance(4 * time.Minute)
	say(t, write, res.Body, "still here")
	f.request.Advance(time.Minute)
	require.NoError(t, f.request.AwaitSleepers(t.Context(), 1))
	f.request.Advance(3 * time.Minute)
	say(t, write, res.Body, "and here")
	f.request.Advance(time.Minute)
	require.NoError(t, f.request.AwaitSleepers(t.Context(), 1))
	f.request.Advance(5 * time.Minute)
	_, err := io.ReadAll(res.Body)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestAFunctionThatAnswersTooLate(t *testing.T) {
	for name, integration := range map[string]object{"buffered": buffered(), "stream": streamed()} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.lambda.define(serve, func(ctx context.Context, _ lambda.Invocation) (*lambda.Result, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			})
			integration["timeoutInMillis"] = 1000
			_, host := f.deploy("api", document(object{"/x": object{"get": open(integration)}}))
			done := make(chan response, 1)
			go func() { done <- f.do("GET", host, "/prod/x") }()
			require.NoError(t, f.request.AwaitSleepers(t.Context(), 1))
			f.request.Advance(time.Second)
			res := <-done
			assert.Equal(t, 504, res.status)
			assert.JSONEq(t, `{"message":"Endpoint request timed out"}`, res.body)
		})
	}
}

func TestABodyThatNeverComesTimesOut(t *testing.T) {
	f, host, _ := streaming(t)
	done := make(chan response, 1)
	go func() { done <- f.do("GET", host, "/prod/x") }()
	require.NoError(t, f.request.AwaitSleepers(t.Context(), 1))
	f.request.Advance(5 * time.Minute)
	assert.Equal(t, 504, (<-done).status)
}

func TestAClientThatLeavesFreesTheEdge(t *testing.T) {
	f, host, write := streaming(t)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.server.URL+"/prod/x", nil)
	require.NoError(t, err)
	r.Host = host
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(write, `{"statusCode":200}`+delimiter)
		sent <- err
	}()
	res, err := f.server.Client().Do(r)
	require.NoError(t, err)
	require.NoError(t, <-sent)
	cancel()
	require.NoError(t, res.Body.Close())
	// The body is closed, which leaves Lambda to run the function to its end.
	for err == nil {
		_, err = io.WriteString(write, "x")
	}
	assert.ErrorIs(t, err, io.ErrClosedPipe)
}
