package policy

import (
	"errors"
	"slices"

	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/stacks"
)

// globalServices are those that AWS runs for all regions from us-east-1, and
// that no prompt, answer or conversation comes to: who may do what, names and
// their checks, bills and support. CloudFront and Global Accelerator are global
// too, but carry content, and are not among them.
// Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html
var globalServices = []string{
	"account:*", "aws-marketplace:*", "billing:*", "budgets:*", "ce:*", "cur:*", "freetier:*", "health:*", "iam:*", "invoicing:*",
	"organizations:*", "payments:*", "pricing:*", "route53:*", "route53domains:*", "s3:GetAccountPublicAccessBlock",
	"s3:ListAllMyBuckets", "s3:PutAccountPublicAccessBlock", "servicequotas:*", "sts:*", "support:*", "tax:*", "trustedadvisor:*",
}

// metricReads are of metrics: those of health checks are in us-east-1 only,
// which is where a stack's dashboard has them from.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-health-checks.html
var metricReads = []string{
	"cloudwatch:DescribeAlarms", "cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics", "cloudwatch:ListMetrics",
}

// Control is the service control policy that holds the account of a stack to its
// jurisdiction, whoever acts there: a role of the stack, a person, another
// program. It denies what is asked of any other region, which includes every
// destination that Bedrock would choose outside, and what would keep prompts
// where the program does not see it: a mode of data retention other than none,
// and logs of invocations. In a jurisdiction without bounds it denies the latter
// only. An error says why there is no policy.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/data-retention.html
func Control(o Options) (Document, error) {
	if o.ReadOnly || o.StateBucket != "" || o.StateKey != "" || o.Account != "" {
		return Document{}, errors.New("--scp goes with --stack only: the policy holds for everybody in the account that it is attached to")
	}
	stack, err := deploy.Load(o.Root, o.Stack)
	if err != nil {
		return Document{}, err
	}
	return control(stack.Settings.Jurisdiction), nil
}

func control(jurisdiction string) Document {
	d := Document{Version: version}
	if !stacks.Unbounded(jurisdiction) {
		outside := deny("OutsideTheJurisdiction", nil, "aws:RequestedRegion", stacks.JurisdictionRegions(jurisdiction)...)
		outside.NotAction = slices.Concat(globalServices, metricReads)
		d.Statement = append(d.Statement, outside)
	}
	d.Statement = append(d.Statement,
		deny("KeepPrompts", []string{"bedrock:PutAccountDataRetention"}, "bedrock:DataRetentionMode", "none"),
		deny("KeepPromptsOfProjects", []string{"bedrock-mantle:CreateProject", "bedrock-mantle:PutAccountDataRetention", "bedrock-mantle:UpdateProject"},
			"bedrock-mantle:DataRetentionMode", "none"),
		deny("LogPrompts", []string{"bedrock:PutModelInvocationLoggingConfiguration"}, ""))
	return d
}

// deny is a statement on all resources, which holds unless key has one of values;
// without key, always.
func deny(id string, actions []string, key string, values ...string) Statement {
	s := Statement{Sid: id, Effect: "Deny", Action: actions, Resource: []string{"*"}}
	if key != "" {
		s.Condition = map[string]map[string][]string{"StringNotEquals": {key: values}}
	}
	return s
}
