package stacks_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/contract"
	handlers "github.com/crossregion/crossregion/lambda/invoker"
	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/stacks"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// destinations are where the recorder says that every profile routes to.
type destinations func(profile, source string) []string

// inJurisdiction routes to the source region alone.
func inJurisdiction(_, source string) []string { return []string{source} }

// calls answer the program's data sources.
func calls(to destinations) map[string]componenttest.Call {
	return map[string]componenttest.Call{
		"aws:route53/getZone:getZone": func(string, map[string]any) (map[string]any, error) {
			return map[string]any{"zoneId": "ZZONE", "id": "ZZONE"}, nil
		},
		quotaFunction: func(string, map[string]any) (map[string]any, error) { return map[string]any{"value": 1000}, nil },
		"aws:resourcegroupstaggingapi/getResources:getResources": func(string, map[string]any) (map[string]any, error) {
			return map[string]any{"resourceTagMappingLists": []any{}}, nil
		},
		"aws:bedrockfoundation/getModel:getModel": func(region string, args map[string]any) (map[string]any, error) {
			return map[string]any{"modelArn": "arn:aws:bedrock:" + region + "::foundation-model/" + args["modelId"].(string),
				"inferenceTypesSupporteds": []any{"ON_DEMAND"}, "outputModalities": []any{"TEXT"}}, nil
		},
		"aws:bedrock/getInferenceProfile:getInferenceProfile": func(region string, args map[string]any) (map[string]any, error) {
			id := args["inferenceProfileId"].(string)
			models := []any{}
			for _, d := range to(id, region) {
				models = append(models, map[string]any{"modelArn": "arn:aws:bedrock:" + d + "::foundation-model/" + id})
			}
			return map[string]any{
				"inferenceProfileArn": fmt.Sprintf("arn:aws:bedrock:%s:%s:inference-profile/%s", region, componenttest.Account, id),
				"models":              models,
			}, nil
		},
	}
}

// as makes a run that of a stack, with the settings that it has by now.
func as(stack *deploy.Stack) pulumi.RunOption {
	return func(info *pulumi.RunInfo) {
		info.Config, info.RootDirectory, info.Stack = stack.Config, stack.Root, stack.Name
	}
}

// run runs the program with one stack's real settings file.
func run(t *testing.T, stack *deploy.Stack, to destinations) (*componenttest.Recorder, error) {
	t.Helper()
	rec := componenttest.New(calls(to))
	err := rec.Run(stacks.Program, as(stack))
	return rec, err
}

func load(t *testing.T, name string) *deploy.Stack {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	stack, err := deploy.Load(root, name)
	require.NoError(t, err)
	return stack
}

// TestStacks compares what each stack file registers with a golden tree: a
// name or a parent that changes shows here before it shows as a replacement.
func TestStacks(t *testing.T) {
	for _, name := range []string{"prod", "eu"} {
		t.Run(name, func(t *testing.T) {
			rec, err := run(t, load(t, name), inJurisdiction)
			require.NoError(t, err)
			rec.CheckComponents(t)
			compare(t, name+".tree", rec.Tree())
		})
	}
}

// TestRights compares what every role may do, and who may invoke what, with a
// golden list: a test can only find rights that are missing, this finds those
// that nobody needs.
func TestRights(t *testing.T) {
	for _, name := range []string{"prod", "eu"} {
		t.Run(name, func(t *testing.T) {
			// The destinations are those of the embedded Bedrock's catalogue.
			stack, answers := load(t, name), calls(inJurisdiction)
			profiles := bedrock.New(bedrock.Config{}).Functions()[0]
			answers[profiles.Token] = func(region string, args map[string]any) (map[string]any, error) {
				return profiles.Call(t.Context(), region, args)
			}
			rec := componenttest.New(answers)
			require.NoError(t, rec.Run(stacks.Program, as(stack)))
			compare(t, name+".rights", rights(t, rec))
		})
	}
}

func rights(t *testing.T, rec *componenttest.Recorder) string {
	t.Helper()
	var b strings.Builder
	for _, p := range rec.Of("aws:iam/rolePolicy:RolePolicy") {
		var pretty bytes.Buffer
		require.NoError(t, json.Indent(&pretty, []byte(p.Inputs["policy"].StringValue()), "", "  "), p.Name)
		fmt.Fprintf(&b, "%s may, by %s:\n%s\n\n", p.Inputs["role"].StringValue(), p.Name, &pretty)
	}
	for _, k := range rec.Of("aws:kms/key:Key") {
		var pretty bytes.Buffer
		require.NoError(t, json.Indent(&pretty, []byte(k.Inputs["policy"].StringValue()), "", "  "), k.Name)
		fmt.Fprintf(&b, "%s may be used:\n%s\n\n", k.Name, &pretty)
	}
	for _, p := range rec.Of("aws:lambda/permission:Permission") {
		fmt.Fprintf(&b, "%s:%s may be invoked by %s for %s\n", p.Inputs["function"].StringValue(), p.Inputs["qualifier"].StringValue(),
			p.Inputs["principal"].StringValue(), p.Inputs["sourceArn"].StringValue())
	}
	return b.String()
}

// compare reports the lines in which got differs from a golden file.
func compare(t *testing.T, file, got string) {
	t.Helper()
	golden := filepath.Join("testdata", file)
	if *update {
		require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	for _, line := range onlyIn(string(want), got) {
		t.Errorf("%s: gone: %s", file, line)
	}
	for _, line := range onlyIn(got, string(want)) {
		t.Errorf("%s: new: %s", file, line)
	}
	if !t.Failed() {
		assert.True(t, string(want) == got, "%s: lines stand in another order or number", file)
	}
}

// onlyIn returns the lines of a that b has not.
func onlyIn(a, b string) []string {
	return slices.DeleteFunc(strings.Split(a, "\n"), func(line string) bool {
		return slices.Contains(strings.Split(b, "\n"), line)
	})
}

// TestHandlersCanReadTheirEnvironment feeds what is deployed to the function
// that will read it.
func TestHandlersCanReadTheirEnvironment(t *testing.T) {
	for _, name := range []string{"prod", "eu"} {
		t.Run(name, func(t *testing.T) {
			stack := load(t, name)
			rec, err := run(t, stack, inJurisdiction)
			require.NoError(t, err)
			functions := rec.Of("aws:lambda/function:Function")
			require.Len(t, functions, 3*len(stack.Settings.Regions))
			for _, f := range functions {
				checkEnvironment(t, stack, f)
			}
		})
	}
}

// environmentOf is what a function reads its environment with.
func environmentOf(f componenttest.Registration) func(key string) string {
	variables := f.Inputs["environment"].ObjectValue()["variables"].ObjectValue()
	return func(key string) string {
		if v := variables[resource.PropertyKey(key)]; v.IsString() {
			return v.StringValue()
		}
		// What Lambda itself sets.
		return map[string]string{"AWS_REGION": f.Region, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}[key]
	}
}

func checkEnvironment(t *testing.T, stack *deploy.Stack, f componenttest.Registration) {
	t.Helper()
	getenv := environmentOf(f)
	if kind := getenv(contract.EnvFunction); kind != contract.FunctionAuthorizer {
		_, err := handlers.New(getenv, slog.New(slog.DiscardHandler))
		require.NoError(t, err, "%s does not start", f.Name)
	}
	switch kind := getenv(contract.EnvFunction); kind {
	case contract.FunctionInvoker:
		c, err := contract.Decode[contract.Invoker](getenv)
		require.NoError(t, err, f.Name)
		assert.Equal(t, f.Region, c.Region)
		assert.Len(t, c.Models, len(stack.Settings.Models))
		for _, m := range c.Models {
			assert.Equal(t, f.Region, m.Targets[0].Region, "the own region comes first")
			assert.Len(t, m.Targets, 3, "%s reaches both partners", f.Name)
		}
	case contract.FunctionHealth:
		c, err := contract.Decode[contract.Health](getenv)
		require.NoError(t, err, f.Name)
		assert.Equal(t, f.Region, c.Region)
	case contract.FunctionAuthorizer:
		c, err := contract.Decode[contract.Authorizer](getenv)
		require.NoError(t, err, f.Name)
		assert.Equal(t, c.OIDC == nil, strings.Contains(c.Table, "control"), "only API keys are in a table")
	default:
		t.Errorf("%s has an environment for nobody: %q", f.Name, kind)
	}
}

// TestNothingIsProcessedOutsideTheJurisdiction is R1: what AWS answers decides,
// not the name of the profile.
func TestNothingIsProcessedOutsideTheJurisdiction(t *testing.T) {
	tests := []struct {
		name string
		to   destinations
		want []string
	}{
		{"a destination outside", func(_, source string) []string {
			if source == "eu-west-1" {
				return []string{source, "eu-west-2"}
			}
			return []string{source}
		}, []string{"models[0]: ", "models[1]: ", "called from eu-west-1", "eu-west-2", `jurisdiction "eu"`, "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"}},
		{"a destination anywhere", func(_, source string) []string { return []string{source, ""} },
			[]string{"any commercial region", `jurisdiction "eu"`}},
		{"no destination", func(_, _ string) []string { return nil }, []string{"lists no destination"}},
		{"a destination outside, of every region at once", func(_, _ string) []string { return []string{"us-east-1"} },
			[]string{"called from eu-central-1", "called from eu-west-1", "called from eu-north-1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec, err := run(t, load(t, "eu"), tt.to)
			for _, want := range tt.want {
				assert.ErrorContains(t, err, want)
			}
			assert.Empty(t, rec.Of("aws:lambda/function:Function"), "nothing is deployed that could call it")
		})
	}
}

// TestTablesStayInTheStacksRegions is R1 for data at rest.
func TestTablesStayInTheStacksRegions(t *testing.T) {
	rec, err := run(t, load(t, "eu"), inJurisdiction)
	require.NoError(t, err)
	places := map[string]int{}
	for _, token := range []string{"aws:dynamodb/table:Table", "aws:dynamodb/tableReplica:TableReplica"} {
		for _, r := range rec.Of(token) {
			places[r.Region]++
			assert.True(t, r.Protect, "%s can be deleted by mistake", r.Name)
			assert.True(t, r.Inputs["deletionProtectionEnabled"].BoolValue(), r.Name)
		}
	}
	assert.Equal(t, map[string]int{"eu-central-1": 2, "eu-west-1": 2, "eu-north-1": 2}, places)
	for _, r := range rec.Of("aws:dynamodb/table:Table") {
		assert.Equal(t, "eu-central-1", r.Region, "the home region owns the tables")
	}
}

// TestEveryTaggableResourceNamesItsComponent: what is the same for all comes
// from the provider.
func TestEveryTaggableResourceNamesItsComponent(t *testing.T) {
	rec, err := run(t, load(t, "eu"), inJurisdiction)
	require.NoError(t, err)
	for _, token := range []string{
		"aws:lambda/function:Function", "aws:iam/role:Role", "aws:dynamodb/table:Table", "aws:dynamodb/tableReplica:TableReplica",
		"aws:kms/key:Key", "aws:cloudwatch/logGroup:LogGroup", "aws:apigateway/restApi:RestApi", "aws:apigateway/stage:Stage",
		"aws:apigateway/domainName:DomainName", "aws:acm/certificate:Certificate", "aws:route53/healthCheck:HealthCheck",
		"aws:bedrock/inferenceProfile:InferenceProfile", "aws:sns/topic:Topic", "aws:cloudwatch/metricAlarm:MetricAlarm",
	} {
		require.NotEmpty(t, rec.Of(token), token)
		for _, r := range rec.Of(token) {
			if assert.True(t, r.Inputs["tags"].IsObject(), "%s %s has no tags", token, r.Name) {
				component := r.Inputs["tags"].ObjectValue()["crossregion:component"]
				assert.Equal(t, resource.NewProperty(r.Parent.Name()), component, "%s %s", token, r.Name)
			}
		}
	}
	for _, p := range rec.Of("pulumi:providers:aws") {
		assert.Contains(t, fmt.Sprint(p.Inputs["defaultTags"]), "crossregion:jurisdiction", p.Name)
	}
}

// TestReservationsProtectWhoDecides: where the invoker is bounded, long streams
// starve neither the health check nor the authorizer.
func TestReservationsProtectWhoDecides(t *testing.T) {
	stack := load(t, "eu")
	reserved := func() map[string]int {
		rec, err := run(t, stack, inJurisdiction)
		require.NoError(t, err)
		got := map[string]int{}
		for _, f := range rec.Of("aws:lambda/function:Function") {
			if n := f.Inputs["reservedConcurrentExecutions"]; n.IsNumber() {
				got[f.Name] = int(n.NumberValue())
			}
		}
		return got
	}
	assert.Empty(t, reserved())
	stack.Config["crossregion:settings"] = edit(t, stack.Config["crossregion:settings"], func(s map[string]any) { s["reservedConcurrency"] = 300 })
	got := reserved()
	assert.Len(t, got, 9)
	assert.Equal(t, 300, got["eu-west-1-invoker-fn"])
	assert.Equal(t, 20, got["eu-west-1-health-fn"])
	assert.Equal(t, 20, got["eu-west-1-authorizer-fn"])
}

// TestTheFirewallStandsBeforeClientsCome, and is tagged like the rest.
func TestTheFirewallStandsBeforeClientsCome(t *testing.T) {
	stack := load(t, "eu")
	stack.Config["crossregion:settings"] = edit(t, stack.Config["crossregion:settings"], func(s map[string]any) {
		s["firewall"] = map[string]any{"requestsPerFiveMinutes": 1000}
	})
	rec, err := run(t, stack, inJurisdiction)
	require.NoError(t, err)
	rec.CheckComponents(t)
	for _, acl := range rec.Of("aws:wafv2/webAcl:WebAcl") {
		assert.Equal(t, acl.Parent.Name(), acl.Inputs["tags"].ObjectValue()["crossregion:component"].StringValue())
	}
	primary := rec.One(t, "aws:route53/record:Record", "routing-eu-west-1-primary")
	assert.Contains(t, primary.DependsOn, "eu-west-1-firewall-association")
}

// TestOutputs are what pipelines and operators read.
func TestOutputs(t *testing.T) {
	for _, domain := range []bool{true, false} {
		stack := load(t, "eu")
		if !domain {
			stack.Config["crossregion:settings"] = edit(t, stack.Config["crossregion:settings"], func(s map[string]any) { delete(s, "domain") })
		}
		exported := map[string]any{}
		rec := componenttest.New(calls(inJurisdiction))
		require.NoError(t, rec.Run(func(ctx *pulumi.Context) error {
			if err := stacks.Program(ctx); err != nil {
				return err
			}
			pulumi.Map(ctx.GetCurrentExportMap()).ToMapOutput().ApplyT(func(m map[string]any) any {
				maps.Copy(exported, m)
				return nil
			})
			return nil
		}, as(stack)))
		for _, name := range []string{"endpoint", "dashboard", "controlTable", "conversationTable", "residency"} {
			assert.NotEmpty(t, exported[name], name)
		}
		assert.Len(t, exported["regionalEndpoints"], 3)
		if domain {
			assert.Equal(t, "https://eu.llm.example.com", exported["endpoint"])
		} else {
			assert.Contains(t, fmt.Sprint(exported["warnings"]), "no domain")
		}
	}
}

// TestAChangedHomeIsRefused by whichever region still has the tables, were the
// old home itself taken out of the settings.
func TestAChangedHomeIsRefused(t *testing.T) {
	found := func(values ...string) componenttest.Call {
		return func(region string, args map[string]any) (map[string]any, error) {
			lists := []any{}
			for _, v := range values {
				lists = append(lists, map[string]any{"resourceArn": "arn:" + region, "tags": map[string]any{"crossregion:home": v}})
			}
			return map[string]any{"resourceTagMappingLists": lists}, nil
		}
	}
	tests := []struct {
		name   string
		answer componenttest.Call
		want   string
	}{
		{"no tables yet", found(), ""},
		{"the same home", found("eu/eu-central-1"), ""},
		{"another stack's home", found("qa/eu-west-1"), ""},
		{"another home", found("qa/eu-north-1", "eu/eu-west-1"), `conversations.home: "eu-central-1" is not the home that the tables were created in, "eu-west-1"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stack, answers := load(t, "eu"), calls(inJurisdiction)
			answers["aws:resourcegroupstaggingapi/getResources:getResources"] = tt.answer
			rec := componenttest.New(answers)
			err := rec.Run(stacks.Program, as(stack))
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			assert.Empty(t, rec.Of("aws:dynamodb/table:Table"), "nothing was replaced")
		})
	}
}

func TestWithoutADomainThereAreRegionalEndpointsOnly(t *testing.T) {
	stack := load(t, "eu")
	stack.Config["crossregion:settings"] = edit(t, stack.Config["crossregion:settings"], func(s map[string]any) { delete(s, "domain") })
	rec, err := run(t, stack, inJurisdiction)
	require.NoError(t, err)
	rec.CheckComponents(t)
	assert.NotContains(t, rec.Tree(), "route53")
	assert.NotContains(t, rec.Tree(), "acm")
	for _, api := range rec.Of("aws:apigateway/restApi:RestApi") {
		assert.False(t, api.Inputs["disableExecuteApiEndpoint"].BoolValue(), "%s cannot be reached at all", api.Name)
	}
}

func TestProgramRefuses(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(config map[string]string)
		want  string
	}{
		{"missing settings", func(c map[string]string) { delete(c, "crossregion:settings") }, "add it to Pulumi.eu.yaml"},
		{"a platform that Lambda does not run", func(c map[string]string) { c["crossregion:platform"] = "linux/riscv64" }, "Lambda runs arm64 and amd64 only"},
		{"a platform of another system", func(c map[string]string) { c["crossregion:platform"] = "plan9/amd64" }, "platform plan9/amd64: Lambda runs linux only"},
		{"a platform that is none", func(c map[string]string) { c["crossregion:platform"] = "arm64" }, "crossregion:platform"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stack := load(t, "eu")
			tt.spoil(stack.Config)
			rec, err := run(t, stack, inJurisdiction)
			assert.ErrorContains(t, err, tt.want)
			assert.Empty(t, rec.Registrations())
		})
	}
}

func edit(t *testing.T, settings string, change func(map[string]any)) string {
	t.Helper()
	var object map[string]any
	require.NoError(t, json.Unmarshal([]byte(settings), &object))
	change(object)
	b, err := json.Marshal(object)
	require.NoError(t, err)
	return strings.TrimSpace(string(b))
}
