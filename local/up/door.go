package up

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"github.com/crossregion/crossregion/local/account"
)

// door stands where a client's resolver and TLS would: it looks the name up in
// the cloud's DNS for each request, as a client does that has cached nothing,
// and passes the request on to the address it got. It never retries.
type door struct {
	listener net.Listener
	server   *http.Server
	served   chan struct{}
}

// open serves requests for the given https URL of the cloud.
func (d *door) open(a *account.Account, target string) error {
	to, err := url.Parse(target)
	if err != nil {
		return fmt.Errorf("door to %s: %w", target, err)
	}
	transport := &http.Transport{DialContext: a.DialContext, DisableCompression: true, MaxIdleConnsPerHost: 64}
	proxy := &httputil.ReverseProxy{
		FlushInterval: -1, // each token as it comes
		Transport:     resolving{a, transport},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: to.Host, Path: to.Path})
			r.Out.Host = to.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "no answer from "+to.Host+": "+err.Error(), http.StatusBadGateway)
		},
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug),
	}
	d.server = &http.Server{Handler: proxy, ReadHeaderTimeout: 10 * time.Second}
	d.served = make(chan struct{})
	go func() {
		defer close(d.served)
		// It ends with Close, which reports what matters.
		_ = d.server.Serve(d.listener)
		transport.CloseIdleConnections()
	}()
	return nil
}

// drainTimeout bounds how long a door waits for answers in flight.
const drainTimeout = time.Second

// Close waits a moment for answers in flight and closes the door.
func (d *door) Close() error {
	if d.server == nil {
		return d.listener.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	err := d.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = d.server.Close()
	}
	<-d.served
	return err
}

// resolving sends each request to the first address that its name has now.
type resolving struct {
	account *account.Account
	next    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (r resolving) RoundTrip(req *http.Request) (*http.Response, error) {
	addresses, err := r.account.Resolve(req.Context(), req.URL.Hostname())
	if err != nil {
		return nil, err
	}
	// The Host header keeps the name.
	out := req.Clone(req.Context())
	out.URL.Host = addresses[0]
	return r.next.RoundTrip(out)
}

// nextListener listens on the n-th port after port, or where that is taken or
// there is none, on any free one.
func nextListener(host, port string, n int) (net.Listener, error) {
	if p, err := strconv.Atoi(port); err == nil && p+n < 1<<16 {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(p+n)))
		if !errors.Is(err, syscall.EADDRINUSE) {
			return l, err
		}
	}
	return net.Listen("tcp", net.JoinHostPort(host, "0"))
}
