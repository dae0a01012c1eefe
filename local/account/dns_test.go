package account_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// resolves expects the one address that DNS gives for a.example.com.
func (f fixture) resolves(want, why string) {
	f.t.Helper()
	got, err := f.Resolve(f.t.Context(), "a.example.com")
	require.NoError(f.t, err)
	assert.Equal(f.t, []string{want}, got, why)
}

func (f fixture) update(token, id string, inputs object) error {
	_, err := f.Update(f.t.Context(), token, home, id, inputs)
	return err
}

// failover is a record of a.example.com, with a check unless that is empty.
func failover(zone, kind, address, check string) object {
	in := object{
		"zoneId": zone, "name": "a.example.com", "type": "A", "ttl": 60.0, "records": []any{address},
		"setIdentifier": kind, "failoverRoutingPolicies": []any{object{"type": kind}},
	}
	if check != "" {
		in["healthCheckId"] = check
	}
	return in
}

// TestARecordChangesAtOnce, or not at all.
func TestARecordChangesAtOnce(t *testing.T) {
	f := open(t)
	zone := f.Route53.CreateZone("example.com")
	first := f.make(recordToken, home, "first", failover(zone, "PRIMARY", "192.0.2.1", "")).ID
	second := f.make(recordToken, home, "second", failover(zone, "SECONDARY", "192.0.2.2", "")).ID
	f.resolves("192.0.2.1", "the first")
	require.NoError(t, f.update(recordToken, first, failover(zone, "PRIMARY", "192.0.2.3", "")))
	f.resolves("192.0.2.3", "as it was changed")
	assert.ErrorContains(t, f.update(recordToken, first, failover(zone, "PRIMARY", "nowhere", "")), "is not an IPv4 address")
	latency := failover(zone, "PRIMARY", "192.0.2.4", "")
	delete(latency, "failoverRoutingPolicies")
	latency["latencyRoutingPolicies"] = []any{object{"region": far}}
	require.Error(t, f.update(recordToken, first, latency), "the other record of the name has another policy")
	f.resolves("192.0.2.3", "after changes that were refused")
	f.removes(recordToken, home, first)
	f.resolves("192.0.2.2", "the other one stays")
	f.removes(recordToken, home, second)
	_, err := f.Resolve(t.Context(), "a.example.com")
	assert.Error(t, err)
}

// TestAliasesThatLeadInACircleHaveNoAnswer, which changes can make of them.
func TestAliasesThatLeadInACircleHaveNoAnswer(t *testing.T) {
	f := open(t)
	zone := f.Route53.CreateZone("example.com")
	alias := func(name, to string) object {
		return object{"zoneId": zone, "name": name, "type": "A", "aliases": []any{object{"name": to, "zoneId": zone, "evaluateTargetHealth": true}}}
	}
	first := f.make(recordToken, home, "first", object{"zoneId": zone, "name": "a.example.com", "type": "A", "ttl": 60.0, "records": []any{"192.0.2.1"}}).ID
	f.make(recordToken, home, "second", alias("b.example.com", "a.example.com"))
	require.NoError(t, f.update(recordToken, first, alias("a.example.com", "b.example.com")))
	_, err := f.Resolve(t.Context(), "a.example.com")
	assert.ErrorContains(t, err, "no such host")
}

// TestACheckChangesInPlace: what its probes said stays said, and the check that
// counts it counts what it is now.
func TestACheckChangesInPlace(t *testing.T) {
	f := open(t)
	zone := f.Route53.CreateZone("example.com")
	inputs := object{"type": "HTTPS", "fqdn": "a.example.com"}
	one := f.make(checkToken, home, "one", inputs).ID
	other := f.make(checkToken, home, "other", inputs).ID
	all := f.make(checkToken, home, "all", object{"type": "CALCULATED", "childHealthchecks": []any{one, other}, "childHealthThreshold": 2.0}).ID
	f.make(recordToken, home, "first", failover(zone, "PRIMARY", "192.0.2.1", all))
	f.make(recordToken, home, "second", failover(zone, "SECONDARY", "192.0.2.2", ""))
	f.resolves("192.0.2.1", "a new check is healthy")
	inputs["failureThreshold"] = 2.0
	require.NoError(t, f.update(checkToken, one, inputs))
	f.resolves("192.0.2.1", "it still is")
	inputs["invertHealthcheck"] = true
	require.NoError(t, f.update(checkToken, one, inputs))
	f.resolves("192.0.2.2", "now healthy is unhealthy")
	either := object{"type": "CALCULATED", "childHealthchecks": []any{one, other}, "childHealthThreshold": 1.0}
	require.NoError(t, f.update(checkToken, all, either))
	f.resolves("192.0.2.1", "the other check is as it was")
	inputs["failureThreshold"] = 11.0
	assert.ErrorContains(t, f.update(checkToken, one, inputs), "want 1 to 10")
	missing := object{"type": "CALCULATED", "childHealthchecks": []any{"none"}, "childHealthThreshold": 1.0}
	assert.ErrorContains(t, f.update(checkToken, all, missing), "does not exist")
	f.refuses(checkToken, home, one, all)
}
