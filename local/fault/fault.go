// Package fault breaks parts of the embedded cloud from outside, at its edges: a
// service of one region, the way between two regions, all ways into and out of a
// region, or every control plane. It knows no service; what is broken neither knows
// nor helps.
package fault

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Kind is how a call fails.
type Kind string

// Kinds of failure. The zero Kind is none.
const (
	// Drop closes the connection at once, as a host does that is up while its
	// service is not.
	Drop Kind = "drop"
	// Hang never answers, as a host does that is gone.
	Hang Kind = "hang"
	// Lose does the work and loses the answer.
	Lose Kind = "lose"
)

// Fault is what is wrong with a service in a region.
type Fault struct {
	Kind Kind
	// Delay comes before whatever happens, in real time.
	Delay time.Duration
	// Calls is how many calls are hit before all is well again; 0 means all.
	Calls int
	// Underway also cuts off the calls that are being answered when it breaks,
	// as the end of a host does.
	Underway bool
}

// Call says what is called, and from where.
type Call struct {
	Service string // signing name; "execute-api" for a region's public API
	Region  string
	Home    string // region of the caller; "" outside AWS
}

// Board holds all faults. It is safe for concurrent use.
type Board struct {
	mu           sync.Mutex
	faults       map[place]*Fault
	hits         map[place]int
	cuts         map[link]bool
	isolated     map[string]bool
	controlsDown bool
	mended       chan struct{} // closed and replaced when something is mended
	underway     map[*call]bool
}

type place struct{ service, region string }

type link struct{ a, b string }

// between is the link of two regions, in one order.
func between(a, b string) link { return link{min(a, b), max(a, b)} }

// NewBoard returns a Board on which nothing is broken.
func NewBoard() *Board {
	return &Board{
		faults: map[place]*Fault{}, hits: map[place]int{}, cuts: map[link]bool{}, isolated: map[string]bool{},
		mended: make(chan struct{}), underway: map[*call]bool{},
	}
}

// Break makes the calls of a service in a region fail.
func (b *Board) Break(service, region string, f Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := place{service, region}
	b.faults[at] = &f
	for c := range b.underway {
		if f.Underway && c.at == at {
			c.cut(errCutOff)
		}
	}
}

// Cut parts two regions: calls from one to the other hang.
func (b *Board) Cut(one, other string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cuts[between(one, other)] = true
}

// IsCut tells whether two regions are parted.
func (b *Board) IsCut(one, other string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cuts[between(one, other)] || b.apart(one, other)
}

// Isolate leaves a region reachable from within only. What crosses its border, to
// or from another region or outside AWS, is dropped, and cut off if it is underway.
// Replication is not told.
func (b *Board) Isolate(region string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.isolated[region] = true
	for c := range b.underway {
		if b.apart(c.home, c.at.region) {
			c.cut(errCutOff)
		}
	}
}

// Rejoin undoes [Board.Isolate].
func (b *Board) Rejoin(region string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.isolated, region)
}

// apart tells whether the border of an isolated region lies between two places. The
// caller holds the lock.
func (b *Board) apart(one, other string) bool {
	return one != other && (b.isolated[one] || b.isolated[other])
}

// BreakControls makes everything fail that creates, changes or describes
// resources, in every region.
func (b *Board) BreakControls() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.controlsDown = true
}

// ControlsDown tells whether control planes fail.
func (b *Board) ControlsDown() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.controlsDown
}

// Mend ends a service's fault in a region. Calls that hang by then stay without
// an answer no longer: their connections are closed.
func (b *Board) Mend(service, region string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.faults, place{service, region})
	b.wake()
}

// MendAll ends every fault.
func (b *Board) MendAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.faults)
	clear(b.cuts)
	clear(b.isolated)
	b.controlsDown = false
	b.wake()
}

func (b *Board) wake() {
	close(b.mended)
	b.mended = make(chan struct{})
}

// Serve lets answer serve a call, unless something is broken on its way.
func (b *Board) Serve(w http.ResponseWriter, r *http.Request, c Call, answer http.HandlerFunc) {
	f, mended := b.hit(c)
	if f.Delay > 0 && !pause(r.Context(), f.Delay) {
		return
	}
	switch f.Kind {
	case Drop:
		abort()
	case Hang:
		select {
		case <-mended:
		case <-r.Context().Done():
		}
		abort()
	case Lose:
		answer(discard{header: http.Header{}}, r)
		abort()
	default:
		b.follow(w, r, c, answer)
	}
}

// hit is what happens to the call, and when something is mended.
func (b *Board) hit(c Call) (Fault, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.apart(c.Home, c.Region):
		return Fault{Kind: Drop}, b.mended
	case c.Home != "" && b.cuts[between(c.Home, c.Region)]:
		return Fault{Kind: Hang}, b.mended
	}
	at := place{c.Service, c.Region}
	f := b.faults[at]
	if f == nil {
		return Fault{}, b.mended
	}
	hit := *f
	if hit.Kind != "" {
		b.hits[at]++
	}
	if f.Calls > 0 {
		if f.Calls--; f.Calls == 0 {
			delete(b.faults, at)
		}
	}
	return hit, b.mended
}

// Hits is how many calls of a service in a region were made while it was broken,
// and failed for it. Those that [Board.Cut] or [Board.Isolate] holds up do not
// count.
func (b *Board) Hits(service, region string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.hits[place{service, region}]
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// abort makes net/http close the connection without an answer.
func abort() { panic(http.ErrAbortHandler) }

// discard is an answer that gets lost.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}
func (d discard) Flush()                      {}
