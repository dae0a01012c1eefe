package routing_test

import (
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/routing"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// door is one stack's part of a front door over two.
type door struct {
	stack     name
	locations []string
	all       bool // it is the default
}

// open registers stacks and their parts of llm.example.com.
func open(t *testing.T, doors map[string]door) *componenttest.Recorder {
	t.Helper()
	rec := componenttest.New(nil)
	require.NoError(t, rec.Run(func(ctx *pulumi.Context) error {
		for component, d := range doors {
			args, home, err := d.stack.serve(ctx)
			if err != nil {
				return err
			}
			g, err := routing.NewGlobalRouting(ctx, component, args, home)
			if err != nil {
				return err
			}
			if _, err := routing.NewFrontDoor(ctx, component+"-door", &routing.FrontDoorArgs{
				Name: "llm.example.com", ZoneID: zoneID, Target: g, Locations: d.locations, Default: d.all,
			}, home); err != nil {
				return err
			}
		}
		return nil
	}))
	rec.CheckComponents(t)
	return rec
}

func TestRecordsOfAFrontDoor(t *testing.T) {
	rec := open(t, map[string]door{"eu": {european(), []string{"DE", "IE"}, true}})
	for child, country := range map[string]string{"eu-door-de": "DE", "eu-door-ie": "IE", "eu-door-default": "*"} {
		r := rec.One(t, recordToken, child)
		assert.Equal(t, "llm.example.com", r.Inputs["name"].StringValue())
		assert.Equal(t, "CNAME", r.Inputs["type"].StringValue())
		assert.Equal(t, "eu.example.com", r.Inputs["records"].ArrayValue()[0].StringValue())
		assert.Equal(t, country, policy(r.Inputs, "geolocation", "country"))
		assert.Equal(t, country, r.Inputs["setIdentifier"].StringValue(), "another stack's record of the same country is refused")
		assert.False(t, r.Inputs.HasValue("healthCheckId"), "an unhealthy country would fall through to another stack")
		assert.Contains(t, r.DependsOn, "eu-eu-west-1-latency", "it leads to a name that answers")
	}
}

// TestAListedCountryNeverLeavesItsStack, whatever is down, and whoever else has
// the default.
func TestAListedCountryNeverLeavesItsStack(t *testing.T) {
	checks := routing.Checks{IntervalSeconds: 10, Threshold: 1}
	eu, us := european(), american()
	eu.checks, us.checks = checks, checks
	viewers := []struct {
		viewer
		stack, fallback string // without and with a default of the American stack
	}{
		{viewer{"eu-central-1", "DE"}, "eu", "eu"},
		{viewer{"eu-west-1", "IE"}, "eu", "eu"},
		{viewer{"us-east-1", "US"}, "us", "us"},
		{viewer{"eu-west-2", "GB"}, "", "us"}, // in Route 53's Europe, and not listed
		{viewer{"ap-northeast-1", "JP"}, "", "us"},
		{viewer{"nowhere", ""}, "", "us"},
	}
	regions := []string{"eu-central-1", "eu-west-1", "eu-north-1", "us-east-1", "us-west-2", "us-east-2"}
	for title, all := range map[string]bool{"without a default": false, "with a default": true} {
		t.Run(title, func(t *testing.T) {
			rec := open(t, map[string]door{"eu": {stack: eu, locations: []string{"DE", "IE"}}, "us": {us, []string{"US"}, all}})
			z, r := newZone(rec), newResolver(t, rec)
			for _, w := range worlds(down+1, regions...) {
				r.become(w)
				for _, v := range viewers {
					stack := v.stack
					if all {
						stack = v.fallback
					}
					want := map[string]func() string{
						"":   func() string { return "" },
						"eu": func() string { return eu.want(v.region, w) },
						"us": func() string { return us.want(v.region, w) },
					}[stack]()
					require.Equal(t, want, regionOf(z.resolve("llm.example.com", v.viewer, w)), "%v seen from %v", w, v)
					require.Equal(t, want, r.resolve("llm.example.com", v.region), "the embedded cloud disagrees: %v seen from %v", w, v)
				}
			}
		})
	}
}

func TestFrontDoorRefuses(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*routing.FrontDoorArgs)
		want  []string
	}{
		{"no name", func(a *routing.FrontDoorArgs) { a.Name = "" }, []string{"missing Name, ZoneID or Target"}},
		{"no zone", func(a *routing.FrontDoorArgs) { a.ZoneID = "" }, []string{"missing Name, ZoneID or Target"}},
		{"no stack", func(a *routing.FrontDoorArgs) { a.Target = nil }, []string{"missing Name, ZoneID or Target"}},
		{"the stack's own name", func(a *routing.FrontDoorArgs) { a.Name = "eu.example.com" }, []string{"is the stack's own"}},
		{"nobody", func(a *routing.FrontDoorArgs) { a.Locations = nil }, []string{"nobody would be sent here"}},
		{"a country twice", func(a *routing.FrontDoorArgs) { a.Locations = []string{"DE", "DE"} }, []string{`"DE" is listed twice`}},
		{"a code of everyday use", func(a *routing.FrontDoorArgs) { a.Locations = []string{"UK"} }, []string{`"UK" is no country`, "GB for the United Kingdom"}},
		{"small letters", func(a *routing.FrontDoorArgs) { a.Locations = []string{"de"} }, []string{`"de" is no country`}},
		{"the European Union, which Route 53 does not know", func(a *routing.FrontDoorArgs) { a.Locations = []string{"EU"} }, []string{`"EU" is no country`}},
		{"the default among countries", func(a *routing.FrontDoorArgs) { a.Locations = []string{"*"} }, []string{`"*" is no country`}},
		{"a country that Route 53 cannot locate", func(a *routing.FrontDoorArgs) { a.Locations = []string{"BV"} }, []string{`"BV" is no country`}},
		{"all that is wrong at once", func(a *routing.FrontDoorArgs) { a.ZoneID, a.Locations = "", []string{"XX", ""} }, []string{"missing", `"XX"`, `""`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := componenttest.New(nil)
			err := rec.Run(func(ctx *pulumi.Context) error {
				g, err := european().route(ctx, "routing")
				require.NoError(t, err)
				args := &routing.FrontDoorArgs{Name: "llm.example.com", ZoneID: zoneID, Target: g, Locations: []string{"DE"}}
				tt.spoil(args)
				_, err = routing.NewFrontDoor(ctx, "door", args)
				return err
			})
			for _, want := range tt.want {
				assert.ErrorContains(t, err, want)
			}
			assert.NotContains(t, rec.Tree(), "FrontDoor")
		})
	}
	_, err := routing.NewFrontDoor(nil, "door", nil)
	assert.ErrorContains(t, err, "no arguments")
}
