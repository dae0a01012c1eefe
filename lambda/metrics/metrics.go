// Package metrics turns the log line of a request into CloudWatch metrics: with
// the attributes that it returns, a line is a document in CloudWatch's embedded
// metric format, which needs no call, no permission and no second line. It
// counts; it knows nothing of who asked, or what.
//
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
package metrics

import (
	"log/slog"
	"time"

	"github.com/crossregion/crossregion/contract"
)

// Request is what one request adds to a stack's metrics.
type Request struct {
	// Stack and Region say where it was answered; both required.
	Stack, Region string
	// Model is the configured name that was asked, "" if none was.
	Model string
	// Failed tells that the service failed it.
	Failed bool
	// FirstToken is the time to the first content of a streamed answer, 0 if
	// there was none.
	FirstToken time.Duration
	// Failovers, Throttles and those after them count what [contract.Metrics]
	// says that they do.
	Failovers, Throttles, Misconfigured, Hedges, Continued, BreakersOpen, ResidencyViolations, SingleCopies, Uncounted int
	// InputTokens and OutputTokens are 0 if no model answered.
	InputTokens, OutputTokens int
}

// directive tells CloudWatch which members of a line are metrics.
type directive struct {
	Timestamp         int64 // milliseconds since the epoch
	CloudWatchMetrics []definition
}

type definition struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []metric
}

type metric struct {
	Name string
	Unit string
}

// Attrs returns the attributes that make a JSON line of now a metric document.
// They must be at the top level of the line, which must have no others of the
// same names. What no model did in the request is left out, so that it cannot
// pull down an average.
func (r Request) Attrs(now time.Time) []slog.Attr {
	d := definition{Namespace: contract.MetricNamespace}
	attrs := r.dimensions(&d)
	values := r.values()
	for _, m := range contract.Metrics {
		if value, ok := values[m.Name]; ok {
			d.Metrics = append(d.Metrics, metric{m.Name, m.Unit})
			attrs = append(attrs, slog.Int64(m.Name, value))
		}
	}
	return append(attrs, slog.Any("_aws", directive{now.UnixMilli(), []definition{d}}))
}

// dimensions adds to d the sets under which CloudWatch keeps the metrics. A
// dimension without a value would void the document.
func (r Request) dimensions(d *definition) []slog.Attr {
	attrs := []slog.Attr{slog.String(contract.DimensionStack, r.Stack), slog.String(contract.DimensionRegion, r.Region)}
	d.Dimensions = [][]string{{contract.DimensionStack, contract.DimensionRegion}}
	if r.Model != "" {
		attrs = append(attrs, slog.String(contract.DimensionModel, r.Model))
		d.Dimensions = append(d.Dimensions, []string{contract.DimensionStack, contract.DimensionRegion, contract.DimensionModel})
	}
	return attrs
}

// values are the metrics by name. Counts of which shares are taken are there
// even at zero: a share of errors needs the requests that had none.
func (r Request) values() map[string]int64 {
	v := map[string]int64{
		contract.MetricRequests:            1,
		contract.MetricErrors:              0,
		contract.MetricFailovers:           int64(r.Failovers),
		contract.MetricThrottles:           int64(r.Throttles),
		contract.MetricResidencyViolations: int64(r.ResidencyViolations),
	}
	for name, n := range map[string]int{
		contract.MetricMisconfigured: r.Misconfigured, contract.MetricHedges: r.Hedges,
		contract.MetricContinued: r.Continued, contract.MetricBreakersOpen: r.BreakersOpen,
		contract.MetricSingleCopies: r.SingleCopies,
		contract.MetricUncounted:    r.Uncounted,
	} {
		if n > 0 {
			v[name] = int64(n)
		}
	}
	if r.Failed {
		v[contract.MetricErrors] = 1
	}
	if r.FirstToken > 0 {
		v[contract.MetricTimeToFirstToken] = r.FirstToken.Milliseconds()
	}
	if r.InputTokens > 0 || r.OutputTokens > 0 {
		v[contract.MetricInputTokens], v[contract.MetricOutputTokens] = int64(r.InputTokens), int64(r.OutputTokens)
	}
	return v
}
