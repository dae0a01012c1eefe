package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// changed makes a change of a name, an operation and the names that it needs.
func changed(op operation, name string, needs ...string) change {
	c := change{urn: urn(name), op: op}
	for _, n := range needs {
		c.needs = append(c.needs, urn(n))
	}
	return c
}

// reading adds names whose outputs are in the properties of c.
func reading(c change, names ...string) change {
	for _, n := range names {
		c.reads = append(c.reads, urn(n))
	}
	return c
}

// outline is a plan, a line for each step: its title and the names in it.
func outline(steps []step) []string {
	var lines []string
	for _, s := range steps {
		line := s.title
		for _, u := range s.targets {
			line += " " + name(u)
		}
		for _, pattern := range s.exclude {
			line += " !" + pattern
		}
		lines = append(lines, line)
	}
	return lines
}

func TestPlan(t *testing.T) {
	two := fleet{regions: []string{"eu-central-1", "eu-west-1"}, home: "eu-central-1"}
	const early, last = "what is new and needed", "what all regions share, and what goes"
	tests := []struct {
		name    string
		fleet   fleet
		changes []change
		want    []string
	}{
		{"code goes region by region", two, []change{changed(update, "eu-west-1-invoker-fn"), changed(update, "eu-central-1-invoker-fn")},
			[]string{"eu-central-1 eu-central-1-invoker-fn", "eu-west-1 eu-west-1-invoker-fn"}},
		{"a region without changes is no step", two, []change{changed(update, "eu-west-1-invoker-fn")}, []string{"eu-west-1 eu-west-1-invoker-fn"}},
		{"the shared comes last", two, []change{changed(update, "dashboard-board"), changed(update, "eu-west-1-invoker-fn")},
			[]string{"eu-west-1 eu-west-1-invoker-fn", last}},
		{"a new model's profiles come before all that call them", two, []change{
			changed(create, "eu-central-1-inference-m"), changed(create, "eu-west-1-inference-m"),
			changed(update, "eu-central-1-invoker-fn", "eu-central-1-inference-m", "eu-west-1-inference-m"),
		}, []string{early + " eu-west-1-inference-m", "eu-central-1 eu-central-1-inference-m eu-central-1-invoker-fn"}},
		{"what the early need is early too", two, []change{
			changed(create, "eu-west-1-encryption-key"), changed(create, "eu-west-1-conversation-content", "eu-west-1-encryption-key"),
			changed(update, "eu-central-1-invoker-role-keep", "eu-west-1-conversation-content"),
		}, []string{early + " eu-west-1-encryption-key eu-west-1-conversation-content", "eu-central-1 eu-central-1-invoker-role-keep"}},
		{"a health check that an alarm needs is early", two, []change{
			changed(create, "routing-eu-west-1-health"), changed(create, "eu-central-1-alarms-health-eu-west-1", "routing-eu-west-1-health"),
		}, []string{early + " routing-eu-west-1-health", "eu-central-1 eu-central-1-alarms-health-eu-west-1"}},
		{"what others are made of is early, the rest of a new region is not, and it is led to at the end", two, []change{
			changed(create, "eu-west-1-invoker-role-policy"), changed(create, "eu-west-1-invoker-fn", "eu-west-1-invoker-role-policy"),
			reading(changed(create, "eu-west-1-invoker-alias"), "eu-west-1-invoker-fn"), changed(create, "routing-eu-west-1-latency", "eu-west-1-invoker-alias"),
		}, []string{early + " eu-west-1-invoker-role-policy eu-west-1-invoker-fn", "eu-west-1 eu-west-1-invoker-alias", last}},
		{"a region's own name is the region's, and its health check the last to come", two, []change{
			changed(create, "routing-eu-west-1-own"), changed(create, "routing-eu-west-1-own-ipv6"),
			changed(create, "routing-eu-west-1-endpoint", "routing-eu-west-1-own"),
		}, []string{"eu-west-1 routing-eu-west-1-own routing-eu-west-1-own-ipv6", last}},
		{"a removed model's profiles go last, when nobody calls them", two, []change{
			changed(remove, "eu-central-1-inference-m"), changed(update, "eu-central-1-invoker-fn"),
		}, []string{"eu-central-1 eu-central-1-invoker-fn", last}},
		{"a removed region goes last", two, []change{changed(remove, "eu-north-1-invoker-fn"), changed(update, "eu-west-1-encryption-key")},
			[]string{"eu-west-1 eu-west-1-encryption-key", last}},
		{"a region whose name begins another's is another", fleet{regions: []string{"us-east-1", "us-east-10"}},
			[]change{changed(update, "us-east-10-invoker-fn")}, []string{"us-east-10 us-east-10-invoker-fn"}},
		{"a region that is offline is left alone", fleet{regions: two.regions, home: two.home, offline: []string{"eu-west-1"}},
			[]change{changed(update, "eu-central-1-invoker-fn"), changed(update, "dashboard-board")},
			[]string{"eu-central-1 eu-central-1-invoker-fn", last + " !**::eu-west-1 !**::eu-west-1-*"}},
		{"nothing", two, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, outline(tt.fleet.plan(tt.changes))) })
	}
}

// TestAHomeThatIsOffline cannot change what is shared: that goes by its provider.
func TestAHomeThatIsOffline(t *testing.T) {
	f := fleet{regions: []string{"eu-central-1", "eu-west-1"}, home: "eu-central-1", offline: []string{"eu-central-1"}}
	assert.Subset(t, f.excluded(), []string{"**::eu-central-1-*", "**::routing", "**::routing-*", "**::dashboard-*", "**::front-door-*"})
}

// TestPreviews reads what Pulumi prints.
func TestPreviews(t *testing.T) {
	p, err := parsePreview([]byte(`{"steps":[
		{"op":"update","urn":"urn:pulumi:eu::crossregion::pulumi:providers:aws::eu-west-1"},
		{"op":"delete-replaced","urn":"` + urn("eu-west-1-b") + `"},
		{"op":"create-replacement","urn":"` + urn("eu-west-1-b") + `","diffReasons":["name","role"],"replaceReasons":["name"]},
		{"op":"create","urn":"` + urn("eu-west-1-c") + `","newState":{"parent":"` + urn("p") + `","dependencies":["` + urn("d") + `"],"propertyDependencies":{"x":["` + urn("e") + `"]}}},
		{"op":"delete","urn":"` + urn("eu-west-1-f") + `"}]}`))
	require.NoError(t, err)
	replaced := change{urn: urn("eu-west-1-b"), op: replace, differs: []string{"name", "role"}, replaces: []string{"name"}}
	assert.Equal(t, []change{replaced, reading(changed(create, "eu-west-1-c", "d", "p", "e"), "e"), changed(remove, "eu-west-1-f")}, p.changes())

	failed, err := parsePreview([]byte(`{"diagnostics":[{"severity":"warning","message":"w"},{"severity":"error","message":"models[0]: outside\n"}]}`))
	require.NoError(t, err)
	assert.EqualError(t, failed.fault(), "models[0]: outside")
	assert.Equal(t, []string{"w"}, failed.warnings())
	_, err = parsePreview([]byte("error: no stack"))
	assert.ErrorContains(t, err, "pulumi preview --json")
}

// TestStates reads what is deployed.
func TestStates(t *testing.T) {
	d, err := parseState([]byte(`{"deployment":{"resources":[
		{"type":"pulumi:pulumi:Stack","urn":"urn:pulumi:eu::crossregion::pulumi:pulumi:Stack::crossregion-eu","outputs":{"endpoint":"https://s","regionalEndpoints":{"eu-west-1":"https://x"}}},
		{"type":"pulumi:providers:aws","urn":"urn:pulumi:eu::crossregion::pulumi:providers:aws::eu-west-1"},
		{"type":"aws:cloudwatch/metricAlarm:MetricAlarm","id":"errors-1a2b3c4","urn":"` + urn("eu-west-1-alarms-errors") + `"}]}}`))
	require.NoError(t, err)
	assert.Equal(t, deployed{live: true, alarms: []alarm{{"errors-1a2b3c4", "eu-west-1-alarms-errors"}}, regions: []string{"eu-west-1"},
		endpoints: map[string]string{"eu-west-1": "https://x", sharedName: "https://s"}}, d)

	alone, err := parseState([]byte(`{"deployment":{"resources":[{"type":"pulumi:pulumi:Stack","outputs":{"endpoint":"https://x","regionalEndpoints":{"eu-west-1":"https://x"}}}]}}`))
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"eu-west-1": "https://x"}, alone.endpoints, "without a domain no name is shared")
}

// TestAStackIsLive once an update has come to its end: the outputs come last.
func TestAStackIsLive(t *testing.T) {
	function := `{"type":"aws:lambda/function:Function","urn":"` + urn("eu-west-1-invoker-fn") + `"}`
	for resources, live := range map[string]bool{
		`null`:                             false,
		`[{"type":"pulumi:pulumi:Stack"}]`: false,
		`[{"type":"pulumi:pulumi:Stack"},` + function + `]`:                                    false,
		`[{"type":"pulumi:pulumi:Stack","outputs":{"endpoint":"https://s"}},` + function + `]`: true,
	} {
		d, err := parseState([]byte(`{"deployment":{"resources":` + resources + `}}`))
		require.NoError(t, err)
		assert.Equal(t, live, d.live, resources)
	}
}

func TestTheProgramsNamesAreKnown(t *testing.T) {
	assert.Equal(t, "eu-west-1-a", name(urn("eu-west-1-a")))
	assert.Equal(t, aliasType, typeOf(urn("x-alias")))
	assert.Empty(t, typeOf("not a URN"))
}
