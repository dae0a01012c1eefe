package servicequotas

// serviceNames are the services with known quotas, by code.
var serviceNames = map[string]string{"bedrock": "Amazon Bedrock", "lambda": "AWS Lambda"}

// quota is one that every account has. All of them can be increased.
type quota struct {
	service, code, name string
	value               float64            // AWS's default
	elsewhere           map[string]float64 // the default where it is another, by region
}

// standard is AWS's default in a region.
func (q quota) standard(region string) float64 {
	if value, other := q.elsewhere[region]; other {
		return value
	}
	return q.value
}

const (
	crossRegion = "Cross-region model inference tokens per minute for "
	global      = "Global cross-region model inference tokens per minute for "
)

// quotas are defaults that AWS has published, those of Nova Pro and of Sonnet 4
// in 2025, the others in 2026. It raises Bedrock's from time to time, and gives
// new accounts less.
// Sources: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
// and https://docs.aws.amazon.com/general/latest/gr/bedrock.html#limits_bedrock
var quotas = []quota{
	{service: "lambda", code: "L-B99A9384", name: "Concurrent executions", value: 1_000},
	{service: "bedrock", code: "L-15B8E632", name: crossRegion + "Anthropic Claude Sonnet 4.6", value: 6_000_000},
	{service: "bedrock", code: "L-F4DDD3EB", name: crossRegion + "Anthropic Claude Sonnet 4.5 V1", value: 5_000_000},
	{service: "bedrock", code: "L-58BE175A", name: crossRegion + "Anthropic Claude Haiku 4.5", value: 5_000_000},
	{service: "bedrock", code: "L-59759B4A", name: crossRegion + "Anthropic Claude Sonnet 4 V1", value: 200_000},
	{service: "bedrock", code: "L-C0326783", name: crossRegion + "Amazon Nova Pro", value: 200_000,
		elsewhere: map[string]float64{"us-east-1": 800_000, "us-east-2": 800_000, "us-west-2": 800_000}},
	{service: "bedrock", code: "L-0E7AA8B7", name: crossRegion + "Meta Llama 3.3 70B Instruct", value: 600_000},
	{service: "bedrock", code: "L-7BEE40FB", name: global + "Anthropic Claude Sonnet 4.6", value: 6_000_000},
	{service: "bedrock", code: "L-9A11C666", name: global + "Anthropic Claude Haiku 4.5", value: 5_000_000},
}
