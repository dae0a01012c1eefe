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
	d := definition{Namespace: contract.MetricNamespace, Metrics: make([]metric, 0, len(contract.Metrics))}
	attrs := make([]slog.Attr, 0, 2*len(contract.Metrics))
	attrs = r.dimensions(attrs, &d)
	for _, m := range contract.Metrics {
		if value, ok := r.value(m.Name); ok {
			d.Metrics = append(d.Metrics, metric{m.Name, m.Unit})
			attrs = append(attrs, slog.Int64(m.Name, value))
		}
	}
	return append(attrs, slog.Any("_aws", directive{now.UnixMilli(), []definition{d}}))
}

// dimensions adds to d the sets under which CloudWatch keeps the metrics, and to
// attrs their values. A dimension without a value would void the document.
func (r Request) dimensions(attrs []slog.Attr, d *definition) []slog.Attr {
	attrs = append(attrs, slog.String(contract.DimensionStack, r.Stack), slog.String(contract.DimensionRegion, r.Region))
	d.Dimensions = [][]string{{contract.DimensionStack, contract.DimensionRegion}}
	if r.Model != "" {
		attrs = append(attrs, slog.String(contract.DimensionModel, r.Model))
		d.Dimensions = append(d.Dimensions, []string{contract.DimensionStack, contract.DimensionRegion, contract.DimensionModel})
	}
	return attrs
}

// value is that of a metric, and whether it is told. Counts of which shares are
// taken are there even at zero: a share of errors needs the requests that had
// none.
func (r Request) value(name string) (int64, bool) {
	some := func(n int) (int64, bool) { return int64(n), n > 0 }
	switch name {
	case contract.MetricRequests:
		return 1, true
	case contract.MetricErrors:
		if r.Failed {
			return 1, true
		}
		return 0, true
	case contract.MetricFailovers:
		return int64(r.Failovers), true
	case contract.MetricThrottles:
		return int64(r.Throttles), true
	case contract.MetricResidencyViolations:
		return int64(r.ResidencyViolations), true
	case contract.MetricMisconfigured:
		return some(r.Misconfigured)
	case contract.MetricHedges:
		return some(r.Hedges)
	case contract.MetricContinued:
		return some(r.Continued)
	case contract.MetricBreakersOpen:
		return some(r.BreakersOpen)
	case contract.MetricSingleCopies:
		return some(r.SingleCopies)
	case contract.MetricUncounted:
		return some(r.Uncounted)
	case contract.MetricTimeToFirstToken:
		return r.FirstToken.Milliseconds(), r.FirstToken > 0
	case contract.MetricInputTokens:
		return int64(r.InputTokens), r.InputTokens > 0 || r.OutputTokens > 0
	case contract.MetricOutputTokens:
		return int64(r.OutputTokens), r.InputTokens > 0 || r.OutputTokens > 0
	default:
		return 0, false
	}
}
