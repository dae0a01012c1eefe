package routing_test

import (
	"testing"
	"time"

	"github.com/crossregion/crossregion/components/routing"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/assert"
)

func TestWindow(t *testing.T) {
	tests := []struct {
		name   string
		checks routing.Checks
		want   time.Duration
	}{
		{"the default", routing.Checks{}, 178 * time.Second},
		{"the default in full", routing.Checks{IntervalSeconds: 30, Threshold: 3}, 178 * time.Second},
		{"faster probes", routing.Checks{IntervalSeconds: 10}, 118 * time.Second},
		{"a single probe", routing.Checks{IntervalSeconds: 10, Threshold: 1}, 86 * time.Second},
		{"the slowest", routing.Checks{Threshold: 10}, 430 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, tt.checks.Window()) })
	}
}

func TestHealthChecks(t *testing.T) {
	rec := record(t, european())
	for _, r := range european().regions {
		region, partner := r[0], r[1]
		endpoint := rec.One(t, checkToken, "routing-"+region+"-endpoint").Inputs
		assert.Equal(t, "HTTPS", endpoint["type"].StringValue())
		assert.Equal(t, region+".eu.example.com", endpoint["fqdn"].StringValue(), "a check on the shared name probes whoever is nearest")
		assert.Equal(t, "/healthz", endpoint["resourcePath"].StringValue())
		assert.False(t, endpoint.HasValue("invertHealthcheck"))

		drained := rec.One(t, checkToken, "routing-"+region+"-drained").Inputs
		assert.Equal(t, "HTTPS_STR_MATCH", drained["type"].StringValue())
		assert.Equal(t, partner+".eu.example.com", drained["fqdn"].StringValue(), "a region that is cut off cannot tell that it is drained")
		assert.Equal(t, "/healthz?drained="+region, drained["resourcePath"].StringValue())
		assert.Equal(t, `{"drained":true,"region":"`+region+`"}`, drained["searchString"].StringValue())
		assert.True(t, drained["invertHealthcheck"].BoolValue())

		for _, probe := range []resource.PropertyMap{endpoint, drained} {
			assert.Equal(t, 443.0, probe["port"].NumberValue())
			assert.True(t, probe["enableSni"].BoolValue(), "API Gateway knows a domain by SNI only")
			assert.Equal(t, 30.0, probe["requestInterval"].NumberValue(), "the window is made of this")
			assert.Equal(t, 3.0, probe["failureThreshold"].NumberValue(), "the window is made of this")
		}
		assert.Equal(t, routing.CheckerRegions(), texts(endpoint["regions"]), "no place alone decides that a region is well")
		assert.Equal(t, []string{"us-east-1", "ap-northeast-1", "sa-east-1"}, texts(drained["regions"]),
			"whoever reads the flag is right, and none is in the stack's regions")

		health := rec.One(t, checkToken, "routing-"+region+"-health").Inputs
		assert.Equal(t, "CALCULATED", health["type"].StringValue())
		assert.Equal(t, 2.0, health["childHealthThreshold"].NumberValue())
		var children []string
		for _, child := range health["childHealthchecks"].ArrayValue() {
			children = append(children, child.StringValue())
		}
		assert.ElementsMatch(t, []string{"routing-" + region + "-endpoint-id", "routing-" + region + "-drained-id"}, children)
	}
}

// TestRegionsThatKeepThemselvesHealthy: over 18 % of the checkers suffice.
func TestRegionsThatKeepThemselvesHealthy(t *testing.T) {
	regions := []string{"eu-central-1", "eu-west-1", "us-east-1"}
	tests := []struct {
		name   string
		places []string
		want   []string
	}{
		{"by default none of eight places decides", nil, nil},
		{"one of three", []string{"eu-west-1", "us-west-2", "sa-east-1"}, []string{"eu-west-1"}},
		{"two of five", []string{"eu-west-1", "us-east-1", "us-west-1", "us-west-2", "sa-east-1"}, []string{"eu-west-1", "us-east-1"}},
		{"none of six decides", []string{"eu-west-1", "us-east-1", "us-west-1", "us-west-2", "sa-east-1", "ap-southeast-1"}, nil},
		{"three places outside", []string{"us-west-1", "us-west-2", "sa-east-1"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, routing.Checks{CheckerRegions: tt.places}.Vetoes(regions))
		})
	}
}

func TestHealthChecksFollowTheSettings(t *testing.T) {
	n := european()
	n.checks = routing.Checks{IntervalSeconds: 10, Threshold: 2, CheckerRegions: []string{"us-east-1", "eu-west-1", "sa-east-1"}}
	rec := record(t, n)
	probes := 0
	for _, check := range rec.Of(checkToken) {
		if check.Inputs["type"].StringValue() == "CALCULATED" {
			continue
		}
		probes++
		assert.Equal(t, 10.0, check.Inputs["requestInterval"].NumberValue(), check.Name)
		assert.Equal(t, 2.0, check.Inputs["failureThreshold"].NumberValue(), check.Name)
		assert.Equal(t, n.checks.CheckerRegions, texts(check.Inputs["regions"]), check.Name)
	}
	assert.Equal(t, 6, probes)
}

// TestFlagsAreAskedForFromEverywhere where the stack's regions leave too few
// places away from them.
func TestFlagsAreAskedForFromEverywhere(t *testing.T) {
	for n, want := range map[int]int{5: 3, 6: 8} {
		everywhere := european()
		everywhere.regions = nil
		for i, place := range routing.CheckerRegions()[:n] {
			everywhere.regions = append(everywhere.regions, [2]string{place, routing.CheckerRegions()[(i+1)%n]})
		}
		for _, check := range record(t, everywhere).Of(checkToken) {
			if check.Inputs["type"].StringValue() == "HTTPS_STR_MATCH" {
				assert.Len(t, texts(check.Inputs["regions"]), want, check.Name)
			}
		}
	}
}

// TestNamesOfHealthChecksTellThemApart where the console shows nothing else.
func TestNamesOfHealthChecksTellThemApart(t *testing.T) {
	names := map[string]bool{}
	for _, check := range record(t, european()).Of(checkToken) {
		names[check.Inputs["tags"].ObjectValue()["Name"].StringValue()] = true
	}
	assert.Len(t, names, 9)
	assert.True(t, names["eu.example.com eu-west-1-drained"])
}

// texts are the strings in a list.
func texts(list resource.PropertyValue) []string {
	var all []string
	for _, v := range list.ArrayValue() {
		all = append(all, v.StringValue())
	}
	return all
}
