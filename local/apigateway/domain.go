package apigateway

import (
	"context"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

type domainKey struct{ region, name string }

// domain is one custom domain name of a region.
type domain struct {
	name, region string
	certificate  string             // its ARN
	regionalName string             // what DNS aliases point at
	mappings     map[string]mapping // by base path, empty for all paths
}

type mapping struct {
	api   *api
	stage string // empty: the first segment after the base path names it
}

type domainInputs struct {
	DomainName             string            `json:"domainName" change:"replace"`
	RegionalCertificateARN string            `json:"regionalCertificateArn"`
	EndpointConfiguration  *endpointInputs   `json:"endpointConfiguration,omitempty"`
	SecurityPolicy         string            `json:"securityPolicy,omitempty"`
	Tags                   map[string]string `json:"tags,omitempty"`
}

var domainName = regexp.MustCompile(`^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$`)

func (in *domainInputs) check() error {
	switch {
	case !domainName.MatchString(in.DomainName) || len(in.DomainName) > 253:
		return badRequest("Invalid domain name: %q; use lower case and no trailing dot", in.DomainName)
	case !slices.Contains([]string{"", "TLS_1_0", "TLS_1_2"}, in.SecurityPolicy):
		return badRequest("Invalid security policy %q: use TLS_1_2", in.SecurityPolicy)
	default:
		return in.EndpointConfiguration.check()
	}
}

// createDomain makes a custom domain, whose name is unique in its region.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-custom-domains.html
func (s *Service) createDomain(_ context.Context, r cloud.Request[domainInputs]) (cloud.State, error) {
	if err := s.accept(r); err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := domainKey{r.Region, r.In.DomainName}
	if s.domains[key] != nil {
		return cloud.State{}, conflict("The domain name you provided already exists: %s in %s", key.name, key.region)
	}
	d := &domain{
		name: key.name, region: key.region, certificate: r.In.RegionalCertificateARN, mappings: map[string]mapping{},
		regionalName: "d-" + cloud.ID(10, "domain", key.region, key.name) + ".execute-api." + key.region + ".amazonaws.com",
	}
	s.domains[key] = d
	return cloud.State{ID: d.name, Outputs: map[string]any{
		"arn": controlARN(d.region, "/domainnames/"+d.name), "regionalDomainName": d.regionalName,
		"regionalZoneId": zoneID(d.region),
	}}, nil
}

// accept refuses what API Gateway would refuse, and a certificate that it could
// not serve.
func (s *Service) accept(r cloud.Request[domainInputs]) error {
	if err := r.In.check(); err != nil {
		return err
	}
	if err := s.cfg.Certificates.Issued(r.In.RegionalCertificateARN, r.Region, r.In.DomainName); err != nil {
		return badRequest("certificate of %s in %s cannot be used: %v", r.In.DomainName, r.Region, err)
	}
	return nil
}

// zoneID is the hosted zone in which API Gateway keeps the names of a region.
func zoneID(region string) string { return "Z" + strings.ToUpper(cloud.ID(13, "apigateway", region)) }

type mappingInputs struct {
	RestAPI    string `json:"restApi"`
	DomainName string `json:"domainName" change:"replace"`
	StageName  string `json:"stageName,omitempty"`
	BasePath   string `json:"basePath,omitempty"`
}

var basePath = regexp.MustCompile(`^[a-zA-Z0-9$\-_.+!*'()/]*$`)

func (s *Service) createMapping(_ context.Context, r cloud.Request[mappingInputs]) (cloud.State, error) {
	base := r.In.BasePath
	s.mu.Lock()
	defer s.mu.Unlock()
	d, to, err := s.parseMapping(r)
	if err != nil {
		return cloud.State{}, err
	}
	if _, ok := d.mappings[base]; ok {
		return cloud.State{}, conflict("Base path already exists for this domain name: %q of %s", base, d.name)
	}
	d.mappings[base] = to
	return cloud.State{ID: d.name + "/" + base}, nil
}

// parseMapping finds what a mapping names. The caller holds the lock.
func (s *Service) parseMapping(r cloud.Request[mappingInputs]) (*domain, mapping, error) {
	base := r.In.BasePath
	if !basePath.MatchString(base) || strings.HasPrefix(base, "/") || strings.HasSuffix(base, "/") {
		return nil, mapping{}, badRequest("Invalid base path %q: leave out leading and trailing slashes", base)
	}
	d, ok := s.domains[domainKey{r.Region, r.In.DomainName}]
	if !ok {
		return nil, mapping{}, notFound("Invalid domain name identifier specified: %s in %s", r.In.DomainName, r.Region)
	}
	a, err := s.find(r.Region, r.In.RestAPI)
	if err == nil && r.In.StageName != "" {
		_, _, err = s.findStage(r.Region, a.id, r.In.StageName)
	}
	return d, mapping{api: a, stage: r.In.StageName}, err
}

// Lookup returns the address of the region whose edge answers for a name that
// API Gateway made: the regional name of a custom domain, or the default
// endpoint of an API.
func (s *Service) Lookup(dnsName string) (ip string, ok bool) {
	name := normalize(dnsName)
	region := ""
	s.mu.RLock()
	defer s.mu.RUnlock()
	if d := s.byRegionalName(name); d != nil {
		region = d.region
	}
	id, _, _ := strings.Cut(name, ".")
	if a := s.apis[id]; a != nil && a.host() == name {
		region = a.region
	}
	ip, err := cloud.RegionIP(region)
	return ip, err == nil
}

// CheckAlias returns an error unless Route 53 would let a record alias a name
// of API Gateway: the name is the regional one of a custom domain, zoneID is
// its zone, and the record bears the name of that domain, or of another domain
// of the region that is mapped to the same API.
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html
func (s *Service) CheckAlias(recordName, dnsName, zone string) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	d := s.byRegionalName(normalize(dnsName))
	switch {
	case d == nil:
		return notFound("no custom domain has the regional name %s", dnsName)
	case zone != zoneID(d.region):
		return badRequest("hosted zone %q is not the one of API Gateway in %s: use regionalZoneId of the domain name", zone, d.region)
	case covers(d.name, normalize(recordName)):
		return nil
	}
	for _, other := range s.domains {
		if other.region == d.region && covers(other.name, normalize(recordName)) && other.sharesAPI(d) {
			return nil
		}
	}
	return badRequest("record name %s does not match a custom domain of the API behind %s", recordName, dnsName)
}

func (s *Service) byRegionalName(name string) *domain {
	for _, d := range s.domains {
		if d.regionalName == name {
			return d
		}
	}
	return nil
}

func (d *domain) sharesAPI(other *domain) bool {
	for _, m := range d.mappings {
		for _, n := range other.mappings {
			if m.api == n.api {
				return true
			}
		}
	}
	return false
}

// Domains lists the custom domain names of a region, sorted.
func (s *Service) Domains(region string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var names []string
	for key := range s.domains {
		if key.region == region {
			names = append(names, key.name)
		}
	}
	slices.Sort(names)
	return names
}

// covers reports whether a custom domain answers for a host: the very name, or
// one label in place of a leading asterisk.
func covers(domain, host string) bool {
	if suffix, ok := strings.CutPrefix(domain, "*."); ok {
		label, rest, found := strings.Cut(host, ".")
		return found && label != "" && rest == suffix
	}
	return domain == host
}

// normalize strips the port and the trailing dot of a host, and its case.
func normalize(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
