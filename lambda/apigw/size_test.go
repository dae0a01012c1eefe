package apigw_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/crossregion/crossregion/contract"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// maxHeaderBytes is API Gateway's limit on the names and values of all headers.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const maxHeaderBytes = 20_480

// largest is an event with the body that grows most, and as long a path.
func largest() events.APIGatewayProxyRequest {
	path := "/" + strings.Repeat(`"`, 8<<10)
	ev := event()
	ev.Resource, ev.Path, ev.PathParameters = "/{model}", path, map[string]string{"model": path}
	ev.RequestContext.Path, ev.RequestContext.ResourcePath = path, ev.Resource
	ev.QueryStringParameters = map[string]string{"q": path}
	ev.MultiValueQueryStringParameters = map[string][]string{"q": {path}}
	ev.Body = strings.Repeat(`"`, contract.MaxBodyBytes)
	return ev
}

// add puts one header into ev where API Gateway puts it.
func add(ev *events.APIGatewayProxyRequest, name, value string) {
	if ev.Headers == nil {
		ev.Headers, ev.MultiValueHeaders = map[string]string{}, map[string][]string{}
	}
	ev.Headers[name] = value
	ev.MultiValueHeaders[name] = append(ev.MultiValueHeaders[name], value)
}

// size is that of ev in JSON with the escapes that JSON demands.
func size(t *testing.T, ev events.APIGatewayProxyRequest) int {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	require.NoError(t, enc.Encode(ev))
	return b.Len()
}

func TestLargestRequestFitsIntoAnEvent(t *testing.T) {
	tests := []struct {
		name    string
		headers func(ev *events.APIGatewayProxyRequest)
	}{
		{"one endless header", func(ev *events.APIGatewayProxyRequest) {
			agent := strings.Repeat(`"`, maxHeaderBytes-len("User-Agent"))
			add(ev, "User-Agent", agent)
			ev.RequestContext.Identity.UserAgent = agent
		}},
		{"as many headers as fit", func(ev *events.APIGatewayProxyRequest) {
			for i := range maxHeaderBytes / 4 {
				add(ev, fmt.Sprintf("%04x", i), "")
			}
		}},
		{"as many values of one header as fit", func(ev *events.APIGatewayProxyRequest) {
			for range maxHeaderBytes / 2 {
				add(ev, "x", `"`)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ev := largest()
			tt.headers(&ev)
			assert.LessOrEqual(t, size(t, ev), contract.MaxEventBytes)
		})
	}
}
