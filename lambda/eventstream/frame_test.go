package eventstream_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/crossregion/crossregion/lambda/eventstream"
	"github.com/stretchr/testify/require"
)

// encode is what the SDK makes of payload and headers.
func encode(t testing.TB, payload string, headers ...sdk.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, sdk.NewEncoder().Encode(&b, sdk.Message{Headers: headers, Payload: []byte(payload)}))
	return b.Bytes()
}

func text(name, value string) sdk.Header {
	return sdk.Header{Name: name, Value: sdk.StringValue(value)}
}

// event is a frame as Bedrock sends it.
func event(t testing.TB, kind, payload string) []byte {
	t.Helper()
	return encode(t, payload, text(":event-type", kind), text(":content-type", "application/json"), text(":message-type", "event"))
}

// others are headers of every type, none of which says what a message is.
var others = []sdk.Header{
	{Name: "yes", Value: sdk.BoolValue(true)},
	{Name: "no", Value: sdk.BoolValue(false)},
	{Name: "byte", Value: sdk.Int8Value(-1)},
	{Name: "short", Value: sdk.Int16Value(-2)},
	{Name: "integer", Value: sdk.Int32Value(-3)},
	{Name: "long", Value: sdk.Int64Value(-4)},
	{Name: "bytes", Value: sdk.BytesValue("\x00\x01\x02")},
	{Name: "string", Value: sdk.StringValue("é")},
	{Name: "time", Value: sdk.TimestampValue(time.UnixMilli(1_700_000_000_123))},
	{Name: "uuid", Value: sdk.UUIDValue{1, 2, 3}},
}

// frame is one whose checksums are right, whatever its parts are.
func frame(headers, payload []byte) []byte {
	b := prelude(uint32(16+len(headers)+len(payload)), uint32(len(headers)))
	return sum(append(append(b, headers...), payload...))
}

// prelude is the beginning of a frame that tells the given lengths.
func prelude(length, headers uint32) []byte {
	return sum(binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, length), headers))
}

// sum appends the checksum of b.
func sum(b []byte) []byte { return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b)) }

// said is a message that outlives the next.
type said struct{ kind, event, exception, code, message, payload string }

func keep(m eventstream.Message) said {
	return said{string(m.Type), string(m.Event), string(m.Exception), string(m.ErrorCode), string(m.ErrorMessage), string(m.Payload)}
}

// drain reads all messages of r, and why there are no more.
func drain(r *eventstream.Reader) ([]said, error) {
	var all []said
	for {
		m, err := r.Next()
		if err != nil {
			return all, err
		}
		all = append(all, keep(m))
	}
}
