package converse

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/crossregion/crossregion/lambda/eventstream"
)

// call sends in and returns the body of the answer, a stream of events that is
// not read yet. The SDK signs the call and reads refusals; the stream is left to
// [eventstream].
func call(ctx context.Context, client *bedrockruntime.Client, in *bedrockruntime.ConverseStreamInput) (io.ReadCloser, error) {
	var body io.ReadCloser
	unread := func(o *bedrockruntime.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			_, err := s.Deserialize.Swap(sdkReader, takeBody{&body})
			return err
		})
	}
	_, err := client.ConverseStream(ctx, in, unread)
	return body, err
}

// sdkReader is the step of the SDK that would read the stream.
const sdkReader = "OperationEventStreamDeserializer"

// takeBody takes the body of an answer in place of sdkReader.
type takeBody struct{ to *io.ReadCloser }

// ID implements [middleware.DeserializeMiddleware].
func (takeBody) ID() string { return sdkReader }

// HandleDeserialize implements [middleware.DeserializeMiddleware].
func (t takeBody) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	out, metadata, err := next.HandleDeserialize(ctx, in)
	if err != nil {
		return out, metadata, err
	}
	resp, ok := out.RawResponse.(*smithyhttp.Response)
	if !ok {
		return out, metadata, fmt.Errorf("the answer is a %T, not one of HTTP", out.RawResponse)
	}
	*t.to = resp.Body
	return out, metadata, nil
}

// Events of ConverseStream; those with other names tell nothing of an answer.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
const (
	eventBlockStart = "contentBlockStart"
	eventBlockDelta = "contentBlockDelta"
	eventBlockStop  = "contentBlockStop"
	eventStop       = "messageStop"
	eventMetadata   = "metadata"
)

// payload is what any of the events has.
type payload struct {
	Start struct {
		ToolUse *struct {
			ToolUseID string
			Name      string
		}
	}
	Delta      delta
	StopReason types.StopReason
	Usage      tokenUsage
}

type delta struct {
	Text    string
	ToolUse *struct{ Input string }
	// ReasoningContent has one of its members.
	ReasoningContent *struct {
		Text            string
		Signature       string
		RedactedContent []byte
	}
}

type tokenUsage struct {
	InputTokens           int
	OutputTokens          int
	CacheReadInputTokens  int
	CacheWriteInputTokens int
}

// decode reads the payload of an event, or returns what else the message says.
func decode(m eventstream.Message) (payload, error) {
	var p payload
	switch string(m.Type) {
	case "event":
		if err := json.Unmarshal(m.Payload, &p); err != nil {
			return p, fmt.Errorf("read event %q: %w", m.Event, err)
		}
		return p, nil
	case "exception":
		return p, exception(m)
	case "error":
		return p, &smithy.GenericAPIError{Code: string(m.ErrorCode), Message: string(m.ErrorMessage)}
	default:
		return p, fmt.Errorf("%q is no type of a message", m.Type)
	}
}

// exception is the API error of an exception, which a stream names as a member
// of its union, with a small first letter.
func exception(m eventstream.Message) error {
	var said struct{ Message string }
	// Its name is what counts: words that cannot be read are left out.
	_ = json.Unmarshal(m.Payload, &said)
	name := string(m.Exception)
	if name != "" {
		name = strings.ToUpper(name[:1]) + name[1:]
	}
	return &smithy.GenericAPIError{Code: name, Message: said.Message}
}
