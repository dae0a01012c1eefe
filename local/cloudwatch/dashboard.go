package cloudwatch

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
var dashboardName = regexp.MustCompile(`^[0-9A-Za-z_-]{1,255}$`)

// Limits of a dashboard.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
const (
	maxWidgets      = 500
	maxGraphMetrics = 500
	maxMetrics      = 2500
)

// widget is an element of a dashboard's body. What its properties are depends
// on its type.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
type widget struct {
	Type       string          `json:"type"`
	X          *int            `json:"x"`
	Y          *int            `json:"y"`
	Width      *int            `json:"width"`
	Height     *int            `json:"height"`
	Properties json.RawMessage `json:"properties"`
}

func (in dashboardInputs) check() error {
	if !dashboardName.MatchString(in.Name) {
		return refuseDashboard("The value %s for field DashboardName contains invalid characters. "+
			"It can only contain alphanumerics, dash (-) and underscore (_).", in.Name)
	}
	var body struct {
		Start          string   `json:"start"`
		End            string   `json:"end"`
		PeriodOverride string   `json:"periodOverride"`
		Widgets        []widget `json:"widgets"`
	}
	if err := cloud.DecodeStrict([]byte(in.Body), &body); err != nil {
		return refuseDashboard("The field DashboardBody must be a valid JSON object: %v", err)
	}
	if len(body.Widgets) > maxWidgets {
		return refuseDashboard("%d widgets are over the limit of %d", len(body.Widgets), maxWidgets)
	}
	total := 0
	for i, w := range body.Widgets {
		metrics, err := w.check()
		if err != nil {
			return refuseDashboard("/widgets/%d: %v", i, err)
		}
		total += metrics
	}
	if total > maxMetrics {
		return refuseDashboard("%d metrics are over the limit of %d", total, maxMetrics)
	}
	return nil
}

// check returns the number of metrics that the widget shows.
func (w widget) check() (int, error) {
	for _, f := range []struct {
		name      string
		value     *int
		low, high int
	}{{"x", w.X, 0, 23}, {"y", w.Y, 0, 1 << 30}, {"width", w.Width, 1, 24}, {"height", w.Height, 1, 1000}} {
		if f.value != nil && (*f.value < f.low || *f.value > f.high) {
			return 0, fmt.Errorf("%s %d should be from %d to %d", f.name, *f.value, f.low, f.high)
		}
	}
	if w.X != nil && w.Width != nil && *w.X+*w.Width > 24 {
		return 0, fmt.Errorf("x %d and width %d leave the grid of 24 columns", *w.X, *w.Width)
	}
	if len(w.Properties) == 0 {
		return 0, errors.New("should have required property 'properties'")
	}
	switch w.Type {
	case "metric":
		return w.checkGraph()
	case "text":
		return 0, w.checkText()
	case "log", "alarm", "explorer", "custom":
		return 0, fmt.Errorf("widget type %q is not supported by the embedded cloud: use metric or text", w.Type)
	default:
		return 0, fmt.Errorf("type %q should be one of metric, text, log, alarm, explorer, custom", w.Type)
	}
}

func (w widget) checkText() error {
	var p struct {
		Markdown   string `json:"markdown"`
		Background string `json:"background"`
	}
	if err := cloud.DecodeStrict(w.Properties, &p); err != nil {
		return err
	}
	if p.Markdown == "" {
		return errors.New("should have required property 'markdown'")
	}
	return nil
}

func (w widget) checkGraph() (int, error) {
	var p struct {
		Title   string              `json:"title"`
		View    string              `json:"view"`
		Stacked bool                `json:"stacked"`
		Region  string              `json:"region"`
		Period  *int                `json:"period"`
		Stat    string              `json:"stat"`
		Metrics [][]json.RawMessage `json:"metrics"`
	}
	if err := cloud.DecodeStrict(w.Properties, &p); err != nil {
		return 0, err
	}
	switch {
	case !cloud.KnownRegion(p.Region):
		return 0, fmt.Errorf("region %q of a graph is not a region", p.Region)
	case p.View != "" && !slices.Contains([]string{"timeSeries", "singleValue", "gauge", "bar", "pie", "table"}, p.View):
		return 0, fmt.Errorf("view %q should be one of timeSeries, singleValue, gauge, bar, pie, table", p.View)
	case p.Period != nil && *p.Period%60 != 0 && !slices.Contains([]int{1, 5, 10, 20, 30}, *p.Period):
		return 0, fmt.Errorf("period %d should be 1, 5, 10, 20, 30 or a multiple of 60", *p.Period)
	case p.Stat != "" && !validStatistic(p.Stat):
		return 0, fmt.Errorf("stat %q is not a statistic", p.Stat)
	case len(p.Metrics) == 0 || len(p.Metrics) > maxGraphMetrics:
		return 0, fmt.Errorf("a graph should have 1 to %d metrics, has %d", maxGraphMetrics, len(p.Metrics))
	}
	for i, m := range p.Metrics {
		if err := checkSeries(p.Region, m); err != nil {
			return 0, fmt.Errorf("metrics/%d: %w", i, err)
		}
	}
	return len(p.Metrics), nil
}

// checkSeries reads namespace, name, pairs of dimensions, and how to draw them.
func checkSeries(region string, raw []json.RawMessage) error {
	var names []string
	for i, r := range raw {
		var name string
		if json.Unmarshal(r, &name) == nil {
			names = append(names, name)
			continue
		}
		if i != len(raw)-1 {
			return fmt.Errorf("element %d should be a string", i)
		}
		var options struct {
			Stat  string `json:"stat"`
			Label string `json:"label"`
		}
		if err := cloud.DecodeStrict(r, &options); err != nil {
			return err
		}
		if options.Stat != "" && !validStatistic(options.Stat) {
			return fmt.Errorf("stat %q is not a statistic", options.Stat)
		}
	}
	if len(names) < 2 || len(names)%2 != 0 {
		return fmt.Errorf("should be a namespace, a name and pairs of dimensions, is %s", strings.Join(names, ", "))
	}
	dimensions := map[string]string{}
	for i := 2; i < len(names); i += 2 {
		dimensions[names[i]] = names[i+1]
	}
	return series{names[0], names[1], dimensions}.check(region)
}

func refuseDashboard(format string, args ...any) *cloud.APIError {
	return cloud.Refuse("InvalidParameterInput", "The dashboard is invalid: "+format, args...)
}
