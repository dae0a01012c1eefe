package openai

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
)

// Values of "type" in OpenAI's errors.
const (
	kindInvalid    = "invalid_request_error"
	kindPermission = "permission_error"
	kindRateLimit  = "rate_limit_error"
	kindServer     = "server_error"
)

// apiError is an error in OpenAI's shape.
// Source: https://platform.openai.com/docs/guides/error-codes
type apiError struct {
	status     int
	kind       string
	code       string // "" is null
	param      string // "" is null
	message    string
	retryAfter int  // seconds; 0 sends no Retry-After
	final      bool // tells SDKs not to try again, whatever the status
	// blames is the part of the question that is to blame, "" if nobody knows or
	// param says so already.
	blames converse.Feature
	unfit  *converse.Unfit // what the model cannot do, nil if that is not it
	// cause is why, for the log: what AWS called it, without its words, which
	// may quote what a caller wrote.
	cause []string
}

// causes are AWS's names of all errors in the chain of err.
func causes(err error) []string {
	switch e := err.(type) {
	case nil:
		return nil
	case smithy.APIError:
		return []string{e.ErrorCode()}
	case interface{ Unwrap() []error }:
		var all []string
		for _, one := range e.Unwrap() {
			all = append(all, causes(one)...)
		}
		return all
	}
	if errors.Is(err, context.DeadlineExceeded) && errors.Unwrap(err) == nil {
		return []string{"Timeout"}
	}
	return causes(errors.Unwrap(err))
}

// Error implements error.
func (e *apiError) Error() string { return e.message }

// Unwrap returns what led to it, if that is known.
func (e *apiError) Unwrap() error {
	if e.unfit == nil {
		return nil
	}
	return e.unfit
}

// MarshalJSON implements [json.Marshaler].
func (e *apiError) MarshalJSON() ([]byte, error) {
	type fields struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    *string `json:"code"`
	}
	return json.Marshal(map[string]fields{"error": {e.message, e.kind, nullable(e.param), nullable(e.code)}})
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (e *apiError) write(w http.ResponseWriter) {
	if e.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.retryAfter))
	}
	if e.final {
		w.Header().Set(contract.HeaderShouldRetry, "false")
	}
	writeJSON(w, e.status, e)
}

// invalid is an error of the request that param, if any, is to blame for.
func invalid(param, code, format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, kind: kindInvalid, code: code, param: param, message: fmt.Sprintf(format, args...)}
}

// unsupported is the refusal of what OpenAI knows and this service does not do.
func unsupported(param, why string) *apiError {
	return invalid(param, "unsupported_parameter", "Unsupported parameter: '%s'. %s", param, why)
}

// unsupportedValue is the refusal of a value of what this service knows.
func unsupportedValue(param, why string) *apiError {
	return invalid(param, "unsupported_value", "Unsupported value: '%s'. %s", param, why)
}

func modelNotFound(name string) *apiError {
	return &apiError{status: http.StatusNotFound, kind: kindInvalid, code: "model_not_found", param: "model",
		message: fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", name)}
}

// asAPIError turns whatever an operation failed with into an answer.
func asAPIError(err error) *apiError {
	var e *apiError
	var none *failover.Error
	var broken *converse.Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, failover.ErrWhole):
		return notWhole()
	case errors.As(err, &none):
		last := converse.Error{}
		if n := len(none.Failures); n > 0 {
			last = *none.Failures[n-1]
		}
		last.Class = none.Class
		return inferenceError(last)
	case errors.As(err, &broken):
		return inferenceError(*broken)
	default:
		return &apiError{status: http.StatusInternalServerError, kind: kindServer, code: "internal_error",
			message: "The server had an error while processing your request."}
	}
}

// Seconds after which a client may try again. SDKs wait as long as the answer
// says.
const (
	retryThrottled   = 2
	retryUnavailable = 1
)

// inferenceError is what a client learns of a failed inference. Only a class
// for which the request itself is to blame shows what Bedrock said.
func inferenceError(failed converse.Error) *apiError {
	switch failed.Class {
	case converse.Invalid:
		e := invalid("", "invalid_request", "%s", told(failed.Message, "The model refused the request."))
		if e.blames = failed.Feature; e.blames != "" {
			e.code = "invalid_value"
		}
		return e
	case converse.TooLong:
		e := invalid("", "context_length_exceeded", "%s", told(failed.Message, "The messages do not fit into the model's context window."))
		e.blames = converse.FeatureMessages
		return e
	case converse.Throttled:
		return &apiError{status: http.StatusTooManyRequests, kind: kindRateLimit, code: "rate_limit_exceeded", retryAfter: retryThrottled,
			message: "The model's rate limit is reached in every region of this service. Please retry later."}
	case converse.Denied:
		return &apiError{status: http.StatusForbidden, kind: kindPermission, code: "access_denied",
			message: "This service may not use the model in any of its regions."}
	case converse.NotFound:
		return &apiError{status: http.StatusNotFound, kind: kindInvalid, code: "model_not_found", param: "model",
			message: "The model is not available in any region of this service."}
	case converse.Outside:
		return &apiError{status: http.StatusInternalServerError, kind: kindServer, code: contract.CodeResidencyViolation, final: true,
			message: "This service is set up in a way that could process the request outside its jurisdiction. It was not processed."}
	case converse.Timeout:
		return &apiError{status: http.StatusGatewayTimeout, kind: kindServer, code: "timeout", retryAfter: retryUnavailable,
			message: "The model did not answer in time. Please retry."}
	case converse.ModelFailed, converse.Incomplete:
		return &apiError{status: http.StatusServiceUnavailable, kind: kindServer, code: "incomplete_answer", retryAfter: retryUnavailable,
			message: "The model's answer broke off. Please retry."}
	default:
		return &apiError{status: http.StatusServiceUnavailable, kind: kindServer, code: "service_unavailable", retryAfter: retryUnavailable,
			message: "No region of this service can answer at the moment. Please retry."}
	}
}

// notWhole is the error of an answer that cannot be whole in time. Repeating
// the request would take, and cost, as much again.
func notWhole() *apiError {
	return &apiError{status: http.StatusGatewayTimeout, kind: kindServer, code: "timeout", final: true,
		message: "The answer was not complete in time. Set \"stream\": true, which long answers need, or a lower 'max_completion_tokens'."}
}

// told keeps the names of this service's own resources from its callers.
func told(message, fallback string) string {
	if message == "" || strings.Contains(message, "arn:") {
		return fallback
	}
	return message
}
