package cloudwatch

import (
	"regexp"
	"slices"
)

type queryInputs struct {
	ID         string        `json:"id"`
	Label      string        `json:"label,omitempty"`
	Expression string        `json:"expression,omitempty"`
	ReturnData bool          `json:"returnData,omitempty"`
	Metric     *metricInputs `json:"metric,omitempty"`
}

type metricInputs struct {
	Namespace  string            `json:"namespace,omitempty"`
	MetricName string            `json:"metricName"`
	Dimensions map[string]string `json:"dimensions,omitempty"`
	Period     int               `json:"period"` // seconds
	Stat       string            `json:"stat"`
	Unit       string            `json:"unit,omitempty"`
}

// maxQueries is the number of metrics and expressions of one alarm.
const maxQueries = 20

var (
	idPattern = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]{0,254}$`)
	// names in an expression that are no function; functions are upper-case
	reference = regexp.MustCompile(`\b[a-z][a-zA-Z0-9_]*\b`)
)

func (q queryInputs) period() int {
	if q.Metric == nil {
		return 0
	}
	return q.Metric.Period
}

// checkQueries is for an alarm on an expression.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html
func (in alarmInputs) checkQueries(region string) error {
	single := in.MetricName != "" || in.Namespace != "" || in.Period != nil || in.Statistic != "" ||
		in.ExtendedStatistic != "" || in.Unit != "" || len(in.Dimensions) > 0
	switch {
	case single:
		return invalid("The parameters MetricName, Namespace, Dimensions, Period, Unit and statistics must not be given with Metrics.")
	case in.LowSampleCount != "":
		return invalid("EvaluateLowSampleCountPercentile must not be given with Metrics.")
	case len(in.MetricQueries) > maxQueries:
		return invalid("%d metrics are over the limit of %d", len(in.MetricQueries), maxQueries)
	}
	var ids []string
	returned := 0
	for _, q := range in.MetricQueries {
		if !idPattern.MatchString(q.ID) || slices.Contains(ids, q.ID) {
			return invalid("Id %q must start with a lower-case letter, hold letters, digits and _ only, and be unique", q.ID)
		}
		ids = append(ids, q.ID)
		if q.ReturnData {
			returned++
		}
	}
	if returned != 1 {
		return invalid("Exactly one element of the metrics list should return data, not %d.", returned)
	}
	for _, q := range in.MetricQueries {
		if err := q.check(region, ids); err != nil {
			return err
		}
	}
	return nil
}

func (q queryInputs) check(region string, ids []string) error {
	switch {
	case (q.Expression == "") == (q.Metric == nil):
		return invalid("query %s must have either a metric or an expression", q.ID)
	case q.Metric != nil:
		return q.Metric.check(region)
	case len(q.Expression) > 2048:
		return invalid("the expression of %s is over 2048 characters", q.ID)
	}
	for _, name := range reference.FindAllString(q.Expression, -1) {
		if name == q.ID || !slices.Contains(ids, name) {
			return invalid("Error in expression '%s': Unknown identifier %s", q.ID, name)
		}
	}
	return nil
}

func (m metricInputs) check(region string) error {
	switch {
	case !slices.Contains([]int{1, 5, 10, 20, 30}, m.Period) && (m.Period < 60 || m.Period%60 != 0):
		return invalid("Period %d must be 1, 5, 10, 20, 30 or a multiple of 60", m.Period)
	case !validStatistic(m.Stat):
		return invalid("The value %s for parameter Stat is not supported.", m.Stat)
	}
	return series{m.Namespace, m.MetricName, m.Dimensions}.check(region)
}

func validStatistic(name string) bool {
	return slices.Contains(statistics, name) || extended.MatchString(name)
}
