package route53

import (
	"errors"
	"fmt"
	"net"

	"github.com/miekg/dns"
)

// maxPortTries bounds the search for a port that is free for UDP and TCP.
const maxPortTries = 16

// server answers on one address, over UDP and TCP.
type server struct{ udp, tcp *dns.Server }

// Serve answers DNS over UDP and TCP on addr until Close, and returns the
// address it listens on. Port 0 means any free one. viewer tells which region
// a client is nearest to.
func (s *Service) Serve(addr string, viewer func(remote net.Addr) string) (net.Addr, error) {
	l, pc, err := listen(addr)
	if err != nil {
		return nil, fmt.Errorf("serve DNS on %s: %w", addr, err)
	}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		reply := s.reply(q, viewer(w.RemoteAddr()))
		if w.RemoteAddr().Network() == "udp" {
			reply.Truncate(udpSize(q))
		}
		if err := w.WriteMsg(reply); err != nil {
			s.cfg.World.Log.Warn("route53: reply not sent", "client", w.RemoteAddr().String(), "error", err)
		}
	})
	started := make(chan struct{}, 2)
	up := func() { started <- struct{}{} }
	srv := server{
		udp: &dns.Server{PacketConn: pc, Handler: handler, NotifyStartedFunc: up},
		tcp: &dns.Server{Listener: l, Handler: handler, NotifyStartedFunc: up},
	}
	for _, one := range []*dns.Server{srv.udp, srv.tcp} {
		s.owned.Go(func() {
			if err := one.ActivateAndServe(); err != nil && s.ctx.Err() == nil {
				s.cfg.World.Log.Error("route53: DNS server ended", "error", err)
			}
		})
	}
	<-started
	<-started
	s.mu.Lock()
	defer s.mu.Unlock()
	s.servers = append(s.servers, srv)
	return pc.LocalAddr(), nil
}

// listen takes the same port for both protocols.
func listen(addr string) (net.Listener, net.PacketConn, error) {
	var errs []error
	for range maxPortTries {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, nil, err
		}
		pc, err := net.ListenPacket("udp", l.Addr().String())
		if err == nil {
			return l, pc, nil
		}
		errs = append(errs, err, l.Close())
	}
	return nil, nil, errors.Join(errs...)
}

func (s *Service) shutdown() error {
	s.mu.Lock()
	servers := s.servers
	s.servers = nil
	s.mu.Unlock()
	var errs []error
	for _, srv := range servers {
		errs = append(errs, srv.udp.Shutdown(), srv.tcp.Shutdown())
	}
	return errors.Join(errs...)
}

func (s *Service) reply(q *dns.Msg, viewer string) *dns.Msg {
	m := new(dns.Msg).SetReply(q)
	switch {
	case q.Opcode != dns.OpcodeQuery:
		m.Rcode = dns.RcodeNotImplemented
		return m
	case len(q.Question) != 1:
		m.Rcode = dns.RcodeFormatError
		return m
	case q.Question[0].Qclass != dns.ClassINET:
		m.Rcode = dns.RcodeRefused
		return m
	}
	a := s.lookup(q.Question[0], viewer)
	m.Rcode, m.Answer, m.Authoritative = a.rcode, a.records, a.zone != nil
	if len(m.Answer) == 0 && a.zone != nil {
		m.Ns = a.zone.own(a.zone.name, "SOA")
	}
	if opt := q.IsEdns0(); opt != nil {
		m.SetEdns0(opt.UDPSize(), false)
	}
	return m
}

func udpSize(q *dns.Msg) int {
	if opt := q.IsEdns0(); opt != nil {
		return max(int(opt.UDPSize()), dns.MinMsgSize)
	}
	return dns.MinMsgSize
}
