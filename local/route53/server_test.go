package route53_test

import (
	"net"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (f *fixture) serve(viewer string) string {
	f.t.Helper()
	addr, err := f.service.Serve("127.0.0.1:0", func(net.Addr) string { return viewer })
	require.NoError(f.t, err)
	return addr.String()
}

func exchange(t *testing.T, network, addr string, q *dns.Msg) *dns.Msg {
	t.Helper()
	reply, _, err := (&dns.Client{Net: network}).ExchangeContext(t.Context(), q, addr)
	require.NoError(t, err)
	return reply
}

func ask(name string, kind uint16) *dns.Msg { return new(dns.Msg).SetQuestion(dns.Fqdn(name), kind) }

func (f *fixture) populate() {
	f.tree(true, true)
	f.record("www.example.com", object{"type": "CNAME", "ttl": 300.0, "records": []any{"api.example.com"}})
	f.record("out.example.com", object{"type": "CNAME", "ttl": 300.0, "records": []any{"www.example.org"}})
	f.record("text.example.com", object{"type": "TXT", "ttl": 30.0, "records": []any{`"hello"`}})
	f.record("six.example.com", object{"type": "AAAA", "ttl": 30.0, "records": []any{"2001:db8::1"}})
	f.record("deep.under.example.com", object{"ttl": 30.0, "records": []any{"192.0.2.1"}})
	f.record("api.example.com", object{"type": "AAAA", "aliases": api("eu-west-1")})
}

func TestDNS(t *testing.T) {
	f := newFixture(t, true)
	f.populate()
	addr := f.serve("eu-west-1")
	ireland := ip(t, "eu-west-1")
	tests := []struct {
		name, asked string
		kind        uint16
		rcode       int
		answers     []string // type, TTL and value
	}{
		{"an alias to an API", "api.example.com", dns.TypeA, dns.RcodeSuccess, []string{"A 60 " + ireland}},
		{"in any case", "aPi.eXample.com", dns.TypeA, dns.RcodeSuccess, []string{"A 60 " + ireland}},
		{"no IPv6 address behind an API", "api.example.com", dns.TypeAAAA, dns.RcodeSuccess, nil},
		{"an IPv6 address", "six.example.com", dns.TypeAAAA, dns.RcodeSuccess, []string{"AAAA 30 2001:db8::1"}},
		{"only IPv6", "six.example.com", dns.TypeA, dns.RcodeSuccess, nil},
		{"a CNAME is followed", "www.example.com", dns.TypeA, dns.RcodeSuccess, []string{"CNAME 300 api.example.com.", "A 60 " + ireland}},
		{"a CNAME itself", "www.example.com", dns.TypeCNAME, dns.RcodeSuccess, []string{"CNAME 300 api.example.com."}},
		{"a CNAME that leaves our zones", "out.example.com", dns.TypeA, dns.RcodeSuccess, []string{"CNAME 300 www.example.org."}},
		{"a text", "text.example.com", dns.TypeTXT, dns.RcodeSuccess, []string{`TXT 30 "hello"`}},
		{"a name with names below only", "under.example.com", dns.TypeA, dns.RcodeSuccess, nil},
		{"a name that does not exist", "none.example.com", dns.TypeA, dns.RcodeNameError, nil},
		{"a zone that is not ours", "www.example.org", dns.TypeA, dns.RcodeRefused, nil},
	}
	for _, tt := range tests {
		for _, network := range []string{"udp", "tcp"} {
			t.Run(tt.name+" over "+network, func(t *testing.T) {
				reply := exchange(t, network, addr, ask(tt.asked, tt.kind))
				assert.Equal(t, dns.RcodeToString[tt.rcode], dns.RcodeToString[reply.Rcode])
				assert.Equal(t, tt.rcode != dns.RcodeRefused, reply.Authoritative)
				var got []string
				for _, rr := range reply.Answer {
					fields := strings.Fields(rr.String())
					got = append(got, strings.Join([]string{fields[3], fields[1], strings.Join(fields[4:], " ")}, " "))
				}
				assert.Equal(t, tt.answers, got)
				if tt.answers != nil {
					assert.Equal(t, dns.Fqdn(tt.asked), reply.Answer[0].Header().Name, "the name comes back as it was asked")
				} else if tt.rcode != dns.RcodeRefused {
					require.Len(t, reply.Ns, 1, "a negative answer carries the SOA")
					assert.Equal(t, dns.TypeSOA, reply.Ns[0].Header().Rrtype)
				}
			})
		}
	}
}

func TestTheViewerDecides(t *testing.T) {
	f := newFixture(t, true)
	f.tree(true, true)
	for _, region := range []string{"eu-west-1", "eu-central-1"} {
		reply := exchange(t, "udp", f.serve(region), ask("api.example.com", dns.TypeA))
		require.Len(t, reply.Answer, 1)
		assert.Equal(t, ip(t, region), reply.Answer[0].(*dns.A).A.String())
	}
}

func TestTheApexOfAZone(t *testing.T) {
	f := newFixture(t, true)
	addr := f.serve("eu-west-1")
	assert.Len(t, exchange(t, "udp", addr, ask("example.com", dns.TypeSOA)).Answer, 1)
	assert.Len(t, exchange(t, "udp", addr, ask("example.com", dns.TypeNS)).Answer, 4)
	reply := exchange(t, "udp", addr, ask("example.com", dns.TypeA))
	assert.Equal(t, dns.RcodeSuccess, reply.Rcode)
	assert.Empty(t, reply.Answer)
}

func TestDNSRefusesWhatIsNoPlainQuestion(t *testing.T) {
	f := newFixture(t, true)
	addr := f.serve("eu-west-1")
	notify := ask("example.com", dns.TypeA)
	notify.Opcode = dns.OpcodeNotify
	assert.Equal(t, dns.RcodeNotImplemented, exchange(t, "udp", addr, notify).Rcode)
	chaos := ask("example.com", dns.TypeA)
	chaos.Question[0].Qclass = dns.ClassCHAOS
	assert.Equal(t, dns.RcodeRefused, exchange(t, "udp", addr, chaos).Rcode)
}

func TestALargeAnswerIsTruncatedOverUDP(t *testing.T) {
	f := newFixture(t, true)
	var texts []any
	for i := range 10 {
		texts = append(texts, strings.Repeat(string(rune('a'+i)), 200))
	}
	f.record("text.example.com", object{"type": "TXT", "ttl": 30.0, "records": texts})
	addr := f.serve("eu-west-1")
	assert.True(t, exchange(t, "udp", addr, ask("text.example.com", dns.TypeTXT)).Truncated)
	assert.Len(t, exchange(t, "tcp", addr, ask("text.example.com", dns.TypeTXT)).Answer, 10)
	large := ask("text.example.com", dns.TypeTXT).SetEdns0(4096, false)
	assert.Len(t, exchange(t, "udp", addr, large).Answer, 10)
}

func TestCloseEndsTheServer(t *testing.T) {
	f := newFixture(t, true)
	addr := f.serve("eu-west-1")
	f.check(endpoint(nil))
	require.NoError(t, f.service.Close())
	_, err := net.Dial("tcp", addr)
	assert.Error(t, err)
	assert.NoError(t, f.service.Close(), "twice is fine")
}

func TestServeSaysWhatItCannotDo(t *testing.T) {
	_, err := newFixture(t, true).service.Serve("192.0.2.1:0", func(net.Addr) string { return "" })
	assert.ErrorContains(t, err, "serve DNS on 192.0.2.1:0")
}
