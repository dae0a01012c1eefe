package apigateway_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// logged deploys an API whose stage writes access logs in a format.
func (f *fixture) logged(doc object, format string) (host string) {
	f.t.Helper()
	f.mustCreate("Account", "account", object{"cloudwatchRoleArn": logRole})
	id := f.importAPI("api", doc).ID
	deployment := f.mustCreate("Deployment", "api", object{"restApi": id})
	f.mustCreate("Stage", "api", object{"restApi": id, "deployment": deployment.ID, "stageName": "prod",
		"accessLogSettings": object{"destinationArn": logGroup, "format": format}})
	return id + ".execute-api." + region + ".amazonaws.com"
}

func TestAccessLogs(t *testing.T) {
	f := newFixture(t)
	f.lambda.define(serve, func(context.Context, lambda.Invocation) (*lambda.Result, error) {
		f.request.Advance(250 * time.Millisecond)
		return &lambda.Result{Body: io.NopCloser(io.MultiReader(
			strings.NewReader(`{"statusCode":201}`+delimiter+"token"), afterwards(func() { f.request.Advance(time.Second) }),
		))}, nil
	})
	host := f.logged(document(object{"/v1/models/{model}": object{"get": open(streamed())}}),
		"$context.requestId $context.httpMethod $context.resourcePath $context.status $context.integration.status "+
			"$context.integration.latency $context.integration.timeToFirstContent $context.responseLatency $context.error.responseType\n")

	res := f.do("GET", host, "/prod/v1/models/secret?prompt=secret", header("Authorization", "secret"))
	require.Equal(t, 201, res.status)
	assert.Equal(t, res.header.Get("X-Amzn-Requestid")+" GET /v1/models/{model} 201 201 1250 250 1250 -", <-f.logs.lines)

	res = f.do("GET", host, "/prod/v1/none")
	require.Equal(t, 403, res.status)
	assert.Equal(t, res.header.Get("X-Amzn-Requestid")+" GET - 403 - - - 0 MISSING_AUTHENTICATION_TOKEN", <-f.logs.lines)
}

// afterwards is an empty reader that calls do when it is asked.
type afterwards func()

func (do afterwards) Read([]byte) (int, error) {
	do()
	return 0, io.EOF
}

func TestACutResponseIsLogged(t *testing.T) {
	f := newFixture(t)
	f.lambda.define(serve, func(context.Context, lambda.Invocation) (*lambda.Result, error) {
		return &lambda.Result{Body: io.NopCloser(io.MultiReader(
			strings.NewReader(`{"statusCode":200}`+delimiter+"tok"), broken{},
		))}, nil
	})
	host := f.logged(document(object{"/x": object{"get": open(streamed())}}), "$context.requestId $context.status")
	res, err := f.send("GET", host, "/prod/x")
	require.NoError(t, err)
	defer res.Body.Close()
	_, err = io.ReadAll(res.Body)
	require.Error(t, err)
	assert.Equal(t, res.Header.Get("X-Amzn-Requestid")+" 200", <-f.logs.lines)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestAccessLogsRefuse(t *testing.T) {
	f := newFixture(t)
	id := f.importAPI("api", document(object{"/x": object{"get": open(buffered())}})).ID
	deployment := f.mustCreate("Deployment", "api", object{"restApi": id}).ID
	stage := func(settings object) error {
		_, err := f.create("Stage", "other", object{"restApi": id, "deployment": deployment, "stageName": "beta",
			"accessLogSettings": with(object{"destinationArn": logGroup, "format": "$context.requestId"}, settings)})
		return err
	}
	assert.ErrorContains(t, stage(object{}), "CloudWatch Logs role ARN must be set in account settings to enable logging")
	for name, role := range map[string]string{
		"that API Gateway may not assume": "arn:aws:iam::123456789012:role/other", "without rights": "arn:aws:iam::123456789012:role/unfit",
	} {
		_, err := f.create("Account", "account", object{"cloudwatchRoleArn": role})
		assert.ErrorContains(t, err, "BadRequestException: The role ARN does not have required permissions configured", "a role %s", name)
	}
	f.mustCreate("Account", "account", object{"cloudwatchRoleArn": logRole})
	_, err := f.create("Account", "again", object{"cloudwatchRoleArn": logRole})
	assert.ErrorContains(t, err, "one Account for each region")
	tests := []struct {
		name     string
		settings object
		want     string
	}{
		{"no such log group", object{"destinationArn": logGroup + "x"}, "Invalid ARN specified"},
		{"a log group of another region", object{"destinationArn": strings.Replace(logGroup, region, "us-east-1", 1)}, "Invalid ARN specified"},
		{"two lines", object{"format": "$context.requestId\nx"}, "must be single line"},
		{"a format over the quota", object{"format": "$context.requestId" + strings.Repeat("x", 3072)}, "over the limit of 3072"},
		{"no request ID", object{"format": "$context.status"}, "must include at least $context.requestId"},
		{"a variable that it does not know", object{"format": "$context.requestId $context.routeKey"}, "$context.routeKey is not supported"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.ErrorContains(t, stage(tt.settings), tt.want) })
	}
	assert.NoError(t, stage(object{}))
}
