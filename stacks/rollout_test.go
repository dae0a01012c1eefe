package stacks_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/stacks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// deploys runs the stack with destinations as the embedded Bedrock has them.
func deploys(t *testing.T, stack *deploy.Stack) *componenttest.Recorder {
	t.Helper()
	answers := calls(inJurisdiction)
	profiles := bedrock.New(bedrock.Config{}).Functions()[0]
	answers[profiles.Token] = func(region string, args map[string]any) (map[string]any, error) {
		out, err := profiles.Call(t.Context(), region, args)
		if arn, ok := out["inferenceProfileArn"].(string); ok {
			out["inferenceProfileArn"] = strings.ReplaceAll(arn, cloud.Account, componenttest.Account)
		}
		return out, err
	}
	rec := componenttest.New(answers)
	require.NoError(t, rec.Run(stacks.Program, as(stack)))
	return rec
}

// threeRegions are those of stack eu, one of them offline.
func threeRegions(offline string) map[string]any {
	var regions []any
	all := []string{"eu-central-1", "eu-west-1", "eu-north-1"}
	for _, name := range all {
		partners := slices.DeleteFunc(slices.Clone(all), func(n string) bool { return n == name })
		regions = append(regions, map[string]any{"name": name, "failover": partners, "offline": name == offline})
	}
	return map[string]any{"regions": regions}
}

// TestARegionThatIsOfflineIsNotAsked, whether or not it is the home. All else is
// registered as if it answered: what is not would be deleted.
func TestARegionThatIsOfflineIsNotAsked(t *testing.T) {
	stack := load(t, "eu")
	require.NoError(t, stack.Override(threeRegions("")))
	online := deploys(t, stack)
	require.Len(t, online.Asked(), 3)
	for _, offline := range []string{"eu-north-1", "eu-central-1"} {
		t.Run(offline, func(t *testing.T) {
			stack := load(t, "eu")
			require.NoError(t, stack.Override(threeRegions(offline)))
			rec := deploys(t, stack)
			assert.NotContains(t, rec.Asked(), offline)
			assert.Len(t, rec.Asked(), 2)
			for _, want := range online.Registrations() {
				got := rec.One(t, want.Type, want.Name)
				if want.Type == "pulumi:providers:aws" && want.Name == offline {
					assert.True(t, got.Inputs["skipRequestingAccountId"].BoolValue(), "the provider asks nobody who it is")
					assert.True(t, got.Inputs["skipCredentialsValidation"].BoolValue())
					continue
				}
				assert.Equal(t, want.Inputs, got.Inputs, want.Name)
			}
		})
	}
}

// TestOfflineRegionsAreTold at preview, and in the evidence of residency.
func TestOfflineRegionsAreTold(t *testing.T) {
	stack := load(t, "eu")
	require.NoError(t, stack.Override(threeRegions("eu-north-1")))
	outputs := exported(t, stack)
	assert.Contains(t, strings.Join(outputs["warnings"].([]string), "\n"), "eu-north-1 is offline: nothing is asked there")
	assert.Contains(t, outputs["residency"], "AWS was not asked, since the region is offline")
}

func TestOfflineRegionsAreRefused(t *testing.T) {
	const models = `,"models":[{"name":"m","profile":"global.anthropic.claude-sonnet-4-6"}],"conversations":{"home":"us-east-1"}}`
	_, err := stacks.ParseSettings(`{"jurisdiction":"global","regions":[{"name":"us-east-1","failover":["us-west-2"],"offline":true},` +
		`{"name":"us-west-2","failover":["us-east-1"],"offline":true}]` + models)
	assert.ErrorContains(t, err, "regions: all are offline")
	assert.ErrorContains(t, err, "regions[0].offline: models[0] has a global profile")
}

// TestAFailureInOneRegionStopsTheNext: the functions of a region wait for the
// API of the one before it in the settings.
func TestAFailureInOneRegionStopsTheNext(t *testing.T) {
	rec := deploys(t, load(t, "eu"))
	order := []string{"eu-central-1", "eu-west-1", "eu-north-1"}
	for i, region := range order {
		for _, function := range []string{"-invoker-fn", "-health-fn", "-authorizer-fn"} {
			f := rec.One(t, "aws:lambda/function:Function", region+function)
			for j, other := range order {
				assert.Equal(t, j == i-1, slices.Contains(f.DependsOn, other+"-gateway-stage"), "%s on %s", f.Name, other)
			}
		}
	}
}

// TestACanaryKeepsTheFormerVersion of the functions that it names, and only of
// those.
func TestACanaryKeepsTheFormerVersion(t *testing.T) {
	stack := load(t, "eu")
	stack.Config["crossregion:canary"] = `{"percent":10,"versions":{"eu-west-1-invoker":"0"}}`
	rec := deploys(t, stack)
	const alias = "aws:lambda/alias:Alias"
	tried := rec.One(t, alias, "eu-west-1-invoker-alias").Inputs
	assert.Equal(t, "0", tried["functionVersion"].StringValue())
	assert.InDelta(t, 0.1, tried["routingConfig"].ObjectValue()["additionalVersionWeights"].ObjectValue()["1"].NumberValue(), 1e-9)
	for _, name := range []string{"eu-west-1-health-alias", "eu-central-1-invoker-alias"} {
		assert.Equal(t, "1", rec.One(t, alias, name).Inputs["functionVersion"].StringValue())
		assert.NotContains(t, rec.One(t, alias, name).Inputs, "routingConfig")
	}

	stack.Config["crossregion:canary"] = `{"percent":90}`
	_, err := run(t, stack, inJurisdiction)
	assert.ErrorContains(t, err, "percent is 90, not 0 to 50")
}

func TestRolloutSettings(t *testing.T) {
	assert.Equal(t, 10*time.Minute, load(t, "eu").Settings.Rollout.Bake())
	stack := load(t, "eu")
	require.NoError(t, stack.Override(map[string]any{"rollout": map[string]any{"bakeMinutes": 0, "canaryPercent": 10}}))
	assert.Zero(t, stack.Settings.Rollout.Bake())
	for _, share := range []int{-1, 9, 51} {
		err := stack.Override(map[string]any{"rollout": map[string]any{"bakeMinutes": -1, "canaryPercent": share}})
		assert.ErrorContains(t, err, "rollout.bakeMinutes")
		assert.ErrorContains(t, err, fmt.Sprintf("rollout.canaryPercent: %d is out of range", share))
	}
}

// exported are a stack's warnings and its evidence, as it exports them.
func exported(t *testing.T, stack *deploy.Stack) map[string]any {
	t.Helper()
	outputs := map[string]any{}
	answers := calls(inJurisdiction)
	rec := componenttest.New(answers)
	require.NoError(t, rec.Run(func(ctx *pulumi.Context) error {
		err := stacks.Program(ctx)
		for name, value := range ctx.GetCurrentExportMap() {
			switch v := value.(type) {
			case pulumi.String:
				outputs[name] = string(v)
			case pulumi.StringArray:
				var texts []string
				for _, text := range v {
					texts = append(texts, string(text.(pulumi.String)))
				}
				outputs[name] = texts
			}
		}
		return err
	}, as(stack)))
	return outputs
}
