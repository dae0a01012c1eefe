package upstream

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// Variables that name the files of the certificate and its key, in PEM.
const (
	EnvCertificate = "CROSSREGION_BENCH_CERTIFICATE"
	EnvKey         = "CROSSREGION_BENCH_KEY"
)

// Tunnels serves a handler over TLS, on a listener of its own and at the end of
// every tunnel that it is asked for by CONNECT. A client that knows Bedrock's own
// hosts only reaches the stand-in like that, with nothing in between that copies.
type Tunnels struct {
	handler http.Handler
	direct  net.Listener
	conns   chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

// NewTunnels returns Tunnels to h that also serve l, which they then own.
func NewTunnels(h http.Handler, l net.Listener) *Tunnels {
	return &Tunnels{handler: h, direct: l, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// ServeTLS serves with a certificate until the listener is closed.
func (t *Tunnels) ServeTLS(certificate, key string) error {
	go t.accept()
	server := &http.Server{Handler: t.handler, ReadHeaderTimeout: 10 * time.Second}
	return server.ServeTLS(t, certificate, key)
}

// accept hands over what comes to the listener.
func (t *Tunnels) accept() {
	for {
		conn, err := t.direct.Accept()
		if err != nil {
			t.stop()
			return
		}
		t.offer(conn)
	}
}

func (t *Tunnels) offer(conn net.Conn) {
	select {
	case t.conns <- conn:
	case <-t.closed:
		_ = conn.Close() // nobody is left to serve it
	}
}

// ServeHTTP implements [http.Handler]: it opens a tunnel for CONNECT, to itself
// whatever the host, and has the handler answer everything else.
func (t *Tunnels) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		t.handler.ServeHTTP(w, r)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if _, err := conn.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		_ = conn.Close()
		return
	}
	t.offer(conn)
}

// Accept implements [net.Listener].
func (t *Tunnels) Accept() (net.Conn, error) {
	select {
	case conn := <-t.conns:
		return conn, nil
	case <-t.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (t *Tunnels) Close() error {
	t.stop()
	if err := t.direct.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

func (t *Tunnels) stop() { t.once.Do(func() { close(t.closed) }) }

// Addr implements [net.Listener].
func (t *Tunnels) Addr() net.Addr { return t.direct.Addr() }
