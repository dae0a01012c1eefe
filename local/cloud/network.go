package cloud

import (
	"context"
	"errors"
	"fmt"
	"net"
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
}

// NewNetwork returns a network whose addresses all listen on the given port.
func NewNetwork(port string) *Network {
	return &Network{port: port, at: map[string]string{}}
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
