package converse_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
)

// pipes are the connections to a server of HTTP/1.1 in one bubble of time.
type pipes struct {
	accept chan net.Conn
	closed chan struct{}
	dialed int
	open   atomic.Int32 // connections that the server holds
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes", Net: "unix"} }

func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	p.dialed++
	ours, theirs := net.Pipe()
	p.accept <- theirs
	return ours, nil
}

func (p *pipes) count(_ net.Conn, s http.ConnState) {
	switch s {
	case http.StateNew:
		p.open.Add(1)
	case http.StateClosed:
		p.open.Add(-1)
	}
}

// readBodies reads a request before it is sent: net/http gives a connection up
// whose answer comes before it has seen the end of the request.
type readBodies struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b readBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	return b.RoundTripper.RoundTrip(r)
}

// bubble runs test in a bubble of time, with a client whose calls script answers.
// It fails if test leaves anything running.
func bubble(t *testing.T, script func(reply), test func(*testing.T, *converse.Client, *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{accept: make(chan net.Conn), closed: make(chan struct{})}
		server := &http.Server{ConnState: p.count, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			script(reply{t, w, r, body})
		})}
		go func() { assert.ErrorIs(t, server.Serve(p), http.ErrServerClosed) }()
		transport := &http.Transport{DialContext: p.dial}
		cfg := config(t, "http://bedrock.invalid")
		cfg.HTTPClient = &http.Client{Transport: readBodies{transport}}
		test(t, converse.New(cfg, []string{region}), p)
		transport.CloseIdleConnections()
		synctest.Wait()
		assert.Zero(t, p.open.Load(), "a connection is in nobody's hands")
		assert.NoError(t, server.Close())
	})
}
