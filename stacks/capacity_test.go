package stacks_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/local/servicequotas"
	"github.com/crossregion/crossregion/stacks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	quotaFunction = "aws:servicequotas/getServiceQuota:getServiceQuota"
	executions    = "L-B99A9384"
	sonnetTokens  = "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1"
	novaTokens    = "Cross-region model inference tokens per minute for Amazon Nova Pro"
)

// account answers for quotas: 1000 of each, but for those given by region and
// code or name. Negative ones cannot be read.
type account struct {
	values map[string]float64

	mu    sync.Mutex
	asked []string
}

func (a *account) answer(region string, args map[string]any) (map[string]any, error) {
	id, byCode := args["quotaCode"]
	if !byCode {
		id = args["quotaName"]
	}
	key := fmt.Sprintf("%s %s", region, id)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, fmt.Sprintf("%s of %s", key, args["serviceCode"]))
	value, given := a.values[key]
	switch {
	case !given:
		value = 1000
	case value < 0:
		return nil, fmt.Errorf("AccessDeniedException: not authorized, RequestID: %d", rand.Int())
	}
	return map[string]any{"value": value}, nil
}

// warningLog keeps what a program warns of.
type warningLog struct {
	pulumi.Log
	lines []string
}

func (l *warningLog) Warn(line string, _ *pulumi.LogArgs) error {
	l.lines = append(l.lines, line)
	return nil
}

// containing are the warnings with a text.
func (l *warningLog) containing(text string) []string {
	return slices.DeleteFunc(slices.Clone(l.lines), func(line string) bool { return !strings.Contains(line, text) })
}

// warnings runs stack eu with changed settings, and returns what it exports as
// warnings, which must be logged too. It leaves out what is said of any pair.
func warnings(t *testing.T, a *account, change func(map[string]any)) []string {
	t.Helper()
	stack := load(t, "eu")
	stack.Config["crossregion:settings"] = edit(t, stack.Config["crossregion:settings"], change)
	return slices.DeleteFunc(warningsOf(t, stack, a.answer), func(w string) bool { return strings.Contains(w, "tieBreaker") })
}

// warningsOf leaves out what is said of destinations: the recorder's are made
// up, and differ from the catalogue.
func warningsOf(t *testing.T, stack *deploy.Stack, quota componenttest.Call) (exported []string) {
	t.Helper()
	answers := calls(inJurisdiction)
	answers[quotaFunction] = quota
	err := componenttest.New(answers).Run(func(ctx *pulumi.Context) error {
		log := &warningLog{Log: ctx.Log}
		ctx.Log = log
		if err := stacks.Program(ctx); err != nil {
			return err
		}
		for _, w := range ctx.GetCurrentExportMap()["warnings"].(pulumi.StringArray) {
			exported = append(exported, string(w.(pulumi.String)))
		}
		assert.ElementsMatch(t, log.lines, exported, "the log says what the output says")
		return nil
	}, as(stack))
	require.NoError(t, err)
	return slices.DeleteFunc(exported, func(w string) bool { return strings.Contains(w, "the catalogue of") })
}

// pair leaves two regions, which fail over to each other.
func pair(s map[string]any) {
	s["regions"] = []any{
		map[string]any{"name": "eu-central-1", "failover": []any{"eu-west-1"}},
		map[string]any{"name": "eu-west-1", "failover": []any{"eu-central-1"}},
	}
}

// reserving reserves environments in each of a pair.
func reserving(n int) func(map[string]any) {
	return func(s map[string]any) { pair(s); s["reservedConcurrency"] = n }
}

func models(models ...any) func(map[string]any) {
	return func(s map[string]any) { pair(s); s["models"] = models }
}

func TestCapacity(t *testing.T) {
	const carry = "eu-west-1 could not carry the load of eu-central-1, which fails over to it: "
	tests := []struct {
		name   string
		values map[string]float64
		change func(map[string]any)
		want   []string // the beginnings of all warnings
	}{
		{"equal regions", nil, pair, nil},
		{"a partner with fewer concurrent executions", map[string]float64{"eu-west-1 " + executions: 400}, pair, []string{
			carry + `quota "Concurrent executions" of lambda is 400 in eu-west-1 and 1000 in eu-central-1; ` +
				"request an increase for eu-west-1 in Service Quotas"}},
		{"a partner with fewer tokens", map[string]float64{"eu-central-1 " + novaTokens: 5e6, "eu-west-1 " + novaTokens: 2e6}, pair, []string{
			carry + `quota "` + novaTokens + `" of bedrock is 2000000 in eu-west-1 and 5000000 in eu-central-1; ` +
				"request an increase for eu-west-1 in Service Quotas"}},
		{"a partner without any", map[string]float64{"eu-west-1 " + sonnetTokens: 0}, pair, []string{
			carry + `quota "` + sonnetTokens + `" of bedrock is 0 in eu-west-1`}},
		{"each better at something", map[string]float64{"eu-west-1 " + executions: 400, "eu-central-1 " + novaTokens: 999}, pair, []string{
			carry + `quota "Concurrent executions"`, `eu-central-1 could not carry the load of eu-west-1, which fails over to it: quota "` + novaTokens}},
		{"room for what both reserve, to the last", nil, reserving(500), nil},
		{"no room for what both reserve", map[string]float64{"eu-west-1 " + executions: 1002}, reserving(501), []string{
			`eu-central-1 could not carry the load of eu-west-1, which fails over to it: quota "Concurrent executions" of lambda is 1000 ` +
				"in eu-central-1 and 1002 in eu-west-1;",
			`eu-central-1 could not carry the load of eu-west-1, which fails over to it: quota "Concurrent executions" of lambda is 1000 ` +
				"in eu-central-1, and the invokers of both reserve 1002; request an increase for eu-central-1 in Service Quotas, or lower reservedConcurrency",
		}},
		{"a quota that may not be read", map[string]float64{"eu-west-1 " + executions: -1, "eu-west-1 " + novaTokens: 1}, reserving(900), []string{
			`the capacity of eu-west-1 is not compared: quota "Concurrent executions" of lambda cannot be read; `,
			carry + `quota "` + novaTokens + `" of bedrock is 1 in eu-west-1`,
			"eu-central-1 could not carry the load of eu-west-1, which fails over to it: " + `quota "Concurrent executions" of lambda is 1000 in eu-central-1, and`,
		}},
		{"a profile whose quota is not known", nil, models(map[string]any{"name": "m", "profile": "eu.acme.model-9"}), []string{
			"the capacity of model m is not compared: the quota names of 2026-11 have none for eu.acme.model-9; compare its tokens per minute"}},
		{"a model in the region itself", nil, models(map[string]any{"name": "m", "model": "amazon.nova-pro-v1:0"}), []string{
			"the capacity of model m is not compared: the quota names of 2026-11 have none for amazon.nova-pro-v1:0"}},
		{"switched off", map[string]float64{"eu-west-1 " + executions: 1}, func(s map[string]any) { pair(s); s["capacityCheck"] = false }, nil},
		{"switched on", map[string]float64{"eu-west-1 " + executions: 1}, func(s map[string]any) { pair(s); s["capacityCheck"] = true },
			[]string{carry}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := warnings(t, &account{values: tt.values}, tt.change)
			require.Len(t, got, len(tt.want), strings.Join(got, "\n"))
			for i, want := range tt.want {
				assert.Truef(t, strings.HasPrefix(got[i], want), "got:  %s\nwant: %s", got[i], want)
			}
		})
	}
}

// TestEveryPartnerIsCompared: not only the one that DNS fails over to.
func TestEveryPartnerIsCompared(t *testing.T) {
	got := warnings(t, &account{values: map[string]float64{"eu-north-1 " + executions: 10}}, func(map[string]any) {})
	require.Len(t, got, 2)
	assert.Contains(t, got[0], "eu-north-1 could not carry the load of eu-central-1")
	assert.Contains(t, got[1], "eu-north-1 could not carry the load of eu-west-1")
}

// TestAnUnreadableQuotaSaysWhatToDo in words that stay the same: a pipeline
// that compares outputs must not see AWS's request IDs.
func TestAnUnreadableQuotaSaysWhatToDo(t *testing.T) {
	unreadable := func() []string {
		return warnings(t, &account{values: map[string]float64{"eu-west-1 " + executions: -1}}, pair)
	}
	got := unreadable()
	require.Len(t, got, 1)
	for _, want := range []string{"allow servicequotas:GetServiceQuota", "set capacityCheck to false"} {
		assert.Contains(t, got[0], want)
	}
	assert.NotContains(t, got[0], "RequestID")
	assert.Equal(t, got, unreadable())
}

// TestQuotasAreReadOnce of each region, however many models share them; none
// when the check is switched off.
func TestQuotasAreReadOnce(t *testing.T) {
	two := models(
		map[string]any{"name": "fast", "profile": "eu.amazon.nova-pro-v1:0"}, map[string]any{"name": "slow", "profile": "eu.amazon.nova-pro-v1:0"})
	a := &account{}
	warnings(t, a, two)
	assert.ElementsMatch(t, []string{
		"eu-central-1 " + executions + " of lambda", "eu-central-1 " + novaTokens + " of bedrock",
		"eu-west-1 " + executions + " of lambda", "eu-west-1 " + novaTokens + " of bedrock",
	}, a.asked)

	off := &account{}
	warnings(t, off, func(s map[string]any) { two(s); s["capacityCheck"] = false })
	assert.Empty(t, off.asked)
}

// TestAGlobalProfileHasItsOwnQuota: geographies share theirs.
func TestAGlobalProfileHasItsOwnQuota(t *testing.T) {
	a := &account{}
	warnings(t, a, func(s map[string]any) {
		models(map[string]any{"name": "m", "profile": "global.anthropic.claude-haiku-4-5-20251001-v1:0"})(s)
		s["jurisdiction"] = "global"
	})
	assert.Contains(t, a.asked, "eu-west-1 Global cross-region model inference tokens per minute for Anthropic Claude Haiku 4.5 of bedrock")
	assert.Len(t, a.asked, 4, "and not the geographic one")
}

// TestTheConcurrencyAlarmKnowsTheQuota: at a fixed limit, an account with less
// would never hear of it.
func TestTheConcurrencyAlarmKnowsTheQuota(t *testing.T) {
	a := &account{values: map[string]float64{"eu-north-1 " + executions: 10}}
	stack, answers := load(t, "eu"), calls(inJurisdiction)
	answers[quotaFunction] = a.answer
	rec := componenttest.New(answers)
	require.NoError(t, rec.Run(stacks.Program, as(stack)))
	alarm := rec.One(t, "aws:cloudwatch/metricAlarm:MetricAlarm", "eu-north-1-alarms-concurrency")
	assert.Equal(t, 8.0, alarm.Inputs["threshold"].NumberValue())
}

// TestDefaultQuotasCarryTheStacks: in an account as AWS gives it, no partner of
// the stack files is short of anything, and every quota has the name by which
// the embedded cloud knows it.
func TestDefaultQuotasCarryTheStacks(t *testing.T) {
	for _, name := range []string{"prod", "eu"} {
		t.Run(name, func(t *testing.T) {
			s := servicequotas.New()
			answer := func(region string, args map[string]any) (map[string]any, error) {
				return s.Functions()[0].Call(t.Context(), region, args)
			}
			stack := load(t, name)
			assert.Empty(t, warningsOf(t, stack, answer))

			second := stack.Settings.Regions[1].Name
			require.NoError(t, s.Set(second, "lambda", executions, 50))
			got := warningsOf(t, stack, answer)
			require.Len(t, got, 2, "both others fail over to it")
			for _, w := range got {
				assert.Contains(t, w, second+" could not carry the load of ")
			}
		})
	}
}
