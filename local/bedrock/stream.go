package bedrock

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream/eventstreamapi"
)

// eventWriter sends each event of a stream at once.
type eventWriter struct {
	w       http.ResponseWriter
	enc     *eventstream.Encoder
	corrupt bool
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
	first, delta := s.pace(call.fault)
	if err := s.cfg.World.Clock.Sleep(ctx, first); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	out := eventWriter{w: w, enc: eventstream.NewEncoder()}
	left := call.fault.after(call.answer.steps())
	if left == 0 && call.fault.FirstFrame {
		return s.strike(ctx, out, call)
	}
	if err := out.event("messageStart", messageStart{Role: "assistant"}); err != nil {
		return err
	}
	for _, ev := range call.answer.events() {
		if left == 0 {
			return s.strike(ctx, out, call)
		}
		if err := out.event(ev.name, ev.payload); err != nil {
			return err
		}
		if ev.name != "contentBlockDelta" {
			continue
		}
		if err := s.cfg.World.Clock.Sleep(ctx, delta); err != nil {
			return err
		}
		left--
	}
	if left == 0 {
		return s.strike(ctx, out, call)
	}
	return s.finish(out, call)
}

// strike is what a fault does within a stream.
func (s *Service) strike(ctx context.Context, out eventWriter, call inference) error {
	switch call.fault.kind() {
	case Reset, Cut:
		return hangUp(out.w, call.fault.kind())
	case Silence:
		if err := http.NewResponseController(out.w).Flush(); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	case End:
		return nil
	case Corrupt:
		out.corrupt = true
		return out.event("contentBlockDelta", contentBlockDelta{Delta: map[string]any{"text": "?"}})
	case Filter:
		call.answer.stopReason = "content_filtered"
		return s.finish(out, call)
	default:
		return out.exception(call.fault)
	}
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
	var frame bytes.Buffer
	if err := e.enc.Encode(&frame, msg); err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	if e.corrupt {
		frame.Bytes()[frame.Len()-1]++ // of the checksum that ends it
	}
	if _, err := e.w.Write(frame.Bytes()); err != nil {
		return fmt.Errorf("send %s: %w", name, err)
	}
	if err := http.NewResponseController(e.w).Flush(); err != nil {
		return fmt.Errorf("flush %s: %w", name, err)
	}
	return nil
}
