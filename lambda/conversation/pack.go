package conversation

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"sync"
)

// packFrom is the size from which compression pays: below, an item costs the
// same with and without it.
const packFrom = 1024

// maxBodyBytes bounds what a body may be unpacked to: more than an answer and a
// request may have together.
const maxBodyBytes = 96 << 20

// packers and unpackers are kept, since each takes far more memory than what it
// packs.
var (
	packers   sync.Pool // of *flate.Writer
	unpackers sync.Pool // of io.ReadCloser, each a flate.Resetter
)

// pack compresses a body that is worth it. The same body gives the same bytes.
func pack(body []byte) (packed []byte, ok bool, err error) {
	if len(body) < packFrom {
		return body, false, nil
	}
	var b bytes.Buffer
	b.Grow(len(body) / 4)
	w, ok := packers.Get().(*flate.Writer)
	if ok {
		w.Reset(&b)
	} else if w, err = flate.NewWriter(&b, flate.BestSpeed); err != nil {
		return nil, false, fmt.Errorf("compress a turn: %w", err)
	}
	defer packers.Put(w)
	if _, err := w.Write(body); err != nil {
		return nil, false, fmt.Errorf("compress a turn: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, false, fmt.Errorf("compress a turn: %w", err)
	}
	if b.Len() >= len(body) {
		return body, false, nil
	}
	return b.Bytes(), true, nil
}

// unpack undoes [pack] of a body that was size bytes long, and refuses what does
// not come out so.
func unpack(packed []byte, size int64) ([]byte, error) {
	if size < 0 || size > maxBodyBytes {
		return nil, errors.New("read a turn: its body is larger than any that was written")
	}
	r, ok := unpackers.Get().(io.ReadCloser)
	if !ok {
		r = flate.NewReader(nil)
	}
	defer unpackers.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(packed), nil); err != nil {
		return nil, fmt.Errorf("read a turn: decompress its body: %w", err)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("read a turn: decompress its body: %w", err)
	}
	if n, err := r.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
		return nil, errors.New("read a turn: its body is not as long as what was written")
	}
	return body, nil
}
