// Package eventstream reads the frames in which AWS sends a stream of events.
//
// The SDK reads them, too, but hands each event through three goroutines, and
// takes some sixty small allocations and as many small reads for a frame. In a
// gateway, which does little else than read frames, that was a quarter of all its
// work.
// Source: https://smithy.io/2.0/aws/amazon-eventstream.html
package eventstream

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Bounds of a frame's parts, in bytes.
// Source: https://smithy.io/2.0/aws/amazon-eventstream.html
const (
	MaxHeaders = 128 << 10
	MaxPayload = 24 << 20
)

// A frame is its length, that of its headers, the checksum of both, headers,
// payload, and the checksum of all before it.
const (
	preludeBytes  = 12
	checksumBytes = 4
)

// keptBytes bounds the buffer that is kept for the next frame.
const keptBytes = 64 << 10

// ErrChecksum says that a frame is not what was sent.
var ErrChecksum = errors.New("the checksum does not match")

// Reader reads messages from a stream. It belongs to one goroutine.
type Reader struct {
	source *bufio.Reader
	frame  []byte
}

// NewReader returns a Reader of r.
func NewReader(r io.Reader) *Reader { return &Reader{source: bufio.NewReader(r)} }

// Next returns the next message. Its bytes are good until Next is called again.
// After the last whole frame it returns io.EOF as it is; every other error says
// why the frame cannot be read, io.ErrUnexpectedEOF in its chain that it was cut.
func (r *Reader) Next() (Message, error) {
	length, err := r.prelude()
	if err != nil {
		return Message{}, err
	}
	rest := r.frame[preludeBytes:length.frame]
	if _, err := io.ReadFull(r.source, rest); err != nil {
		return Message{}, fmt.Errorf("read a frame: %w", cut(err))
	}
	body := length.frame - checksumBytes
	if binary.BigEndian.Uint32(r.frame[body:]) != crc32.ChecksumIEEE(r.frame[:body]) {
		return Message{}, fmt.Errorf("read a frame: %w", ErrChecksum)
	}
	payload := preludeBytes + length.headers
	m, err := readHeaders(r.frame[preludeBytes:payload])
	if err != nil {
		return Message{}, fmt.Errorf("read the headers of a frame: %w", err)
	}
	m.Payload = r.frame[payload:body]
	return m, nil
}

// lengths of a frame, and of its headers.
type lengths struct{ frame, headers int }

// prelude reads how long the next frame is, and makes room for it.
func (r *Reader) prelude() (lengths, error) {
	if cap(r.frame) < preludeBytes || cap(r.frame) > keptBytes {
		r.frame = make([]byte, 1<<10)
	}
	head := r.frame[:preludeBytes]
	if _, err := io.ReadFull(r.source, head); err != nil {
		if err == io.EOF {
			return lengths{}, err
		}
		return lengths{}, fmt.Errorf("read the length of a frame: %w", err)
	}
	if binary.BigEndian.Uint32(head[8:]) != crc32.ChecksumIEEE(head[:8]) {
		return lengths{}, fmt.Errorf("read the length of a frame: %w", ErrChecksum)
	}
	frame, headers := int64(binary.BigEndian.Uint32(head)), int64(binary.BigEndian.Uint32(head[4:]))
	payload := frame - preludeBytes - headers - checksumBytes
	if headers > MaxHeaders || payload < 0 || payload > MaxPayload {
		return lengths{}, fmt.Errorf("read the length of a frame: %d bytes with %d bytes of headers are none", frame, headers)
	}
	r.frame = r.frame[:cap(r.frame)]
	if int(frame) > len(r.frame) {
		larger := make([]byte, frame)
		copy(larger, head)
		r.frame = larger
	}
	return lengths{int(frame), int(headers)}, nil
}

// cut makes an end within a frame one that nobody expects.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Ready tells that all of the next frame has come, so that Next will not wait
// for it. Of a frame that is larger than the buffer it never is sure.
func (r *Reader) Ready() bool {
	if r.source.Buffered() < preludeBytes {
		return false
	}
	head, err := r.source.Peek(4)
	return err == nil && int64(r.source.Buffered()) >= int64(binary.BigEndian.Uint32(head))
}
