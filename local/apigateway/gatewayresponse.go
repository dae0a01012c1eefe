package apigateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/crossregion/crossregion/local/wafv2"
)

// gatewayResponse is how an API words answers that no integration gave.
type gatewayResponse struct {
	status   int // 0: the default of the refusal
	headers  map[string]string
	template string // empty: the default one
}

type responseInputs struct {
	StatusCode json.RawMessage   `json:"statusCode"`
	Parameters map[string]string `json:"responseParameters"`
	Templates  map[string]string `json:"responseTemplates"`
}

func (in responseInputs) parse(name string) (*gatewayResponse, error) {
	if _, ok := errorTypeOf(name); !ok {
		return nil, fmt.Errorf("gateway response %q is not known", name)
	}
	g := &gatewayResponse{headers: map[string]string{}}
	if in.StatusCode != nil {
		status, err := strconv.Atoi(strings.Trim(string(in.StatusCode), `"`))
		if err != nil || status < 100 || status > 599 {
			return nil, fmt.Errorf("gateway response %s: statusCode %s is not an HTTP status", name, in.StatusCode)
		}
		g.status = status
	}
	for key, value := range in.Parameters {
		header, ok := strings.CutPrefix(key, "gatewayresponse.header.")
		if !ok || header == "" || len(value) < 2 || value[0] != '\'' || value[len(value)-1] != '\'' {
			return nil, fmt.Errorf("gateway response %s: parameter %s: %s is not supported by the embedded cloud: "+
				"set gatewayresponse.header.NAME to a value in single quotes", name, key, value)
		}
		g.headers[header] = value[1 : len(value)-1]
	}
	for media, template := range in.Templates {
		if media != "application/json" {
			return nil, fmt.Errorf("gateway response %s: template of %q is not supported by the embedded cloud: use application/json",
				name, media)
		}
		if strings.Contains(expand(template, "", ""), "$") {
			return nil, fmt.Errorf("gateway response %s: template uses a variable other than "+
				"$context.error.message, $context.error.messageString and $context.requestId", name)
		}
		g.template = template
	}
	return g, nil
}

func expand(template, message, requestID string) string {
	quoted, _ := json.Marshal(message) // a string always marshals
	return strings.NewReplacer(
		"$context.error.messageString", string(quoted), "$context.error.message", message, "$context.requestId", requestID,
	).Replace(template)
}

// errorTypeOf returns the X-Amzn-Errortype of a gateway response type, empty
// for the two defaults.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
func errorTypeOf(name string) (string, bool) {
	switch name {
	case "DEFAULT_4XX", "DEFAULT_5XX":
		return "", true
	case "ACCESS_DENIED":
		return "AccessDeniedException", true
	case "API_CONFIGURATION_ERROR", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT":
		return "InternalServerErrorException", true
	case "AUTHORIZER_CONFIGURATION_ERROR":
		return "AuthorizerConfigurationException", true
	case "AUTHORIZER_FAILURE":
		return "AuthorizerFailureException", true
	case "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS":
		return "BadRequestException", true
	case "EXPIRED_TOKEN", "INVALID_API_KEY", "INVALID_SIGNATURE", "WAF_FILTERED":
		return "ForbiddenException", true
	case "MISSING_AUTHENTICATION_TOKEN":
		return "MissingAuthenticationTokenException", true
	case "QUOTA_EXCEEDED":
		return "LimitExceededException", true
	case "REQUEST_TOO_LARGE":
		return "RequestTooLargeException", true
	case "RESOURCE_NOT_FOUND":
		return "NotFoundException", true
	case "THROTTLED":
		return "TooManyRequestsException", true
	case "UNAUTHORIZED":
		return "UnauthorizedException", true
	case "UNSUPPORTED_MEDIA_TYPE":
		return "UnsupportedMediaTypeException", true
	default:
		return "", false
	}
}

// refusal is an answer of the gateway itself.
type refusal struct {
	kind    string // gateway response type
	status  int    // unless the API sets another
	message string
	worded  *wafv2.Response // in place of the API's words; nil for those
}

func refuse(status int, kind, message string) *refusal {
	return &refusal{kind: kind, status: status, message: message}
}

// internalError is what a client sees of every fault behind the gateway.
func internalError(status int, kind string) *refusal {
	return refuse(status, kind, "Internal server error")
}

// forbidden is the answer where no API is known yet, so none can word it.
func forbidden() *refusal { return refuse(http.StatusForbidden, "", "Forbidden") }

// tooLong is the answer to a body over API Gateway's own limit, which no API can
// word. One over Lambda's is refused later, in the words of the API.
func tooLong() *refusal {
	f := refuse(http.StatusRequestEntityTooLarge, "REQUEST_TOO_LARGE", "")
	f.worded = &wafv2.Response{
		Status: f.status, Header: http.Header{"Content-Type": {"text; charset=utf-8"}},
		Body: fmt.Sprintf("HTTP content length exceeded %d bytes.", maxPayload),
	}
	return f
}

// write sends the refusal in the words of the API, if it has any for it.
func (f *refusal) write(x *exchange) {
	if f.worded != nil {
		maps.Copy(x.w.Header(), f.worded.Header)
		x.w.WriteHeader(f.worded.Status)
		x.send([]byte(f.worded.Body))
		return
	}
	g := x.wording(f)
	errorType, known := errorTypeOf(f.kind)
	if !known {
		errorType = "ForbiddenException"
	}
	h := x.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Amzn-Errortype", errorType)
	for name, value := range g.headers {
		h.Set(name, value)
	}
	status, template := f.status, g.template
	if g.status != 0 {
		status = g.status
	}
	if template == "" {
		template = `{"message":$context.error.messageString}`
	}
	body := expand(template, f.message, x.id)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	x.send([]byte(body))
}

// wording returns the API's gateway response for a refusal: that of its type,
// else the default of its class, else an empty one.
func (x *exchange) wording(f *refusal) *gatewayResponse {
	if x.stage != nil && f.kind != "" {
		for _, name := range []string{f.kind, fmt.Sprintf("DEFAULT_%dXX", f.status/100)} {
			if g, ok := x.stage.document.responses[name]; ok {
				return g
			}
		}
	}
	return &gatewayResponse{}
}
