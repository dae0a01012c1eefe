// Package place stands clients somewhere in the world: they resolve names as
// one there would, keep an answer for as long as its TTL says, and wait for
// connections as long as the way to a region takes.
package place

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/crossregion/crossregion/local/cloud"
)

// Dial connects to a public address of the cloud.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Config configures [New]. All fields but Pinned are required.
type Config struct {
	Place string  // region that the client is near to, e.g. "sa-east-1"
	DNS   string  // address of a server that answers as for that place
	Speed float64 // by which the cloud's time is faster than the machine's
	Dial  Dial
	// Pinned keeps the first address that a name has for good, as clients do
	// that cache without a limit.
	Pinned bool
}

// Resolver finds out where a client's requests go. It is safe for concurrent
// use.
type Resolver struct {
	cfg     Config
	regions map[string]string // by address

	mu    sync.Mutex
	known map[string]answer
}

type answer struct {
	ip    string
	until time.Time
}

// New returns a resolver that knows nothing yet.
func New(cfg Config) *Resolver {
	r := &Resolver{cfg: cfg, regions: map[string]string{}, known: map[string]answer{}}
	for _, region := range cloud.Regions() {
		if ip, err := cloud.RegionIP(region); err == nil {
			r.regions[ip] = region
		}
	}
	return r
}

// Region names the region that host leads to now, "" if its address is not one
// of the cloud's.
func (r *Resolver) Region(ctx context.Context, host string) (string, error) {
	ip, err := r.lookup(ctx, host)
	return r.regions[ip], err
}

func (r *Resolver) lookup(ctx context.Context, host string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a, ok := r.known[host]; ok && (r.cfg.Pinned || time.Now().Before(a.until)) {
		return a.ip, nil
	}
	reply, _, err := new(dns.Client).ExchangeContext(ctx, new(dns.Msg).SetQuestion(dns.Fqdn(host), dns.TypeA), r.cfg.DNS)
	if err != nil {
		return "", fmt.Errorf("resolve %s: %w", host, err)
	}
	for _, rr := range reply.Answer {
		if a, ok := rr.(*dns.A); ok {
			ttl := time.Duration(float64(time.Duration(a.Hdr.Ttl)*time.Second) / r.cfg.Speed)
			r.known[host] = answer{a.A.String(), time.Now().Add(ttl)}
			return a.A.String(), nil
		}
	}
	return "", fmt.Errorf("resolve %s: %s", host, dns.RcodeToString[reply.Rcode])
}

// Client returns an HTTP client of the place. It keeps no connection, so that
// each request goes where DNS leads by then.
func (r *Resolver) Client() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: r.dial}}
}

func (r *Resolver) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ip, err := r.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	way := time.NewTimer(time.Duration(float64(cloud.Latency(r.cfg.Place, r.regions[ip])) / r.cfg.Speed))
	defer way.Stop()
	select {
	case <-way.C:
		return r.cfg.Dial(ctx, network, net.JoinHostPort(ip, port))
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
