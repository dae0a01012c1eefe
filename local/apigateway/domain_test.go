package apigateway_test

import (
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (f *fixture) domain(name string, mappings ...object) cloud.State {
	f.t.Helper()
	d := f.mustCreate("DomainName", name, object{"domainName": name, "regionalCertificateArn": certificate,
		"endpointConfiguration": object{"types": "REGIONAL"}})
	for _, m := range mappings {
		f.mustCreate("BasePathMapping", name, with(m, object{"domainName": name}))
	}
	return d
}

func TestCustomDomainsAreFound(t *testing.T) {
	f := newFixture(t)
	f.lambda.define(serve, returns(`{"statusCode":200,"body":"served"}`))
	id, _ := f.deploy("api", document(object{"/x": object{"get": open(buffered())}}))
	to := object{"restApi": id, "stageName": "prod"}
	f.domain("api.example.com", to, with(to, object{"basePath": "v1/beta"}))
	f.domain("*.example.com", with(to, object{"basePath": "any"}))
	f.domain("staged.example.com", object{"restApi": id})
	f.domain("empty.example.com")
	tests := []struct {
		name, host, path string
		status           int
	}{
		{"by the name itself", "api.example.com", "/x", 200},
		{"whatever the case and the port", "API.example.com:443", "/x", 200},
		{"under a base path of two segments", "api.example.com", "/v1/beta/x", 200},
		{"not under half a base path", "api.example.com", "/v1/x", 403},
		{"by a wildcard, for one label", "eu.example.com", "/any/x", 200},
		{"not by a wildcard for two labels", "a.b.example.com", "/any/x", 403},
		{"an exact name hides the wildcard", "api.example.com", "/any/x", 403},
		{"with the stage in the path", "staged.example.com", "/prod/x", 200},
		{"not with another stage in the path", "staged.example.com", "/beta/x", 403},
		{"not without a mapping", "empty.example.com", "/x", 403},
		{"not without a mapping for the path", "eu.example.com", "/x", 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.status, f.do("GET", tt.host, tt.path).status)
		})
	}
}

func TestLookupKnowsTheNamesThatAPIGatewayMade(t *testing.T) {
	f := newFixture(t)
	_, host := f.deploy("api", document(object{"/x": object{"get": open(buffered())}}))
	regional := f.domain("api.example.com").Outputs["regionalDomainName"].(string)
	want, err := cloud.RegionIP(region)
	require.NoError(t, err)
	for _, name := range []string{host, regional, strings.ToUpper(regional) + "."} {
		ip, ok := f.service.Lookup(name)
		assert.True(t, ok, name)
		assert.Equal(t, want, ip, name)
	}
	for _, name := range []string{"api.example.com", "x" + host, "", "d-0.execute-api.eu-west-1.amazonaws.com"} {
		_, ok := f.service.Lookup(name)
		assert.False(t, ok, name)
	}
}

func TestCheckAlias(t *testing.T) {
	f := newFixture(t)
	id, host := f.deploy("api", document(object{"/x": object{"get": open(buffered())}}))
	to := object{"restApi": id, "stageName": "prod"}
	shared := f.domain("api.example.com", to)
	f.domain("*.api.example.com", to)
	f.domain("other.example.com")
	name, zone := shared.Outputs["regionalDomainName"].(string), shared.Outputs["regionalZoneId"].(string)
	tests := []struct{ name, record, target, zone, want string }{
		{"the domain's own name", "api.example.com", name, zone, ""},
		{"a name of another domain of the same API", "eu.api.example.com.", name, zone, ""},
		{"a name of a domain of no API", "other.example.com", name, zone, "does not match a custom domain"},
		{"a name of no domain", "www.example.com", name, zone, "does not match a custom domain"},
		{"another zone", "api.example.com", name, "Z2", `hosted zone "Z2"`},
		{"the default endpoint", "api.example.com", host, zone, "no custom domain"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := f.service.CheckAlias(tt.record, tt.target, tt.zone)
			if tt.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
