package routing_test

import (
	"cmp"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// zone answers from registered records as Route 53's documentation says, by
// itself: it shares no code with the embedded cloud.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html
type zone struct {
	records map[string][]resource.PropertyMap // by name; type A, or CNAME of a front door
	checks  map[string]resource.PropertyMap   // by ID
}

func newZone(rec *componenttest.Recorder) zone {
	z := zone{map[string][]resource.PropertyMap{}, map[string]resource.PropertyMap{}}
	for _, r := range routed(rec) {
		if r.Type == checkToken {
			z.checks[r.Name+"-id"] = r.Inputs
			continue
		}
		name := r.Inputs["name"].StringValue()
		z.records[name] = append(z.records[name], r.Inputs)
	}
	return z
}

// routed are the checks and records of the routing components, in an order in
// which each finds what it needs.
func routed(rec *componenttest.Recorder) []componenttest.Registration {
	rank := func(r componenttest.Registration) int {
		switch {
		case r.Type == checkToken && r.Inputs["type"].StringValue() != "CALCULATED":
			return 0
		case r.Type == checkToken:
			return 1
		case !strings.HasSuffix(r.Name, "-latency"):
			return 2
		default:
			return 3
		}
	}
	out := slices.DeleteFunc(slices.Concat(rec.Of(checkToken), rec.Of(recordToken)), func(r componenttest.Registration) bool {
		return !strings.HasPrefix(string(r.Parent.Type()), "crossregion:routing:")
	})
	slices.SortStableFunc(out, func(a, b componenttest.Registration) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

// viewer is who asks: near to a region, in a country.
type viewer struct{ region, country string }

// resolve returns the API that a name leads a viewer to, or "".
func (z zone) resolve(name string, v viewer, w world) string {
	set := prefer(z.records[name], v)
	if len(set) == 0 {
		return ""
	}
	chosen := set[0] // if none is healthy, all count as healthy
	for _, r := range set {
		if z.healthy(r, w) {
			chosen = r
			break
		}
	}
	if chosen["type"].StringValue() == "CNAME" {
		return z.resolve(chosen["records"].ArrayValue()[0].StringValue(), v, w)
	}
	to := aliasOf(chosen)
	if to["zoneId"].StringValue() == zoneID {
		return z.resolve(to["name"].StringValue(), v, w)
	}
	return to["name"].StringValue()
}

// prefer returns the records that a viewer may get, the best one first.
func prefer(set []resource.PropertyMap, v viewer) []resource.PropertyMap {
	score := func(r resource.PropertyMap) int {
		switch {
		case r.HasValue("latencyRoutingPolicies"):
			return int(cloud.Latency(v.region, policy(r, "latency", "region")))
		case r.HasValue("failoverRoutingPolicies"):
			return strings.Index("PRIMARY SECONDARY", policy(r, "failover", "type"))
		case r.HasValue("geolocationRoutingPolicies"):
			return slices.Index([]string{v.country, "*"}, policy(r, "geolocation", "country"))
		default:
			return 0
		}
	}
	set = slices.DeleteFunc(slices.Clone(set), func(r resource.PropertyMap) bool { return score(r) < 0 })
	slices.SortFunc(set, func(a, b resource.PropertyMap) int { return cmp.Compare(score(a), score(b)) })
	return set
}

func policy(r resource.PropertyMap, kind, key string) string {
	return r[resource.PropertyKey(kind+"RoutingPolicies")].ArrayValue()[0].ObjectValue()[resource.PropertyKey(key)].StringValue()
}

// healthy reports whether a record may be chosen while another may.
func (z zone) healthy(r resource.PropertyMap, w world) bool {
	if r.HasValue("healthCheckId") && !z.passes(r["healthCheckId"].StringValue(), w) {
		return false
	}
	if !r.HasValue("aliases") || aliasOf(r)["zoneId"].StringValue() != zoneID || !aliasOf(r)["evaluateTargetHealth"].BoolValue() {
		return true
	}
	return slices.ContainsFunc(z.records[aliasOf(r)["name"].StringValue()], func(leaf resource.PropertyMap) bool { return z.healthy(leaf, w) })
}

func (z zone) passes(check string, w world) bool {
	c := z.checks[check]
	passed := false
	if c["type"].StringValue() == "CALCULATED" {
		healthy := 0.0
		for _, child := range c["childHealthchecks"].ArrayValue() {
			if z.passes(child.StringValue(), w) {
				healthy++
			}
		}
		passed = healthy >= c["childHealthThreshold"].NumberValue()
	} else {
		status, body := w.get(c["fqdn"].StringValue(), c["resourcePath"].StringValue())
		passed = status == 200 && (!c.HasValue("searchString") || strings.Contains(body, c["searchString"].StringValue()))
	}
	return passed != (c.HasValue("invertHealthcheck") && c["invertHealthcheck"].BoolValue())
}
