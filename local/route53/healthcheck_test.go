package route53_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func endpoint(extra object) object {
	return with(object{"type": "HTTPS", "fqdn": "eu.api.example.com", "resourcePath": "/healthz"}, extra)
}

func TestHealthCheckRefuses(t *testing.T) {
	f := newFixture(t, true)
	calculated := f.fixed(true)
	group := func(extra object) object {
		return with(object{"type": "CALCULATED", "childHealthThreshold": 1.0}, extra)
	}
	tests := []struct {
		name   string
		inputs object
		want   string
	}{
		{"another type", endpoint(object{"type": "TCP"}), `type "TCP" are not supported`},
		{"no name", endpoint(object{"fqdn": ""}), "fqdn is 0 characters"},
		{"a port that is none", endpoint(object{"port": 65536.0}), "want 1 to 65535"},
		{"a path over 255 characters", endpoint(object{"resourcePath": "/" + strings.Repeat("x", 255)}), "limit of 255"},
		{"an interval of 20", endpoint(object{"requestInterval": 20.0}), "want 10 or 30"},
		{"a threshold of 11", endpoint(object{"failureThreshold": 11.0}), "want 1 to 10"},
		{"a search without _STR_MATCH", endpoint(object{"searchString": "x"}), "none for other types"},
		{"_STR_MATCH without a search", endpoint(object{"type": "HTTPS_STR_MATCH"}), "want 1 to 255"},
		{"two checker regions", endpoint(object{"regions": []any{"us-east-1", "eu-west-1"}}), "at least 3"},
		{"a region without checkers", endpoint(object{"regions": []any{"us-east-1", "eu-west-1", "eu-central-1"}}), `does not probe from "eu-central-1"`},
		{"children of an endpoint", endpoint(object{"childHealthThreshold": 1.0}), "belong to CALCULATED"},
		{"the status of missing data", endpoint(object{"insufficientDataHealthStatus": "Healthy"}), "CLOUDWATCH_METRIC"},
		{"an IP address", endpoint(object{"ipAddress": "192.0.2.1"}), `does not know property "ipAddress"`},
		{"a calculated check of an endpoint", group(object{"fqdn": "a.example.com"}), "no properties of an endpoint"},
		{"a calculated check without threshold", object{"type": "CALCULATED"}, "childHealthThreshold is missing"},
		{"a threshold over 256", group(object{"childHealthThreshold": 257.0}), "want 0 to 256"},
		{"a child that does not exist", group(object{"childHealthchecks": []any{"0"}}), "does not exist"},
		{"a child that is calculated", group(object{"childHealthchecks": []any{calculated}}), "is itself calculated"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := f.create("HealthCheck", tt.inputs)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

// watched puts a check on the nearer of two records; up tells what they show.
func (f *fixture) watched(check string) (up func() bool) {
	f.record("near.api.example.com", object{"aliases": api("eu-west-1"), "setIdentifier": "1", "healthCheckId": check,
		"failoverRoutingPolicies": []any{object{"type": "PRIMARY"}}})
	f.record("near.api.example.com", object{"aliases": api("eu-central-1"), "setIdentifier": "2",
		"failoverRoutingPolicies": []any{object{"type": "SECONDARY"}}})
	return func() bool {
		ips, err := f.service.Resolve(f.t.Context(), "near.api.example.com", "eu-west-1")
		require.NoError(f.t, err)
		return ips[0] == ip(f.t, "eu-west-1")
	}
}

// checkers is how many probe an endpoint unless its check says otherwise.
const checkers = 8

// step lets one interval pass, and waits until all checkers have probed.
func (f *fixture) step(d time.Duration) { f.stepOf(d, checkers) }

func (f *fixture) stepOf(d time.Duration, checkers int) {
	f.t.Helper()
	require.NoError(f.t, f.clock.AwaitSleepers(f.t.Context(), checkers))
	f.clock.Advance(d)
	for range checkers {
		<-f.probed
	}
	require.NoError(f.t, f.clock.AwaitSleepers(f.t.Context(), checkers))
}

const healthz = "https://eu.api.example.com:443/healthz"

func TestAnEndpointTurnsAfterResultsInARow(t *testing.T) {
	f := newFixture(t, true)
	up := f.watched(f.check(endpoint(object{"requestInterval": 10.0, "failureThreshold": 2.0})))
	assert.True(t, up(), "new checks start healthy")
	var seen []bool
	for _, down := range []bool{true, false, true, true, false, true, false, false} {
		f.set(healthz, down)
		f.step(10 * time.Second)
		seen = append(seen, up())
	}
	assert.Equal(t, []bool{true, true, true, false, false, false, false, true}, seen)
}

func TestDefaultsAreThreeResultsThirtySecondsApart(t *testing.T) {
	f := newFixture(t, true)
	up := f.watched(f.check(endpoint(nil)))
	f.set(healthz, true)
	f.step(30 * time.Second)
	f.clock.Advance(29 * time.Second)
	assert.Empty(t, f.probed)
	f.step(time.Second)
	assert.True(t, up())
	f.step(30 * time.Second)
	assert.False(t, up())
}

// TestCheckersProbeOneAfterTheOther within the first interval, and keep their
// distance.
func TestCheckersProbeOneAfterTheOther(t *testing.T) {
	f := newFixture(t, true)
	f.check(endpoint(object{"requestInterval": 10.0, "regions": []any{"eu-west-1", "us-east-1", "us-west-2", "sa-east-1"}}))
	for range 3 * 4 {
		require.NoError(t, f.clock.AwaitSleepers(t.Context(), 4))
		f.clock.Advance(2500*time.Millisecond - 1)
		assert.Empty(t, f.probed)
		f.clock.Advance(1)
		<-f.probed
	}
	assert.Empty(t, f.probed)
}

// TestAnEndpointIsHealthyForMoreThanAFewCheckers: over 18 % of them suffice, be
// the others cut off from it.
func TestAnEndpointIsHealthyForMoreThanAFewCheckers(t *testing.T) {
	all := []string{"ap-northeast-1", "ap-southeast-1", "ap-southeast-2", "eu-west-1", "sa-east-1", "us-east-1", "us-west-1", "us-west-2"}
	tests := []struct {
		name      string
		of, blind int
		want      bool
	}{
		{"all of eight", 8, 0, true},
		{"two of eight are 25 %", 8, 6, true},
		{"one of eight is 12.5 %", 8, 7, false},
		{"one of six is 16.7 %", 6, 5, false},
		{"one of five is 20 %", 5, 4, true},
		{"one of three", 3, 2, true},
		{"none of three", 3, 3, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, true)
			var regions []any
			for n, region := range all[:tt.of] {
				regions, f.blind[region] = append(regions, region), n < tt.blind
			}
			up := f.watched(f.check(endpoint(object{"regions": regions, "failureThreshold": 2.0})))
			f.stepOf(30*time.Second, tt.of)
			assert.True(t, up(), "each checker waits for a second result")
			f.stepOf(30*time.Second, tt.of)
			assert.Equal(t, tt.want, up())
			f.mu.Lock()
			clear(f.blind)
			f.mu.Unlock()
			f.stepOf(30*time.Second, tt.of)
			f.stepOf(30*time.Second, tt.of)
			assert.True(t, up(), "they find it again")
		})
	}
}

func TestHealthChecks(t *testing.T) {
	tests := []struct {
		name   string
		inputs object
		down   bool
		want   bool
	}{
		{"a good answer", endpoint(nil), false, true},
		{"a bad answer", endpoint(nil), true, false},
		{"a match", endpoint(object{"type": "HTTPS_STR_MATCH", "searchString": "drained=eu-west-1"}), false, true},
		{"no match", endpoint(object{"type": "HTTPS_STR_MATCH", "searchString": "Drained"}), false, false},
		{"inverted, a good answer", endpoint(object{"invertHealthcheck": true}), false, false},
		{"inverted, a bad answer", endpoint(object{"invertHealthcheck": true}), true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, true)
			up := f.watched(f.check(with(tt.inputs, object{"failureThreshold": 1.0})))
			f.set(healthz, tt.down)
			f.step(30 * time.Second)
			assert.Equal(t, tt.want, up())
		})
	}
}

func TestADisabledCheckIsHealthyAndDoesNotProbe(t *testing.T) {
	f := newFixture(t, true)
	up := f.watched(f.check(endpoint(object{"disabled": true, "failureThreshold": 1.0})))
	f.set(healthz, true)
	f.check(endpoint(object{"fqdn": "other.api.example.com"})) // whose probes are waited for
	for range 3 {
		require.NoError(t, f.clock.AwaitSleepers(t.Context(), checkers))
		f.clock.Advance(30 * time.Second)
		for range checkers {
			assert.NotEqual(t, healthz, <-f.probed)
		}
	}
	assert.True(t, up())
}

// TestADrainedRegion is the check of a region's leaf: its own endpoint, and
// its partner not saying that it is drained.
func TestADrainedRegion(t *testing.T) {
	for drained, want := range map[string]bool{"drained=eu-west-1": false, "drained=eu-west-2": true} {
		t.Run(drained, func(t *testing.T) {
			f := newFixture(t, true)
			own := f.check(endpoint(object{"failureThreshold": 1.0}))
			partner := f.check(endpoint(object{"type": "HTTPS_STR_MATCH", "searchString": drained, "invertHealthcheck": true,
				"fqdn": "partner.api.example.com", "failureThreshold": 1.0}))
			up := f.watched(f.check(object{"type": "CALCULATED", "childHealthchecks": []any{own, partner}, "childHealthThreshold": 2.0}))
			f.stepOf(30*time.Second, 2*checkers)
			assert.Equal(t, want, up())
		})
	}
}

// TestTheDefaultProbe goes through DNS and the network of the cloud.
func TestTheDefaultProbe(t *testing.T) {
	body := strings.Repeat(".", 5120) + "late"
	tests := []struct {
		name, path, search string
		want               bool
	}{
		{"a good answer", "/ok?x=1", "", true},
		{"a redirect, which is not followed", "/redirect", "", true},
		{"a bad answer", "/bad", "", false},
		{"a match at the beginning", "/ok", ".", true},
		{"a match after 5,120 bytes", "/ok", "late", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, false)
			l, err := f.network.Listen(ip(t, "eu-west-1"))
			require.NoError(t, err)
			hosts := make(chan string, 100)
			server := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				hosts <- r.Host
				switch r.URL.Path {
				case "/redirect":
					http.Redirect(w, r, "/bad", http.StatusFound)
				case "/bad":
					w.WriteHeader(http.StatusServiceUnavailable)
				default:
					fmt.Fprint(w, body)
				}
			})}}
			server.Start()
			t.Cleanup(server.Close)
			f.record("eu.api.example.com", object{"aliases": api("eu-west-1")})
			inputs := endpoint(object{"resourcePath": tt.path, "failureThreshold": 1.0})
			if tt.search != "" {
				inputs = with(inputs, object{"type": "HTTPS_STR_MATCH", "searchString": tt.search})
			}
			up := f.watched(f.check(inputs))
			require.NoError(t, f.clock.AwaitSleepers(t.Context(), checkers))
			f.clock.Advance(30 * time.Second)
			for range checkers {
				assert.Equal(t, "eu.api.example.com", <-hosts)
			}
			require.NoError(t, f.clock.AwaitSleepers(t.Context(), checkers))
			assert.Equal(t, tt.want, up())
			assert.Empty(t, hosts, "one request for each probe")
		})
	}
}

func TestAnEndpointThatCannotBeReachedIsDown(t *testing.T) {
	for _, fqdn := range []string{"none.example.com", "www.example.org", "d-eu-west-1"} {
		t.Run(fqdn, func(t *testing.T) {
			f := newFixture(t, false)
			up := f.watched(f.check(endpoint(object{"fqdn": fqdn, "failureThreshold": 1.0})))
			require.NoError(t, f.clock.AwaitSleepers(t.Context(), checkers))
			f.clock.Advance(30 * time.Second)
			require.NoError(t, f.clock.AwaitSleepers(t.Context(), checkers))
			assert.False(t, up())
		})
	}
}

func TestTheDefaultProbeKnowsNamesOfAPIGateway(t *testing.T) {
	f := newFixture(t, false)
	l, err := f.network.Listen(ip(t, "eu-west-1"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, l.Close()) })
	f.check(endpoint(object{"fqdn": "d-eu-west-1"}))
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		assert.NoError(t, err)
		accepted <- c
	}()
	require.NoError(t, f.clock.AwaitSleepers(t.Context(), checkers))
	f.clock.Advance(30 * time.Second)
	assert.NoError(t, (<-accepted).Close())
}

// TestARegionThatOnlyItsOwnCheckersReach: cut off from everywhere else, eu-west-1
// is still well for the checkers there. Among all eight places they are 12.5 %,
// and clients are led to the partner; among three they are a third, and clients
// stay with a region that does not answer them.
func TestARegionThatOnlyItsOwnCheckersReach(t *testing.T) {
	tests := []struct {
		name   string
		places []string
		ledTo  string
	}{
		{"by default clients move", nil, "eu-central-1"},
		{"with three places, its own among them, they stay", []string{"eu-west-1", "us-east-1", "us-west-2"}, "eu-west-1"},
		{"with five places, its own among them, they stay", []string{"eu-west-1", "us-east-1", "us-west-2", "sa-east-1", "us-west-1"}, "eu-west-1"},
		{"with six places, its own among them, they move", []string{"eu-west-1", "us-east-1", "us-west-2", "sa-east-1", "us-west-1", "ap-northeast-1"}, "eu-central-1"},
		{"with three places elsewhere they move", []string{"us-east-1", "us-west-2", "sa-east-1"}, "eu-central-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, true)
			inputs, watching := endpoint(object{"failureThreshold": 1.0}), checkers
			if tt.places != nil {
				var places []any
				for _, place := range tt.places {
					places = append(places, place)
				}
				inputs["regions"], watching = places, len(places)
			}
			f.watched(f.check(inputs))
			f.record("api.example.com", object{"aliases": f.to("near.api.example.com"), "setIdentifier": "1",
				"latencyRoutingPolicies": []any{object{"region": "eu-west-1"}}})
			addr := f.serve("eu-west-1")
			led := func() string {
				reply := exchange(t, "udp", addr, ask("api.example.com", dns.TypeA))
				require.Len(t, reply.Answer, 1)
				return reply.Answer[0].(*dns.A).A.String()
			}
			assert.Equal(t, ip(t, "eu-west-1"), led())
			f.mu.Lock()
			for _, place := range []string{"ap-northeast-1", "ap-southeast-1", "ap-southeast-2", "sa-east-1", "us-east-1", "us-west-1", "us-west-2"} {
				f.blind[place] = true
			}
			f.mu.Unlock()
			f.stepOf(30*time.Second, watching)
			assert.Equal(t, ip(t, tt.ledTo), led())
		})
	}
}
