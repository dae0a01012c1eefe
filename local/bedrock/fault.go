package bedrock

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/crossregion/crossregion/local/cloud"
)

// Kind is what goes wrong where a [Fault] has no exception.
type Kind string

// Kinds of failure. Those that only a stream can have are, without a place in
// it, at its first frame.
const (
	Reset   Kind = "reset"   // the connection is reset
	Cut     Kind = "cut"     // the connection is closed, which the SDK does not always call an error
	Silence Kind = "silence" // nothing comes any more, for as long as the caller waits
	Lose    Kind = "lose"    // the work is done, and its answer lost as a whole
	End     Kind = "end"     // the stream ends, without messageStop
	Corrupt Kind = "corrupt" // a frame's checksum is wrong
	Filter  Kind = "filter"  // the model's provider ends the answer: content_filtered
)

// Fault is how a source region's runtime fails. It hits calls that Bedrock would
// otherwise have accepted. Its zero value hits all of them, and does nothing.
//
// In a call that is not streamed whatever would strike within the stream strikes
// before the answer: an exception as a plain response, and what only a stream
// can have as [Reset].
type Fault struct {
	// Asked limits the fault to calls whose question contains it.
	Asked string
	// Prefilled limits it to calls that give the beginning of an answer.
	Prefilled bool
	// Calls is how many calls are hit until all is well; 0 means all.
	Calls int

	// Code is the exception's name, e.g. "ThrottlingException".
	Code string
	// Message is the exception's; "" means one of Bedrock's.
	Message string
	// RetryAfter is what a plain response asks for, in seconds; 0 asks nothing.
	RetryAfter int
	// Kind is what goes wrong if there is no Code.
	Kind Kind
	// FirstFrame makes it strike as the first frame of a stream whose status is
	// 200.
	FirstFrame bool
	// AfterDeltas makes it strike after that many pieces of text, or after the
	// last one where the answer is shorter.
	AfterDeltas int
	// AfterShare makes it strike after that share of all pieces, and after one
	// at least.
	AfterShare float64

	// FirstToken and PerDelta are the model's pace, by the cloud's clock; zero
	// means as ever.
	FirstToken, PerDelta time.Duration
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

// SetFault replaces all faults of the calls whose source region is region by f;
// nil leaves none.
func (s *Service) SetFault(region string, f *Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.faults, region)
	if f != nil {
		s.faults[region] = []*Fault{f.placed()}
	}
}

// AddFault adds a fault to those of a region. Each call is hit by the first that
// is meant for it.
func (s *Service) AddFault(region string, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[region] = append(s.faults[region], f.placed())
}

// placed is a copy of f that says where it strikes.
func (f Fault) placed() *Fault {
	if f.onlyInStream() && !f.inStream() {
		f.FirstFrame = true
	}
	return &f
}

// onlyInStream reports whether nothing but a stream can suffer from f.
func (f Fault) onlyInStream() bool {
	return slices.Contains([]Kind{End, Corrupt, Filter}, f.kind())
}

// inStream reports whether f waits until a stream has begun.
func (f Fault) inStream() bool { return f.FirstFrame || f.AfterDeltas > 0 || f.AfterShare > 0 }

// arrive remembers a call that Bedrock accepts, and returns what hits it.
func (s *Service) arrive(c Call, prefilled bool) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrived.add(c)
	for i, f := range s.faults[c.Source] {
		if !strings.Contains(c.Asked, f.Asked) || f.Prefilled && !prefilled {
			continue
		}
		hit := *f
		if f.Calls--; f.Calls == 0 {
			s.faults[c.Source] = slices.Delete(s.faults[c.Source], i, i+1)
		}
		return hit
	}
	return Fault{}
}

// struck is the error of a call that a fault ends before its answer.
type struck struct{ Fault }

// Error implements error.
func (f struck) Error() string { return "a fault: " + string(f.kind()) }

// exceptionKind is that of a fault with a code.
const exceptionKind Kind = "exception"

func (f Fault) kind() Kind {
	if f.Code != "" {
		return exceptionKind
	}
	return f.Kind
}

// before returns an error if f strikes before an answer.
func (f Fault) before(stream bool) error {
	switch {
	case f.kind() == "", f.kind() == Lose, stream && f.inStream():
		return nil
	case f.onlyInStream():
		f.Kind = Reset
	}
	return struck{f}
}

// after is how many pieces of all come before f strikes within a stream; -1
// means that it does not, and 0 that it is the first frame.
func (f Fault) after(all int) int {
	switch {
	case f.kind() == "", f.kind() == Lose:
		return -1
	case f.AfterDeltas > 0:
		return min(f.AfterDeltas, all)
	case f.AfterShare > 0:
		return min(max(1, int(f.AfterShare*float64(all))), all)
	default:
		return 0
	}
}

func (f Fault) err() *cloud.APIError {
	return &cloud.APIError{Code: f.Code, Message: cmp.Or(f.Message, exceptions[f.Code].message)}
}

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
