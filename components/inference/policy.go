package inference

import (
	"fmt"
	"slices"

	"github.com/crossregion/crossregion/components/policy"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// invokeAction is what ConverseStream needs, which has no action of its own.
// The invoker calls nothing else: a whole answer is a stream read to its end.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
const invokeAction = "bedrock:InvokeModelWithResponseStream"

// maxPolicy is what is left of IAM's 10,240 characters for all inline policies
// of a role, after those that a function needs besides.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const maxPolicy = 10_240 - 1_024

// grant is one application inference profile and what it was copied from.
type grant struct {
	profile string
	source  source
}

// InvokePolicy allows invoking the profiles of several source regions, and
// nothing else. It refuses at preview what would be too large for a role.
func InvokePolicy(regions ...*Profiles) (pulumi.StringOutput, error) {
	var expected []grant
	all := pulumi.Array{}
	for _, p := range regions {
		all = append(all, p.grants)
		for _, s := range p.sources {
			expected = append(expected, grant{profileLike(s, len(expected)), s})
		}
	}
	document, err := invokePolicy(expected)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	if len(document) > maxPolicy {
		return pulumi.StringOutput{}, fmt.Errorf("the policy to invoke %d profiles has %d characters, over the %d that a role has room for: "+
			"use fewer models, or fewer failover partners for each region", len(expected), len(document), maxPolicy)
	}
	return all.ToArrayOutput().ApplyT(func(regions []any) (string, error) {
		var grants []grant
		for _, region := range regions {
			for _, g := range region.([]any) {
				grants = append(grants, g.(grant))
			}
		}
		return invokePolicy(grants)
	}).(pulumi.StringOutput), nil
}

// profileLike is the n-th ARN of the length that AWS will choose for a profile.
func profileLike(s source, n int) string {
	return fmt.Sprintf("arn:aws:bedrock:%s:%012d:application-inference-profile/%012d", s.region, 0, n)
}

// invokePolicy allows invoking the profiles. Whoever may use a profile must
// also be allowed the foundation model in every place that it routes to; the
// condition keeps those models from being called in any other way.
//
// Whether an application profile also needs the system profile that it was
// copied from, and which of the two ARNs the condition key carries, is not
// documented: both are allowed.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
func invokePolicy(grants []grant) (string, error) {
	var profiles, models []string
	for _, g := range grants {
		profiles = append(profiles, g.profile)
		if g.source.system {
			profiles = append(profiles, g.source.arn)
		}
		models = append(models, g.source.models...)
	}
	slices.Sort(profiles)
	slices.Sort(models)
	profiles, models = slices.Compact(profiles), slices.Compact(models)
	return policy.Document(
		policy.Statement{Actions: []string{invokeAction}, Resources: profiles},
		policy.Statement{Actions: []string{invokeAction}, Resources: models,
			Conditions: map[string]map[string][]string{"StringEquals": {"bedrock:InferenceProfileArn": profiles}}},
	)
}
