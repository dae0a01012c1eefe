package observability_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/components/observability"
	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const alarmType = "aws:cloudwatch/metricAlarm:MetricAlarm"

func regions(names ...string) []observability.Region {
	var all []observability.Region
	for _, name := range names {
		all = append(all, observability.Region{
			Name: name, Partners: slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name }), API: pulumi.String(name + "-api"), Stage: "live", HealthCheck: pulumi.String(name + "-check"),
			Functions: map[string]observability.Function{
				"invoker": {Name: pulumi.String(name + "-invoker"), ReservedConcurrency: 200},
				"health":  {Name: pulumi.String(name + "-health")},
			},
			Tables: map[string]pulumi.StringInput{"content": pulumi.String("content-1a"), "control": pulumi.String("control-1a")},
		})
	}
	return all
}

// alarms deploys the alarms of every region.
func alarms(t *testing.T, edit func(*observability.RegionalAlarmsArgs), names ...string) (*componenttest.Recorder, error) {
	t.Helper()
	rec := componenttest.New(nil)
	return rec, rec.Run(func(ctx *pulumi.Context) error {
		for _, name := range names {
			provider, err := aws.NewProvider(ctx, name, &aws.ProviderArgs{Region: pulumi.String(name)})
			if err != nil {
				return err
			}
			args := &observability.RegionalAlarmsArgs{Stack: "eu", Region: name, Regions: regions(names...)}
			if edit != nil {
				edit(args)
			}
			if _, err := observability.NewRegionalAlarms(ctx, name+"-alarms", args, pulumi.Provider(provider)); err != nil {
				return err
			}
		}
		return nil
	})
}

func run(t *testing.T, edit func(*observability.RegionalAlarmsArgs), names ...string) *componenttest.Recorder {
	t.Helper()
	rec, err := alarms(t, edit, names...)
	require.NoError(t, err)
	rec.CheckComponents(t)
	return rec
}

func TestEveryRegionHasItsAlarmsAndTopic(t *testing.T) {
	rec := run(t, func(a *observability.RegionalAlarmsArgs) {
		a.Emails, a.KeyArn = []string{"oncall@example.com"}, pulumi.String("arn:aws:kms:"+a.Region+":111122223333:key/k")
	}, "eu-west-1", "eu-central-1")
	for region, peer := range map[string]string{"eu-west-1": "eu-central-1", "eu-central-1": "eu-west-1"} {
		topic := rec.One(t, "aws:sns/topic:Topic", region+"-alarms-topic")
		assert.Equal(t, region, topic.Region)
		assert.Equal(t, "arn:aws:kms:"+region+":111122223333:key/k", topic.Inputs["kmsMasterKeyId"].StringValue())
		var roles []string
		for _, a := range rec.Of(alarmType) {
			if a.Region != region {
				continue
			}
			roles = append(roles, strings.TrimPrefix(a.Name, region+"-alarms-"))
			for _, actions := range []resource.PropertyKey{"alarmActions", "okActions"} {
				assert.Contains(t, a.Inputs[actions].ArrayValue()[0].StringValue(), region+"-alarms-topic", a.Name)
			}
			assert.NotEmpty(t, a.Inputs["alarmDescription"].StringValue(), a.Name)
		}
		assert.ElementsMatch(t, []string{
			"errors", "throttles", "failovers", "first-token", "misconfigured", "residency", "single-copies", "uncounted", "createChatCompletion", "createEmbedding", "createResponse", "getHealth", "concurrency",
			"invoker-crashes", "invoker-throttled", "invoker-concurrency", "health-crashes", "health-throttled",
			"content-to-" + peer, "control-to-" + peer,
		}, roles)
	}
}

// series are the metrics that an alarm looks at.
func series(a componenttest.Registration) []resource.PropertyMap {
	if !a.Inputs.HasValue("metricQueries") {
		return []resource.PropertyMap{a.Inputs}
	}
	var all []resource.PropertyMap
	for _, q := range a.Inputs["metricQueries"].ArrayValue() {
		if m := q.ObjectValue()["metric"]; m.IsObject() {
			all = append(all, m.ObjectValue())
		}
	}
	return all
}

// published are the metrics that AWS publishes by itself, with the dimensions
// under which it does.
var published = map[string][]string{
	"AWS/ApiGateway 5XXError":         {"ApiName", "Method", "Resource", "Stage"}, // with metrics by method switched on
	"AWS/DynamoDB ReplicationLatency": {"ReceivingRegion", "TableName"},
	"AWS/Lambda ConcurrentExecutions": nil,
	"AWS/Lambda Errors":               {"FunctionName"},
	"AWS/Lambda Throttles":            {"FunctionName"},
	"AWS/Route53 HealthCheckStatus":   {"HealthCheckId"},
}

// TestNoAlarmWaitsForAMetricThatNobodyEmits looks every one up: a misspelt
// alarm is silent for ever.
func TestNoAlarmWaitsForAMetricThatNobodyEmits(t *testing.T) {
	emitted := map[string][]string{}
	for name, dimensions := range published {
		emitted[name] = dimensions
	}
	for _, m := range contract.Metrics {
		emitted[contract.MetricNamespace+" "+m.Name] = []string{contract.DimensionRegion, contract.DimensionStack}
	}
	for _, a := range run(t, nil, "us-east-1", "us-west-2").Of(alarmType) {
		for _, m := range series(a) {
			name := m["namespace"].StringValue() + " " + m["metricName"].StringValue()
			want, ok := emitted[name]
			require.True(t, ok, "%s waits for %s", a.Name, name)
			var got []string
			if m.HasValue("dimensions") {
				for key, value := range m["dimensions"].ObjectValue() {
					got = append(got, string(key))
					assert.NotEmpty(t, value.StringValue(), "%s %s", a.Name, key)
				}
			}
			slices.Sort(got)
			if strings.HasSuffix(a.Name, "invoker-concurrency") {
				want = []string{"FunctionName"} // published for both
			}
			assert.Equal(t, want, got, a.Name)
		}
	}
}

func TestHealthIsWatchedFromWhereItIsKnown(t *testing.T) {
	tests := []struct {
		name    string
		regions []string
		want    []string
	}{
		{"a stack with us-east-1 watches all its regions there", []string{"us-west-2", "us-east-1"},
			[]string{"us-east-1-alarms-health-us-east-1", "us-east-1-alarms-health-us-west-2"}},
		{"a stack without it leaves nothing that is silent for ever", []string{"eu-west-1", "eu-central-1"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, a := range run(t, nil, tt.regions...).Of(alarmType) {
				if m := series(a)[0]; m["namespace"].StringValue() == "AWS/Route53" {
					got = append(got, a.Name)
					assert.Equal(t, "us-east-1", a.Region)
					assert.Equal(t, "breaching", a.Inputs["treatMissingData"].StringValue())
				}
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestThresholds(t *testing.T) {
	rec := run(t, func(a *observability.RegionalAlarmsArgs) { a.ConcurrencyLimit, a.FirstTokenMillis = 5000, 3000 }, "eu-west-1")
	for role, want := range map[string]float64{
		"concurrency": 4000, "invoker-concurrency": 160, "first-token": 3000, "createChatCompletion": 0.05, "createEmbedding": 0.05, "createResponse": 0.05, "errors": 5, "misconfigured": 0, "residency": 0, "single-copies": 0, "uncounted": 0,
	} {
		assert.Equal(t, want, rec.One(t, alarmType, "eu-west-1-alarms-"+role).Inputs["threshold"].NumberValue(), role)
	}
	rec = run(t, nil, "eu-west-1")
	assert.Equal(t, 800.0, rec.One(t, alarmType, "eu-west-1-alarms-concurrency").Inputs["threshold"].NumberValue())
	assert.Equal(t, "p90", rec.One(t, alarmType, "eu-west-1-alarms-first-token").Inputs["extendedStatistic"].StringValue())
}

func TestNoPersonIsInAName(t *testing.T) {
	rec := run(t, func(a *observability.RegionalAlarmsArgs) { a.Emails = []string{"jane@example.com", "joe@example.com"} }, "eu-west-1")
	subscriptions := rec.Of("aws:sns/topicSubscription:TopicSubscription")
	require.Len(t, subscriptions, 2)
	for _, s := range subscriptions {
		assert.NotContains(t, s.Name, "jane")
		assert.Equal(t, "email", s.Inputs["protocol"].StringValue())
		assert.Contains(t, s.Inputs["endpoint"].StringValue(), "@example.com")
	}
}

func TestAlarmsRefuse(t *testing.T) {
	tests := []struct {
		name string
		edit func(*observability.RegionalAlarmsArgs)
		want string
	}{
		{"no stack", func(a *observability.RegionalAlarmsArgs) { a.Stack = "" }, "missing Stack"},
		{"no regions", func(a *observability.RegionalAlarmsArgs) { a.Regions = nil }, "missing Regions"},
		{"a region outside the stack", func(a *observability.RegionalAlarmsArgs) { a.Region = "eu-north-1" }, `region "eu-north-1" is not one of Regions`},
		{"a region twice", func(a *observability.RegionalAlarmsArgs) { a.Regions = regions("eu-west-1", "eu-west-1") }, "stands twice in Regions"},
		{"a region without functions", func(a *observability.RegionalAlarmsArgs) { a.Regions[0].Functions = nil }, "Functions in Regions[0]"},
		{"a negative limit", func(a *observability.RegionalAlarmsArgs) { a.ConcurrencyLimit = -1 }, "cannot be negative"},
		{"no address", func(a *observability.RegionalAlarmsArgs) { a.Emails = []string{"oncall"} }, `email "oncall" in Emails[0] is not an address`},
		{"an address twice", func(a *observability.RegionalAlarmsArgs) { a.Emails = []string{"a@b", "a@b"} }, "stands twice in Emails"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec, err := alarms(t, tt.edit, "eu-west-1")
			assert.ErrorContains(t, err, tt.want)
			assert.Empty(t, rec.Of(alarmType))
		})
	}
	err := componenttest.New(nil).Run(func(ctx *pulumi.Context) error {
		_, err := observability.NewRegionalAlarms(ctx, "alarms", nil)
		return err
	})
	assert.ErrorContains(t, err, "no arguments")
}
