package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/crossregion/crossregion/contract"
)

const (
	// fetchTimeout bounds each of the two requests that it takes to learn an
	// issuer's keys.
	fetchTimeout = 1500 * time.Millisecond
	// maxAge is how long a key is taken that the issuer may have withdrawn.
	maxAge = time.Hour
	// minAge is how soon a token with an unknown key makes the issuer be asked
	// again: anybody can write such tokens.
	minAge = 10 * time.Second
	// maxDocument bounds what an issuer can make us read.
	maxDocument = 1 << 20
)

// errUnavailable is for a signature that cannot be checked now.
var errUnavailable = errors.New("the issuer's keys cannot be fetched")

// errTooSoon is for keys that were fetched a moment ago.
var errTooSoon = errors.New("the keys are new enough")

// issuer is the source of keys.
type issuer struct {
	url       string
	transport http.RoundTripper
	now       func() time.Time

	mu    sync.Mutex
	keys  *keySet   // nil before the first answer
	until time.Time // when keys are to be replaced
}

// keySet are keys that are fetched when they are needed, at some distance.
type keySet struct {
	oidc.KeySet
	pace *paced
}

func newIssuer(cfg Config) *issuer {
	i := &issuer{url: cfg.Issuer, transport: cfg.Transport, now: cfg.Now}
	if i.transport == nil {
		i.transport = http.DefaultTransport
	}
	return i
}

// through returns the context in which the library fetches by a transport.
func through(ctx context.Context, transport http.RoundTripper) context.Context {
	return oidc.ClientContext(ctx, &http.Client{
		Transport: transport, Timeout: fetchTimeout,
		// A redirect would let somebody else say which keys are good.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})
}

// VerifySignature implements [oidc.KeySet]. Keys that are old are replaced
// first; if that fails, they serve for a while longer.
func (i *issuer) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	fresh, old, err := i.current(ctx)
	if err != nil {
		return nil, err
	}
	payload, err := fresh.verify(ctx, jwt)
	if old == nil || !errors.Is(err, errUnavailable) {
		return payload, err
	}
	i.keep(old)
	return old.verify(ctx, jwt)
}

// current returns the keys to verify with, and those that they replace, if they
// do.
func (i *issuer) current(ctx context.Context) (fresh, old *keySet, err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.keys != nil && i.now().Before(i.until) {
		return i.keys, nil, nil
	}
	old = i.keys
	fresh, err = i.discover(ctx)
	switch {
	case err == nil:
		i.keys, i.until = fresh, i.now().Add(maxAge)
		return fresh, old, nil
	case old != nil:
		i.until = i.now().Add(minAge)
		return old, nil, nil
	default:
		return nil, nil, fmt.Errorf("%w: %w", errUnavailable, err)
	}
}

// keep goes back to keys that could not be replaced.
func (i *issuer) keep(old *keySet) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys, i.until = old, i.now().Add(minAge)
}

// discover asks where the keys are. They are fetched when they are needed.
func (i *issuer) discover(ctx context.Context) (*keySet, error) {
	provider, err := oidc.NewProvider(through(ctx, bounded{i.transport}), i.url)
	if err != nil {
		return nil, fmt.Errorf("read the issuer's configuration: %w", err)
	}
	var metadata struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&metadata); err != nil {
		return nil, fmt.Errorf("read the issuer's configuration: %w", err)
	}
	if !contract.Fetchable(metadata.Keys) {
		return nil, errors.New("read the issuer's configuration: jwks_uri is missing or does not begin with https://")
	}
	pace := &paced{next: bounded{i.transport}, now: i.now}
	return &keySet{oidc.NewRemoteKeySet(through(ctx, pace), metadata.Keys), pace}, nil
}

// verify tells a wrong signature from keys that could not be fetched, which are
// not waited for: the library wraps an error of the latter only.
func (k *keySet) verify(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.VerifySignature(ctx, jwt)
	if errors.Is(err, errTooSoon) { // keys came after they were looked for, and before they were asked for
		payload, err = k.VerifySignature(ctx, jwt)
	}
	if err != nil && errors.Unwrap(err) != nil && !errors.Is(err, errTooSoon) {
		if ctx.Err() == nil { // else they may still come
			k.pace.forget()
		}
		return nil, fmt.Errorf("%w: %w", errUnavailable, err)
	}
	return payload, err
}

// paced is a transport that fetches one document, and seldom.
type paced struct {
	next http.RoundTripper
	now  func() time.Time

	mu      sync.Mutex
	fetched time.Time // when it last came
}

// RoundTrip implements [http.RoundTripper].
func (p *paced) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now().Before(p.fetched.Add(minAge)) {
		return nil, errTooSoon
	}
	resp, err := p.next.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusOK {
		p.fetched = p.now()
	}
	return resp, err
}

// forget makes room for another fetch: what came was no keys, or not all of them.
func (p *paced) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fetched = time.Time{}
}

// bounded is a transport that reads no more than [maxDocument].
type bounded struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, maxDocument), resp.Body}
	return resp, nil
}
