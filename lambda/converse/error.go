package converse

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/crossregion/crossregion/contract"
)

// Class is what went wrong, as far as it matters for what to do next.
type Class string

// Classes of failure.
const (
	Throttled   Class = "throttled"   // the region's quota is used up for now
	Unavailable Class = "unavailable" // the region cannot be reached or cannot serve
	ModelFailed Class = "model_error" // the model broke down over this answer
	Incomplete  Class = "incomplete"  // the answer ended before its end
	Timeout     Class = "timeout"     // it took too long
	Denied      Class = "denied"      // the region refuses this account or role
	NotFound    Class = "not_found"   // the region does not have the model
	Invalid     Class = "invalid"     // the request is wrong, anywhere
	TooLong     Class = "too_long"    // the request does not fit the model, anywhere
	Canceled    Class = "canceled"    // nobody waits for the answer any more

	// Outside is a target that was not called: it might have been processed
	// outside the jurisdiction.
	Outside Class = contract.CodeResidencyViolation
)

// Elsewhere tells whether another region may do better.
//
// That goes for [Denied] and [NotFound] too, though the deployment is to blame
// and another region may hide it: roles, subscriptions and profiles are set up
// region by region, and callers are to be served while operators, whom the log
// must warn, mend the one that is not. It does not go for [Outside]: availability
// never overrides residency.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
func (c Class) Elsewhere() bool {
	switch c {
	case Invalid, TooLong, Canceled, Outside:
		return false
	default:
		return true
	}
}

// Error is why a region did not answer.
type Error struct {
	Class  Class
	Region string
	// Code is AWS's name of the error, "" if AWS did not say.
	Code string
	// Message is AWS's, or this package's own. It may quote the request, the
	// role or the account: show it to the caller for [Invalid] and [TooLong]
	// only, and log it never.
	Message string
	// Feature is what part of an [Invalid] or [TooLong] request is to blame, "" if
	// AWS's words do not tell.
	Feature Feature
	// Err is the cause, nil if there is none but the answer itself.
	Err error
}

// Error implements error. It leaves Message out, so that an error can be
// logged.
func (e *Error) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("converse in %s: %s", e.Region, e.Class)
	}
	return fmt.Sprintf("converse in %s: %s (%s)", e.Region, e.Class, e.Code)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// newError classifies what a call to region returned, before or in its stream.
func newError(region string, err error) *Error {
	e := &Error{Class: Unavailable, Region: region, Err: err}
	var api smithy.APIError
	var answered *smithyhttp.ResponseError
	switch {
	case errors.Is(err, context.Canceled):
		e.Class = Canceled
	case errors.Is(err, context.DeadlineExceeded):
		e.Class = Timeout
	case errors.As(err, &api) && codeClass(api.ErrorCode()) != "":
		e.Class = codeClass(api.ErrorCode())
	case errors.As(err, &answered):
		e.Class = statusClass(answered.HTTPStatusCode())
	}
	if errors.As(err, &api) {
		e.Code, e.Message = api.ErrorCode(), api.ErrorMessage()
	}
	if e.Class == Invalid {
		e.Class = invalidClass(e.Message)
	}
	if e.Class == Invalid || e.Class == TooLong {
		e.Feature = blamed(e)
	}
	return e
}

// codeClass returns the class of an AWS error code, "" for one that it does not
// know. Codes come in exceptions of the HTTP answer and of the stream alike.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
func codeClass(code string) Class {
	switch code {
	case "ThrottlingException", "ModelNotReadyException", "ServiceQuotaExceededException":
		return Throttled
	case "ServiceUnavailableException", "InternalServerException":
		return Unavailable
	case "ModelErrorException", "ModelStreamErrorException":
		return ModelFailed
	case "ModelTimeoutException":
		return Timeout
	case "AccessDeniedException":
		return Denied
	case "ResourceNotFoundException":
		return NotFound
	case "ValidationException", "ConflictException":
		return Invalid
	default:
		return ""
	}
}

// statusClass classifies an answer whose code says nothing.
func statusClass(status int) Class {
	switch status {
	case http.StatusTooManyRequests:
		return Throttled
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return Timeout
	case http.StatusUnauthorized, http.StatusForbidden:
		return Denied
	case http.StatusNotFound:
		return NotFound
	case http.StatusFailedDependency:
		return ModelFailed
	case http.StatusBadRequest:
		return Invalid
	default:
		return Unavailable
	}
}

// invalidClass tells by its words what kind of invalid request Bedrock means,
// which has one code for all of them. A caller never sends the identifier of a
// model or guardrail, so one that is invalid is the deployment's fault.
func invalidClass(message string) Class {
	m := strings.ToLower(message)
	if strings.Contains(m, "model identifier is invalid") || strings.Contains(m, "guardrail identifier") {
		return NotFound
	}
	for _, words := range []string{"too long", "context length", "context window", "too many input tokens"} {
		if strings.Contains(m, words) {
			return TooLong
		}
	}
	return Invalid
}
