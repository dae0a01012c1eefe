package bedrock

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream/eventstreamapi"
)

// eventWriter sends each event of a stream at once.
type eventWriter struct {
	w   http.ResponseWriter
	enc *eventstream.Encoder
}

// Events of a ConverseStream.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
type (
	messageStart struct {
		Role string `json:"role"`
	}
	contentBlockStart struct {
		ContentBlockIndex int            `json:"contentBlockIndex"`
		Start             map[string]any `json:"start"`
	}
	contentBlockDelta struct {
		ContentBlockIndex int            `json:"contentBlockIndex"`
		Delta             map[string]any `json:"delta"`
	}
	contentBlockStop struct {
		ContentBlockIndex int `json:"contentBlockIndex"`
	}
	messageStop struct {
		StopReason string `json:"stopReason"`
	}
	metadata struct {
		Usage   usage   `json:"usage"`
		Metrics metrics `json:"metrics"`
	}
	exception struct {
		Message string `json:"message"`
	}
)

// converseStream streams an answer. Text has no contentBlockStart, as with
// Anthropic's models. It ends early, without messageStop, when the fault says so
// or when the client has left.
func (s *Service) converseStream(ctx context.Context, w http.ResponseWriter, call inference) error {
	if err := s.cfg.World.Clock.Sleep(ctx, s.cfg.FirstToken); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	out := eventWriter{w: w, enc: eventstream.NewEncoder()}
	if call.fault.FirstFrame {
		return out.exception(call.fault)
	}
	if err := out.event("messageStart", messageStart{Role: "assistant"}); err != nil {
		return err
	}
	left := min(call.fault.AfterDeltas, call.answer.steps())
	for i, p := range call.answer.parts {
		for _, ev := range p.events(i) {
			if err := out.event(ev.name, ev.payload); err != nil {
				return err
			}
			if ev.name != "contentBlockDelta" {
				continue
			}
			if err := s.cfg.World.Clock.Sleep(ctx, s.cfg.PerDelta); err != nil {
				return err
			}
			if left--; left == 0 {
				return out.exception(call.fault)
			}
		}
	}
	if call.fault.AfterDeltas > 0 {
		return out.exception(call.fault)
	}
	return s.finish(out, call)
}

func (s *Service) finish(out eventWriter, call inference) error {
	if err := out.event("messageStop", messageStop{StopReason: call.answer.stopReason}); err != nil {
		return err
	}
	return out.event("metadata", metadata{Usage: call.answer.usage, Metrics: s.metrics(call)})
}

func (e eventWriter) event(name string, payload any) error {
	return e.send(payload, eventstreamapi.EventMessageType, eventstreamapi.EventTypeHeader, name)
}

func (e eventWriter) exception(f Fault) error {
	return e.send(exception{f.err().Message}, eventstreamapi.ExceptionMessageType, eventstreamapi.ExceptionTypeHeader, streamName(f.Code))
}

func (e eventWriter) send(payload any, kind, nameHeader, name string) error {
	b, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	msg := eventstream.Message{Payload: b}
	msg.Headers.Set(eventstreamapi.MessageTypeHeader, eventstream.StringValue(kind))
	msg.Headers.Set(nameHeader, eventstream.StringValue(name))
	msg.Headers.Set(eventstreamapi.ContentTypeHeader, eventstream.StringValue("application/json"))
	if err := e.enc.Encode(e.w, msg); err != nil {
		return fmt.Errorf("send %s: %w", name, err)
	}
	if err := http.NewResponseController(e.w).Flush(); err != nil {
		return fmt.Errorf("flush %s: %w", name, err)
	}
	return nil
}
