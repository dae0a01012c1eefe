// Package soak keeps a deployed stack under a mixed load while random parts of it
// break, and holds every answer against what the client knows: that a request is
// answered with one retry at most (R2), that no turn is lost (R3), and that
// nobody reads what is another tenant's (R6). Afterwards nothing may be left of
// it: no busy environment, no connection, no memory that only grows.
package soak

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/crossregion/crossregion/local/up"
)

// Speed is how many times as fast as the machine's the time of a soaked stack
// runs.
const Speed = 10

// window is the W in which Route 53 finds out about a lost region, in the
// machine's time: three probes of 10 s and 6 s for an answer, ten seconds for the
// checkers to agree, and 60 for a record's TTL.
const window = (3*(10+6) + 10 + 60) * time.Second / Speed

// Options configure [Run]. All fields are required.
type Options struct {
	Root     string // the project's folder
	Stack    string // the stack file's name; it needs a domain and three regions
	For      time.Duration
	InFlight int    // requests at once
	Seed     uint64 // of what is asked and of what breaks
	// Tell hears what breaks and what is mended.
	Tell func(string)
}

// Result is what a soak has shown.
type Result struct {
	Requests map[string]int // by what was asked
	Retried  int            // answered at their retry
	Excused  int            // failed twice while only DNS could have helped
	Unknown  int            // another tenant's ids that could not be looked up while something was broken
	Faults   map[string]int // by their kinds
	Leaks    Leaks
	Broken   []string // promises that did not hold, and what was not put to the test at all
	// Interrupted tells that the load ended before its time, so that what was not
	// put to the test is not held against it.
	Interrupted bool
}

// settings are those of a soaked stack: every kind of model, no throttling of the
// load itself, and limits that a busy machine keeps to.
func settings(jurisdiction string) map[string]any {
	return map[string]any{
		"models": []any{
			map[string]any{"name": chatModel, "profile": jurisdiction + ".anthropic.claude-sonnet-4-5-20250929-v1:0"},
			map[string]any{"name": embeddingModel, "model": "amazon.titan-embed-text-v2:0"},
		},
		"auth":         map[string]any{"mode": "apiKey"}, // which clients can be given, whoever else is let in
		"healthChecks": map[string]any{"intervalSeconds": 10, "threshold": 3},
		"throttle":     map[string]any{"ratePerSecond": 5000, "burst": 5000},
		"failover":     map[string]any{"firstContentSeconds": 4, "holdSeconds": 4, "idleSeconds": 10, "breakerOpenSeconds": 1},
	}
}

// jurisdictions are those of the project's stack files.
var jurisdictions = map[string]string{"prod": "us", "eu": "eu"}

// Run deploys a stack, soaks it and takes it down. It returns an error when that
// could not be done; broken promises are in the result. An interruption ends the
// load early.
func Run(ctx context.Context, o Options) (Result, error) {
	jurisdiction, ok := jurisdictions[o.Stack]
	if !ok {
		return Result{}, fmt.Errorf("stack %q: give one of %v", o.Stack, slices.Sorted(maps.Keys(jurisdictions)))
	}
	running, err := up.Start(ctx, up.Options{Root: o.Root, Stack: o.Stack, Listen: "127.0.0.1:0", Speed: Speed, Settings: settings(jurisdiction)})
	if err != nil {
		return Result{}, err
	}
	watched := &sampler{service: running.Account.Lambda}
	result, left, err := load(ctx, o, running, watched)
	if err := errors.Join(err, running.Close()); err != nil {
		return Result{}, err
	}
	return result.with(watched.leaks(left)), nil
}

// with is the result of a load that has left so much.
func (r Result) with(l Leaks) Result {
	r.Leaks = l
	r.Broken = slices.Concat(r.Broken, l.faults())
	if !r.Interrupted {
		r.Broken = append(r.Broken, r.lacks()...)
	}
	return r
}

// lacks says what a soak has not done, without which it has shown nothing.
func (r Result) lacks() []string {
	var all []string
	if len(r.Requests) == 0 {
		all = append(all, "nothing was asked: nothing was shown; soak for longer with --for")
	}
	if len(r.Faults) == 0 {
		all = append(all, "nothing was broken: nothing was shown; soak for longer with --for")
	}
	if r.Leaks.Measured == 0 && hasProc {
		all = append(all, fmt.Sprintf("no function served %d requests in the last two thirds: no leak could show; soak for longer with --for", enough))
	}
	return all
}

// load soaks a stack, and waits until it is quiet.
func load(ctx context.Context, o Options, running *up.Running, watched *sampler) (Result, quiet, error) {
	s, err := newSoak(ctx, o, running)
	if err != nil {
		return Result{}, quiet{}, err
	}
	s.work(ctx, watched)
	s.result.Interrupted = ctx.Err() != nil
	return s.result, watched.settle(ctx), nil
}

// soak is a load at work.
type soak struct {
	Options
	running *up.Running
	chaos   *chaos
	clients []*client

	mu      sync.Mutex
	result  Result
	ids     []id                 // what tenants have stored lately
	vectors map[string][]float64 // of texts, as they were given first
}

func newSoak(ctx context.Context, o Options, running *up.Running) (*soak, error) {
	s := &soak{
		Options: o, running: running, vectors: map[string][]float64{},
		chaos:  newChaos(running, rand.New(rand.NewPCG(o.Seed, 0)), o.Tell),
		result: Result{Requests: map[string]int{}},
	}
	tenants := []string{"ash", "birch", "cedar"}
	keys := map[string]string{}
	for _, tenant := range tenants {
		key, err := running.MintKey(ctx, tenant)
		if err != nil {
			return nil, err
		}
		keys[tenant] = key
	}
	for _, region := range running.RegionNames {
		dns, err := running.Account.ServeDNS(region)
		if err != nil {
			return nil, err
		}
		for n := range o.InFlight {
			if running.RegionNames[n%len(running.RegionNames)] != region {
				continue
			}
			tenant := tenants[n/len(running.RegionNames)%len(tenants)]
			s.clients = append(s.clients, newClient(s, n, stand{region: region, dns: dns, tenant: tenant, key: keys[tenant]}))
		}
	}
	return s, nil
}

// work runs the load and the faults for as long as they are to take, and mends
// all that is broken in the end.
func (s *soak) work(ctx context.Context, watched *sampler) {
	ctx, cancel := context.WithTimeout(ctx, s.For)
	defer cancel()
	var working sync.WaitGroup
	for _, c := range s.clients {
		working.Go(func() { c.work(ctx) })
	}
	working.Go(func() { s.chaos.play(ctx) })
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	var watch sync.WaitGroup
	watch.Go(func() { watched.watch(watching) })
	working.Wait()
	stop()
	watch.Wait()
	s.result.Faults = s.chaos.played()
}

// count takes what a client tells of one request.
func (s *soak) count(what string, o outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.result.Requests[what]++
	switch {
	case o.broken != "":
		s.result.Broken = append(s.result.Broken, o.broken)
	case o.unknown:
		s.result.Unknown++
	case o.excused:
		s.result.Excused++
	case o.retried:
		s.result.Retried++
	}
}

// id is what a tenant has stored, by what others may guess it.
type id struct {
	tenant       string
	response     string
	conversation string
}

// publish lets clients of other tenants try an id.
func (s *soak) publish(i id) {
	const most = 64
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = append(s.ids, i)
	s.ids = s.ids[max(0, len(s.ids)-most):]
}

// foreign is something that is not the tenant's.
func (s *soak) foreign(tenant string, random *rand.Rand) (id, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var others []id
	for _, i := range s.ids {
		if i.tenant != tenant {
			others = append(others, i)
		}
	}
	if len(others) == 0 {
		return id{}, false
	}
	return others[random.IntN(len(others))], true
}

// vector holds a text's vector against the one that was given first.
func (s *soak) vector(text string, v []float64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first, ok := s.vectors[text]
	if !ok {
		s.vectors[text] = v
		return len(v) > 0
	}
	return slices.Equal(first, v)
}
