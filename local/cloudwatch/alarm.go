package cloudwatch

import (
	"regexp"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

type alarmInputs struct {
	Name               string            `json:"name,omitempty" change:"replace"`
	Description        string            `json:"alarmDescription,omitempty"`
	ActionsEnabled     *bool             `json:"actionsEnabled,omitempty"`
	AlarmActions       []string          `json:"alarmActions,omitempty"`
	OKActions          []string          `json:"okActions,omitempty"`
	NoDataActions      []string          `json:"insufficientDataActions,omitempty"`
	ComparisonOperator string            `json:"comparisonOperator"`
	Threshold          *float64          `json:"threshold,omitempty"`
	EvaluationPeriods  int               `json:"evaluationPeriods"`
	DatapointsToAlarm  *int              `json:"datapointsToAlarm,omitempty"`
	TreatMissingData   string            `json:"treatMissingData,omitempty"`
	LowSampleCount     string            `json:"evaluateLowSampleCountPercentiles,omitempty"`
	Namespace          string            `json:"namespace,omitempty"`
	MetricName         string            `json:"metricName,omitempty"`
	Dimensions         map[string]string `json:"dimensions,omitempty"`
	Period             *int              `json:"period,omitempty"` // seconds
	Statistic          string            `json:"statistic,omitempty"`
	ExtendedStatistic  string            `json:"extendedStatistic,omitempty"`
	Unit               string            `json:"unit,omitempty"`
	MetricQueries      []queryInputs     `json:"metricQueries,omitempty"`
	Tags               map[string]string `json:"tags,omitempty"`
}

// Limits of PutMetricAlarm.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
const (
	maxName        = 255
	maxDescription = 1024
	maxActions     = 5
	day            = 86_400 // seconds
	week           = 7 * day
	hour           = 3600
)

// check refuses what PutMetricAlarm would refuse.
func (in alarmInputs) check(region string) error {
	checks := []func() error{
		in.checkLengths,
		func() error {
			return checkEnum("ComparisonOperator", in.ComparisonOperator, "GreaterThanOrEqualToThreshold", "GreaterThanThreshold",
				"LessThanThreshold", "LessThanOrEqualToThreshold")
		},
		func() error {
			return checkOptional("TreatMissingData", in.TreatMissingData, "breaching", "notBreaching", "ignore", "missing")
		},
		func() error {
			return checkOptional("EvaluateLowSampleCountPercentile", in.LowSampleCount, "evaluate", "ignore")
		},
		in.checkPeriods,
	}
	if len(in.MetricQueries) > 0 {
		checks = append(checks, func() error { return in.checkQueries(region) })
	} else {
		checks = append(checks, func() error { return in.checkMetric(region) })
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (in alarmInputs) checkLengths() error {
	switch {
	case len(in.Name) > maxName:
		return invalid("AlarmName %q is over %d characters", in.Name, maxName)
	case len(in.Description) > maxDescription:
		return invalid("AlarmDescription is over %d characters", maxDescription)
	case in.Threshold == nil:
		return invalid("The parameter Threshold is required for an alarm without anomaly detection.")
	}
	return nil
}

func (in alarmInputs) checkPeriods() error {
	switch {
	case in.EvaluationPeriods < 1:
		return invalid("EvaluationPeriods %d must be greater than or equal to 1", in.EvaluationPeriods)
	case in.DatapointsToAlarm != nil && (*in.DatapointsToAlarm < 1 || *in.DatapointsToAlarm > in.EvaluationPeriods):
		return invalid("DatapointsToAlarm %d must be from 1 to EvaluationPeriods, %d", *in.DatapointsToAlarm, in.EvaluationPeriods)
	}
	period := 0
	if in.Period != nil {
		period = *in.Period
	}
	for _, q := range in.MetricQueries {
		period = max(period, q.period())
	}
	limit := day
	if period >= hour {
		limit = week
	}
	if period*in.EvaluationPeriods > limit {
		return invalid("Metrics cannot be checked across more than %d seconds (EvaluationPeriods * Period), got %d", limit, period*in.EvaluationPeriods)
	}
	return nil
}

// checkMetric is for an alarm on one metric.
func (in alarmInputs) checkMetric(region string) error {
	switch {
	case in.MetricName == "" || in.Namespace == "" || in.Period == nil:
		return invalid("The parameters MetricName, Namespace and Period are required for an alarm on a single metric.")
	case (in.Statistic == "") == (in.ExtendedStatistic == ""):
		return invalid("Exactly one of Statistic and ExtendedStatistic must be given.")
	case in.Statistic != "" && !slices.Contains(statistics, in.Statistic):
		return invalid("Statistic %q must be one of %s", in.Statistic, strings.Join(statistics, ", "))
	case in.ExtendedStatistic != "" && !extended.MatchString(in.ExtendedStatistic):
		return invalid("The value %s for parameter ExtendedStatistic is not supported.", in.ExtendedStatistic)
	case in.LowSampleCount != "" && !strings.HasPrefix(in.ExtendedStatistic, "p"):
		return invalid("EvaluateLowSampleCountPercentile is for percentiles only.")
	case !slices.Contains([]int{10, 20, 30}, *in.Period) && (*in.Period < 60 || *in.Period%60 != 0):
		return invalid("Period %d must be 10, 20, 30 or a multiple of 60", *in.Period)
	}
	return series{in.Namespace, in.MetricName, in.Dimensions}.check(region)
}

// Statistics by name, and those with a number.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
var (
	statistics = []string{"SampleCount", "Average", "Sum", "Minimum", "Maximum"}
	extended   = regexp.MustCompile(`^(((p|tm|wm|tc|ts)(\d{1,2}(\.\d{1,10})?|100(\.0{1,10})?))|(TM|WM|PR|TC|TS)\([0-9.]*%?:[0-9.]*%?\)|IQM)$`)
)

// series names one metric.
type series struct {
	namespace, name string
	dimensions      map[string]string
}

var namespacePattern = regexp.MustCompile(`^[^:].{0,254}$`)

const maxDimensions = 30

// dnsRegion is the only region with metrics of Route 53.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-health-checks.html
const dnsRegion = "us-east-1"

func (m series) check(region string) error {
	switch {
	case !namespacePattern.MatchString(m.namespace):
		return invalid("Namespace %q must have 1 to 255 characters and must not start with a colon", m.namespace)
	case m.name == "" || len(m.name) > 255:
		return invalid("MetricName %q must have 1 to 255 characters", m.name)
	case len(m.dimensions) > maxDimensions:
		return invalid("%d dimensions are over the limit of %d", len(m.dimensions), maxDimensions)
	case m.namespace == "AWS/Route53" && region != dnsRegion:
		// AWS takes it, and has no data for it.
		return invalid("metrics of AWS/Route53 exist in %s only: an alarm in %s would stay at INSUFFICIENT_DATA", dnsRegion, region)
	}
	for name, value := range m.dimensions {
		if name == "" || len(name) > 255 || strings.HasPrefix(name, ":") || value == "" || len(value) > 1024 {
			return invalid("dimension %q=%q: a name has 1 to 255 characters and no leading colon, a value 1 to 1024", name, value)
		}
	}
	return nil
}

// checkActions refuses what would tell nobody. That a topic must be there
// already is this cloud's rule: AWS takes an alarm whose topic is missing, and
// drops its notifications.
// alarmSender is who publishes to the topics of alarms.
// Source: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
const alarmSender = "cloudwatch.amazonaws.com"

func (s *Service) checkActions(region string, in alarmInputs) error {
	for _, actions := range [][]string{in.AlarmActions, in.OKActions, in.NoDataActions} {
		if len(actions) > maxActions {
			return invalid("%d actions are over the limit of %d", len(actions), maxActions)
		}
		for _, arn := range actions {
			place, ok := cloud.ParseARN(arn)
			switch {
			case !ok || place.Service != "sns":
				return invalid("Invalid alarm action %q: the embedded cloud knows topics only", arn)
			case place.Region != region:
				return invalid("Invalid region %s specified. Only %s is supported.", place.Region, region)
			}
			if err := s.topics.CanPublish(arn, alarmSender); err != nil {
				return invalid("nobody would be told by %s: %v", arn, err)
			}
		}
	}
	return nil
}

func checkOptional(property, value string, allowed ...string) error {
	if value == "" {
		return nil
	}
	return checkEnum(property, value, allowed...)
}

func checkEnum(property, value string, allowed ...string) error {
	if !slices.Contains(allowed, value) {
		return cloud.Refuse("ValidationError", "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [%s]", value, property, strings.Join(allowed, ", "))
	}
	return nil
}
