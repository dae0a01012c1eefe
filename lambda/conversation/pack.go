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
	packers   sync.Pool // of *packer
	unpackers sync.Pool // of io.ReadCloser, each a flate.Resetter
)

// packer compresses into its buffer.
type packer struct {
	w *flate.Writer
	b bytes.Buffer
}

func (p *packer) pack(body []byte) error {
	p.b.Reset()
	p.w.Reset(&p.b)
	if _, err := p.w.Write(body); err != nil {
		return err
	}
	return p.w.Close()
}

// pack compresses a body that is worth it. The same body gives the same bytes.
func pack(body []byte) (packed []byte, ok bool, err error) {
	if len(body) < packFrom {
		return body, false, nil
	}
	p, ok := packers.Get().(*packer)
	if !ok {
		p = &packer{}
		if p.w, err = flate.NewWriter(&p.b, flate.BestSpeed); err != nil {
			return nil, false, fmt.Errorf("compress a turn: %w", err)
		}
	}
	defer packers.Put(p)
	if err := p.pack(body); err != nil {
		return nil, false, fmt.Errorf("compress a turn: %w", err)
	}
	if p.b.Len() >= len(body) {
		return body, false, nil
	}
	return bytes.Clone(p.b.Bytes()), true, nil
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
