package apigateway_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/acm"
	"github.com/crossregion/crossregion/local/apigateway"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/lambda"
	"github.com/crossregion/crossregion/local/route53"
	"github.com/crossregion/crossregion/local/wafv2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// edges are the three edges of two regions, wired as a stack wires them.
type edges struct {
	t       *testing.T
	clock   *cloud.ManualClock
	network *cloud.Network
	lambda  *functions
	types   map[string]cloud.Resource
	dns     *route53.Service
	zone    string
}

func newEdges(t *testing.T) *edges {
	e := &edges{
		t: t, clock: cloud.NewManualClock(time.Unix(0, 0)), network: cloud.NewNetwork("0"),
		lambda: &functions{by: map[string]func(context.Context, lambda.Invocation) (*lambda.Result, error){}},
		types:  map[string]cloud.Resource{},
	}
	world := cloud.World{Clock: e.clock, Network: e.network, Log: slog.New(slog.DiscardHandler)}
	e.dns = route53.New(route53.Config{World: world})
	certificates := acm.New(e.dns)
	gateway := apigateway.New(apigateway.Config{
		World: world, Lambda: e.lambda, Certificates: certificates, Roles: roles{}, Logs: &logs{}, Firewall: wafv2.New(world.Clock),
	})
	e.dns.UseTargets(gateway)
	e.zone = e.dns.CreateZone("example.com")
	t.Cleanup(func() { assert.NoError(t, e.dns.Close()) })
	for _, list := range [][]cloud.Resource{e.dns.Resources(), certificates.Resources(), gateway.Resources()} {
		for _, r := range list {
			_, kind, _ := strings.Cut(strings.TrimPrefix(r.Token, "aws:"), ":")
			e.types[kind] = r
		}
	}
	for _, at := range []string{"eu-west-1", "eu-central-1"} {
		ip, err := cloud.RegionIP(at)
		require.NoError(t, err)
		l, err := e.network.Listen(ip)
		require.NoError(t, err)
		server := &httptest.Server{Listener: l, Config: &http.Server{Handler: gateway.Handler(at)}}
		server.Start()
		t.Cleanup(server.Close)
	}
	return e
}

func (e *edges) create(at, token string, inputs object) cloud.State {
	e.t.Helper()
	state, err := e.types[token].Create(e.t.Context(), at, token+"-"+at, inputs)
	require.NoError(e.t, err)
	return state
}

// region deploys an API with its certificate, its domains and its records.
func (e *edges) region(at string) {
	e.t.Helper()
	cert := e.create(at, "Certificate", object{"domainName": "api.example.com", "validationMethod": "DNS",
		"subjectAlternativeNames": []any{"*.api.example.com"}})
	for _, o := range cert.Outputs["domainValidationOptions"].([]any) {
		o := o.(object)
		e.create(at, "Record", object{"zoneId": e.zone, "name": o["resourceRecordName"], "type": o["resourceRecordType"],
			"ttl": 60.0, "records": []any{o["resourceRecordValue"]}, "allowOverwrite": true})
	}
	e.create(at, "CertificateValidation", object{"certificateArn": cert.ID})
	function := "arn:aws:lambda:" + at + ":123456789012:function:health"
	e.lambda.define(function, returns(`{"statusCode":200,"body":"`+at+`"}`))
	api := e.create(at, "RestApi", object{"endpointConfiguration": object{"types": "REGIONAL"}, "body": `{"openapi":"3.0.1",` +
		`"info":{},"paths":{"/healthz":{"get":{"x-amazon-apigateway-integration":{"type":"aws_proxy","httpMethod":"POST","uri":"` +
		uri(function, false) + `"}}}}}`})
	deployment := e.create(at, "Deployment", object{"restApi": api.ID})
	e.create(at, "Stage", object{"restApi": api.ID, "deployment": deployment.ID, "stageName": "live"})
	for _, name := range []string{"api.example.com", "*.api.example.com"} {
		domain := e.create(at, "DomainName", object{"domainName": name, "regionalCertificateArn": cert.ID,
			"endpointConfiguration": object{"types": "REGIONAL"}})
		e.create(at, "BasePathMapping", object{"restApi": api.ID, "stageName": "live", "domainName": name})
		e.records(at, name, domain)
	}
}

func (e *edges) records(at, name string, domain cloud.State) {
	inputs := object{"zoneId": e.zone, "type": "A", "aliases": []any{object{"name": domain.Outputs["regionalDomainName"],
		"zoneId": domain.Outputs["regionalZoneId"], "evaluateTargetHealth": true}}}
	if name != "api.example.com" {
		e.create(at, "Record", with(inputs, object{"name": at + ".api.example.com"}))
		return
	}
	check := e.create(at, "HealthCheck", object{"type": "HTTPS", "fqdn": at + ".api.example.com", "resourcePath": "/healthz",
		"failureThreshold": 1.0, "requestInterval": 10.0})
	e.create(at, "Record", with(inputs, object{"name": name, "setIdentifier": at, "healthCheckId": check.ID,
		"latencyRoutingPolicies": []any{object{"region": at}}}))
}

// get asks by name, as a client in the given region.
func (e *edges) get(host, viewer string) string {
	e.t.Helper()
	ips, err := e.dns.Resolve(e.t.Context(), host, viewer)
	require.NoError(e.t, err)
	client := &http.Client{Transport: &http.Transport{DialContext: e.network.DialContext, DisableKeepAlives: true}}
	r, err := http.NewRequestWithContext(e.t.Context(), http.MethodGet, "http://"+ips[0]+":443/healthz", nil)
	require.NoError(e.t, err)
	r.Host = host
	res, err := client.Do(r)
	require.NoError(e.t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(e.t, err)
	return string(body)
}

func TestTheEdgesTogetherFailOver(t *testing.T) {
	e := newEdges(t)
	e.region("eu-west-1")
	e.region("eu-central-1")
	const probes = 2 * 8 // one of each region, from eight
	probe := func() {
		require.NoError(t, e.clock.AwaitSleepers(t.Context(), probes))
		e.clock.Advance(10 * time.Second)
		require.NoError(t, e.clock.AwaitSleepers(t.Context(), probes))
	}
	probe()
	assert.Equal(t, "eu-west-1", e.get("api.example.com", "eu-west-2"))
	assert.Equal(t, "eu-central-1", e.get("api.example.com", "eu-central-2"))
	e.lambda.define("arn:aws:lambda:eu-west-1:123456789012:function:health", fails("broken build"))
	probe()
	assert.Equal(t, "eu-central-1", e.get("api.example.com", "eu-west-2"), "DNS leaves the broken region")
	assert.JSONEq(t, `{"message":"Internal server error"}`, e.get("eu-west-1.api.example.com", "eu-west-2"), "the pinned name stays")
}
