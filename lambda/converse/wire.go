package converse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/crossregion/crossregion/lambda/eventstream"
	"github.com/tidwall/gjson"
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
	resp, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil {
		if ok {
			_ = resp.Body.Close() // it is read, but of a stream's refusal the SDK leaves it open
		}
		return out, metadata, err
	}
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

// decode returns the payload of an event, or what else the message says.
func decode(m eventstream.Message) (gjson.Result, error) {
	switch string(m.Type) {
	case "event":
		return payload(m)
	case "exception":
		return gjson.Result{}, exception(m)
	case "error":
		return gjson.Result{}, &smithy.GenericAPIError{Code: string(m.ErrorCode), Message: string(m.ErrorMessage)}
	default:
		return gjson.Result{}, fmt.Errorf("%q is no type of a message", m.Type)
	}
}

// payload returns that of an event. It is read by path, and not into a struct:
// reflection would take most of the time that a word takes. Events that tell
// nothing of an answer may hold anything.
func payload(m eventstream.Message) (gjson.Result, error) {
	switch string(m.Event) {
	case eventBlockStart, eventBlockDelta, eventBlockStop, eventStop, eventMetadata:
		if !gjson.ValidBytes(m.Payload) {
			return gjson.Result{}, fmt.Errorf("read event %q: its payload is no JSON", m.Event)
		}
		return gjson.ParseBytes(m.Payload), nil
	case "":
		return gjson.Result{}, errors.New("read an event: it has no name")
	default:
		return gjson.Result{}, nil
	}
}

// exception is the API error of an exception, which a stream names as a member
// of its union, with a small first letter.
func exception(m eventstream.Message) error {
	name := string(m.Exception)
	if name != "" {
		name = strings.ToUpper(name[:1]) + name[1:]
	}
	words := cmp.Or(gjson.GetBytes(m.Payload, "message").String(), gjson.GetBytes(m.Payload, "Message").String())
	return &smithy.GenericAPIError{Code: name, Message: words}
}
