package route53_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tree builds the records of a stack: latency at the top, a failover pair for
// each of two regions below, and a health check on each region's leaf.
func (f *fixture) tree(ireland, frankfurt bool) {
	partner := map[string]string{"eu-west-1": "eu-central-1", "eu-central-1": "eu-west-1"}
	checks := map[string]string{"eu-west-1": f.fixed(ireland), "eu-central-1": f.fixed(frankfurt)}
	for region, other := range partner {
		group := "failover-" + region + ".api.example.com"
		f.record(group, object{"aliases": api(region), "setIdentifier": "primary", "healthCheckId": checks[region],
			"failoverRoutingPolicies": []any{object{"type": "PRIMARY"}}})
		f.record(group, object{"aliases": api(other), "setIdentifier": "secondary", "healthCheckId": checks[other],
			"failoverRoutingPolicies": []any{object{"type": "SECONDARY"}}})
		f.record("api.example.com", object{"aliases": f.to(group), "setIdentifier": region,
			"latencyRoutingPolicies": []any{object{"region": region}}})
		f.record(region+".api.example.com", object{"aliases": api(region)})
	}
}

func TestTheTreeLeadsToTheNearestHealthyRegion(t *testing.T) {
	tests := []struct {
		name               string
		ireland, frankfurt bool
		asked, viewer      string
		want               string
	}{
		{"the nearest", true, true, "api.example.com", "eu-west-2", "eu-west-1"},
		{"the nearest of another viewer", true, true, "api.example.com", "eu-central-2", "eu-central-1"},
		{"the partner of an unhealthy nearest", false, true, "api.example.com", "eu-west-2", "eu-central-1"},
		{"the other partner", true, false, "api.example.com", "eu-central-2", "eu-west-1"},
		{"the nearest if all are unhealthy", false, false, "api.example.com", "eu-west-2", "eu-west-1"},
		{"the nearest to another if all are unhealthy", false, false, "api.example.com", "eu-central-2", "eu-central-1"},
		{"the primary of a group", true, true, "failover-eu-west-1.api.example.com", "eu-central-1", "eu-west-1"},
		{"the secondary of a group without its primary", false, true, "failover-eu-west-1.api.example.com", "eu-west-1", "eu-central-1"},
		{"the primary of a group without either", false, false, "failover-eu-west-1.api.example.com", "eu-central-1", "eu-west-1"},
		{"a pinned name never moves", false, true, "eu-west-1.api.example.com", "eu-central-1", "eu-west-1"},
		{"whatever the case and the dot", true, true, "API.Example.COM.", "eu-west-1", "eu-west-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, true)
			f.tree(tt.ireland, tt.frankfurt)
			ips, err := f.service.Resolve(t.Context(), tt.asked, tt.viewer)
			require.NoError(t, err)
			assert.Equal(t, []string{ip(t, tt.want)}, ips)
		})
	}
}

// TestABranchWithoutHealthyLeavesIsBackedOutOf has no partners that would
// catch a region's clients, so the top must look elsewhere.
func TestABranchWithoutHealthyLeavesIsBackedOutOf(t *testing.T) {
	for name, tt := range map[string]struct {
		evaluate bool
		want     string
	}{
		"with evaluation": {true, "eu-central-1"}, "not without": {false, "eu-west-1"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, true)
			for region, up := range map[string]bool{"eu-west-1": false, "eu-central-1": true} {
				f.record("leaf-"+region+".api.example.com", object{"aliases": api(region), "healthCheckId": f.fixed(up)})
				to := f.to("leaf-" + region + ".api.example.com")
				to[0].(object)["evaluateTargetHealth"] = tt.evaluate
				f.record("api.example.com", object{"aliases": to, "setIdentifier": region,
					"latencyRoutingPolicies": []any{object{"region": region}}})
			}
			ips, err := f.service.Resolve(t.Context(), "api.example.com", "eu-west-1")
			require.NoError(t, err)
			assert.Equal(t, []string{ip(t, tt.want)}, ips)
		})
	}
}

func TestGeolocation(t *testing.T) {
	tests := []struct {
		name   string
		places map[string]object // region -> its location
		down   string
		viewer string
		want   string
	}{
		{"the country beats the continent", map[string]object{"eu-west-1": {"country": "DE"}, "eu-north-1": {"continent": "EU"}}, "", "eu-central-1", "eu-west-1"},
		{"the continent catches other countries", map[string]object{"eu-west-1": {"country": "DE"}, "eu-north-1": {"continent": "EU"}}, "", "eu-west-3", "eu-north-1"},
		{"the subdivision beats the country", map[string]object{"us-east-1": {"country": "US"}, "us-west-2": {"country": "US", "subdivision": "CA"}}, "", "us-west-1", "us-west-2"},
		{"the default catches the rest", map[string]object{"eu-west-1": {"continent": "EU"}, "us-east-1": {"country": "*"}}, "", "ap-south-1", "us-east-1"},
		{"nobody is caught without a default", map[string]object{"eu-west-1": {"continent": "EU"}}, "", "ap-south-1", ""},
		{"an unhealthy country falls back to its continent", map[string]object{"eu-west-1": {"country": "DE"}, "eu-north-1": {"continent": "EU"}}, "eu-west-1", "eu-central-1", "eu-north-1"},
		{"an unknown viewer gets the default", map[string]object{"eu-west-1": {"continent": "EU"}, "us-east-1": {"country": "*"}}, "", "nowhere", "us-east-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, true)
			for region, place := range tt.places {
				f.record("api.example.com", object{"aliases": api(region), "setIdentifier": region,
					"healthCheckId": f.fixed(region != tt.down), "geolocationRoutingPolicies": []any{place}})
			}
			ips, err := f.service.Resolve(t.Context(), "api.example.com", tt.viewer)
			if tt.want == "" {
				assert.ErrorContains(t, err, "NOERROR, no address")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, []string{ip(t, tt.want)}, ips)
		})
	}
}

func TestResolveSaysWhyThereIsNoAddress(t *testing.T) {
	f := newFixture(t, true)
	f.record("loop.example.com", object{"type": "CNAME", "ttl": 60.0, "records": []any{"pool.example.com"}})
	f.record("pool.example.com", object{"type": "CNAME", "ttl": 60.0, "records": []any{"loop.example.com"}})
	f.record("text.example.com", object{"type": "TXT", "ttl": 60.0, "records": []any{"hello"}})
	for name, want := range map[string]string{
		"none.example.com": "NXDOMAIN", "text.example.com": "NOERROR", "www.example.org": "REFUSED", "loop.example.com": "NOERROR",
	} {
		_, err := f.service.Resolve(t.Context(), name, "eu-west-1")
		assert.ErrorContains(t, err, want, name)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.service.Resolve(ctx, "text.example.com", "eu-west-1")
	assert.ErrorIs(t, err, context.Canceled)
}
