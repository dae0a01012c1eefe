package route53

import (
	"context"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// record is one resource record set of Route 53's API. It does not change.
type record struct {
	setKey
	setID   string
	ttl     uint32   // seconds; unused by aliases
	values  []string // empty for aliases
	alias   *alias
	routing routing
	check   string // ID of a health check; empty: none
}

type alias struct {
	name     string
	inZone   bool // another record of the zone, not an AWS resource
	evaluate bool // its health counts
}

type recordInputs struct {
	ZoneID         string             `json:"zoneId" change:"replace"`
	Name           string             `json:"name" change:"replace"`
	Type           string             `json:"type"`
	TTL            *uint32            `json:"ttl,omitempty"`
	Records        []string           `json:"records,omitempty"`
	Aliases        []aliasInputs      `json:"aliases,omitempty"`
	SetIdentifier  string             `json:"setIdentifier,omitempty"`
	HealthCheckID  string             `json:"healthCheckId,omitempty"`
	Latency        []latencyInputs    `json:"latencyRoutingPolicies,omitempty"`
	Failover       []failoverInputs   `json:"failoverRoutingPolicies,omitempty"`
	Geolocation    []geographicInputs `json:"geolocationRoutingPolicies,omitempty"`
	AllowOverwrite bool               `json:"allowOverwrite,omitempty"`
}

type aliasInputs struct {
	Name     string `json:"name"`
	ZoneID   string `json:"zoneId"`
	Evaluate bool   `json:"evaluateTargetHealth"`
}

var recordName = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}$`)

func (s *Service) createRecord(_ context.Context, r cloud.Request[recordInputs]) (cloud.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	z, rec, err := s.recordOf(&r.In)
	if err != nil {
		return cloud.State{}, err
	}
	if err := z.put(rec, r.In.AllowOverwrite); err != nil {
		return cloud.State{}, err
	}
	return cloud.State{ID: recordID(z, rec), Outputs: map[string]any{"fqdn": rec.name}}, nil
}

// recordOf is the record that is asked for, and its zone. The caller holds the
// lock.
func (s *Service) recordOf(in *recordInputs) (*zone, *record, error) {
	z, ok := s.zones[in.ZoneID]
	if !ok {
		return nil, nil, cloud.Refuse("NoSuchHostedZone", "No hosted zone found with ID: %s", in.ZoneID)
	}
	rec, err := s.parseRecord(z, in)
	return z, rec, err
}

// parseRecord checks a record by itself, and against what it points at. The
// caller holds the lock.
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html
func (s *Service) parseRecord(z *zone, in *recordInputs) (*record, error) {
	rec := &record{setKey: setKey{normalize(in.Name), in.Type}, setID: in.SetIdentifier, values: in.Records, check: in.HealthCheckID}
	switch {
	case !slices.Contains([]string{"A", "AAAA", "CNAME", "TXT"}, in.Type):
		return nil, invalidInput("records of type %q are not supported by the embedded cloud", in.Type)
	case !z.holds(rec.name):
		return nil, invalidBatch("RRSet with DNS name %s. is not permitted in zone %s.; write the full name", rec.name, z.name)
	case !recordName.MatchString(rec.name) || len(rec.name) > 255:
		return nil, invalidBatch("DNS name %q is not valid, or a wildcard, which the embedded cloud does not support", rec.name)
	case in.Type == "CNAME" && rec.name == z.name:
		return nil, invalidBatch("RRSet of type CNAME with DNS name %s. is not permitted at apex in zone %s.", rec.name, z.name)
	case len(in.SetIdentifier) > 128:
		return nil, invalidInput("setIdentifier is %d characters, over the limit of 128", len(in.SetIdentifier))
	case rec.check != "" && s.checks[rec.check] == nil:
		return nil, invalidBatch("No health check exists with id: %s", rec.check)
	}
	var err error
	if rec.routing, err = parseRouting(in); err != nil {
		return nil, err
	}
	if len(in.Aliases) == 0 {
		return rec, rec.parseValues(in)
	}
	rec.alias, err = s.parseAlias(z, rec, in)
	return rec, err
}

func (rec *record) parseValues(in *recordInputs) error {
	if in.TTL == nil || len(in.Records) == 0 {
		return invalidInput("record %s needs either ttl and records, or an alias", rec.name)
	}
	rec.ttl = *in.TTL
	if rec.ttl > 1<<31-1 {
		return invalidInput("ttl %d is over the limit of 2147483647", rec.ttl)
	}
	if rec.kind == "CNAME" && len(in.Records) != 1 {
		return invalidBatch("record %s: a CNAME has one value, not %d", rec.name, len(in.Records))
	}
	rec.values = slices.Clone(in.Records)
	for i, v := range rec.values {
		ip, err := netip.ParseAddr(v)
		switch {
		case rec.kind == "A" && (err != nil || !ip.Is4()):
			return invalidBatch("record %s: %q is not an IPv4 address", rec.name, v)
		case rec.kind == "AAAA" && (err != nil || !ip.Is6()):
			return invalidBatch("record %s: %q is not an IPv6 address", rec.name, v)
		case rec.kind == "CNAME" && !recordName.MatchString(normalize(v)):
			return invalidBatch("record %s: %q is not a domain name", rec.name, v)
		case rec.kind == "TXT":
			rec.values[i] = strings.TrimSuffix(strings.TrimPrefix(v, `"`), `"`)
			if len(rec.values[i]) > 255 {
				return invalidBatch("record %s: text is over 255 characters", rec.name)
			}
		}
	}
	return nil
}

// parseAlias checks what a record aliases.
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html
func (s *Service) parseAlias(z *zone, rec *record, in *recordInputs) (*alias, error) {
	if len(in.Aliases) > 1 {
		return nil, invalidInput("record %s has %d aliases, want one", rec.name, len(in.Aliases))
	}
	to := in.Aliases[0]
	a := &alias{name: normalize(to.Name), inZone: to.ZoneID == z.id, evaluate: to.Evaluate}
	switch {
	case in.TTL != nil || len(in.Records) > 0:
		return nil, invalidInput("record %s: an alias has neither ttl nor records", rec.name)
	case rec.routing.kind == failover && !a.evaluate:
		return nil, invalidBatch("record %s: a failover alias must set evaluateTargetHealth", rec.name)
	case a.inZone && len(z.sets[setKey{a.name, rec.kind}]) == 0:
		return nil, invalidBatch("Tried to create an alias that targets %s., type %s in zone %s, but that target was not found",
			a.name, rec.kind, z.id)
	case a.inZone:
		return a, nil
	case rec.kind != "A" && rec.kind != "AAAA":
		return nil, invalidBatch("record %s: an alias to an AWS resource is of type A or AAAA, not %s", rec.name, rec.kind)
	case s.targets == nil:
		return nil, invalidBatch("record %s: the alias target %s is not known", rec.name, a.name)
	}
	if err := s.targets.CheckAlias(rec.name, a.name, to.ZoneID); err != nil {
		return nil, invalidBatch("record %s: alias to %s: %v", rec.name, a.name, err)
	}
	return a, nil
}

// put adds a record to its set, if it agrees with the others there.
func (z *zone) put(rec *record, overwrite bool) error {
	same := func(r *record) bool { return r.setID == rec.setID }
	others := z.sets[rec.setKey]
	if slices.ContainsFunc(others, same) {
		if !overwrite {
			return invalidBatch("Tried to create resource record set [name='%s.', type='%s', set identifier='%s'] but it already exists",
				rec.name, rec.kind, rec.setID)
		}
		others = slices.DeleteFunc(slices.Clone(others), same)
	}
	for _, r := range others {
		if err := rec.routing.agree(r.routing); err != nil {
			return invalidBatch("record %s, type %s: %v", rec.name, rec.kind, err)
		}
	}
	for key, set := range z.sets {
		if key.name == rec.name && key.kind != rec.kind && len(set) > 0 && (key.kind == "CNAME" || rec.kind == "CNAME") {
			return invalidBatch("RRSet of type %s with DNS name %s. is not permitted as it conflicts with other records with the same DNS name",
				rec.kind, rec.name)
		}
	}
	z.sets[rec.setKey] = append(slices.Clip(others), rec)
	return nil
}
