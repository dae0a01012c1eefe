package bench

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/crossregion/crossregion/local/bench/upstream"
)

// call is a request that is made over and over.
type call struct {
	url    string
	body   string
	header http.Header
	words  int // that a whole answer has
	// again is how often a request is made once more when it was answered 503,
	// as callers' SDKs do.
	again int
}

// sample is what one request took, in microseconds.
type sample struct {
	first float64   // to its first word
	total float64   // to its end
	gaps  []float64 // between words that came apart
	again int       // how often it was made once more
}

// client makes calls, one connection for each in flight.
func newClient(inFlight int) *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConns: inFlight, MaxIdleConnsPerHost: inFlight, DisableCompression: true}}
}

// do makes the call. An answer that is not whole is an error, so that no subject
// is quick by failing.
func (c call) do(ctx context.Context, client *http.Client) (s sample, err error) {
	started := time.Now()
	for again := 0; ; again++ {
		var status int
		s, status, err = c.once(ctx, client, started)
		if s.again = again; status != http.StatusServiceUnavailable || again == c.again {
			return s, err
		}
	}
}

// once makes one request for a call that began at some time.
func (c call) once(ctx context.Context, client *http.Client, started time.Time) (_ sample, status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader([]byte(c.body)))
	if err != nil {
		return sample{}, 0, err
	}
	req.Header = c.header
	resp, err := client.Do(req)
	if err != nil {
		return sample{}, 0, err
	}
	var r reading
	text, err := r.all(resp.Body, started)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return sample{}, 0, err
	}
	if resp.StatusCode != http.StatusOK || r.words != c.words {
		return sample{}, resp.StatusCode, fmt.Errorf("%s: status %d with %d words, want 200 with %d: %.300s", c.url, resp.StatusCode, r.words, c.words, text)
	}
	r.sample.total = micros(time.Since(started))
	return r.sample, resp.StatusCode, nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// reading counts words while they come.
type reading struct {
	sample
	words int
	last  time.Time
}

// all reads to the end and returns how it begins.
func (r *reading) all(body io.Reader, started time.Time) (head []byte, err error) {
	buffer := make([]byte, 32<<10)
	kept := 0 // bytes of a word that may go on in the next read
	for {
		n, err := body.Read(buffer[kept:])
		now := time.Now()
		seen := buffer[:kept+n]
		if found := bytes.Count(seen, []byte(upstream.Word)); found > 0 {
			r.note(found, now, started)
		}
		if len(head) == 0 {
			head = bytes.Clone(seen)
		}
		kept = copy(buffer, partial(seen))
		if err == io.EOF {
			return head, nil
		}
		if err != nil {
			return head, err
		}
	}
}

// partial is the end of seen that may be the beginning of a word.
func partial(seen []byte) []byte {
	for n := min(len(upstream.Word)-1, len(seen)); n > 0; n-- {
		if end := seen[len(seen)-n:]; bytes.HasPrefix([]byte(upstream.Word), end) {
			return end
		}
	}
	return nil
}

func (r *reading) note(found int, now, started time.Time) {
	if r.words == 0 {
		r.first = micros(now.Sub(started))
	} else {
		r.gaps = append(r.gaps, micros(now.Sub(r.last)))
	}
	r.words += found
	r.last = now
}

// slice keeps inFlight requests going for a while, or until each has been made
// at least once, and returns what they took. It fails if one does. Streams of one
// length begin evenly over their length, since callers do not come all at once.
func (c call) slice(ctx context.Context, client *http.Client, l load) ([]sample, error) {
	inFlight := l.inFlight
	end := time.Now().Add(l.slice)
	all := make([][]sample, inFlight)
	errs := make([]error, inFlight)
	var working sync.WaitGroup
	for i := range inFlight {
		working.Go(func() {
			pause(ctx, l.spread*time.Duration(i)/time.Duration(inFlight))
			for errs[i] == nil && (len(all[i]) == 0 || time.Now().Before(end)) {
				var s sample
				if s, errs[i] = c.do(ctx, client); errs[i] == nil {
					all[i] = append(all[i], s)
				}
			}
		})
	}
	working.Wait()
	var samples []sample
	for _, some := range all {
		samples = append(samples, some...)
	}
	// One of many that failed alike says what all would.
	return samples, cmp.Or(errs...)
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
