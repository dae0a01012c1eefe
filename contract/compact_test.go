package contract_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var europe = []string{"eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"}

// large is an environment of six models in three regions, each with a guardrail.
func large() contract.Invoker {
	c := contract.Invoker{
		Stack: "production-eu", Jurisdiction: "eu", Region: "eu-central-1", Failover: contract.Failover{FirstContentSeconds: 60},
		Regions: []string{"eu-central-1", "eu-north-1", "eu-west-1"}, Allowed: europe,
		Conversations: contract.Conversations{
			Table: "eu-central-1-conversation-content-0123456", Partners: []string{"eu-north-1", "eu-west-1"}, RetentionDays: 365,
		},
		ControlTable: "eu-central-1-conversation-control-0123456", UsageRetentionDays: 400,
	}
	for m := range 6 {
		model := contract.Model{Name: fmt.Sprintf("claude-sonnet-4-5-large-%d", m), Base: "anthropic.claude-sonnet-4-5-20250929-v1:0"}
		for _, region := range c.Regions {
			model.Targets = append(model.Targets, contract.Target{
				Region:       region,
				ID:           "arn:aws:bedrock:" + region + ":123456789012:application-inference-profile/abcdefghij12",
				Destinations: europe[:len(europe)-m%2*2],
				Guardrail:    &contract.Guardrail{ID: region[:4] + "abcdefgh", Version: "12"},
			})
		}
		c.Models = append(c.Models, model)
	}
	return c
}

// TestSixModelsInThreeRegionsFit into Lambda's 4 KB, where every byte of a
// target counts 18 times.
func TestSixModelsInThreeRegionsFit(t *testing.T) {
	env, err := contract.Encode(large())
	require.NoError(t, err)
	got, err := contract.Decode[contract.Invoker](lookup(env))
	require.NoError(t, err)
	assert.Equal(t, large(), got)
	assert.Equal(t, 3, strings.Count(env[contract.EnvConfig], "eu-south-1"), "of Allowed and of each set once")
}

func TestReferencesThatLeadNowhereAreRefused(t *testing.T) {
	env, err := contract.Encode(invoker())
	require.NoError(t, err)
	tests := []struct{ name, old, new, want string }{
		{"destinations past the last", `"to":0`, `"to":1`, "model m: target eu-west-1 refers to destinations 1 of 1"},
		{"destinations before the first", `"to":0`, `"to":-1`, "refers to destinations -1 of 1"},
		{"a guardrail past the last", `"guardrail":0`, `"guardrail":1`, "refers to guardrail 1 of 1"},
		{"a guardrail before the first", `"guardrail":0`, `"guardrail":-1`, "refers to guardrail -1 of 1"},
		{"an unknown field", `"to":0`, `"to":0,"from":0`, `unknown field "from"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config := strings.Replace(env[contract.EnvConfig], tt.old, tt.new, 1)
			require.NotEqual(t, env[contract.EnvConfig], config)
			_, err := contract.Decode[contract.Invoker](lookup(map[string]string{
				contract.EnvFunction: contract.FunctionInvoker, contract.EnvConfig: config,
			}))
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestResidencyMustBeConfigured(t *testing.T) {
	tests := []struct {
		name   string
		change func(*contract.Invoker)
		want   string
	}{
		{"no allowed region", func(c *contract.Invoker) { c.Allowed = nil }, "allowed is empty"},
		{"anywhere and somewhere", func(c *contract.Invoker) { c.Allowed = []string{"eu-west-1", "*"} }, `"*" stands alone`},
		{"no destination", func(c *contract.Invoker) { c.Models[0].Targets[0].Destinations = nil }, "models[0].targets[0].destinations is empty"},
		{"a guardrail without an ID", func(c *contract.Invoker) { c.Models[0].Targets[0].Guardrail.ID = "" }, "models[0].targets[0].guardrail.id is missing"},
		{"a guardrail without a version", func(c *contract.Invoker) { c.Models[0].Targets[0].Guardrail.Version = "" }, "guardrail.version is missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := invoker()
			tt.change(&c)
			_, err := contract.Encode(c)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
