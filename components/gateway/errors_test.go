package gateway_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/gateway"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gatewayResponse is how a document words one of API Gateway's own answers.
type gatewayResponse struct {
	Status     string            `json:"statusCode"`
	Parameters map[string]string `json:"responseParameters"`
	Templates  map[string]string `json:"responseTemplates"`
}

func gatewayResponses(t *testing.T, c gateway.Credentials) map[string]gatewayResponse {
	t.Helper()
	d := document()
	d.Credentials = c
	body, err := d.OpenAPI()
	require.NoError(t, err)
	var doc struct {
		Responses map[string]gatewayResponse `json:"x-amazon-apigateway-gateway-responses"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &doc))
	return doc.Responses
}

// TestGatewayErrorsAreOpenAIs parses what API Gateway would send in its own
// name.
func TestGatewayErrorsAreOpenAIs(t *testing.T) {
	tests := []struct {
		name   string
		by     gateway.Credentials
		kind   string
		status string // empty: API Gateway's own
		code   string
		says   string // empty: API Gateway's own words
		retry  bool
	}{
		{"a key that opens nothing says what to send", gateway.APIKeys, "UNAUTHORIZED", "401", "invalid_api_key", "Authorization: Bearer", false},
		{"so does a token", gateway.Tokens, "UNAUTHORIZED", "401", "invalid_token", "Authorization: Bearer", false},
		{"a signature that is wrong says why", gateway.Signatures, "INVALID_SIGNATURE", "401", "invalid_signature", "", false},
		{"credentials that have expired", gateway.Signatures, "EXPIRED_TOKEN", "401", "expired_token", "new ones", false},
		{"a principal that may not call says what it may not", gateway.Signatures, "ACCESS_DENIED", "403", "access_denied", "", false},
		{"a policy that leaves a URL out", gateway.APIKeys, "ACCESS_DENIED", "403", "access_denied", "may not call", false},
		{"an unknown URL or method", gateway.APIKeys, "MISSING_AUTHENTICATION_TOKEN", "404", "unknown_url", "Unknown request URL or method", false},
		{"the same where it may be a missing signature", gateway.Signatures, "MISSING_AUTHENTICATION_TOKEN", "403", "unsigned_or_unknown_url", "not signed, or its URL", false},
		{"a resource that is gone", gateway.APIKeys, "RESOURCE_NOT_FOUND", "404", "unknown_url", "Unknown request URL or method", false},
		{"the firewall", gateway.APIKeys, "WAF_FILTERED", "403", "request_blocked", "firewall", false},
		{"a parameter that is missing", gateway.APIKeys, "BAD_REQUEST_PARAMETERS", "400", "missing_required_parameter", "", false},
		{"a body over Lambda's limit, which no retry mends", gateway.APIKeys, "REQUEST_TOO_LARGE", "413", "request_too_large", "2883584 bytes", false},
		{"the same if API Gateway calls it nothing in particular", gateway.APIKeys, "DEFAULT_4XX", "", "bad_request", "", false},
		{"too many requests", gateway.APIKeys, "THROTTLED", "429", "rate_limit_exceeded", "retry", true},
		{"an authorizer that cannot tell", gateway.APIKeys, "AUTHORIZER_FAILURE", "503", "authorizer_unavailable", "retry", true},
		{"an authorizer that is out of reach", gateway.Tokens, "AUTHORIZER_CONFIGURATION_ERROR", "503", "authorizer_unavailable", "retry", true},
		{"a function that fails", gateway.APIKeys, "INTEGRATION_FAILURE", "503", "unavailable", "retry", true},
		{"a function that is late", gateway.APIKeys, "INTEGRATION_TIMEOUT", "504", "timeout", "retry", true},
		{"a configuration that no retry mends", gateway.APIKeys, "DEFAULT_5XX", "", "internal_error", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := gatewayResponses(t, tt.by)[tt.kind]
			assert.Equal(t, tt.status, got.Status)
			assert.Equal(t, "'eu-west-1'", got.Parameters["gatewayresponse.header.X-Crossregion-Region"])
			assert.Equal(t, tt.retry, got.Parameters["gatewayresponse.header.Retry-After"] != "")
			filled := strings.ReplaceAll(got.Templates["application/json"], "$context.error.messageString", `"its own"`)
			var answer struct {
				Error struct {
					Message, Type, Code string
					Param               *string
				} `json:"error"`
			}
			require.NoError(t, json.Unmarshal([]byte(filled), &answer))
			assert.Equal(t, tt.code, answer.Error.Code)
			assert.NotEmpty(t, answer.Error.Type)
			assert.Equal(t, tt.says == "", answer.Error.Message == "its own")
			assert.Contains(t, answer.Error.Message, tt.says)
			assert.NotContains(t, filled, "$", "no other variable of API Gateway's")
		})
	}
}

// TestEveryGatewayErrorHasAShape, those of no test of their own included.
func TestEveryGatewayErrorHasAShape(t *testing.T) {
	for _, by := range []gateway.Credentials{gateway.APIKeys, gateway.Tokens, gateway.Signatures} {
		for kind, got := range gatewayResponses(t, by) {
			filled := strings.ReplaceAll(got.Templates["application/json"], "$context.error.messageString", `"its own"`)
			assert.True(t, json.Valid([]byte(filled)), "%s: %s", kind, filled)
		}
	}
}
