package contract_test

import (
	"strings"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func invoker() contract.Invoker {
	return contract.Invoker{
		Stack: "eu", Jurisdiction: "eu", Region: "eu-west-1", Regions: []string{"eu-west-1", "eu-central-1"},
		Allowed:       []string{"eu-central-1", "eu-west-1"},
		Conversations: contract.Conversations{Table: "content", Partners: []string{"eu-central-1"}, RetentionDays: 30},
		ControlTable:  "control", UsageRetentionDays: 400,
		Models: []contract.Model{{Name: "m", Base: "amazon.nova-pro-v1:0", Targets: []contract.Target{{
			Region: "eu-west-1", ID: "arn:x", Destinations: []string{"eu-west-1"},
			Guardrail: &contract.Guardrail{ID: "g", Version: "1"},
		}}}},
	}
}

func lookup(env map[string]string) func(string) string {
	return func(k string) string { return env[k] }
}

func TestDecodeReadsWhatEncodeWrote(t *testing.T) {
	env, err := contract.Encode(invoker())
	require.NoError(t, err)
	got, err := contract.Decode[contract.Invoker](lookup(env))
	require.NoError(t, err)
	assert.Equal(t, invoker(), got)
}

func TestDecodeRejects(t *testing.T) {
	env, err := contract.Encode(contract.Health{Stack: "eu", Region: "eu-west-1", Regions: []string{"eu-west-1"}, Table: "control"})
	require.NoError(t, err)
	tests := []struct {
		name, key, value, want string
	}{
		{"another function's environment", contract.EnvFunction, contract.FunctionInvoker, `want "health"`},
		{"a key it does not know", contract.EnvConfig, `{"stack":"eu","region":"eu-west-1","zone":1}`, `unknown field "zone"`},
		{"a missing value", contract.EnvConfig, `{"stack":"eu"}`, "region is missing"},
		{"a second object", contract.EnvConfig, env[contract.EnvConfig] + `{}`, "something follows its JSON object"},
		{"text after the object", contract.EnvConfig, env[contract.EnvConfig] + `]`, "something follows its JSON object"},
		{"regions without its own", contract.EnvConfig, `{"stack":"eu","region":"eu-west-1","regions":["eu-north-1"],"table":"t"}`,
			`do not contain the function's own, "eu-west-1"`},
		{"an empty configuration", contract.EnvConfig, ``, "EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := contract.Decode[contract.Health](func(k string) string {
				if k == tt.key {
					return tt.value
				}
				return env[k]
			})
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestEncodeReportsEveryFaultAtOnce(t *testing.T) {
	c := invoker()
	c.Stack, c.Models[0].Targets[0].ID = "", ""
	_, err := contract.Encode(c)
	assert.ErrorContains(t, err, "stack is missing")
	assert.ErrorContains(t, err, "models[0].targets[0].id is missing")
}

func TestEncodeRefusesWhatLambdaWould(t *testing.T) {
	c := invoker()
	c.Models[0].Name = strings.Repeat("m", contract.MaxEnvironmentBytes)
	_, err := contract.Encode(c)
	assert.ErrorContains(t, err, "over Lambda's limit of 4096")
}

func TestFailoverIsBounded(t *testing.T) {
	retries := func(n int) *int { return &n }
	tests := []struct {
		name string
		set  contract.Failover
		want string // "" for none
	}{
		{"nothing", contract.Failover{}, ""},
		{"everything", contract.Failover{
			FirstContentSeconds: 300, IdleSeconds: 840, HoldSeconds: 240, KeepAliveSeconds: 240, Retries: retries(5), BackoffSeconds: 5,
			BreakerFailures: 100, BreakerOpenSeconds: 300, HedgeDelaySeconds: 300, HedgeShare: 1, ContinueStreams: true,
		}, ""},
		{"no retries", contract.Failover{Retries: retries(0)}, ""},
		{"fewer than none", contract.Failover{Retries: retries(-1)}, "failover.retries is -1: set 0 to 5"},
		{"a wait that API Gateway cuts", contract.Failover{FirstContentSeconds: 301}, "failover.firstContentSeconds is 301"},
		{"a hold that it cuts", contract.Failover{HoldSeconds: 241}, "failover.holdSeconds is 241"},
		{"a negative wait", contract.Failover{IdleSeconds: -0.5}, "failover.idleSeconds is -0.5"},
		{"a share of nothing", contract.Failover{HedgeShare: 0.5}, "failover.hedgeShare is set without"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := invoker()
			c.Failover = tt.set
			env, err := contract.Encode(c)
			if tt.want != "" {
				assert.ErrorContains(t, err, tt.want)
				return
			}
			require.NoError(t, err)
			got, err := contract.Decode[contract.Invoker](lookup(env))
			require.NoError(t, err)
			assert.Equal(t, tt.set, got.Failover)
		})
	}
}

func TestRoutesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range contract.Routes {
		assert.False(t, seen[r.Method+" "+r.Path], "%s %s stands twice", r.Method, r.Path)
		assert.False(t, seen[r.Operation], "%s stands twice", r.Operation)
		seen[r.Method+" "+r.Path], seen[r.Operation] = true, true
	}
}

// TestAnAnswerNamesOneRegion, so that a health check that searches for one
// region's is not content with another's.
func TestAnAnswerNamesOneRegion(t *testing.T) {
	assert.Equal(t, "/healthz?drained=eu-west-1", contract.DrainedPath("eu-west-1"))
	assert.JSONEq(t, `{"drained":true,"region":"eu-west-1"}`, contract.DrainedAnswer("eu-west-1", true))
	assert.NotContains(t, contract.DrainedAnswer("eu-west-11", true), contract.DrainedAnswer("eu-west-1", true))
	assert.NotContains(t, contract.DrainedAnswer("eu-west-1", false), contract.DrainedAnswer("eu-west-1", true))
}
