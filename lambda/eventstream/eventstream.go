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
	"slices"
)

// A frame is its length, that of its headers, the checksum of both, headers,
// payload, and the checksum of all before it.
const (
	preludeBytes  = 12
	checksumBytes = 4
)

// Sizes of the buffer that holds a frame, in bytes: of a new one, and of the
// largest that is kept for the next frame.
const (
	newBytes  = 1 << 10
	keptBytes = 64 << 10
)

// ErrChecksum says that a frame is not what was sent.
var ErrChecksum = errors.New("the checksum does not match")

// Reader reads messages from a stream. It belongs to one goroutine.
//
// Frames have no bound but their source's: services keep to 24 MiB of payload and
// 128 KiB of headers, which clients must not check.
type Reader struct {
	source *bufio.Reader
	frame  []byte
}

// NewReader returns a Reader of r.
func NewReader(r io.Reader) *Reader { return &Reader{source: bufio.NewReader(r)} }

// Next returns the next message. Its bytes are good until Next is called again.
// After the last whole frame it returns io.EOF as it is; every other error says
// why the frame cannot be read, io.ErrUnexpectedEOF in its chain that it was cut.
// Nothing more can be read after an error.
func (r *Reader) Next() (Message, error) {
	length, err := r.prelude()
	if err != nil {
		return Message{}, err
	}
	if err := r.fill(length.frame); err != nil {
		return Message{}, fmt.Errorf("read a frame: %w", err)
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

// prelude reads how long the next frame is.
func (r *Reader) prelude() (lengths, error) {
	if cap(r.frame) == 0 || cap(r.frame) > keptBytes {
		r.frame = make([]byte, 0, newBytes)
	}
	r.frame = r.frame[:preludeBytes]
	if _, err := io.ReadFull(r.source, r.frame); err != nil {
		if err == io.EOF {
			return lengths{}, err
		}
		return lengths{}, fmt.Errorf("read the length of a frame: %w", err)
	}
	if binary.BigEndian.Uint32(r.frame[8:]) != crc32.ChecksumIEEE(r.frame[:8]) {
		return lengths{}, fmt.Errorf("read the length of a frame: %w", ErrChecksum)
	}
	l := lengths{frame: int(binary.BigEndian.Uint32(r.frame)), headers: int(binary.BigEndian.Uint32(r.frame[4:]))}
	if l.frame < preludeBytes+l.headers+checksumBytes {
		return lengths{}, fmt.Errorf("read the length of a frame: %d bytes cannot hold %d bytes of headers", l.frame, l.headers)
	}
	return l, nil
}

// fill reads on until the frame has length bytes. Room is made as they come: a
// length that lies takes none.
func (r *Reader) fill(length int) error {
	for have := len(r.frame); have < length; have = len(r.frame) {
		next := min(length, have+max(have, keptBytes))
		r.frame = slices.Grow(r.frame, next-have)[:next]
		if _, err := io.ReadFull(r.source, r.frame[have:]); err != nil {
			return cut(err)
		}
	}
	return nil
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
