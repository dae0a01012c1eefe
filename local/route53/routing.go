package route53

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/crossregion/crossregion/local/cloud"
)

// routing is the policy of one record, and its place in it.
type routing struct {
	kind    routingKind
	region  string   // latency
	primary bool     // failover
	where   location // geolocation
}

type routingKind string

const (
	simple      routingKind = "simple"
	latency     routingKind = "latency"
	failover    routingKind = "failover"
	geolocation routingKind = "geolocation"
)

type latencyInputs struct {
	Region string `json:"region"`
}

type failoverInputs struct {
	Type string `json:"type"`
}

type geographicInputs struct {
	Continent   string `json:"continent,omitempty"`
	Country     string `json:"country,omitempty"`
	Subdivision string `json:"subdivision,omitempty"`
}

func parseRouting(in *recordInputs) (routing, error) {
	switch policies := len(in.Latency) + len(in.Failover) + len(in.Geolocation); {
	case policies > 1:
		return routing{}, invalidInput("record %s has %d routing policies, want one", in.Name, policies)
	case policies == 0 && in.SetIdentifier != "":
		return routing{}, invalidInput("record %s has a setIdentifier, but no routing policy", in.Name)
	case policies == 0:
		return routing{kind: simple}, nil
	case in.SetIdentifier == "":
		return routing{}, invalidInput("record %s has a routing policy, but no setIdentifier", in.Name)
	}
	switch {
	case len(in.Latency) > 0:
		region := in.Latency[0].Region
		if !cloud.KnownRegion(region) {
			return routing{}, invalidInput("record %s: %q is not a region", in.Name, region)
		}
		return routing{kind: latency, region: region}, nil
	case len(in.Failover) > 0:
		role := in.Failover[0].Type
		if role != "PRIMARY" && role != "SECONDARY" {
			return routing{}, invalidInput("record %s: failover type %q is neither PRIMARY nor SECONDARY", in.Name, role)
		}
		return routing{kind: failover, primary: role == "PRIMARY"}, nil
	default:
		where, err := parseLocation(in.Geolocation[0])
		if err != nil {
			return routing{}, invalidInput("record %s: %v", in.Name, err)
		}
		return routing{kind: geolocation, where: where}, nil
	}
}

// agree returns an error if two records of one name and type exclude each other.
func (r routing) agree(other routing) error {
	switch {
	case r.kind != other.kind:
		return fmt.Errorf("policy %s cannot stand beside %s: all records of a name and type share one", r.kind, other.kind)
	case r != other:
		return nil
	case r.kind == simple:
		return errors.New("it already exists")
	case r.kind == latency:
		return fmt.Errorf("there is a latency record for region %s already", r.region)
	case r.kind == failover:
		return errors.New("there is a failover record of that type already")
	default:
		return fmt.Errorf("there is a geolocation record for %s already", r.where)
	}
}

// prefer returns the records that a viewer may get, best first, health aside.
func prefer(set []*record, viewer string) []*record {
	set = slices.Clone(set)
	switch set[0].routing.kind {
	case latency:
		slices.SortFunc(set, func(a, b *record) int {
			return cmp.Or(
				cmp.Compare(cloud.Latency(viewer, a.routing.region), cloud.Latency(viewer, b.routing.region)),
				cmp.Compare(a.routing.region, b.routing.region))
		})
	case failover:
		slices.SortFunc(set, func(a, b *record) int { return rank(a.routing.primary) - rank(b.routing.primary) })
	case geolocation:
		at := locate(viewer)
		set = slices.DeleteFunc(set, func(r *record) bool { return !r.routing.where.contains(at) })
		slices.SortFunc(set, func(a, b *record) int { return b.routing.where.precision() - a.routing.where.precision() })
	}
	return set
}

func rank(primary bool) int {
	if primary {
		return 0
	}
	return 1
}
