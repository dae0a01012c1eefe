package route53_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRecordRefuses(t *testing.T) {
	f := newFixture(t, true)
	f.record("www.example.com", object{"ttl": 60.0, "records": []any{"192.0.2.1"}})
	f.record("alias.example.com", object{"type": "CNAME", "ttl": 60.0, "records": []any{"www.example.com"}})
	policy := func(kind string, value object) object {
		return object{"aliases": api("eu-west-1"), "setIdentifier": "new", kind + "RoutingPolicies": []any{value}}
	}
	f.record("latency.api.example.com", with(policy("latency", object{"region": "eu-west-1"}), object{"setIdentifier": "old"}))
	f.record("failover.api.example.com", with(policy("failover", object{"type": "PRIMARY"}), object{"setIdentifier": "old"}))
	f.record("geo.api.example.com", with(policy("geolocation", object{"country": "DE"}), object{"setIdentifier": "old"}))
	plain := object{"ttl": 60.0, "records": []any{"192.0.2.1"}}
	inZone := func(name string) object { return object{"aliases": f.to(name)} }
	tests := []struct {
		name, record string
		inputs, edit object
		want         string
	}{
		{"a zone that does not exist", "a.example.com", plain, object{"zoneId": "Z0"}, "NoSuchHostedZone"},
		{"another type", "a.example.com", plain, object{"type": "MX"}, `type "MX" are not supported`},
		{"a name outside of its zone", "a.example.org", plain, nil, "is not permitted in zone example.com."},
		{"a name that only ends alike", "aexample.com", plain, nil, "is not permitted in zone"},
		{"a wildcard", "*.example.com", plain, nil, "wildcard"},
		{"a CNAME at the apex", "example.com", object{"ttl": 60.0, "records": []any{"a.b.com"}}, object{"type": "CNAME"}, "at apex"},
		{"a second record of a name", "www.example.com", plain, nil, "it already exists"},
		{"a CNAME beside an address", "www.example.com", object{"ttl": 60.0, "records": []any{"a.b.com"}}, object{"type": "CNAME"}, "conflicts with other records"},
		{"an address beside a CNAME", "alias.example.com", plain, nil, "conflicts with other records"},
		{"two values of a CNAME", "a.example.com", object{"ttl": 60.0, "records": []any{"a.b.com", "c.d.com"}}, object{"type": "CNAME"}, "one value"},
		{"an address that is none", "a.example.com", plain, object{"records": []any{"www"}}, "not an IPv4 address"},
		{"an IPv4 address as AAAA", "a.example.com", plain, object{"type": "AAAA"}, "not an IPv6 address"},
		{"no values and no alias", "a.example.com", object{}, nil, "needs either ttl and records, or an alias"},
		{"values without ttl", "a.example.com", object{"records": []any{"192.0.2.1"}}, nil, "needs either"},
		{"a text over 255 characters", "a.example.com", plain, object{"type": "TXT", "records": []any{strings.Repeat("x", 256)}}, "over 255"},
		{"an alias with ttl", "a.api.example.com", object{"aliases": api("eu-west-1"), "ttl": 60.0}, nil, "neither ttl nor records"},
		{"two aliases", "a.api.example.com", object{"aliases": append(api("eu-west-1"), api("eu-west-2")...)}, nil, "want one"},
		{"an alias to no record", "a.example.com", inZone("none.example.com"), nil, "that target was not found"},
		{"an alias to a record of another type", "a.example.com", inZone("www.example.com"), object{"type": "AAAA"}, "that target was not found"},
		{"an alias of a text to an API", "a.api.example.com", object{"aliases": api("eu-west-1")}, object{"type": "TXT"}, "type A or AAAA"},
		{"an alias whose name is no custom domain", "a.example.com", object{"aliases": api("eu-west-1")}, nil, "does not match a custom domain"},
		{"an alias without evaluateTargetHealth", "a.api.example.com", object{"aliases": []any{object{"name": "d-eu-west-1", "zoneId": "ZAPI"}}}, nil,
			`missing required property "aliases[0].evaluateTargetHealth"`},
		{"a health check that does not exist", "a.example.com", plain, object{"healthCheckId": "0"}, "No health check exists"},
		{"a policy without identifier", "a.api.example.com", policy("latency", object{"region": "eu-west-1"}), object{"setIdentifier": ""}, "no setIdentifier"},
		{"an identifier without policy", "a.example.com", plain, object{"setIdentifier": "x"}, "no routing policy"},
		{"an identifier that is too long", "a.example.com", plain, object{"setIdentifier": strings.Repeat("x", 129)}, "limit of 128"},
		{"two policies", "a.api.example.com", policy("latency", object{"region": "eu-west-1"}),
			object{"failoverRoutingPolicies": []any{object{"type": "PRIMARY"}}}, "2 routing policies"},
		{"two policies under one name", "latency.api.example.com", policy("failover", object{"type": "PRIMARY"}), nil, "cannot stand beside"},
		{"a simple record beside a policy", "latency.api.example.com", plain, nil, "cannot stand beside"},
		{"a second record of a region", "latency.api.example.com", policy("latency", object{"region": "eu-west-1"}), nil, "region eu-west-1 already"},
		{"an identifier twice", "latency.api.example.com", policy("latency", object{"region": "eu-west-2"}), object{"setIdentifier": "old"}, "set identifier='old'"},
		{"a region that is none", "a.api.example.com", policy("latency", object{"region": "eu-nowhere-1"}), nil, "is not a region"},
		{"a second primary", "failover.api.example.com", policy("failover", object{"type": "PRIMARY"}), nil, "of that type already"},
		{"an unknown failover role", "a.api.example.com", policy("failover", object{"type": "TERTIARY"}), nil, "neither PRIMARY nor SECONDARY"},
		{"a failover alias that does not evaluate", "a.api.example.com", policy("failover", object{"type": "PRIMARY"}),
			object{"aliases": []any{object{"name": "d-eu-west-1", "zoneId": "ZAPI", "evaluateTargetHealth": false}}}, "must set evaluateTargetHealth"},
		{"a second record of a country", "geo.api.example.com", policy("geolocation", object{"country": "DE"}), nil, "geolocation record for DE already"},
		{"a continent and a country", "a.api.example.com", policy("geolocation", object{"country": "DE", "continent": "EU"}), nil, "want one of them"},
		{"an unknown continent", "a.api.example.com", policy("geolocation", object{"continent": "XX"}), nil, "continent"},
		{"a country in small letters", "a.api.example.com", policy("geolocation", object{"country": "de"}), nil, "two capital letters"},
		{"a subdivision of a country without", "a.api.example.com", policy("geolocation", object{"country": "DE", "subdivision": "BY"}), nil, "only US, CA and UA"},
		{"a weighted policy", "a.api.example.com", policy("weighted", object{"weight": 1.0}), nil, `does not know property "weightedRoutingPolicies"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := f.create("Record", f.inputs(tt.record, with(tt.inputs, tt.edit)))
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func with(base, extra object) object {
	all := maps.Clone(base)
	maps.Copy(all, extra)
	return all
}

func TestARecordTellsItsName(t *testing.T) {
	f := newFixture(t, true)
	state := f.record("WWW.example.com.", object{"ttl": 60.0, "records": []any{"192.0.2.1"}})
	assert.Equal(t, "www.example.com", state.Outputs["fqdn"])
	assert.Equal(t, f.zone+"_www.example.com_A", state.ID)
	state = f.record("api.example.com", object{"aliases": api("eu-west-1"), "setIdentifier": "x",
		"latencyRoutingPolicies": []any{object{"region": "eu-west-1"}}})
	assert.Equal(t, f.zone+"_api.example.com_A_x", state.ID)
}

func TestOverwriteReplacesTheVeryRecord(t *testing.T) {
	f := newFixture(t, true)
	for _, address := range []string{"192.0.2.1", "192.0.2.2"} {
		f.record("www.example.com", object{"ttl": 60.0, "records": []any{address}, "allowOverwrite": true})
	}
	ips, err := f.service.Resolve(t.Context(), "www.example.com", "eu-west-1")
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.2"}, ips)
}

func TestHasCNAME(t *testing.T) {
	f := newFixture(t, true)
	f.record("_x.example.com", object{"type": "CNAME", "ttl": 60.0, "records": []any{"_y.acm-validations.aws."}})
	assert.True(t, f.service.HasCNAME("_X.example.com.", "_y.acm-validations.aws"))
	assert.False(t, f.service.HasCNAME("_x.example.com", "_z.acm-validations.aws"))
	assert.False(t, f.service.HasCNAME("_z.example.com", "_y.acm-validations.aws"))
	assert.False(t, f.service.HasCNAME("_x.example.org", "_y.acm-validations.aws"))
}

func TestGetZone(t *testing.T) {
	f := newFixture(t, true)
	assert.Equal(t, f.zone, f.service.CreateZone("Example.com."), "a zone is made once")
	call := f.service.Functions()[0].Call
	for _, args := range []object{{"name": "example.com."}, {"zoneId": f.zone}} {
		out, err := call(t.Context(), "eu-west-1", args)
		require.NoError(t, err)
		assert.Equal(t, f.zone, out["zoneId"])
		assert.Equal(t, "example.com", out["name"])
		assert.Len(t, out["nameServers"], 4)
	}
	for _, args := range []object{{"name": "example.org"}, {"name": "example.com", "privateZone": true}} {
		_, err := call(t.Context(), "eu-west-1", args)
		assert.ErrorContains(t, err, "no matching Route 53 Hosted Zone")
	}
	_, err := call(t.Context(), "eu-west-1", object{})
	assert.ErrorContains(t, err, "either name or zoneId")
}

func TestTheLongestZoneAnswers(t *testing.T) {
	f := newFixture(t, true)
	inner := f.service.CreateZone("eu.example.com")
	f.record("a.eu.example.com", object{"ttl": 60.0, "records": []any{"192.0.2.1"}})
	_, err := f.service.Resolve(t.Context(), "a.eu.example.com", "eu-west-1")
	assert.ErrorContains(t, err, "NXDOMAIN", "the outer zone is not asked about the inner one's names")
	f.record("a.eu.example.com", object{"zoneId": inner, "ttl": 60.0, "records": []any{"192.0.2.2"}})
	ips, err := f.service.Resolve(t.Context(), "a.eu.example.com", "eu-west-1")
	require.NoError(t, err)
	assert.Equal(t, []string{"192.0.2.2"}, ips)
}
