package bench

import (
	"context"
	"net"
	"net/http"
	"os/exec"
	"time"

	"github.com/crossregion/crossregion/local/bench/upstream"
)

// lane is one subject under load, and what it has taken so far.
type lane struct {
	name string
	call call
	proc *process // nil where nothing stands between client and upstream

	seen tally
	// spare tells that the others go on when the lane fails, which failed says.
	spare  bool
	failed error
}

// tally is what a lane has taken at one load.
type tally struct {
	samples []sample
	p50s    []float64 // of the rounds, of what the load is about
	cpu     time.Duration
	memory  float64 // MB, the most until now
}

// serve starts a binary that inherits a listener, and returns its URL.
func serve(path string, env []string, args ...string) (*process, string, error) {
	return serveCommand(exec.Command(path, args...), env)
}

// serveCommand starts a command that inherits a listener, and more after it, and
// returns the URL of the first.
func serveCommand(cmd *exec.Cmd, env []string, more ...net.Listener) (*process, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	p, err := start(cmd, env, append([]net.Listener{l}, more...)...)
	return p, "http://" + l.Addr().String(), closing(err, l.Close())
}

// load is a way to use the lanes.
type load struct {
	rounds   int
	slice    time.Duration
	inFlight int
	streamed bool          // first words count, not whole answers
	spread   time.Duration // over which the first requests of a turn begin
}

// words is the load of streams at a model's pace: each of inFlight callers asks
// at least twice in a turn.
func words(rounds, inFlight int) load {
	const length = upstream.FirstWord + upstream.PacedWords*upstream.NextWord
	return load{rounds: (rounds + 1) / 2, slice: length, inFlight: inFlight, streamed: true, spread: length}
}

// run gives each lane its turns. What a lane took before is forgotten.
func (l load) run(ctx context.Context, lanes []*lane) error {
	clients := make([]*http.Client, len(lanes))
	for i, ln := range lanes {
		ln.seen, ln.failed = tally{}, nil
		clients[i] = newClient(l.inFlight)
		defer clients[i].CloseIdleConnections()
		// Connections and pools are not part of what a request takes.
		_, err := ln.call.slice(ctx, clients[i], load{inFlight: l.inFlight, slice: l.slice / 4})
		if err = ln.fail(ctx, err); err != nil {
			return err
		}
	}
	return interleave(l.rounds, len(lanes), func(i int) error {
		if lanes[i].failed != nil {
			return nil
		}
		return lanes[i].fail(ctx, l.turn(ctx, lanes[i], clients[i]))
	})
}

// fail keeps the error of a spare lane, and returns that of any other.
func (ln *lane) fail(ctx context.Context, err error) error {
	if !ln.spare || ctx.Err() != nil {
		return err
	}
	ln.failed = err
	return nil
}

func (l load) turn(ctx context.Context, ln *lane, client *http.Client) error {
	before, err := ln.cpu()
	if err != nil {
		return err
	}
	samples, err := ln.call.slice(ctx, client, l)
	if err != nil {
		return err
	}
	after, err := ln.cpu()
	if err != nil {
		return err
	}
	ln.seen.cpu += after - before
	ln.seen.samples = append(ln.seen.samples, samples...)
	ln.seen.p50s = append(ln.seen.p50s, quantile(l.times(samples), 0.5))
	if ln.proc != nil {
		ln.seen.memory, err = ln.proc.memory()
	}
	return err
}

func (l load) times(samples []sample) []float64 {
	times := make([]float64, len(samples))
	for i, s := range samples {
		times[i] = s.total
		if l.streamed {
			times[i] = s.first
		}
	}
	return times
}

func (ln *lane) cpu() (time.Duration, error) {
	if ln.proc == nil {
		return 0, nil
	}
	return ln.proc.cpu()
}

// p50 is the median over the rounds, so that one bad round does not count.
func (t tally) p50() float64 { return median(t.p50s) }

func (t tally) p99(l load) float64 { return quantile(l.times(t.samples), 0.99) }

// cpuEach is the CPU time of a request, in microseconds.
func (t tally) cpuEach() float64 { return micros(t.cpu) / float64(max(1, len(t.samples))) }

// again is how often requests were made once more.
func (t tally) again() (n int) {
	for _, s := range t.samples {
		n += s.again
	}
	return n
}

func (t tally) gap(q float64) float64 {
	var gaps []float64
	for _, s := range t.samples {
		gaps = append(gaps, s.gaps...)
	}
	return quantile(gaps, q)
}
