package observability

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/crossregion/crossregion/contract"
)

// View is what a dashboard shows, with all names known.
type View struct {
	Stack   string       // name of the stack
	Models  []string     // names that callers use; none are shown apart if empty
	Regions []RegionView // from left to right
}

// RegionView is one region of a [View].
type RegionView struct {
	Name        string            // name of the region
	API         string            // name of the REST API
	Stage       string            // name of its stage
	HealthCheck string            // ID of the health check; empty if there is none
	Functions   map[string]string // names by role
	Tables      map[string]string // names of global tables by role
}

// Size of a graph on CloudWatch's grid of 24 columns.
const (
	gridWidth = 24
	minWidth  = 6
	height    = 6
)

type widget struct {
	Type       string     `json:"type"`
	X          int        `json:"x"`
	Y          int        `json:"y"`
	Width      int        `json:"width"`
	Height     int        `json:"height"`
	Properties properties `json:"properties"`
}

type properties struct {
	Markdown string   `json:"markdown,omitempty"`
	Title    string   `json:"title,omitempty"`
	View     string   `json:"view,omitempty"`
	Region   string   `json:"region,omitempty"`
	Period   int      `json:"period,omitempty"`
	Metrics  []series `json:"metrics,omitempty"`
}

// series is a metric as a dashboard writes it: namespace, name, dimensions and
// their values, and how to draw it.
type series []any

type drawn struct {
	Stat  string `json:"stat"`
	Label string `json:"label"`
}

// Body returns the dashboard's body: one row of graphs per concern, one graph
// per region in it, and more lines of graphs where four do not hold all.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
func (v View) Body() (string, error) {
	widgets := []widget{{
		Type: "text", Width: gridWidth, Height: 2,
		Properties: properties{Markdown: fmt.Sprintf("# Stack %s\nOne column per region. Health is as Route 53 sees it.", v.Stack)},
	}}
	columns := min(len(v.Regions), gridWidth/minWidth)
	y := widgets[0].Height
	for _, row := range v.rows() {
		shown := 0
		for _, r := range v.Regions {
			p := properties{Title: r.Name + ": " + row.title, View: "timeSeries", Region: r.Name, Period: periodSeconds, Metrics: row.series(r)}
			if row.region != "" {
				p.Region = row.region
			}
			if len(p.Metrics) == 0 {
				continue
			}
			width := gridWidth / columns
			widgets = append(widgets, widget{
				Type: "metric", X: shown % columns * width, Y: y + shown/columns*height, Width: width, Height: height, Properties: p,
			})
			shown++
		}
		y += (shown + columns - 1) / columns * height
	}
	b, err := json.Marshal(map[string]any{"widgets": widgets})
	return string(b), err
}

// row is one concern, for each region.
type row struct {
	title  string
	region string // where the metrics are kept; empty: in the region shown
	series func(RegionView) []series
}

func (v View) rows() []row {
	return []row{
		{"requests", "", v.own(drawing{contract.MetricRequests, "Sum"}, drawing{contract.MetricErrors, "Sum"})},
		{"time to first token (ms)", "", v.own(drawing{contract.MetricTimeToFirstToken, "p50"},
			drawing{contract.MetricTimeToFirstToken, "p90"}, drawing{contract.MetricTimeToFirstToken, "p99"})},
		{"p90 by model (ms)", "", v.byModel},
		{"failover", "", v.own(drawing{contract.MetricFailovers, "Sum"}, drawing{contract.MetricThrottles, "Sum"},
			drawing{contract.MetricResidencyViolations, "Sum"}, drawing{contract.MetricMisconfigured, "Sum"})},
		{"failover by choice", "", v.own(drawing{contract.MetricHedges, "Sum"}, drawing{contract.MetricContinued, "Sum"},
			drawing{contract.MetricBreakersOpen, "Sum"})},
		{"turns in one region only, uncounted requests", "", v.own(drawing{contract.MetricSingleCopies, "Sum"},
			drawing{contract.MetricUncounted, "Sum"})},
		{"tokens", "", v.own(drawing{contract.MetricInputTokens, "Sum"}, drawing{contract.MetricOutputTokens, "Sum"})},
		{"API", "", api},
		{"concurrency", "", concurrency},
		{"replication (ms)", "", v.replication},
		{"health", dnsRegion, health},
	}
}

// drawing is a metric of the invoker with the statistic that is drawn.
type drawing struct{ name, statistic string }

func (v View) own(drawings ...drawing) func(RegionView) []series {
	return func(r RegionView) []series {
		var all []series
		for _, d := range drawings {
			label := d.name
			if d.statistic != "Sum" {
				label = d.statistic
			}
			all = append(all, series{contract.MetricNamespace, d.name, contract.DimensionStack, v.Stack,
				contract.DimensionRegion, r.Name, drawn{d.statistic, label}})
		}
		return all
	}
}

func (v View) byModel(r RegionView) []series {
	var all []series
	for _, model := range v.Models {
		all = append(all, series{contract.MetricNamespace, contract.MetricTimeToFirstToken, contract.DimensionStack, v.Stack,
			contract.DimensionRegion, r.Name, contract.DimensionModel, model, drawn{"p90", model}})
	}
	return all
}

func api(r RegionView) []series {
	return []series{
		{apiNamespace, "Count", "ApiName", r.API, "Stage", r.Stage, drawn{"SampleCount", "requests"}},
		{apiNamespace, "4XXError", "ApiName", r.API, "Stage", r.Stage, drawn{"Sum", "4xx"}},
		{apiNamespace, "5XXError", "ApiName", r.API, "Stage", r.Stage, drawn{"Sum", "5xx"}},
	}
}

func concurrency(r RegionView) []series {
	var all []series
	for _, role := range slices.Sorted(maps.Keys(r.Functions)) {
		all = append(all, series{lambdaNamespace, "ConcurrentExecutions", "FunctionName", r.Functions[role], drawn{"Maximum", role}})
	}
	return all
}

func (v View) replication(r RegionView) []series {
	var all []series
	for _, role := range slices.Sorted(maps.Keys(r.Tables)) {
		for _, to := range v.Regions {
			if to.Name != r.Name {
				all = append(all, series{tableNamespace, "ReplicationLatency", "TableName", r.Tables[role],
					"ReceivingRegion", to.Name, drawn{"Average", role + " to " + to.Name}})
			}
		}
	}
	return all
}

func health(r RegionView) []series {
	if r.HealthCheck == "" {
		return nil
	}
	return []series{{dnsNamespace, "HealthCheckStatus", "HealthCheckId", r.HealthCheck, drawn{"Minimum", "healthy"}}}
}
