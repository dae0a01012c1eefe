package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
)

// Network gives each of the cloud's public addresses a listener on this
// machine's loopback interface. Linux answers on all of 127.0.0.0/8; where the
// system knows 127.0.0.1 only, an address listens on a free port there, and
// only [Network.DialContext] finds it.
type Network struct {
	port string
	mu   sync.Mutex
	at   map[string]string // public IP -> address that listens for it
	from map[ends]string   // region that an open connection comes from, if any
}

// ends are both addresses of a connection: neither alone tells it from others.
type ends struct{ client, server string }

// NewNetwork returns a network whose addresses all listen on the given port.
func NewNetwork(port string) *Network {
	return &Network{port: port, at: map[string]string{}, from: map[ends]string{}}
}

// Port is the port on which all addresses listen.
func (n *Network) Port() string { return n.port }

// Listen starts to listen for connections to a public IP of the cloud. The
// caller closes the listener.
func (n *Network) Listen(ip string) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(ip, n.port))
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", ip, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.at[ip] = l.Addr().String()
	return l, nil
}

// DialContext connects to a public IP of the cloud. The port is ignored: the
// embedded cloud serves one port for each address, without TLS.
func (n *Network) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	ip, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	at, ok := n.at[ip]
	n.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("dial %s: no such address in the embedded cloud", ip)
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", at)
}

// DialFrom is [Network.DialContext] for who stands in a region of AWS, such as a
// health checker.
func (n *Network) DialFrom(ctx context.Context, region, address string) (net.Conn, error) {
	conn, err := n.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	of := ends{conn.LocalAddr().String(), conn.RemoteAddr().String()}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.from[of] = region
	return &departure{conn, n, of}, nil
}

// Home is the region that a request comes from, "" from outside AWS.
func (n *Network) Home(r *http.Request) string {
	server, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.from[ends{r.RemoteAddr, server.String()}]
}

// departure is a connection from within a region.
type departure struct {
	net.Conn
	network *Network
	of      ends
}

// Close forgets the region first: the system may give the address to another
// connection at once.
func (d *departure) Close() error {
	d.network.mu.Lock()
	delete(d.network.from, d.of)
	d.network.mu.Unlock()
	return d.Conn.Close()
}
