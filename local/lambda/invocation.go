package lambda

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// state is how far an invocation has come in its environment.
type state int

const (
	pending    state = iota // the runtime has not asked for it
	running                 // the function has it
	responding              // the runtime sends a response
	responded               // the runtime has sent a response or an error
)

// invocation is one run of a function. Fields below result are guarded by the
// mutex of its environment.
type invocation struct {
	id      string
	trace   string
	arn     string
	payload []byte
	stream  bool
	reader  *io.PipeReader // of a streamed response
	writer  *io.PipeWriter
	result  chan *Result // has room for the one result that it gets

	state     state
	begun     time.Time
	timer     *time.Timer // ends the process when the function takes too long
	streaming bool        // the invoker reads the response already
	reply     *Result     // whole response, which waits for the end
}

// newInvocation gives the invocation its ids. The caller holds s.mu.
func (s *Service) newInvocation(in Invocation, sampled int) *invocation {
	id, trace := s.nextID("request"), s.nextID("trace")
	inv := &invocation{
		id: fmt.Sprintf("%s-%s-%s-%s-%s", id[:8], id[8:12], id[12:16], id[16:20], id[20:]),
		trace: fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=%d",
			s.cfg.World.Clock.Now().Unix(), trace[:24], id[:16], sampled),
		arn: in.FunctionARN, payload: bytes.Clone(in.Payload), stream: in.Stream,
		result: make(chan *Result, 1),
	}
	inv.reader, inv.writer = io.Pipe()
	return inv
}

// leave ends a streamed response with err, or cleanly with nil. The first call
// counts.
func (i *invocation) leave(err error) {
	// CloseWithError of a PipeWriter always returns nil.
	_ = i.writer.CloseWithError(err)
}

// end hands the invoker what it still waits for. It is called once, when no
// environment has the invocation any more; cause says why it did not respond.
func (i *invocation) end(cause *failure) {
	switch {
	case i.reply != nil:
		i.result <- i.reply
	case i.streaming && i.state == responded:
		i.leave(nil) // a clean end, unless the function broke off before
	case i.streaming:
		i.leave(cause)
	default:
		i.result <- cause.result()
	}
}

// Write passes a part of a streamed response on. The function does not notice
// that nobody reads it.
func (i *invocation) Write(p []byte) (int, error) {
	// It fails only when the reader is closed.
	_, _ = i.writer.Write(p)
	return len(p), nil
}

// failure is an error of a function, as Lambda reports it.
type failure struct {
	kind     string
	message  string
	document []byte // JSON error object
}

func newFailure(kind, message string) *failure {
	// A map of strings always has a JSON form.
	document, _ := json.Marshal(map[string]string{"errorType": kind, "errorMessage": message})
	return &failure{kind: kind, message: message, document: document}
}

// readFailure reads the error object that a runtime sent. One that is not JSON
// has kind and no more.
func readFailure(kind string, document []byte) *failure {
	var sent struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(document, &sent); err != nil {
		return newFailure(kind, "the runtime reported an error that is not JSON: "+err.Error())
	}
	return &failure{kind: cmp.Or(sent.ErrorType, kind), message: sent.ErrorMessage, document: document}
}

func (f *failure) Error() string { return f.kind + ": " + f.message }

func (f *failure) result() *Result {
	r := whole("application/json", f.document)
	r.FunctionError = "Unhandled"
	return r
}

func whole(contentType string, b []byte) *Result {
	return &Result{ContentType: contentType, Body: io.NopCloser(bytes.NewReader(b))}
}
