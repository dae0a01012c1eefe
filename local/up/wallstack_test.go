package up_test

import (
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/up"
	"github.com/stretchr/testify/require"
)

// The wall's stacks have two regions. The invoker of the second knows its own
// target only, which no settings allow, so that there is one with one target.
const (
	wallTwo, wallOne = "us-east-1", "us-west-2"
	wallSpeed        = 8 // by which limits are shorter than the defaults
	wallAtOnce       = 10
)

// startWall deploys a stack whose limits are the defaults, divided by
// [wallSpeed]. Each invocation has an environment of its own: no breaker knows
// of the request before.
//
// Where streams are continued, their status waits for a quarter of the time
// that a target may be silent, so that both ends of a hold are seen.
func startWall(t *testing.T, continues bool) *up.Running {
	t.Helper()
	limits := defaultLimits(wallSpeed)
	if limits["continueStreams"] = continues; continues {
		limits["holdSeconds"], limits["keepAliveSeconds"] = 5./wallSpeed, 5./wallSpeed
	}
	p, err := startAltered(t, alteration{resource: onlyOwnTarget}, pairOptions(wallSpeed, limits))
	require.NoError(t, err)
	p.Account.Lambda.KeepWarm(false)
	return p.Running
}

// defaultLimits are the defaults of failover's settings in a cloud whose time
// runs faster.
func defaultLimits(speed float64) map[string]any {
	return map[string]any{
		"firstContentSeconds": 20 / speed, "idleSeconds": 60 / speed, "holdSeconds": 20 / speed, "keepAliveSeconds": 15 / speed,
		"backoffSeconds": 0.5 / speed, "breakerOpenSeconds": 10 / speed,
	}
}

// pairOptions are those of a stack of two regions and one model.
func pairOptions(speed float64, failover map[string]any) up.Options {
	return up.Options{Stack: "prod", Speed: speed, Settings: map[string]any{
		"regions": []any{
			map[string]any{"name": wallTwo, "failover": []any{wallOne}},
			map[string]any{"name": wallOne, "failover": []any{wallTwo}},
		},
		"models":   []any{map[string]any{"name": "claude-sonnet", "profile": "us.anthropic.claude-sonnet-4-5-20250929-v1:0"}},
		"failover": failover,
	}}
}

func onlyOwnTarget(r *registration) {
	if r.token != "aws:lambda/function:Function" || r.region != wallOne {
		return
	}
	environment := r.inputs["environment"].(map[string]any)
	variables := environment["variables"].(map[string]any)
	if variables[contract.EnvFunction] != contract.FunctionInvoker {
		return
	}
	cfg, err := contract.Decode[contract.Invoker](func(name string) string { return variables[name].(string) })
	if err == nil {
		for i := range cfg.Models {
			cfg.Models[i].Targets = cfg.Models[i].Targets[:1]
		}
		var encoded map[string]string
		encoded, err = contract.Encode(cfg)
		variables[contract.EnvConfig] = encoded[contract.EnvConfig]
	}
	if err != nil {
		variables[contract.EnvConfig] = err.Error() // which the function will not start with
	}
}
