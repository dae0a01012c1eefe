package stacks_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/stacks"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// valid returns settings as decoded JSON, for a test to spoil.
func valid(t *testing.T) map[string]any {
	t.Helper()
	var out map[string]any
	require.NoError(t, json.Unmarshal([]byte(`{
		"jurisdiction": "eu",
		"regions": [{"name": "eu-central-1", "failover": ["eu-west-1"]}, {"name": "eu-west-1", "failover": ["eu-central-1"]}],
		"models": [{"name": "claude-sonnet", "profile": "eu.anthropic.claude-sonnet-4-6"}],
		"domain": {"name": "eu.llm.example.com", "zone": "example.com"},
		"conversations": {"home": "eu-central-1"}
	}`), &out))
	return out
}

func parse(t *testing.T, settings map[string]any) (stacks.Settings, error) {
	t.Helper()
	b, err := json.Marshal(settings)
	require.NoError(t, err)
	return stacks.ParseSettings(string(b))
}

func TestParseSettings(t *testing.T) {
	s, err := parse(t, valid(t))
	require.NoError(t, err)
	assert.Equal(t, "eu-west-1", s.Regions[1].Name)
	assert.Equal(t, "eu.llm.example.com", s.Domain.Name)
}

func region(name string, failover ...any) map[string]any {
	return map[string]any{"name": name, "failover": failover}
}

func TestParseSettingsRefuses(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(map[string]any)
		want  string
	}{
		{"an unknown key", func(s map[string]any) { s["jurisdicton"] = "eu" }, `jurisdicton: unknown key; did you mean "jurisdiction"?`},
		{"an unknown nested key", func(s map[string]any) { s["domain"].(map[string]any)["nmae"] = "x" }, `domain.nmae: unknown key; did you mean "name"?`},
		{"a key in the wrong case", func(s map[string]any) { s["Auth"] = map[string]any{} }, `Auth: unknown key; did you mean "auth"?`},
		{"a key like no other", func(s map[string]any) { s["colour"] = "red" }, "colour: unknown key; remove it"},
		{"a wrong type", func(s map[string]any) { s["regions"] = "eu-west-1" }, "regions: "},
		{"a wrong nested type", func(s map[string]any) { s["regions"] = []any{map[string]any{"name": 1}} }, "regions[0].name: "},
		{"an unknown jurisdiction", func(s map[string]any) { s["jurisdiction"] = "mars" }, `jurisdiction: "mars" is not known; choose one of au, eu, global, jp, us`},
		{"a single region", func(s map[string]any) { s["regions"] = []any{region("eu-central-1", "eu-west-1")} }, "regions: 1 region(s) given"},
		{"a region twice", func(s map[string]any) {
			s["regions"] = append(s["regions"].([]any), region("eu-west-1", "eu-central-1"))
		},
			`regions[2].name: "eu-west-1" is listed twice`},
		{"a region outside the jurisdiction", func(s map[string]any) { s["regions"] = append(s["regions"].([]any), region("eu-west-2", "eu-west-1")) },
			`regions[2].name: "eu-west-2" is outside jurisdiction "eu"`},
		{"a partner outside the stack", func(s map[string]any) { s["regions"].([]any)[0] = region("eu-central-1", "eu-north-1") },
			`regions[0].failover[0]: "eu-north-1" is not one of the stack's regions`},
		{"a region that is its own partner", func(s map[string]any) { s["regions"].([]any)[0] = region("eu-central-1", "eu-central-1") },
			`regions[0].failover[0]: "eu-central-1" is its own partner`},
		{"a partner twice", func(s map[string]any) { s["regions"].([]any)[0] = region("eu-central-1", "eu-west-1", "eu-west-1") },
			`regions[0].failover[1]: "eu-west-1" is listed twice`},
		{"a region without a partner", func(s map[string]any) { s["regions"].([]any)[0] = region("eu-central-1") }, "regions[0].failover: no partner given"},
		{"a home outside the stack", func(s map[string]any) { s["conversations"] = map[string]any{"home": "eu-north-1"} },
			`conversations.home: "eu-north-1" is not one of the stack's regions`},
		{"no model", func(s map[string]any) { s["models"] = []any{} }, "models: no model given"},
		{"a model that is nothing", func(s map[string]any) { s["models"] = []any{map[string]any{"name": "m"}} }, "models[0]: needs either profile or model"},
		{"a model that is two things", func(s map[string]any) { s["models"].([]any)[0].(map[string]any)["model"] = "x" }, "models[0]: needs either profile or model"},
		{"a profile by its ARN", func(s map[string]any) {
			s["models"].([]any)[0].(map[string]any)["profile"] = "arn:aws:bedrock:eu-west-1:1:inference-profile/eu.amazon.nova-pro-v1:0"
		}, "models[0].profile: "},
		{"a model with a space", func(s map[string]any) {
			s["models"] = []any{map[string]any{"name": "m", "model": " amazon.nova-pro-v1:0"}}
		},
			`models[0].model: " amazon.nova-pro-v1:0" is not an ID of Bedrock's; give it bare`},
		{"a model without a usable name", func(s map[string]any) { s["models"].([]any)[0].(map[string]any)["name"] = "Claude!" }, `models[0].name: "Claude!" is not a model name`},
		{"models whose names clash", func(s map[string]any) {
			s["models"] = []any{map[string]any{"name": "a.b", "profile": "p"}, map[string]any{"name": "a-b", "profile": "p"}}
		}, `models[1].name: "a-b" clashes with "a.b" of models[0]`},
		{"a domain outside its zone", func(s map[string]any) { s["domain"].(map[string]any)["zone"] = "example.org" },
			`domain.name: "eu.llm.example.com" is not under zone "example.org"`},
		{"tokens of nobody", func(s map[string]any) { s["auth"] = map[string]any{"mode": "oidc"} }, "auth.issuer: missing"},
		{"tokens for nobody", func(s map[string]any) { s["auth"] = map[string]any{"mode": "oidc"} }, "auth.audience: missing"},
		{"tokens without a tenant", func(s map[string]any) { s["auth"] = map[string]any{"mode": "oidc"} }, "auth.tenantClaim: missing"},
		{"an issuer without TLS", func(s map[string]any) {
			s["auth"] = map[string]any{"mode": "oidc", "issuer": "http://issuer.example.com", "audience": "llm", "tenantClaim": "team"}
		}, `auth.issuer: "http://issuer.example.com" is not the https:// URL`},
		{"a shared secret", func(s map[string]any) {
			s["auth"] = map[string]any{"mode": "oidc", "algorithms": []any{"RS256", "HS256"}}
		}, `auth.algorithms[1]: "HS256" is not known`},
		{"an issuer of keys", func(s map[string]any) { s["auth"] = map[string]any{"issuer": "https://issuer.example.com"} }, "auth.issuer: has no effect"},
		{"algorithms of signatures", func(s map[string]any) { s["auth"] = map[string]any{"mode": "iam", "algorithms": []any{"RS256"}} }, "auth.algorithms: has no effect"},
		{"an auth mode that does not exist", func(s map[string]any) { s["auth"] = map[string]any{"mode": "trust"} }, `auth.mode: "trust" is not known`},
		{"an account that is not one", func(s map[string]any) { s["account"] = "12345" }, `account: "12345" is not an account ID`},
		{"a boundary that is no policy", func(s map[string]any) { s["permissionsBoundary"] = "arn:aws:iam::1:role/x" }, "permissionsBoundary: "},
		{"an account that lost its quotes", func(s map[string]any) { s["account"] = 123456789012 }, "account: 123456789012 is a number, not a string; put it in quotes"},
		{"a recovery period out of range", func(s map[string]any) { s["conversations"].(map[string]any)["recoveryPeriodInDays"] = 36 },
			"conversations.recoveryPeriodInDays: 36 is out of range; give 1 to 35"},
		{"conversations that last too long", func(s map[string]any) { s["conversations"].(map[string]any)["retentionDays"] = 3651 },
			"conversations.retentionDays: 3651 is out of range; give 1 to 3650"},
		{"a tie breaker outside the stack", func(s map[string]any) { s["conversations"].(map[string]any)["tieBreaker"] = "eu-north-1" },
			`conversations.tieBreaker: "eu-north-1" cannot break ties`},
		{"a tie breaker among three regions", func(s map[string]any) {
			s["regions"] = append(s["regions"].([]any), region("eu-north-1", "eu-west-1"))
			s["conversations"].(map[string]any)["tieBreaker"] = "eu-west-1"
		}, `conversations.tieBreaker: "eu-west-1" cannot break ties`},
		{"records of usage that are never kept", func(s map[string]any) { s["usage"] = map[string]any{"retentionDays": -1} },
			"usage.retentionDays: -1 is out of range; give 1 to 3650"},
		{"half a day", func(s map[string]any) { s["conversations"].(map[string]any)["recoveryPeriodInDays"] = 0.5 }, "0.5 is not a whole number"},
		{"a first content that never comes", func(s map[string]any) { s["failover"] = map[string]any{"firstContentSeconds": 301} },
			"failover.firstContentSeconds: 301 is out of range; give 0.05 to 300"},
		{"a wait in words", func(s map[string]any) { s["failover"] = map[string]any{"idleSeconds": "long"} }, `failover.idleSeconds: "long" is not a number`},
		{"a share of no hedges", func(s map[string]any) { s["failover"] = map[string]any{"hedgeShare": 0.1} }, "failover.hedgeShare: is set, but nothing is hedged"},
		{"retries without end, with what is allowed", func(s map[string]any) { s["failover"] = map[string]any{"retries": 6} }, "give 0 to 5"},
		{"a number that no computer holds", func(s map[string]any) { s["conversations"].(map[string]any)["retentionDays"] = json.Number("1e23") },
			"conversations.retentionDays: 1e23 is not a whole number"},
		{"a number in another notation", func(s map[string]any) { s["conversations"].(map[string]any)["retentionDays"] = json.Number("1e3") },
			"conversations.retentionDays: 1e3 is not a whole number"},
		{"a number with more digits than there are", func(s map[string]any) { s["throttle"] = map[string]any{"burst": json.Number("99999999999999999999")} },
			"throttle.burst: 99999999999999999999 is not a whole number"},
		{"a wait beyond all numbers", func(s map[string]any) { s["failover"] = map[string]any{"idleSeconds": json.Number("1e999")} },
			"failover.idleSeconds: 1e999 is not a number"},
		{"a number in quotes", func(s map[string]any) { s["throttle"] = map[string]any{"burst": "5"} }, `throttle.burst: "5" is not a whole number`},
		{"conversations that end at once", func(s map[string]any) { s["conversations"].(map[string]any)["retentionDays"] = 0 },
			"conversations.retentionDays: 0 is out of range; give more, or leave it out for the default"},
		{"a share of nothing", func(s map[string]any) { s["failover"] = map[string]any{"hedgeDelaySeconds": 1, "hedgeShare": 0.0} },
			"failover.hedgeShare: 0 is out of range"},
		{"no jurisdiction", func(s map[string]any) { delete(s, "jurisdiction") }, "jurisdiction: missing; choose one of au, eu"},
		{"no home", func(s map[string]any) { s["conversations"] = map[string]any{} },
			"conversations.home: missing; name the region that owns the tables, one of eu-central-1, eu-west-1"},
		{"a region without a name", func(s map[string]any) { s["regions"].([]any)[0].(map[string]any)["name"] = nil }, "regions[0].name: missing"},
		{"a partner without a name", func(s map[string]any) { s["regions"].([]any)[0] = region("eu-central-1", "") }, "regions[0].failover[0]: missing"},
		{"retries without end", func(s map[string]any) { s["failover"] = map[string]any{"retries": 6} }, "failover.retries: 6 is out of range"},
		{"a throttle that lets nothing in", func(s map[string]any) { s["throttle"] = map[string]any{"ratePerSecond": -1} }, "throttle.ratePerSecond: -1 is out of range"},
		{"an interval that Route 53 has not", func(s map[string]any) { s["healthChecks"] = map[string]any{"intervalSeconds": 20} }, "healthChecks.intervalSeconds: 20"},
		{"too few checkers", func(s map[string]any) { s["healthChecks"] = map[string]any{"regions": []any{"eu-west-1"}} }, "healthChecks.regions: 1 region(s) given"},
		{"a checker that does not exist", func(s map[string]any) {
			s["healthChecks"] = map[string]any{"regions": []any{"eu-west-1", "us-east-1", "eu-central-1"}}
		}, `healthChecks.regions[2]: Route 53 has no checkers in "eu-central-1"`},
		{"a retention that CloudWatch has not", func(s map[string]any) { s["logs"] = map[string]any{"retentionDays": 31} }, "logs.retentionDays: 31 days"},
		{"an account role without access logs", func(s map[string]any) { s["logs"] = map[string]any{"ownsAccountRole": true} }, "logs.ownsAccountRole: is set without access logs"},
		{"a firewall whose limit is 0", func(s map[string]any) { s["firewall"] = map[string]any{"requestsPerFiveMinutes": 0} },
			"firewall.requestsPerFiveMinutes: 0 is out of range; give 10 to 2000000000"},
		{"a firewall without a limit", func(s map[string]any) { s["firewall"] = map[string]any{} }, "firewall.requestsPerFiveMinutes: 0 is out of range"},
		{"a deployer who is nobody", func(s map[string]any) { s["deployers"] = []any{"ci"} }, `deployers[0]: "ci" is not the ARN of a role or user`},
		{"deployers who could be anybody", func(s map[string]any) { s["deployers"] = []any{"arn:aws:iam::123456789012:role/*"} },
			`deployers[0]: "arn:aws:iam::123456789012:role/*" is not the ARN of a role or user`},
		{"an address that is none", func(s map[string]any) { s["alarms"] = map[string]any{"emails": []any{"me"}} }, `alarms.emails[0]: "me" is not an e-mail address`},
		{"a region without its guardrail", func(s map[string]any) {
			s["guardrail"] = map[string]any{"eu-west-1": map[string]any{"id": "g", "version": "1"}}
		}, `guardrail: region "eu-central-1" has none`},
		{"a guardrail without a version", func(s map[string]any) {
			s["guardrail"] = map[string]any{"eu-west-1": map[string]any{"id": "g"}, "eu-central-1": map[string]any{"id": "g", "version": "1"}}
		}, "guardrail.eu-west-1.version: missing; give a number in quotes"},
		{"a guardrail of nowhere", func(s map[string]any) {
			s["guardrail"] = map[string]any{"us-east-1": map[string]any{"id": "g", "version": "1"}}
		}, `guardrail.us-east-1: "us-east-1" is not one of the stack's regions`},
		{"a front door without a house", func(s map[string]any) {
			delete(s, "domain")
			s["frontDoor"] = map[string]any{"name": "llm.example.com", "zone": "example.com", "locations": []any{"DE"}}
		}, "frontDoor: leads nowhere"},
		{"a front door for nobody", func(s map[string]any) {
			s["frontDoor"] = map[string]any{"name": "llm.example.com", "zone": "example.com"}
		}, "frontDoor.locations: no country given"},
		{"a country that is none", func(s map[string]any) {
			s["frontDoor"] = map[string]any{"name": "llm.example.com", "zone": "example.com", "locations": []any{"Germany", "FR", "FR"}}
		}, `frontDoor.locations[0]: "Germany" is not a country`},
		{"a union taken for a country", func(s map[string]any) {
			s["frontDoor"] = map[string]any{"name": "llm.example.com", "zone": "example.com", "locations": []any{"EU"}}
		}, `frontDoor.locations[0]: "EU" is not a country that Route 53 knows`},
		{"a domain too long to certify", func(s map[string]any) {
			s["domain"].(map[string]any)["name"] = strings.Repeat("a", 60) + ".example.com"
		}, "domain.name: "},
		{"an address with a name", func(s map[string]any) { s["alarms"] = map[string]any{"emails": []any{"Bob <b@example.com>"}} }, "alarms.emails[0]: "},
		{"an address twice", func(s map[string]any) {
			s["alarms"] = map[string]any{"emails": []any{"b@example.com", "b@example.com"}}
		},
			`alarms.emails[1]: "b@example.com" is listed twice`},
		{"a checker twice", func(s map[string]any) {
			s["healthChecks"] = map[string]any{"regions": []any{"eu-west-1", "us-east-1", "us-east-1"}}
		}, `healthChecks.regions[2]: "us-east-1" is listed twice`},
		{"a guardrail by its ARN", func(s map[string]any) {
			s["guardrail"] = map[string]any{"eu-west-1": map[string]any{"id": "arn:aws:bedrock:eu-west-1:1:guardrail/g", "version": "1"}}
		}, "guardrail.eu-west-1.id: "},
		{"a guardrail of the latest version", func(s map[string]any) {
			s["guardrail"] = map[string]any{"eu-west-1": map[string]any{"id": "g", "version": "latest"}}
		}, `guardrail.eu-west-1.version: "latest" is not a version`},
		{"a front door in its own house", func(s map[string]any) {
			s["frontDoor"] = map[string]any{"name": "eu.llm.example.com", "zone": "example.com", "locations": []any{"DE"}}
		}, "frontDoor.name: "},
		{"a tag of the program's", func(s map[string]any) { s["tags"] = map[string]any{"crossregion:stack": "mine"} }, "are the program's own"},
		{"a tag that is none", func(s map[string]any) { s["tags"] = map[string]any{"a*{}": "b"} }, `"a*{}" is not a tag key`},
		{"a tag value that Bedrock does not take", func(s map[string]any) { s["tags"] = map[string]any{"team": "Zoë"} }, `tags.team: "Zoë" is not a tag value`},
		{"tags that differ in case only", func(s map[string]any) { s["tags"] = map[string]any{"Team": "a", "team": "b"} },
			`tags.team: differs from "Team" in case only`},
		{"too many tags", func(s map[string]any) {
			tags := map[string]any{}
			for i := range 47 {
				tags[fmt.Sprint("k", i)] = "v"
			}
			s["tags"] = tags
		}, "tags: 47 tags given; give up to 46"},
		{"a tag of AWS's", func(s map[string]any) { s["tags"] = map[string]any{"aws:x": "y"} }, "tags.aws:x: tags that start with aws: are AWS's own"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := valid(t)
			tt.spoil(s)
			_, err := parse(t, s)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestEveryFaultIsReportedAtOnce(t *testing.T) {
	s := valid(t)
	s["jurisdiction"], s["colour"] = "mars", "red"
	s["conversations"] = map[string]any{"home": 7}
	s["models"] = []any{}
	_, err := parse(t, s)
	var faults stacks.Faults
	require.ErrorAs(t, err, &faults)
	var paths []string
	for _, f := range faults {
		paths = append(paths, f.Path)
		assert.NotEmpty(t, f.Hint, "%s has no hint", f.Path)
	}
	assert.ElementsMatch(t, []string{"jurisdiction", "colour", "conversations.home", "models"}, paths)
}

// TestAFaultIsToldOnce: what follows from it is none of its own.
func TestAFaultIsToldOnce(t *testing.T) {
	for name, row := range map[string]struct {
		spoil func(map[string]any)
		want  string // the one path
	}{
		"a list where an object belongs":   {func(s map[string]any) { s["domain"] = []any{"eu.llm.example.com"} }, "domain"},
		"a number where an object belongs": {func(s map[string]any) { s["firewall"] = 1000 }, "firewall"},
		"no regions":                       {func(s map[string]any) { s["regions"] = []any{} }, "regions"},
		"regions in words":                 {func(s map[string]any) { s["regions"] = "eu-west-1" }, "regions"},
		"a region by its name alone":       {func(s map[string]any) { s["regions"].([]any)[0] = "eu-central-1" }, "regions[0]"},
		"a region that lost its name":      {func(s map[string]any) { s["regions"].([]any)[0].(map[string]any)["name"] = "" }, "regions[0].name"},
		"a region whose name is a number":  {func(s map[string]any) { s["regions"].([]any)[0].(map[string]any)["name"] = 1 }, "regions[0].name"},
		"a home that is a number":          {func(s map[string]any) { s["conversations"] = map[string]any{"home": 7} }, "conversations.home"},
		"a version that lost its quotes": {func(s map[string]any) {
			s["guardrail"] = map[string]any{"eu-west-1": map[string]any{"id": "g", "version": 1}, "eu-central-1": map[string]any{"id": "g", "version": "1"}}
		}, "guardrail.eu-west-1.version"},
		"a 0 that is out of range for two":       {func(s map[string]any) { s["firewall"] = map[string]any{"requestsPerFiveMinutes": 0} }, "firewall.requestsPerFiveMinutes"},
		"a 0 that is not whole":                  {func(s map[string]any) { s["usage"] = map[string]any{"retentionDays": json.Number("0.0")} }, "usage.retentionDays"},
		"a text where conversations are to be":   {func(s map[string]any) { s["conversations"] = "eu-central-1" }, "conversations"},
		"a partner that is the region and twice": {func(s map[string]any) { s["regions"].([]any)[0] = region("eu-central-1", "eu-west-1", "eu-central-1") }, "regions[0].failover[1]"},
	} {
		t.Run(name, func(t *testing.T) {
			s := valid(t)
			row.spoil(s)
			_, err := parse(t, s)
			var faults stacks.Faults
			require.ErrorAs(t, err, &faults)
			require.Len(t, faults, 1)
			assert.Equal(t, row.want, faults[0].Path)
		})
	}
}

// TestZeroWhereItIsNone: it switches off what is off by default.
func TestZeroWhereItIsNone(t *testing.T) {
	s := valid(t)
	s["reservedConcurrency"], s["rollout"] = 0, map[string]any{"bakeMinutes": 0, "canaryPercent": 0}
	s["failover"] = map[string]any{"retries": 0, "hedgeDelaySeconds": 0}
	_, err := parse(t, s)
	assert.NoError(t, err)
}

func TestParseSettingsRefusesWhatIsNoObject(t *testing.T) {
	for _, raw := range []string{"", "[]", "7", `"x"`, "{", "null"} {
		_, err := stacks.ParseSettings(raw)
		assert.Error(t, err, "accepted %q", raw)
		var faults stacks.Faults
		if raw != "null" && assert.ErrorAs(t, err, &faults) {
			assert.Len(t, faults, 1, raw)
		}
	}
}

func FuzzParseSettings(f *testing.F) {
	f.Add(`{"jurisdiction":"eu","regions":[{"name":"eu-west-1","failover":["eu-west-1"]}]}`)
	f.Add(`{"regions":{"name":[]},"models":[null]}`)
	f.Fuzz(func(t *testing.T, raw string) {
		s, err := stacks.ParseSettings(raw)
		if err == nil && (len(s.Regions) < 2 || len(s.Models) == 0) {
			t.Errorf("accepted %q", raw)
		}
	})
}
