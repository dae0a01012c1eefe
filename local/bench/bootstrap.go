package bench

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"time"

	"github.com/crossregion/crossregion/components/invoker"
	"github.com/crossregion/crossregion/local/bench/upstream"
)

// invoked is a function that answers one event after the other, as Lambda has it.
type invoked struct {
	*function
	event []byte

	p50s []float64
	took []float64
	cpu  time.Duration
}

// bootstrap measures the deployed binary behind a Runtime API, which hands it one
// event at a time, beside a function that does the least.
func (s *stand) bootstrap(ctx context.Context, b *bench) (_ []Figure, err error) {
	zips, err := invoker.Build(ctx, b.dir, invoker.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH})
	if err != nil {
		return nil, err
	}
	deployed, err := unpack(zips.Invoker, filepath.Join(b.dir, "invoker-bootstrap"))
	if err != nil {
		return nil, err
	}
	env, err := s.data.environment(s.url)
	if err != nil {
		return nil, err
	}
	bare := collected(ask(profileARN(home, upstream.Instant), false, message{"user", question}))
	path := "/v1/chat/completions"
	functions := []*invoked{
		{event: event(http.MethodPost, path, bare)},
		{event: event(http.MethodPost, path, ask(upstream.Instant, false, message{"user", question}))},
	}
	for i, binary := range []string{filepath.Join(b.dir, "floor"), deployed} {
		if functions[i].function, err = startFunction(ctx, binary, env); err != nil {
			return nil, err
		}
		defer func() { err = closing(err, functions[i].stop()) }()
		if _, err := functions[i].api.invoke(ctx, functions[i].event); err != nil {
			return nil, err
		}
	}
	err = interleave(b.scale.rounds, len(functions), func(i int) error { return functions[i].turn(ctx, b.scale.slice) })
	if err != nil {
		return nil, fmt.Errorf("bootstrap: %w", err)
	}
	floor, own := functions[0], functions[1]
	return []Figure{
		figure("deployed binary, one at a time: p50 of an event, with usage counted", "µs", median(own.p50s)).over(median(floor.p50s)),
		figure("deployed binary, one at a time: p99 of an event, with usage counted", "µs", quantile(own.took, 0.99)).over(quantile(floor.took, 0.99)),
		figure("deployed binary, one at a time: CPU of an event, with usage counted", "µs", own.cpuEach()).over(floor.cpuEach()),
	}, nil
}

// turn has the function answer for a while.
func (f *invoked) turn(ctx context.Context, d time.Duration) error {
	before, err := f.proc.cpu()
	if err != nil {
		return err
	}
	var took []float64
	for end := time.Now().Add(d); len(took) == 0 || time.Now().Before(end); {
		started := time.Now()
		r, err := f.api.invoke(ctx, f.event)
		if err != nil {
			return err
		}
		took = append(took, micros(r.at.Sub(started)))
	}
	after, err := f.proc.cpu()
	f.cpu += after - before
	f.p50s, f.took = append(f.p50s, quantile(took, 0.5)), append(f.took, took...)
	return err
}

func (f *invoked) cpuEach() float64 { return micros(f.cpu) / float64(max(1, len(f.took))) }
