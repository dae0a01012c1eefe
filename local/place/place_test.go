package place_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/place"
)

// name is a DNS server for one name, whose region can change.
type name struct {
	region atomic.Value
	ttl    uint32
	asked  atomic.Int64
}

func (n *name) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	n.asked.Add(1)
	reply := new(dns.Msg).SetReply(q)
	if region, _ := n.region.Load().(string); q.Question[0].Name == "llm.example.com." && region != "" {
		ip, _ := cloud.RegionIP(region)
		reply.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: n.ttl}, A: net.ParseIP(ip)}}
	} else {
		reply.Rcode = dns.RcodeNameError
	}
	_ = w.WriteMsg(reply)
}

func serve(t *testing.T, n *name) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	s := &dns.Server{PacketConn: conn, Handler: n}
	done := make(chan error, 1)
	go func() { done <- s.ActivateAndServe() }()
	t.Cleanup(func() {
		_ = s.Shutdown()
		require.NoError(t, <-done)
	})
	return conn.LocalAddr().String()
}

func TestAClientGoesWhereDNSLeads(t *testing.T) {
	tests := []struct {
		name   string
		ttl    uint32
		pinned bool
		want   string // after the name has moved
	}{
		{"an answer without a life is asked for again", 0, false, "us-west-2"},
		{"an answer is kept as long as it lives", 3600, false, "us-east-1"},
		{"a pinned client keeps it for good", 0, true, "us-east-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := &name{ttl: tt.ttl}
			n.region.Store("us-east-1")
			r := place.New(place.Config{Place: "us-east-1", DNS: serve(t, n), Speed: 1, Pinned: tt.pinned})
			for _, step := range []struct{ moved, want string }{{"us-east-1", "us-east-1"}, {"us-west-2", tt.want}} {
				n.region.Store(step.moved)
				got, err := r.Region(t.Context(), "llm.example.com")
				require.NoError(t, err)
				assert.Equal(t, step.want, got)
			}
		})
	}
}

func TestAClientConnectsToTheAddressThatItFound(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.Host)) }))
	defer s.Close()
	n := &name{}
	n.region.Store("us-east-1")
	var dialled []string
	r := place.New(place.Config{Place: "us-east-1", DNS: serve(t, n), Speed: 1, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled = append(dialled, address)
		return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(s.URL, "http://"))
	}})
	for range 2 {
		res, err := r.Client().Get("http://llm.example.com/")
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
	}
	ip, err := cloud.RegionIP("us-east-1")
	require.NoError(t, err)
	assert.Equal(t, []string{ip + ":80", ip + ":80"}, dialled, "a connection for each request")
	assert.EqualValues(t, 2, n.asked.Load())
}

func TestANameThatLeadsNowhereIsAnError(t *testing.T) {
	r := place.New(place.Config{Place: "us-east-1", DNS: serve(t, &name{}), Speed: 1})
	_, err := r.Client().Get("http://llm.example.com/")
	assert.ErrorContains(t, err, "resolve llm.example.com: NXDOMAIN")
}
