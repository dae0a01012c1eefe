// Package route53 stands in for Amazon Route 53: public hosted zones, records
// with latency, failover and geolocation policies, health checks that really
// probe, and a DNS server that answers from them.
//
// It refuses what Route 53 would refuse, and every feature that this project
// has no use for: weighted, multivalue, geoproximity and CIDR policies, wildcard
// records, private zones, TCP and CloudWatch health checks.
package route53

import (
	"context"
	"strings"
	"sync"

	"github.com/crossregion/crossregion/local/cloud"
)

// Targets are the names outside of Route 53 that records may alias, and that
// health checks may probe; local/apigateway implements it.
type Targets interface {
	// Lookup resolves a name to its address.
	Lookup(dnsName string) (ip string, ok bool)
	// CheckAlias returns an error unless a record of the given name may alias
	// dnsName, whose hosted zone the record says is zoneID.
	CheckAlias(recordName, dnsName, zoneID string) error
}

// Config says what a [Service] stands on.
type Config struct {
	World   cloud.World // required
	Targets Targets     // may come later, by [Service.UseTargets]; none if nil
	// Probe makes one request of a health check from a checker's region, without
	// following redirects, and returns the beginning of the body. The default
	// resolves the host in this service and dials World.Network, without TLS.
	Probe func(ctx context.Context, url, checker string) (status int, body string, err error)
}

// Service is Route 53, which is global. Close ends its probes and servers.
type Service struct {
	cfg    Config
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	owned  sync.WaitGroup // probes and servers

	mu      sync.RWMutex
	targets Targets
	zones   map[string]*zone // by ID
	checks  map[string]*check
	servers []server
}

// zone is one public hosted zone.
type zone struct {
	id, name string // name in lower case, without trailing dot
	sets     map[setKey][]*record
}

// setKey addresses the records that one routing policy chooses from.
type setKey struct {
	name string
	kind string // "A", "CNAME", …
}

// New returns a service without zones.
func New(cfg Config) *Service {
	s := &Service{cfg: cfg, targets: cfg.Targets, zones: map[string]*zone{}, checks: map[string]*check{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// UseTargets sets what records may alias. It exists because API Gateway needs
// ACM, which needs Route 53.
func (s *Service) UseTargets(t Targets) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.targets = t
}

// Resources lists the Pulumi resource types that the service stands in for.
func (s *Service) Resources() []cloud.Resource {
	return []cloud.Resource{
		cloud.DefineResource("aws:route53/record:Record", s.createRecord, s.updateRecord, s.deleteRecord),
		cloud.DefineResource("aws:route53/healthCheck:HealthCheck", s.createCheck, s.updateCheck, s.deleteCheck),
	}
}

// Functions lists the Pulumi functions that the service stands in for.
func (s *Service) Functions() []cloud.Function {
	return []cloud.Function{cloud.DefineFunction("aws:route53/getZone:getZone", s.getZone)}
}

// CreateZone makes a public hosted zone, as the owner of the account would
// before anything is deployed, and returns its ID. A zone that exists is kept.
func (s *Service) CreateZone(name string) (zoneID string) {
	name = normalize(name)
	s.mu.Lock()
	defer s.mu.Unlock()
	id := "Z" + strings.ToUpper(cloud.ID(20, "zone", name))
	if s.zones[id] == nil {
		s.zones[id] = &zone{id: id, name: name, sets: map[setKey][]*record{}}
	}
	return id
}

// HasCNAME reports whether a zone has name as a CNAME of value. Trailing dots
// and case do not matter.
func (s *Service) HasCNAME(name, value string) bool {
	name = normalize(name)
	s.mu.RLock()
	defer s.mu.RUnlock()
	z := s.zoneOf(name)
	if z == nil {
		return false
	}
	for _, r := range z.sets[setKey{name, "CNAME"}] {
		if r.alias == nil && normalize(r.values[0]) == normalize(value) {
			return true
		}
	}
	return false
}

// zoneOf returns the zone that answers for a name: the one with the longest
// name of those above it. The caller holds the lock.
func (s *Service) zoneOf(name string) *zone {
	var best *zone
	for _, z := range s.zones {
		if z.holds(name) && (best == nil || len(z.name) > len(best.name)) {
			best = z
		}
	}
	return best
}

func (z *zone) holds(name string) bool {
	return name == z.name || strings.HasSuffix(name, "."+z.name)
}

func (z *zone) nameServers() []string {
	h := cloud.ID(8, "nameservers", z.id)
	return []string{
		"ns-" + h[:2] + ".awsdns-01.com", "ns-" + h[2:4] + ".awsdns-02.net",
		"ns-" + h[4:6] + ".awsdns-03.org", "ns-" + h[6:] + ".awsdns-04.co.uk",
	}
}

type zoneInputs struct {
	Name        string            `json:"name,omitempty"`
	ZoneID      string            `json:"zoneId,omitempty"`
	PrivateZone bool              `json:"privateZone,omitempty"`
	VPCID       string            `json:"vpcId,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

func (s *Service) getZone(_ context.Context, _ string, in zoneInputs) (map[string]any, error) {
	if (in.Name == "") == (in.ZoneID == "") {
		return nil, invalidInput("look a zone up by either name or zoneId")
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, z := range s.zones {
		if z.id != in.ZoneID && z.name != normalize(in.Name) {
			continue
		}
		if in.PrivateZone || in.VPCID != "" || len(in.Tags) > 0 {
			break // zones here are public and have no tags
		}
		records := 2 // SOA and NS
		for _, set := range z.sets {
			records += len(set)
		}
		return map[string]any{
			"id": z.id, "zoneId": z.id, "name": z.name, "arn": "arn:" + cloud.Partition + ":route53:::hostedzone/" + z.id,
			"nameServers": z.nameServers(), "primaryNameServer": z.nameServers()[0], "privateZone": false,
			"resourceRecordSetCount": records, "comment": "", "callerReference": "", "linkedServiceDescription": "",
			"linkedServicePrincipal": "", "tags": map[string]any{}, "vpcId": "",
		}, nil
	}
	return nil, cloud.Refuse("NoSuchHostedZone", "no matching Route 53 Hosted Zone found for %q", in.Name+in.ZoneID)
}

// Close ends all probes and servers and waits for them.
func (s *Service) Close() error {
	s.cancel()
	err := s.shutdown()
	s.owned.Wait()
	return err
}

func normalize(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

func invalidInput(format string, args ...any) *cloud.APIError {
	return cloud.Refuse("InvalidInput", format, args...)
}

func invalidBatch(format string, args ...any) *cloud.APIError {
	return cloud.Refuse("InvalidChangeBatch", format, args...)
}
