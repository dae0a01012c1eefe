package routing_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/routing"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/route53"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// state is how one region is.
type state int

const (
	up      state = iota
	down          // nothing answers
	drained       // by a flag that every region has
	cutOff        // drained by a flag that every region has but itself
	states
)

// world is the state of every region.
type world map[string]state

// worlds are all combinations of the first n states of the regions.
func worlds(n state, regions ...string) []world {
	all := []world{{}}
	for _, region := range regions {
		var more []world
		for _, w := range all {
			for s := range n {
				next := world{region: s}
				for r, before := range w {
					next[r] = before
				}
				more = append(more, next)
			}
		}
		all = more
	}
	return all
}

// get answers a probe as a region's API does.
func (w world) get(host, pathAndQuery string) (status int, body string) {
	region, _, _ := strings.Cut(host, ".")
	path, query, asked := strings.Cut(pathAndQuery, "?"+contract.QueryDrained+"=")
	switch {
	case w[region] == down || path != contract.HealthPath:
		return 0, ""
	case asked:
		return 200, contract.DrainedAnswer(query, w[query] == drained || w[query] == cutOff && query != region)
	case w[region] == drained:
		return 503, ""
	default:
		return 200, ""
	}
}

// inService tells whether a region should get clients: it is up, and no
// partner that can speak says that it is drained.
func (w world) inService(region, partner string) bool {
	return w[region] == up || w[region] == cutOff && w[partner] == down
}

// want is the region that a viewer should get, by the promises alone: from the
// nearest region on, the first that is in service or whose partner is; the
// nearest if none is.
func (n name) want(at string, w world) string {
	partner := map[string]string{}
	var near []string
	for _, r := range n.regions {
		partner[r[0]] = r[1]
		near = append(near, r[0])
	}
	byLatency(near, at)
	for _, r := range near {
		for _, candidate := range []string{r, partner[r]} {
			if w.inService(candidate, partner[candidate]) {
				return candidate
			}
		}
	}
	return near[0]
}

// byLatency sorts regions, the nearest to a viewer first.
func byLatency(regions []string, at string) {
	slices.SortFunc(regions, func(a, b string) int { return cmp.Compare(cloud.Latency(at, a), cloud.Latency(at, b)) })
}

// TestEveryViewerGetsTheNearestHealthyRegion walks the records for every
// combination of states and every viewer, by the documentation and by the
// embedded cloud, which must agree.
func TestEveryViewerGetsTheNearestHealthyRegion(t *testing.T) {
	n := european()
	n.checks = routing.Checks{IntervalSeconds: 10, Threshold: 1}
	rec := record(t, n)
	z, r := newZone(rec), newResolver(t, rec)
	for _, w := range worlds(states, "eu-central-1", "eu-west-1", "eu-north-1") {
		r.become(w)
		for _, at := range cloud.Regions() {
			want := n.want(at, w)
			got := regionOf(z.resolve(n.domain, viewer{region: at}, w))
			require.Equal(t, want, got, "%v seen from %s", w, at)
			require.Equal(t, want, r.resolve(n.domain, at), "the embedded cloud disagrees: %v seen from %s", w, at)
			require.Contains(t, w, got, "R1: an address outside of the stack")
			for region := range w {
				require.Equal(t, region, regionOf(z.resolve(region+"."+n.domain, viewer{region: at}, w)), "a pinned name never moves")
			}
		}
	}
}

// TestPromises are the rows of the table above that the promises are made of.
func TestPromises(t *testing.T) {
	z, n := newZone(record(t, european())), european()
	tests := []struct {
		name   string
		w      world
		viewer string
		want   string
	}{
		{"the nearest", world{}, "eu-west-2", "eu-west-1"},
		{"the partner of the nearest", world{"eu-west-1": down}, "eu-west-2", "eu-central-1"},
		{"the partner, though another is nearer", world{"eu-north-1": down}, "eu-north-1", "eu-west-1"},
		{"a third region if both are down", world{"eu-west-1": down, "eu-central-1": down}, "eu-west-2", "eu-north-1"},
		{"the nearest if all are down", world{"eu-west-1": down, "eu-central-1": down, "eu-north-1": down}, "eu-west-2", "eu-west-1"},
		{"the nearest if all are drained", world{"eu-west-1": drained, "eu-central-1": drained, "eu-north-1": drained}, "eu-west-2", "eu-west-1"},
		{"not a drained region", world{"eu-west-1": drained}, "eu-west-2", "eu-central-1"},
		{"not a drained region whose partner is down", world{"eu-west-1": drained, "eu-central-1": down}, "eu-west-2", "eu-north-1"},
		{"not a drained region that does not know it", world{"eu-west-1": cutOff}, "eu-west-2", "eu-central-1"},
		{"that one, if nobody can say that it is drained", world{"eu-west-1": cutOff, "eu-central-1": down}, "eu-west-2", "eu-west-1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, n.want(tt.viewer, tt.w))
			assert.Equal(t, tt.want, regionOf(z.resolve(n.domain, viewer{region: tt.viewer}, tt.w)))
		})
	}
}

// regionOf is the region of an API's wildcard domain.
func regionOf(api string) string { return strings.TrimSuffix(api, "-gateway-wildcard.aws") }

// resolver is the embedded cloud's Route 53, fed with what was registered.
type resolver struct {
	t       *testing.T
	clock   *cloud.ManualClock
	service *route53.Service
	probes  int   // of one interval
	world   world // changes while no probe runs
}

func newResolver(t *testing.T, rec *componenttest.Recorder) *resolver {
	t.Helper()
	r := &resolver{t: t, clock: cloud.NewManualClock(time.Unix(0, 0))}
	r.service = route53.New(route53.Config{
		World: cloud.World{Clock: r.clock, Log: slog.New(slog.DiscardHandler)}, Probe: r.probe, Targets: apis{},
	})
	t.Cleanup(func() { require.NoError(t, r.service.Close()) })
	ids := map[string]string{zoneID: r.service.CreateZone("example.com")}
	create := map[string]cloud.Resource{}
	for _, one := range r.service.Resources() {
		create[one.Token] = one
	}
	for _, g := range routed(rec) {
		state, err := create[g.Type].Create(t.Context(), "eu-west-1", g.Name, rename(g.Inputs.Mappable(), ids).(map[string]any))
		require.NoError(t, err, g.Name)
		ids[g.Name+"-id"] = state.ID
		if g.Type == checkToken && g.Inputs["type"].StringValue() != "CALCULATED" {
			r.probes += checkers(g)
		}
	}
	return r
}

// checkers is how many probe an endpoint.
func checkers(check componenttest.Registration) int {
	if regions := check.Inputs["regions"]; regions.IsArray() {
		return len(regions.ArrayValue())
	}
	return len(routing.CheckerRegions())
}

// rename replaces the recorder's IDs by those of the embedded cloud.
func rename(value any, ids map[string]string) any {
	switch v := value.(type) {
	case map[string]any:
		for key := range v {
			v[key] = rename(v[key], ids)
		}
	case []any:
		for i := range v {
			v[i] = rename(v[i], ids)
		}
	case string:
		if id, ok := ids[v]; ok {
			return id
		}
	}
	return value
}

func (r *resolver) probe(_ context.Context, raw, _ string) (int, string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return 0, "", err
	}
	status, body := r.world.get(u.Hostname(), u.RequestURI())
	if status == 0 {
		return 0, "", errors.New("no answer")
	}
	return status, body, nil
}

// become lets every health check see the world once.
func (r *resolver) become(w world) {
	r.t.Helper()
	require.NoError(r.t, r.clock.AwaitSleepers(r.t.Context(), r.probes))
	r.world = w
	r.clock.Advance(10 * time.Second)
	require.NoError(r.t, r.clock.AwaitSleepers(r.t.Context(), r.probes))
}

// resolve returns the region that a name leads to, or "".
func (r *resolver) resolve(name, at string) string {
	ips, err := r.service.Resolve(r.t.Context(), name, at)
	if err != nil {
		return ""
	}
	for _, region := range cloud.Regions() {
		if ip, err := cloud.RegionIP(region); err == nil && ip == ips[0] {
			return region
		}
	}
	return ips[0]
}

// apis are the custom domains that the recorder made up.
type apis struct{}

func (apis) Lookup(dnsName string) (string, bool) {
	ip, err := cloud.RegionIP(regionOf(dnsName))
	return ip, err == nil
}

// CheckAlias wants a name that the wildcard covers: one label under the
// stack's.
func (apis) CheckAlias(record, dnsName, _ string) error {
	_, parent, _ := strings.Cut(record, ".")
	if stack := regionOf(dnsName)[:2]; parent != stack+".example.com" {
		return fmt.Errorf("%s is no custom domain of %s", record, dnsName)
	}
	return nil
}
