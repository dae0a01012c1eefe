package gateway

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/crossregion/crossregion/contract"
)

// gatewayError is an error that API Gateway itself answers, in OpenAI's shape.
type gatewayError struct {
	kind            string
	status          int // 0 leaves API Gateway's own
	errorType, code string
	message         string // "" leaves API Gateway's own
}

// invalidRequest is OpenAI's type of an error that the caller has to mend, and
// serverError of one that it need not.
const (
	invalidRequest = "invalid_request_error"
	serverError    = "server_error"
)

// errors are how API Gateway's own answers are worded, so that an SDK reports
// them like any other. It knows no method that a URL lacks, only URLs that do
// not exist, and raises MISSING_AUTHENTICATION_TOKEN for both. What no retry
// mends has no Retry-After: a wrong configuration, which is under DEFAULT_5XX,
// neither. A body over Lambda's limit is REQUEST_TOO_LARGE or under DEFAULT_4XX;
// one of over 10 MB is answered before any API is known, in API Gateway's words.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
func (d Document) errors() []gatewayError {
	return append(d.credentialErrors(), []gatewayError{
		{"WAF_FILTERED", 403, invalidRequest, "request_blocked", "The request was blocked by the firewall."},
		{"RESOURCE_NOT_FOUND", 404, invalidRequest, "unknown_url", unknownURL},
		{"BAD_REQUEST_PARAMETERS", 400, invalidRequest, "missing_required_parameter", ""},
		{"REQUEST_TOO_LARGE", 413, invalidRequest, "request_too_large",
			fmt.Sprintf("The request body is too large: the limit is %d bytes.", contract.MaxBodyBytes)},
		{"THROTTLED", 429, "requests", "rate_limit_exceeded", "Too many requests at once. Please retry."},
		{"INTEGRATION_FAILURE", 503, serverError, "unavailable", "The service does not answer in this region. Please retry."},
		{"INTEGRATION_TIMEOUT", 504, serverError, "timeout", "The answer took too long. Please retry."},
		{"DEFAULT_4XX", 0, invalidRequest, "bad_request", ""},
		{"DEFAULT_5XX", 0, serverError, "internal_error", ""},
	}...)
}

const unknownURL = "Unknown request URL or method. See the API reference for those that exist."

// credentialErrors are those about credentials.
func (d Document) credentialErrors() []gatewayError {
	if d.Credentials == Signatures {
		return []gatewayError{
			{"MISSING_AUTHENTICATION_TOKEN", 403, invalidRequest, "unsigned_or_unknown_url",
				"The request is not signed, or its URL or method is unknown. Sign it with AWS credentials, for the service execute-api."},
			{"INVALID_SIGNATURE", 401, invalidRequest, "invalid_signature", ""},
			{"ACCESS_DENIED", 403, invalidRequest, "access_denied", ""}, // it names the action and the API
			{"EXPIRED_TOKEN", 401, invalidRequest, "expired_token", "The AWS credentials have expired. Sign with new ones."},
		}
	}
	unauthorized := gatewayError{"UNAUTHORIZED", 401, invalidRequest, "invalid_api_key",
		"The API key is missing, unknown, expired or revoked. Send 'Authorization: Bearer' and a key of this service."}
	if d.Credentials == Tokens {
		unauthorized.code = "invalid_token"
		unauthorized.message = "The token is missing, has expired, or is not of the issuer and for the audience that this service takes. " +
			"Send 'Authorization: Bearer' and a new one."
	}
	return []gatewayError{
		unauthorized,
		{"ACCESS_DENIED", 403, invalidRequest, "access_denied", "These credentials may not call this URL."},
		{"MISSING_AUTHENTICATION_TOKEN", 404, invalidRequest, "unknown_url", unknownURL},
		{"AUTHORIZER_FAILURE", 503, serverError, "authorizer_unavailable", undecided},
		{"AUTHORIZER_CONFIGURATION_ERROR", 503, serverError, "authorizer_unavailable", undecided},
	}
}

const undecided = "Whether the credentials are good could not be found out. They may be: please retry."

// gatewayResponses are the errors as the document has them.
func (d Document) gatewayResponses() object {
	region := strings.Split(d.Functions[contract.FunctionInvoker], ":")[3]
	out := object{}
	for _, e := range d.errors() {
		response := object{"responseTemplates": object{"application/json": e.template()}}
		headers := object{"gatewayresponse.header." + contract.HeaderRegion: "'" + region + "'"}
		if e.status != 0 {
			response["statusCode"] = strconv.Itoa(e.status)
		}
		if e.status == 429 || e.status >= 503 {
			headers["gatewayresponse.header.Retry-After"] = "'1'"
		}
		response["responseParameters"] = headers
		out[e.kind] = response
	}
	return out
}

func (e gatewayError) template() string {
	message := "$context.error.messageString"
	if e.message != "" {
		message = strconv.Quote(e.message)
	}
	return fmt.Sprintf(`{"error":{"message":%s,"type":%q,"param":null,"code":%q}}`, message, e.errorType, e.code)
}
