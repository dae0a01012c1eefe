package eventstream

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Message is one frame of a stream: its payload, and those of its headers that
// say what it is. A header that is missing, or no string, is nil.
type Message struct {
	// Type is "event", "exception" or "error".
	Type []byte
	// Event names an event.
	Event []byte
	// Exception names an exception.
	Exception []byte
	// ErrorCode and ErrorMessage are what an error says.
	ErrorCode, ErrorMessage []byte
	// Payload is the event or exception itself.
	Payload []byte
}

// field is where the header called name belongs, or nil.
func (m *Message) field(name []byte) *[]byte {
	switch string(name) {
	case ":message-type":
		return &m.Type
	case ":event-type":
		return &m.Event
	case ":exception-type":
		return &m.Exception
	case ":error-code":
		return &m.ErrorCode
	case ":error-message":
		return &m.ErrorMessage
	default:
		return nil
	}
}

// Types of the values of headers.
const (
	typeTrue = iota
	typeFalse
	typeByte
	typeShort
	typeInteger
	typeLong
	typeBytes
	typeString
	typeTimestamp
	typeUUID
)

// sizes of values by their types; those of bytes and strings precede them.
var sizes = [...]int{typeByte: 1, typeShort: 2, typeInteger: 4, typeLong: 8, typeTimestamp: 8, typeUUID: 16}

var errCut = errors.New("they end in the middle of one")

// readHeaders reads all headers in b.
func readHeaders(b []byte) (Message, error) {
	var m Message
	for len(b) > 0 {
		name, rest, ok := take(b[1:], int(b[0]))
		if !ok || len(rest) == 0 {
			return m, errCut
		}
		kind := rest[0]
		value, rest, err := readValue(kind, rest[1:])
		if err != nil {
			return m, err
		}
		if kind != typeString {
			value = nil
		}
		if field := m.field(name); field != nil {
			*field = value
		}
		b = rest
	}
	return m, nil
}

// readValue takes a value of the given type off b.
func readValue(kind byte, b []byte) (value, rest []byte, err error) {
	if int(kind) >= len(sizes) {
		return nil, nil, fmt.Errorf("%d is no type of a header", kind)
	}
	size := sizes[kind]
	if kind == typeBytes || kind == typeString {
		if len(b) < 2 {
			return nil, nil, errCut
		}
		size, b = int(binary.BigEndian.Uint16(b)), b[2:]
	}
	value, rest, ok := take(b, size)
	if !ok {
		return nil, nil, errCut
	}
	return value, rest, nil
}

func take(b []byte, n int) (taken, rest []byte, ok bool) {
	if n > len(b) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}
