package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const settings = `{"jurisdiction":"eu","models":[{"name":"m","profile":"eu.amazon.nova-pro-v1:0"}],"conversations":{"home":"eu-central-1"},` +
	`"regions":[{"name":"eu-central-1","failover":["eu-west-1"]},{"name":"eu-west-1","failover":["eu-central-1"]}],"rollout":{"bakeMinutes":1}}`

// up is one run of the fake engine.
type up struct {
	step
	canary *canary
}

// fakeEngine is an engine that notes what it is asked to do.
type fakeEngine struct {
	settings string
	preview  preview
	excluded []string // of the preview
	state    deployed
	ups      []up
	fail     error  // of each Up
	after    func() // called by each Up
}

func (f *fakeEngine) Config(context.Context) (map[string]string, error) {
	return map[string]string{"crossregion:settings": f.settings}, nil
}

func (f *fakeEngine) Preview(_ context.Context, exclude []string) (preview, error) {
	f.excluded = exclude
	return f.preview, nil
}

func (f *fakeEngine) Up(ctx context.Context, s step, c *canary) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.ups = append(f.ups, up{s, c})
	if f.after != nil {
		f.after()
	}
	return f.fail
}

func (f *fakeEngine) State(context.Context) (deployed, error) { return f.state, nil }

// bells are alarms that a test rings.
type bells map[string][]string // by region

// mute stands for alarms of a region that does not answer.
const mute = "mute"

func (b bells) Ringing(_ context.Context, region string, ids []string) ([]string, error) {
	if slices.Contains(b[region], mute) {
		return nil, fmt.Errorf("%s does not answer", region)
	}
	return slices.DeleteFunc(slices.Clone(b[region]), func(id string) bool { return !slices.Contains(ids, id) }), nil
}

// begun is when fake clocks begin.
var begun = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

// fakeClock passes when somebody sleeps.
type fakeClock struct {
	now   time.Time
	slept func(time.Time) // called after each
}

func (c *fakeClock) Now() time.Time { return c.now }

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error {
	c.now = c.now.Add(d)
	if c.slept != nil {
		c.slept(c.now)
	}
	return ctx.Err()
}

// trial is a rollout of a new version of the functions of two regions, whose
// health endpoints are well.
type trial struct {
	*rollout
	engine *fakeEngine
	bells  bells
	clock  *fakeClock
	out    *strings.Builder
	health int    // status of what health endpoints answer
	answer string // body of it
	shared int    // status of what the shared name answers
}

func newTrial(t *testing.T) *trial {
	t.Helper()
	try := &trial{bells: bells{}, clock: &fakeClock{now: begun}, out: &strings.Builder{}, health: http.StatusOK, shared: http.StatusOK}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/healthz":
			w.WriteHeader(try.health)
		case "/shared/healthz":
			w.WriteHeader(try.shared)
		default:
			assert.Fail(t, "not a health endpoint", r.URL.Path)
		}
		_, err := io.WriteString(w, try.answer)
		assert.NoError(t, err)
	}))
	t.Cleanup(server.Close)
	p := parsed(t, updated("eu-central-1-invoker-fn"), alias("eu-central-1-invoker", "7"),
		updated("eu-west-1-invoker-fn"), alias("eu-west-1-invoker", "4"))
	try.engine = &fakeEngine{settings: settings, preview: p, state: deployed{live: true,
		alarms: []alarm{{"errors-1", "eu-central-1-alarms-errors"}, {"errors-2", "eu-west-1-alarms-errors"}, {"health-2", "us-east-1-alarms-health-eu-west-1"},
			{"crashes-1", "eu-central-1-alarms-health-crashes"}, {"probes-1", "eu-central-1-alarms-getHealth"}},
		endpoints: map[string]string{"eu-central-1": server.URL, "eu-west-1": server.URL, sharedName: server.URL + "/shared"},
	}}
	try.rollout = &rollout{engine: try.engine, out: try.out, watch: watcher{
		alarms: try.bells, client: server.Client(), clock: try.clock, every: 15 * time.Second,
	}}
	return try
}

func (t *trial) roll(ctx context.Context) error {
	return t.run(ctx, options{stack: "eu", bake: -1})
}

// regions are those that the engine was asked to change, one for each time.
func (t *trial) regions() []string {
	var all []string
	for _, u := range t.engine.ups {
		all = append(all, u.region)
	}
	return all
}

func urn(name string) string {
	kind := "aws:lambda/function:Function"
	switch {
	case strings.HasSuffix(name, "-alias"):
		kind = aliasType
	case strings.Contains(name, "-inference-"):
		kind = profileType
	case strings.Contains(name, separator):
		kind = alarmType
	}
	return "urn:pulumi:eu::crossregion::crossregion:x:Y$" + kind + "::" + name
}

// parsed is a preview of steps that are written as Pulumi writes them.
func parsed(t *testing.T, steps ...string) preview {
	t.Helper()
	p, err := parsePreview([]byte(`{"steps":[` + strings.Join(steps, ",") + "]}"))
	require.NoError(t, err)
	return p
}

func updated(name string) string { return planned("update", name, `{}`, `{}`) }

func alias(function, version string) string {
	old := `{"type":"` + aliasType + `","outputs":{"functionVersion":"` + version + `"}}`
	return planned("update", function+"-alias", old, `{}`)
}

func planned(op, name, old, new string) string {
	return `{"op":"` + op + `","urn":"` + urn(name) + `","oldState":` + old + `,"newState":` + new + `}`
}
