package bedrock

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
)

// MaxBodyBytes is the largest request that the runtime takes.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
const MaxBodyBytes = 25_000_000

// inference is one accepted call.
type inference struct {
	target  target
	answer  answer
	fault   Fault // its zero value when there is none
	started time.Time
}

// ServeAWS answers Converse, ConverseStream, and InvokeModel for embeddings.
// Every other operation is an UnknownOperationException.
func (s *Service) ServeAWS(w http.ResponseWriter, r *http.Request, c cloud.Caller) {
	w.Header().Set("X-Amzn-RequestId", s.requestID())
	r.Body = http.MaxBytesReader(w, r.Body, MaxBodyBytes)
	if modelID, ok := invoked(r); ok {
		s.serveInvoke(w, r, c, modelID)
		return
	}
	modelID, stream, err := operation(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	call, err := s.accept(r, c, Call{ModelID: modelID, Stream: stream, Principal: c.ARN})
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	s.deliver(w, call.fault, func(w http.ResponseWriter) error {
		if stream {
			return s.converseStream(r.Context(), w, call)
		}
		return s.converse(r.Context(), w, call)
	})
}

// operation reads the model and whether to stream from a request's path.
func operation(r *http.Request) (modelID string, stream bool, err error) {
	path := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	if r.Method != http.MethodPost || len(path) != 3 || path[0] != "model" || (path[2] != "converse" && path[2] != "converse-stream") {
		return "", false, cloud.Refuse("UnknownOperationException",
			"%s %s is not known to this stand-in for Bedrock, which answers Converse, ConverseStream and InvokeModel.", r.Method, r.URL.Path)
	}
	modelID, err = url.PathUnescape(path[1])
	if err != nil {
		return "", false, invalid("The provided model identifier is invalid: %v", err)
	}
	return modelID, path[2] == "converse-stream", nil
}

// accept does all that comes before the model: a call that it returns has been
// authorized, validated and routed to a destination.
func (s *Service) accept(r *http.Request, c cloud.Caller, call Call) (inference, error) {
	t, err := s.resolve(c.Region, call.ModelID)
	if err != nil {
		return inference{}, err
	}
	action := "bedrock:InvokeModel"
	if call.Stream {
		action = "bedrock:InvokeModelWithResponseStream"
	}
	if err := s.authorize(c, action, t); err != nil {
		return inference{}, err
	}
	if t.model.embeds {
		return inference{}, invalid("This action doesn't support the model that you provided. Try again with a supported text or chat model.")
	}
	req, err := parseRequest(r.Body, t.model, call.Stream)
	if err != nil {
		return inference{}, err
	}
	if err := validateGuardrail(req.GuardrailConfig, call.Stream); err != nil {
		return inference{}, err
	}
	if g := req.GuardrailConfig; g != nil {
		if err := s.guard(c, *g); err != nil {
			return inference{}, err
		}
	}
	call.Source, call.At, call.Asked = c.Region, s.cfg.World.Clock.Now(), quote(message{Content: req.question()}.text())
	f := s.arrive(call, req.beginning() != "")
	if err := f.before(call.Stream); err != nil {
		return inference{}, err
	}
	accepted := inference{target: t, fault: f, started: call.At}
	if req.intervenes() {
		accepted.answer = blocked()
		return accepted, nil
	}
	accepted.answer, err = reply(req)
	if err != nil {
		return inference{}, err
	}
	s.route(t, call)
	accepted.answer = accepted.answer.counted(s.cached(t, req, accepted.started))
	return accepted, nil
}

type converseResponse struct {
	Output struct {
		Message outputMessage `json:"message"`
	} `json:"output"`
	StopReason string  `json:"stopReason"`
	Usage      usage   `json:"usage"`
	Metrics    metrics `json:"metrics"`
}

type outputMessage struct {
	Role    string           `json:"role"`
	Content []map[string]any `json:"content"`
}

type metrics struct {
	LatencyMs int64 `json:"latencyMs"`
}

func (s *Service) converse(ctx context.Context, w http.ResponseWriter, call inference) error {
	first, delta := s.pace(call.fault)
	wait := first + time.Duration(call.answer.steps())*delta
	if err := s.cfg.World.Clock.Sleep(ctx, wait); err != nil {
		return err
	}
	resp := converseResponse{StopReason: call.answer.stopReason, Usage: call.answer.usage, Metrics: s.metrics(call)}
	resp.Output.Message = outputMessage{Role: "assistant", Content: []map[string]any{}}
	for _, p := range call.answer.parts {
		resp.Output.Message.Content = append(resp.Output.Message.Content, p.block())
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(resp)
}

func (s *Service) metrics(call inference) metrics {
	return metrics{LatencyMs: s.cfg.World.Clock.Now().Sub(call.started).Milliseconds()}
}

// requestID returns an id that no other request of the service has.
func (s *Service) requestID() string {
	s.mu.Lock()
	s.requests++
	n := s.requests
	s.mu.Unlock()
	id := cloud.ID(32, "bedrock", fmt.Sprint(n))
	return strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
}
