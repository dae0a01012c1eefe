package cloudwatch_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/cloudwatch"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type object = map[string]any

const (
	alarm     = "aws:cloudwatch/metricAlarm:MetricAlarm"
	dashboard = "aws:cloudwatch/dashboard:Dashboard"
	topic     = "arn:aws:sns:eu-west-1:123456789012:alarms"
)

// topics are those that exist.
type topics map[string]bool

func (t topics) CanPublish(arn, service string) error {
	if !t[arn] || service != "cloudwatch.amazonaws.com" {
		return errors.New("no such topic")
	}
	return nil
}

func service() *cloudwatch.Service {
	return cloudwatch.New(topics{topic: true}, iam.New(cloud.RealClock(1)))
}

func create(t *testing.T, s *cloudwatch.Service, region, token, name string, inputs object) (cloud.State, error) {
	t.Helper()
	for _, r := range s.Resources() {
		if r.Token == token {
			return r.Create(t.Context(), region, name, inputs)
		}
	}
	t.Fatalf("no resource type %s", token)
	return cloud.State{}, nil
}

// edited is base with edit laid over it; nil removes.
func edited(base, edit object) object {
	inputs := maps.Clone(base)
	for key, value := range edit {
		if inputs[key] = value; value == nil {
			delete(inputs, key)
		}
	}
	return inputs
}

func metricAlarm() object {
	return object{
		"namespace": "AWS/Lambda", "metricName": "Errors", "dimensions": object{"FunctionName": "f"}, "statistic": "Sum", "period": 60.0,
		"comparisonOperator": "GreaterThanThreshold", "threshold": 0.0, "evaluationPeriods": 5.0, "datapointsToAlarm": 3.0,
		"treatMissingData": "notBreaching", "alarmActions": []any{topic}, "okActions": []any{topic}, "alarmDescription": "f fails",
	}
}

func metric(edit object) object {
	return edited(object{"namespace": "N", "metricName": "M", "period": 60.0, "stat": "Sum"}, edit)
}

// mathAlarm is an alarm on the given queries.
func mathAlarm(queries ...any) object {
	return object{
		"comparisonOperator": "GreaterThanThreshold", "threshold": 5.0, "evaluationPeriods": 5.0, "metricQueries": queries,
	}
}

func TestAlarm(t *testing.T) {
	percentile := edited(metricAlarm(), object{"statistic": nil, "extendedStatistic": "p90", "evaluateLowSampleCountPercentiles": "ignore"})
	tests := []struct {
		name, region string
		inputs       object
	}{
		{"on one metric", "eu-west-1", metricAlarm()},
		{"on a percentile", "eu-west-1", percentile},
		{"on an expression", "eu-west-1", mathAlarm(
			object{"id": "share", "expression": "IF(all >= 10, 100 * part / all, 0)", "label": "share", "returnData": true},
			object{"id": "part", "metric": metric(nil)}, object{"id": "all", "metric": metric(object{"stat": "p99.9"})})},
		{"on a health check, where those are known", "us-east-1",
			edited(metricAlarm(), object{"namespace": "AWS/Route53", "metricName": "HealthCheckStatus", "alarmActions": nil, "okActions": nil})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			state, err := create(t, service(), tt.region, alarm, "errors", tt.inputs)
			require.NoError(t, err)
			assert.Regexp(t, "^errors-[0-9a-f]{7}$", state.ID)
			assert.Equal(t, cloud.ARN("cloudwatch", tt.region, "alarm:"+state.ID), state.Outputs["arn"])
		})
	}
}

func TestAlarmRefuses(t *testing.T) {
	dimensions := object{}
	for i := range 31 {
		dimensions[fmt.Sprintf("d%d", i)] = "x"
	}
	tests := []struct {
		name string
		edit object
		want string
	}{
		{"an unknown comparison", object{"comparisonOperator": "Above"}, "Value 'Above' at 'ComparisonOperator'"},
		{"an unknown treatment of missing data", object{"treatMissingData": "ok"}, "Value 'ok' at 'TreatMissingData'"},
		{"an unknown statistic", object{"statistic": "p90"}, `Statistic "p90" must be one of SampleCount`},
		{"two statistics", object{"extendedStatistic": "p90"}, "Exactly one of Statistic and ExtendedStatistic"},
		{"no statistic", object{"statistic": nil}, "Exactly one of Statistic and ExtendedStatistic"},
		{"a percentile over a hundred", object{"statistic": nil, "extendedStatistic": "p101"}, "p101 for parameter ExtendedStatistic"},
		{"low samples without a percentile", object{"evaluateLowSampleCountPercentiles": "ignore"}, "for percentiles only"},
		{"an unknown treatment of low samples", object{"evaluateLowSampleCountPercentiles": "skip"}, "Value 'skip'"},
		{"a period that is no minute", object{"period": 90.0}, "Period 90 must be 10, 20, 30 or a multiple of 60"},
		{"no period", object{"period": nil}, "MetricName, Namespace and Period are required"},
		{"no evaluation", object{"evaluationPeriods": 0.0, "datapointsToAlarm": nil}, "EvaluationPeriods 0"},
		{"more data points than periods", object{"datapointsToAlarm": 6.0}, "DatapointsToAlarm 6 must be from 1 to EvaluationPeriods, 5"},
		{"more than a day", object{"period": 1800.0, "evaluationPeriods": 49.0}, "more than 86400 seconds"},
		{"more than a week", object{"period": 3600.0, "evaluationPeriods": 169.0}, "more than 604800 seconds"},
		{"no threshold", object{"threshold": nil}, "Threshold is required"},
		{"no metric", object{"metricName": nil}, "MetricName, Namespace and Period are required"},
		{"a namespace that starts with a colon", object{"namespace": ":x"}, "must not start with a colon"},
		{"a dimension without a value", object{"dimensions": object{"FunctionName": ""}}, `dimension "FunctionName"=""`},
		{"too many dimensions", object{"dimensions": dimensions}, "31 dimensions are over the limit of 30"},
		{"a long description", object{"alarmDescription": strings.Repeat("x", 1025)}, "AlarmDescription is over 1024"},
		{"a long name", object{"name": strings.Repeat("x", 256)}, "is over 255 characters"},
		{"a health check where nobody knows it", object{"namespace": "AWS/Route53"}, "exist in us-east-1 only"},
		{"a topic of another region", object{"alarmActions": []any{"arn:aws:sns:eu-central-1:123456789012:alarms"}},
			"Invalid region eu-central-1 specified. Only eu-west-1 is supported."},
		{"a topic that does not exist", object{"okActions": []any{topic + "2"}}, "nobody would be told by arn:aws:sns:eu-west-1:123456789012:alarms2"},
		{"an action that is no topic", object{"alarmActions": []any{"arn:aws:lambda:eu-west-1:123456789012:function:f"}}, "knows topics only"},
		{"six actions", object{"alarmActions": []any{topic, topic, topic, topic, topic, topic}}, "6 actions are over the limit of 5"},
		{"anomaly detection", object{"thresholdMetricId": "a"}, `does not know property "thresholdMetricId"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := create(t, service(), "eu-west-1", alarm, "errors", edited(metricAlarm(), tt.edit))
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestExpressionRefuses(t *testing.T) {
	result := func(expression string) object {
		return object{"id": "result", "expression": expression, "returnData": true}
	}
	part := object{"id": "part", "metric": metric(nil)}
	many := []any{result("part"), part}
	for i := range 19 {
		many = append(many, object{"id": fmt.Sprintf("m%d", i), "metric": metric(nil)})
	}
	tests := []struct {
		name   string
		inputs object
		want   string
	}{
		{"an unknown identifier", mathAlarm(result("part / all"), part), "Error in expression 'result': Unknown identifier all"},
		{"itself", mathAlarm(result("result + 1"), part), "Unknown identifier result"},
		{"no result", mathAlarm(part), "Exactly one element of the metrics list should return data, not 0"},
		{"two results", mathAlarm(result("part"), edited(part, object{"returnData": true})), "not 2"},
		{"an id in capitals", mathAlarm(result("1"), edited(part, object{"id": "Part"})), `Id "Part" must start with a lower-case letter`},
		{"an id twice", mathAlarm(result("part"), part, part), `Id "part"`},
		{"neither metric nor expression", mathAlarm(result("1"), object{"id": "part"}), "query part must have either a metric or an expression"},
		{"both", mathAlarm(result("1"), edited(part, object{"expression": "1"})), "either a metric or an expression"},
		{"a period that is no minute", mathAlarm(result("part"), object{"id": "part", "metric": metric(object{"period": 61.0})}), "Period 61"},
		{"an unknown statistic", mathAlarm(result("part"), object{"id": "part", "metric": metric(object{"stat": "Median"})}), "Median for parameter Stat"},
		{"a long expression", mathAlarm(result(strings.Repeat("1+", 1025)+"1"), part), "over 2048 characters"},
		{"too many metrics", mathAlarm(many...), "21 metrics are over the limit of 20"},
		{"a metric besides", edited(mathAlarm(result("part"), part), object{"metricName": "M"}), "must not be given with Metrics"},
		{"low samples", edited(mathAlarm(result("part"), part), object{"evaluateLowSampleCountPercentiles": "ignore"}), "must not be given with Metrics"},
		{"more than a day", edited(mathAlarm(result("part"), part), object{"evaluationPeriods": 1441.0}), "more than 86400 seconds"},
		{"another account", mathAlarm(result("part"), edited(part, object{"accountId": "1"})), `does not know property "metricQueries[1].accountId"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := create(t, service(), "eu-west-1", alarm, "errors", tt.inputs)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func graph(edit object) object {
	return edited(object{"region": "eu-west-1", "title": "errors", "view": "timeSeries", "period": 60,
		"metrics": []any{[]any{"AWS/Lambda", "Errors", "FunctionName", "f", object{"stat": "Sum", "label": "f"}}}}, edit)
}

func board(t *testing.T, widgets ...any) object {
	t.Helper()
	body, err := json.Marshal(object{"widgets": widgets})
	require.NoError(t, err)
	return object{"dashboardName": "crossregion-eu", "dashboardBody": string(body)}
}

func TestDashboard(t *testing.T) {
	state, err := create(t, service(), "eu-west-1", dashboard, "board", board(t,
		object{"type": "text", "x": 0, "y": 0, "width": 24, "height": 2, "properties": object{"markdown": "# eu"}},
		object{"type": "metric", "x": 16, "y": 2, "width": 8, "height": 6, "properties": graph(nil)}))
	require.NoError(t, err)
	assert.Equal(t, "crossregion-eu", state.ID)
	assert.Equal(t, "arn:aws:cloudwatch::123456789012:dashboard/crossregion-eu", state.Outputs["dashboardArn"])
}

func TestDashboardRefuses(t *testing.T) {
	shown := func(edit object) object { return board(t, object{"type": "metric", "properties": graph(edit)}) }
	series := func(elements ...any) object { return shown(object{"metrics": []any{elements}}) }
	tests := []struct {
		name   string
		inputs object
		want   string
	}{
		{"a name with a dot", edited(board(t), object{"dashboardName": "eu.1"}), "It can only contain alphanumerics, dash (-) and underscore (_)."},
		{"a body that is no JSON", edited(board(t), object{"dashboardBody": "widgets"}), "must be a valid JSON object"},
		{"two bodies", edited(board(t), object{"dashboardBody": "{} {}"}), "more than one JSON value"},
		{"an unknown member", edited(board(t), object{"dashboardBody": `{"graphs":[]}`}), `unknown field "graphs"`},
		{"an unknown widget", board(t, object{"type": "graph", "properties": object{}}), `/widgets/0: type "graph" should be one of metric, text`},
		{"a widget that is not supported", board(t, object{"type": "log", "properties": object{}}), "not supported by the embedded cloud"},
		{"a widget beyond the grid", board(t, object{"type": "text", "x": 24, "properties": object{"markdown": "x"}}), "x 24 should be from 0 to 23"},
		{"a widget that leaves the grid", board(t, object{"type": "text", "x": 20, "width": 6, "properties": object{"markdown": "x"}}), "leave the grid"},
		{"a widget without height", board(t, object{"type": "text", "height": 0, "properties": object{"markdown": "x"}}), "height 0 should be"},
		{"a widget without properties", board(t, object{"type": "text"}), "required property 'properties'"},
		{"a text without text", board(t, object{"type": "text", "properties": object{}}), "required property 'markdown'"},
		{"a graph without a region", shown(object{"region": nil}), `region "" of a graph is not a region`},
		{"an unknown view", shown(object{"view": "line"}), `view "line" should be one of`},
		{"a period that is no minute", shown(object{"period": 61}), "period 61"},
		{"an unknown statistic", shown(object{"stat": "Median"}), `stat "Median"`},
		{"a graph without metrics", shown(object{"metrics": []any{}}), "a graph should have 1 to 500 metrics"},
		{"a metric without a name", series("AWS/Lambda"), "should be a namespace, a name and pairs of dimensions"},
		{"a dimension without a value", series("AWS/Lambda", "Errors", "FunctionName"), "pairs of dimensions"},
		{"an empty dimension", series("AWS/Lambda", "Errors", "FunctionName", ""), `dimension "FunctionName"=""`},
		{"options before the end", series("AWS/Lambda", object{"stat": "Sum"}, "Errors"), "element 1 should be a string"},
		{"an unknown statistic of a metric", series("AWS/Lambda", "Errors", object{"stat": "Median"}), `stat "Median"`},
		{"a health check where nobody knows it", series("AWS/Route53", "HealthCheckStatus", "HealthCheckId", "x"), "exist in us-east-1 only"},
		{"too many widgets", board(t, make([]any, 501)...), "501 widgets are over the limit of 500"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := create(t, service(), "eu-west-1", dashboard, "board", tt.inputs)
			assert.ErrorContains(t, err, "InvalidParameterInput")
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestADashboardShowsSoManyMetrics(t *testing.T) {
	line := []any{"AWS/Lambda", "Errors", "FunctionName", "f"}
	full := make([]any, 500)
	for i := range full {
		full[i] = line
	}
	var widgets []any
	for range 5 {
		widgets = append(widgets, object{"type": "metric", "properties": graph(object{"metrics": full})})
	}
	_, err := create(t, service(), "eu-west-1", dashboard, "board", board(t, widgets...))
	require.NoError(t, err)
	_, err = create(t, service(), "eu-west-1", dashboard, "board", board(t, append(widgets, object{"type": "metric", "properties": graph(nil)})...))
	assert.ErrorContains(t, err, "2501 metrics are over the limit of 2500")
}

func TestEachIsOwnedOnce(t *testing.T) {
	s := service()
	for i, want := range []string{"", "two resources would own the alarm a"} {
		_, err := create(t, s, "eu-west-1", alarm, fmt.Sprint(i), edited(metricAlarm(), object{"name": "a"}))
		if want == "" {
			require.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, want)
		}
	}
	_, err := create(t, s, "eu-west-1", dashboard, "a", board(t))
	require.NoError(t, err)
	_, err = create(t, s, "eu-central-1", dashboard, "b", board(t))
	assert.ErrorContains(t, err, "two resources would own the dashboard crossregion-eu")
}
