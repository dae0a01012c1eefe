package bedrock

import (
	"net/http"
	"unicode"
	"unicode/utf8"

	"github.com/crossregion/crossregion/local/cloud"
)

// Fault is how a source region's runtime fails. It hits every call that Bedrock
// would otherwise have accepted. A call that is not streamed fails with a plain
// response, whatever the fields say about streams.
type Fault struct {
	// Code is the exception's name, e.g. "ThrottlingException".
	Code string
	// FirstFrame sends the exception as the first frame of a stream whose
	// status is 200.
	FirstFrame bool
	// AfterDeltas sends the exception after that many pieces of text, or after
	// the last one where the answer is shorter. Zero means before the stream.
	AfterDeltas int
}

// exceptions are the runtime's exceptions: their HTTP status, and the text of
// those that a [Fault] makes.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
var exceptions = map[string]struct {
	status  int
	message string
}{
	"AccessDeniedException":         {http.StatusForbidden, "You don't have access to the model with the specified model ID."},
	"ConflictException":             {http.StatusBadRequest, "The request conflicts with the current state of the resource."},
	"InternalServerException":       {http.StatusInternalServerError, "The system encountered an unexpected error during processing. Try your request again."},
	"ModelErrorException":           {http.StatusFailedDependency, "The model returned an error. Try your request again."},
	"ModelNotReadyException":        {http.StatusTooManyRequests, "The model is not ready for inference. Try your request again."},
	"ModelStreamErrorException":     {http.StatusFailedDependency, "The model stream ended with an error. Try your request again."},
	"ModelTimeoutException":         {http.StatusRequestTimeout, "The model took too long to answer."},
	"ResourceNotFoundException":     {http.StatusNotFound, "The specified resource ARN was not found."},
	"ServiceQuotaExceededException": {http.StatusBadRequest, "Your request exceeds the service quota for your account."},
	"ServiceUnavailableException":   {http.StatusServiceUnavailable, "Bedrock is unable to process your request."},
	"ThrottlingException":           {http.StatusTooManyRequests, "Too many requests, please wait before trying again."},
	"UnknownOperationException":     {http.StatusNotFound, "The operation is not known."},
	"ValidationException":           {http.StatusBadRequest, "The request is not valid."},
}

// SetFault makes every runtime call whose source region is region answer with
// the fault, until it is cleared with nil.
func (s *Service) SetFault(region string, f *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f == nil {
		delete(s.faults, region)
		return
	}
	s.faults[region] = *f
}

func (s *Service) fault(region string) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.faults[region]
	return f, ok
}

func (f Fault) err() *cloud.APIError {
	return &cloud.APIError{Code: f.Code, Message: exceptions[f.Code].message}
}

// inStream reports whether f waits until a stream has begun.
func (f Fault) inStream() bool { return f.FirstFrame || f.AfterDeltas > 0 }

// asException returns err as the runtime words it: an internal failure has a
// name of its own here.
func asException(err error) *cloud.APIError {
	api := *cloud.AsAPIError(err)
	if api.Code == "InternalFailure" {
		api.Code = "InternalServerException"
	}
	if e, ok := exceptions[api.Code]; ok {
		api.Status = e.status
	}
	return &api
}

// streamName is an exception's name in a stream, e.g. "throttlingException".
func streamName(code string) string {
	first, size := utf8.DecodeRuneInString(code)
	return string(unicode.ToLower(first)) + code[size:]
}
