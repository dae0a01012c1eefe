package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInvokeReturnsTheResponse(t *testing.T) {
	w := newWorld(t)
	body, r := w.call(w.function(nil), order{"do": "answer", "text": "hello"})
	assert.Equal(t, `"hello"`, body)
	assert.Equal(t, "application/json", r.ContentType)
	assert.Empty(t, r.FunctionError)
}

func TestEnvironmentIsReused(t *testing.T) {
	w := newWorld(t)
	arn := w.function(nil)
	first, _ := w.call(arn, order{"do": "context"})
	second, _ := w.call(arn, order{"do": "context"})
	a, b := decode(t, first), decode(t, second)
	assert.Equal(t, a["pid"], b["pid"])
	assert.NotEqual(t, a["request"], b["request"])
	assert.Equal(t, 1, w.Environments())
}

func TestFunctionLearnsItsContext(t *testing.T) {
	w := newWorld(t)
	arn := w.function(props{"tracingConfig": props{"mode": "Active"}})
	before := time.Now()
	body, _ := w.call(arn, order{"do": "context"})
	got := decode(t, body)
	assert.Equal(t, arn, got["arn"])
	assert.Regexp(t, `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, got["request"])
	assert.Regexp(t, `^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=1$`, got["trace"])
	assert.WithinRange(t, time.UnixMilli(int64(got["deadline"].(float64))), before.Add(59*time.Second), time.Now().Add(time.Minute))
	assert.True(t, strings.HasPrefix(got["dir"].(string), w.dir))
}

func TestEnvironmentIsLambdasAndTheFunctionsOnly(t *testing.T) {
	t.Setenv("SECRET_OF_THIS_MACHINE", "1")
	w := newWorld(t)
	body, _ := w.call(w.function(props{"environment": props{"variables": props{"TABLE": "t", "TZ": "CET"}}}), order{"do": "environment"})
	var got []string
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	values := map[string]string{}
	for _, v := range got {
		name, value, _ := strings.Cut(v, "=")
		values[name] = value
	}
	assert.Regexp(t, `^127\.0\.0\.1:\d+$`, values["AWS_LAMBDA_RUNTIME_API"])
	assert.Regexp(t, `^2026/03/01/\[\$LATEST\][0-9a-f]{32}$`, values["AWS_LAMBDA_LOG_STREAM_NAME"])
	assert.True(t, strings.HasPrefix(values["LAMBDA_TASK_ROOT"], w.dir))
	assert.Contains(t, values["_X_AMZN_TRACE_ID"], "Root=") // set by the runtime client
	for _, name := range []string{"AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_LOG_STREAM_NAME", "LAMBDA_TASK_ROOT", "_X_AMZN_TRACE_ID"} {
		delete(values, name)
	}
	assert.Equal(t, map[string]string{
		"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
		"AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_REGION": region, "AWS_DEFAULT_REGION": region,
		"AWS_ACCESS_KEY_ID": "ASIA" + region, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "f",
		"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "_HANDLER": "bootstrap", "LAMBDA_RUNTIME_DIR": "/var/runtime",
		"LANG": "en_US.UTF-8", "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin", "TABLE": "t", "TZ": "CET",
	}, values)
}

func TestStreamArrivesAsItIsSent(t *testing.T) {
	w, g := newWorld(t), newGate(t)
	in := invocation(w.function(nil), order{"do": "stream", "gate": g.url, "chunks": []string{"one", "two"}}, true)
	results := make(chan *lambda.Result, 1)
	go func() {
		r, err := w.Invoke(t.Context(), in)
		assert.NoError(t, err)
		results <- r
	}()
	assert.Equal(t, "one", g.await())
	g.pass()
	r := <-results
	assert.Equal(t, "application/vnd.awslambda.http-integration-response", r.ContentType)
	prelude := read(t, r.Body, len(`{"statusCode":200,"headers":{"Content-Type":"text/event-stream"}}`)+8)
	assert.True(t, strings.HasSuffix(prelude, `}`+strings.Repeat("\x00", 8)), "%q", prelude)
	assert.Equal(t, "one", read(t, r.Body, 3))
	assert.Equal(t, "two", g.await())
	g.pass()
	assert.Equal(t, "two", read(t, r.Body, 3))
	assert.Equal(t, "end", g.await())
	g.pass()
	assert.Empty(t, w.read(r))
}

func TestWholeResponseOfAStreamingFunctionKeepsItsPrelude(t *testing.T) {
	w, g := newWorld(t), newGate(t)
	go func() {
		for range 2 {
			g.await()
			g.pass()
		}
	}()
	body, _ := w.call(w.function(nil), order{"do": "stream", "gate": g.url, "chunks": []string{"one"}})
	assert.True(t, strings.HasSuffix(body, "}"+strings.Repeat("\x00", 8)+"one"), "%q", body)
}

func TestBusyEnvironmentsAreNotShared(t *testing.T) {
	w, g := newWorld(t), newGate(t)
	arn := w.function(nil)
	done := w.start(arn, order{"do": "context", "gate": g.url}, 2)
	g.await()
	g.await()
	assert.Equal(t, 2, w.Environments())
	g.pass()
	g.pass()
	assert.NotEqual(t, decode(t, <-done)["pid"], decode(t, <-done)["pid"])
	w.call(arn, order{"do": "answer"})
	assert.Equal(t, 2, w.Environments())
}

func TestReservedConcurrencyThrottles(t *testing.T) {
	w, g := newWorld(t), newGate(t)
	arn := w.function(props{"reservedConcurrentExecutions": 1.0})
	done := w.start(arn, order{"do": "answer", "gate": g.url}, 1)
	g.await()
	_, err := w.Invoke(t.Context(), invocation(arn, order{"do": "answer"}, false))
	assertAPIError(t, err, "TooManyRequestsException", 429)
	g.pass()
	<-done
	w.call(arn, order{"do": "answer"})
}

func TestRegionConcurrencyThrottles(t *testing.T) {
	w := newWorld(t)
	arn := w.function(nil)
	w.FillRegion(region)
	_, err := w.Invoke(t.Context(), invocation(arn, order{"do": "answer"}, false))
	assertAPIError(t, err, "TooManyRequestsException", 429)
}

func TestInvokeRefuses(t *testing.T) {
	w := newWorld(t)
	arn := w.function(props{"reservedConcurrentExecutions": 0.0})
	tests := []struct {
		name   string
		change func(*lambda.Invocation)
		code   string
		status int
	}{
		{"a function whose reserved concurrency is none", func(*lambda.Invocation) {}, "TooManyRequestsException", 429},
		{"an unknown function", func(in *lambda.Invocation) { in.FunctionARN += "2" }, "ResourceNotFoundException", 404},
		{"an unknown alias", func(in *lambda.Invocation) { in.FunctionARN += ":live" }, "ResourceNotFoundException", 404},
		{"a function of another account", func(in *lambda.Invocation) {
			in.FunctionARN = strings.ReplaceAll(in.FunctionARN, cloud.Account, "999999999999")
		}, "ResourceNotFoundException", 404},
		{"what is no function", func(in *lambda.Invocation) { in.FunctionARN = role }, "ValidationException", 400},
		{"another principal", func(in *lambda.Invocation) { in.Principal = "events.amazonaws.com" }, "AccessDeniedException", 403},
		{"the version that has no policy", func(in *lambda.Invocation) { in.FunctionARN += ":$LATEST" }, "AccessDeniedException", 403},
		{"too large a payload", func(in *lambda.Invocation) { in.Payload = make([]byte, 6<<20+1) }, "RequestTooLargeException", 413},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := invocation(arn, order{"do": "answer"}, false)
			tt.change(&in)
			_, err := w.Invoke(t.Context(), in)
			assertAPIError(t, err, tt.code, tt.status)
		})
	}
	assert.Zero(t, w.Environments())
}

func TestInvokerMayLeaveBeforeTheResponse(t *testing.T) {
	w, g := newWorld(t), newGate(t)
	arn := w.function(nil)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := w.Invoke(ctx, invocation(arn, order{"do": "stream", "gate": g.url, "chunks": []string{"one"}, "size": 1 << 20}, false))
		failed <- err
	}()
	g.await()
	cancel()
	assert.ErrorIs(t, <-failed, context.Canceled)
	g.pass()
	assert.Equal(t, "end", g.await(), "the function runs on, and its output is drained")
	assert.Equal(t, 1, w.Environments())
	g.pass()
}

func TestInvokerMayLeaveDuringTheResponse(t *testing.T) {
	for _, how := range []string{"closing the body", "cancelling"} {
		t.Run(how, func(t *testing.T) {
			w, g := newWorld(t), newGate(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			in := invocation(w.function(nil), order{"do": "stream", "gate": g.url, "chunks": []string{"one"}, "size": 1 << 20}, true)
			go func() {
				g.await()
				g.pass()
			}()
			r, err := w.Invoke(ctx, in)
			require.NoError(t, err)
			read(t, r.Body, 10)
			if how == "cancelling" {
				cancel()
				_, err = io.Copy(io.Discard, r.Body)
				assert.ErrorIs(t, err, context.Canceled)
			}
			require.NoError(t, r.Body.Close())
			assert.Equal(t, "end", g.await())
			g.pass()
		})
	}
}

// start invokes a function n times at once and sends the responses.
func (w *world) start(arn string, o order, n int) <-chan string {
	bodies := make(chan string, n)
	for range n {
		go func() {
			r, err := w.Invoke(w.t.Context(), invocation(arn, o, false))
			if !assert.NoError(w.t, err) {
				bodies <- ""
				return
			}
			b, err := io.ReadAll(r.Body)
			assert.NoError(w.t, errors.Join(err, r.Body.Close()))
			bodies <- string(b)
		}()
	}
	return bodies
}

func read(t *testing.T, r io.Reader, n int) string {
	t.Helper()
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	require.NoError(t, err)
	return string(b)
}

func decode(t *testing.T, body string) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &v), body)
	return v
}

func assertAPIError(t *testing.T, err error, code string, status int) {
	t.Helper()
	var api *cloud.APIError
	if assert.ErrorAs(t, err, &api) {
		assert.Equal(t, code, api.Code, api.Message)
		assert.Equal(t, status, api.HTTPStatus())
	}
}
