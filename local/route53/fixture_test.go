package route53_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/route53"
	"github.com/stretchr/testify/require"
)

type object = map[string]any

// apis are the names of API Gateway: d-REGION resolves to the region's name.
type apis struct{}

func (apis) Lookup(name string) (string, bool) {
	region, ok := strings.CutPrefix(strings.ToLower(strings.TrimSuffix(name, ".")), "d-")
	if !ok {
		return "", false
	}
	ip, err := cloud.RegionIP(region)
	return ip, err == nil
}

func (apis) CheckAlias(record, name, zone string) error {
	if zone != "ZAPI" {
		return errors.New("wrong zone")
	}
	if !strings.HasSuffix(record, "api.example.com") {
		return errors.New("does not match a custom domain")
	}
	return nil
}

// fixture is Route 53 with one zone, whose probes answer as the test says.
type fixture struct {
	t       *testing.T
	clock   *cloud.ManualClock
	network *cloud.Network
	service *route53.Service
	zone    string
	types   []cloud.Resource

	mu     sync.Mutex
	down   map[string]bool // by URL
	blind  map[string]bool // checkers that reach nothing
	probed chan string     // URL of each probe
}

func newFixture(t *testing.T, probe bool) *fixture {
	t.Helper()
	f := &fixture{
		t: t, clock: cloud.NewManualClock(time.Unix(0, 0)), network: cloud.NewNetwork("0"),
		down: map[string]bool{}, blind: map[string]bool{}, probed: make(chan string, 100),
	}
	cfg := route53.Config{World: cloud.World{Clock: f.clock, Network: f.network, Log: slog.New(slog.DiscardHandler)}}
	if probe {
		cfg.Probe = f.probe
	}
	f.service = route53.New(cfg)
	f.service.UseTargets(apis{})
	f.types = f.service.Resources()
	f.zone = f.service.CreateZone("example.com")
	t.Cleanup(func() { require.NoError(t, f.service.Close()) })
	return f
}

func (f *fixture) probe(_ context.Context, url, checker string) (int, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.probed <- url
	if f.blind[checker] {
		return 0, "", errors.New("no route")
	}
	if f.down[url] {
		return 503, "", nil
	}
	return 200, "drained=eu-west-1", nil
}

func (f *fixture) set(url string, down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down[url] = down
}

func (f *fixture) create(token string, inputs object) (cloud.State, error) {
	for _, r := range f.types {
		if strings.HasSuffix(r.Token, ":"+token) {
			return r.Create(f.t.Context(), "eu-west-1", "name", inputs)
		}
	}
	return cloud.State{}, errors.New("no resource type " + token)
}

func (f *fixture) record(name string, inputs object) cloud.State {
	f.t.Helper()
	state, err := f.create("Record", f.inputs(name, inputs))
	require.NoError(f.t, err)
	return state
}

// inputs completes those of a record, of type A unless they say otherwise.
func (f *fixture) inputs(name string, inputs object) object {
	all := object{"zoneId": f.zone, "name": name, "type": "A"}
	for k, v := range inputs {
		all[k] = v
	}
	return all
}

func (f *fixture) check(inputs object) string {
	f.t.Helper()
	state, err := f.create("HealthCheck", inputs)
	require.NoError(f.t, err)
	return state.ID
}

// fixed is a health check whose state the test chooses: it is calculated, wants
// no healthy child, and is inverted if it shall be down.
func (f *fixture) fixed(up bool) string {
	return f.check(object{"type": "CALCULATED", "childHealthThreshold": 0.0, "invertHealthcheck": !up})
}

func api(region string) []any {
	return []any{object{"name": "d-" + region, "zoneId": "ZAPI", "evaluateTargetHealth": true}}
}

func (f *fixture) to(name string) []any {
	return []any{object{"name": name, "zoneId": f.zone, "evaluateTargetHealth": true}}
}

func ip(t *testing.T, region string) string {
	t.Helper()
	if region == "" {
		return ""
	}
	address, err := cloud.RegionIP(region)
	require.NoError(t, err)
	return address
}
