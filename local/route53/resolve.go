package route53

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/miekg/dns"
)

const (
	// maxDepth bounds chains of aliases and of CNAMEs.
	maxDepth = 8
	// apiTTL is the TTL of an alias to API Gateway, in seconds.
	// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-choosing-alias-non-alias.html
	apiTTL = 60
)

// Resolve returns the IPv4 addresses of a name for a viewer near a region, as
// the DNS server would. It returns an error if there are none.
func (s *Service) Resolve(ctx context.Context, name, viewer string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("resolve %s: %w", name, err)
	}
	a := s.lookup(dns.Question{Name: dns.Fqdn(name), Qtype: dns.TypeA, Qclass: dns.ClassINET}, viewer)
	var ips []string
	for _, rr := range a.records {
		if rr, ok := rr.(*dns.A); ok {
			ips = append(ips, rr.A.String())
		}
	}
	if len(ips) == 0 {
		return nil, fmt.Errorf("resolve %s from %s: %s, no address", name, viewer, dns.RcodeToString[a.rcode])
	}
	return ips, nil
}

// answer is what DNS says about a question.
type answer struct {
	rcode   int
	records []dns.RR
	zone    *zone // that answered; nil if none of ours does
}

// lookup answers a question, following CNAMEs as far as our zones go.
func (s *Service) lookup(q dns.Question, viewer string) answer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := answer{rcode: dns.RcodeRefused}
	owner, kind := q.Name, dns.TypeToString[q.Qtype]
	for range maxDepth {
		name := normalize(owner)
		z := s.zoneOf(name)
		if z == nil {
			return a
		}
		a.zone = z
		a.rcode = dns.RcodeSuccess
		if !z.exists(name) {
			a.rcode = dns.RcodeNameError
			return a
		}
		if name == z.name && (kind == "SOA" || kind == "NS") {
			a.records = append(a.records, z.own(owner, kind)...)
			return a
		}
		if set := z.sets[setKey{name, kind}]; len(set) > 0 {
			a.records = append(a.records, s.answerSet(z, set, query{owner, viewer, 0})...)
			return a
		}
		cname := s.answerSet(z, z.sets[setKey{name, "CNAME"}], query{owner, viewer, 0})
		if len(cname) == 0 {
			return a
		}
		a.records = append(a.records, cname...)
		owner = cname[0].(*dns.CNAME).Target
	}
	return a
}

// query is who asks for a set of records, and under which name.
type query struct {
	owner, viewer string
	depth         int // of aliases followed
}

// answerSet answers with the record that the set's policy chooses.
func (s *Service) answerSet(z *zone, set []*record, q query) []dns.RR {
	r := s.choose(z, set, q.viewer)
	switch {
	case r == nil || q.depth >= maxDepth:
		return nil
	case r.alias == nil:
		var records []dns.RR
		for _, v := range r.values {
			records = append(records, resourceRecord(q.owner, r.kind, v, r.ttl))
		}
		return records
	case r.alias.inZone:
		q.depth++
		return s.answerSet(z, z.sets[setKey{r.alias.name, r.kind}], q)
	case r.kind != "A":
		return nil // regional APIs have IPv4 addresses only
	}
	ip, ok := s.targets.Lookup(r.alias.name)
	if !ok {
		return nil
	}
	return []dns.RR{resourceRecord(q.owner, "A", ip, apiTTL)}
}

// choose returns the best healthy record, or the best one if none is healthy;
// nil if the policy has none for the viewer.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html
func (s *Service) choose(z *zone, set []*record, viewer string) *record {
	if len(set) == 0 {
		return nil
	}
	candidates := prefer(set, viewer)
	for _, r := range candidates {
		if s.healthy(z, r, 0) {
			return r
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	return candidates[0]
}

// healthy reports whether a record may be chosen: its own check is healthy,
// and, if it evaluates its target, so is any record there.
func (s *Service) healthy(z *zone, r *record, depth int) bool {
	if r.check != "" && !s.checks[r.check].healthy() {
		return false
	}
	if r.alias == nil || !r.alias.evaluate || !r.alias.inZone {
		return true
	}
	if depth >= maxDepth {
		return false
	}
	for _, leaf := range z.sets[setKey{r.alias.name, r.kind}] {
		if s.healthy(z, leaf, depth+1) {
			return true
		}
	}
	return false
}

// exists reports whether a zone has records at a name or below it.
func (z *zone) exists(name string) bool {
	for key := range z.sets {
		if key.name == name || strings.HasSuffix(key.name, "."+name) {
			return true
		}
	}
	return name == z.name
}

// own returns the records that every zone has at its apex.
func (z *zone) own(owner, kind string) []dns.RR {
	servers := z.nameServers()
	if kind == "SOA" {
		return []dns.RR{&dns.SOA{
			Hdr: header(owner, dns.TypeSOA, 900), Ns: dns.Fqdn(servers[0]), Mbox: "awsdns-hostmaster.amazon.com.",
			Serial: 1, Refresh: 7200, Retry: 900, Expire: 1_209_600, Minttl: 86_400,
		}}
	}
	records := make([]dns.RR, len(servers))
	for i, ns := range servers {
		records[i] = &dns.NS{Hdr: header(owner, dns.TypeNS, 172_800), Ns: dns.Fqdn(ns)}
	}
	return records
}

func resourceRecord(owner, kind, value string, ttl uint32) dns.RR {
	switch kind {
	case "A":
		return &dns.A{Hdr: header(owner, dns.TypeA, ttl), A: net.ParseIP(value)}
	case "AAAA":
		return &dns.AAAA{Hdr: header(owner, dns.TypeAAAA, ttl), AAAA: net.ParseIP(value)}
	case "CNAME":
		return &dns.CNAME{Hdr: header(owner, dns.TypeCNAME, ttl), Target: dns.Fqdn(value)}
	default:
		return &dns.TXT{Hdr: header(owner, dns.TypeTXT, ttl), Txt: []string{value}}
	}
}

func header(owner string, kind uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: dns.Fqdn(owner), Rrtype: kind, Class: dns.ClassINET, Ttl: ttl}
}
