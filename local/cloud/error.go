package cloud

import (
	"errors"
	"fmt"
	"net/http"
)

// APIError is a refusal as an AWS service words it.
type APIError struct {
	Code    string // e.g. "ValidationException"
	Message string
	Status  int // HTTP status; 400 when zero
}

func (e *APIError) Error() string { return e.Code + ": " + e.Message }

// HTTPStatus returns e.Status, or 400 when it is zero.
func (e *APIError) HTTPStatus() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// Refuse returns an [APIError] with status 400.
func Refuse(code, format string, args ...any) *APIError {
	return &APIError{Code: code, Message: fmt.Sprintf(format, args...)}
}

// AsAPIError returns the [APIError] in err's chain, or an InternalFailure that
// hides err's text from the caller, as AWS would.
func AsAPIError(err error) *APIError {
	var api *APIError
	if errors.As(err, &api) {
		return api
	}
	return &APIError{Code: "InternalFailure", Message: "internal failure", Status: http.StatusInternalServerError}
}
