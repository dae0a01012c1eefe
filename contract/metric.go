package contract

// MetricNamespace is the CloudWatch namespace of the handlers' own metrics.
const MetricNamespace = "Crossregion"

// Dimensions of the handlers' metrics. Each metric exists twice: by stack and
// region, and by model besides. Nothing about a caller is a dimension.
const (
	DimensionStack  = "stack"  // name of the Pulumi stack
	DimensionRegion = "region" // region whose API answered
	DimensionModel  = "model"  // a configured name
)

// Names of the handlers' metrics.
const (
	MetricRequests            = "Requests"
	MetricErrors              = "Errors"
	MetricTimeToFirstToken    = "TimeToFirstToken"
	MetricFailovers           = "Failovers"
	MetricThrottles           = "Throttles"
	MetricMisconfigured       = "Misconfigured"
	MetricHedges              = "Hedges"
	MetricContinued           = "Continued"
	MetricBreakersOpen        = "BreakersOpen"
	MetricResidencyViolations = "ResidencyViolations"
	MetricSingleCopies        = "SingleCopies"
	MetricInputTokens         = "InputTokens"
	MetricOutputTokens        = "OutputTokens"
	MetricUncounted           = "Uncounted"
)

// Metric is one metric that the invoker emits.
type Metric struct {
	Name string
	Unit string // CloudWatch's name of the unit
	What string // one line for operators
}

// Metrics are all that the invoker emits, once per request.
var Metrics = []Metric{
	{MetricRequests, "Count", "requests that reached the invoker"},
	{MetricErrors, "Count", "requests that failed through no fault of the caller, before or within their answer"},
	{MetricTimeToFirstToken, "Milliseconds", "from a request to the first content of its streamed answer"},
	{MetricFailovers, "Count", "inference calls made because an earlier target had failed"},
	{MetricThrottles, "Count", "inference calls that Bedrock throttled"},
	{MetricMisconfigured, "Count", "inference calls to a target that refuses the role, or does not have the model"},
	{MetricHedges, "Count", "inference calls made because an earlier target was late"},
	{MetricContinued, "Count", "inference calls made to continue a stream that had broken off"},
	{MetricBreakersOpen, "Count", "targets of a request that were being spared at its end"},
	{MetricResidencyViolations, "Count", "requests refused because a target would leave the jurisdiction"},
	{MetricSingleCopies, "Count", "requests whose turn one region alone took, so that it awaits replication"},
	{MetricInputTokens, "Count", "tokens read by models"},
	{MetricOutputTokens, "Count", "tokens written by models"},
	{MetricUncounted, "Count", "requests that a budget or the record of usage may lack, since the table did not answer"},
}

// CodeResidencyViolation is the code of the error that
// [MetricResidencyViolations] counts.
const CodeResidencyViolation = "residency_violation"
