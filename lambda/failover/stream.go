package failover

import (
	"io"
	"time"

	"github.com/crossregion/crossregion/lambda/converse"
)

// opened is the stream that a caller sees.
type opened struct {
	*search
	first *converse.Event // that Open waited for; nil if it did so in vain
	over  error           // what is left to say; nil before the end
}

// Next implements [converse.Stream].
func (o *opened) Next() (converse.Event, error) {
	if o.over != nil {
		return converse.Event{}, o.over
	}
	ev, err := o.read()
	switch {
	case err != nil:
		o.over = err
	case ev.End != nil:
		o.over = io.EOF
	}
	return ev, err
}

func (o *opened) read() (converse.Event, error) {
	if first := o.first; first != nil {
		o.first = nil
		return *first, nil
	}
	return o.next(time.Now().Add(o.engine.cfg.KeepAlive))
}

// Close implements [converse.Stream].
func (o *opened) Close() error {
	o.close()
	return nil
}

// Report implements [Reporter].
func (o *opened) Report() Report { return o.snapshot() }
