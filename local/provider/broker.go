// Package provider is the embedded cloud as the AWS provider of the real Pulumi
// engine: the same handlers that Pulumi's mock monitor drives, behind the
// engine's protocol. The engine starts a process for each provider that a
// program registers, ./pulumi-resource-aws; each gets a server of its own here.
package provider

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

// Variable is the environment variable that tells the provider's processes the
// address of their [Broker].
const Variable = "CROSSREGION_EMBEDDED_CLOUD"

// maxMessageBytes is as much as the engine sends.
const maxMessageBytes = 400 << 20

// Broker gives each of the provider's processes a server that lives as long as
// the process.
type Broker struct {
	cloud    Cloud
	listener net.Listener
	owned    sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]bool
}

// Listen starts a broker for a cloud. The caller closes it.
func Listen(cloud Cloud) (*Broker, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("open the provider's address: %w", err)
	}
	b := &Broker{cloud: cloud, listener: l, conns: map[net.Conn]bool{}}
	b.owned.Go(b.accept)
	return b, nil
}

// Address is where the provider's processes ask for their servers.
func (b *Broker) Address() string { return b.listener.Addr().String() }

// Close ends all servers. It returns once nothing is left running.
func (b *Broker) Close() error {
	b.mu.Lock()
	b.closed = true
	errs := []error{b.listener.Close()}
	for conn := range b.conns {
		errs = append(errs, conn.Close())
	}
	b.mu.Unlock()
	b.owned.Wait()
	return errors.Join(errs...)
}

// accept ends with Close.
func (b *Broker) accept() {
	for {
		conn, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		if !b.closed {
			b.conns[conn] = true
			b.owned.Go(func() { b.serve(conn) })
		}
		b.mu.Unlock()
	}
}

// serve runs one server until the process at the other end of conn is gone. A
// process that gets no port says so to the engine.
func (b *Broker) serve(conn net.Conn) {
	defer b.forget(conn)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return
	}
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessageBytes), grpc.MaxSendMsgSize(maxMessageBytes))
	pulumirpc.RegisterResourceProviderServer(server, &instance{cloud: b.cloud})
	var serving sync.WaitGroup
	serving.Go(func() {
		// It ends with Stop below; a broken listener shows in the engine's calls.
		_ = server.Serve(l)
	})
	defer serving.Wait()
	defer server.Stop()
	if _, err := fmt.Fprintln(conn, l.Addr().(*net.TCPAddr).Port); err == nil {
		_, _ = io.Copy(io.Discard, conn) // until either end closes
	}
}

func (b *Broker) forget(conn net.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.conns, conn)
	// The process may have closed it before.
	_ = conn.Close()
}
