package inference

import (
	"fmt"
	"strings"

	"github.com/crossregion/crossregion/components/policy"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// invokeAction is what ConverseStream needs, which has no action of its own.
// The invoker calls nothing else: a whole answer is a stream read to its end.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
const invokeAction = "bedrock:InvokeModelWithResponseStream"

// embedAction is what InvokeModel needs, by which embeddings are made.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
const embedAction = "bedrock:InvokeModel"

// applyAction is what it needs besides for a guardrail.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions.html
const applyAction = "bedrock:ApplyGuardrail"

// unspecified is the region of requests for a model without one.
const unspecified = "unspecified"

// maxPolicy is what is left of IAM's 10,240 characters for all inline policies
// of a role that keeps conversations in so many regions, after those that a
// function needs besides: some 1,200 for logs, traces and usage, and 200 for each
// region's conversations.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func maxPolicy(regions int) int { return 10_240 - 1_400 - 256*regions }

// grant is one application inference profile and what it was copied from, or a
// model that makes embeddings.
type grant struct {
	profile    string // its ARN, or the model's
	source     source
	checkpoint *checkpoint // nil without a guardrail
}

// InvokePolicy allows invoking the profiles of several source regions, with
// their guardrails, and nothing else. It refuses at preview what would be too
// large for a role that is also to keep conversations in so many regions: those of
// the whole stack, which may be more than it calls models in.
func InvokePolicy(keeps int, regions ...*Profiles) (pulumi.StringOutput, error) {
	var expected []grant
	all := pulumi.Array{}
	for _, p := range regions {
		all = append(all, p.grants)
		for _, s := range p.sources {
			expected = append(expected, grant{profileLike(s, len(expected)), s, p.checkpoint})
		}
	}
	document, err := invokePolicy(expected)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	if room := maxPolicy(max(keeps, len(regions))); len(document) > room {
		return pulumi.StringOutput{}, fmt.Errorf("the policy to invoke %d profiles has %d characters, over the %d that a role has room for: "+
			"use fewer models, fewer failover partners for each region, or fewer regions", len(expected), len(document), room)
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
// condition keeps those models from being called in any other way. A global
// profile routes to its source region and to a model without a region, which is
// requested in no region in particular.
//
// Whether an application profile also needs the system profile that it was
// copied from, and which of the two ARNs the condition key carries, is not
// documented: both are allowed. The condition names profiles by pattern, since a
// role has no room to list them twice; which of them may be used is decided by
// the first statement, without which the models are of no use. A model that
// makes embeddings is allowed by itself.
// Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
// and https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
func invokePolicy(grants []grant) (string, error) {
	var inside, global reach
	var checkpoints, embedders []string
	for _, g := range grants {
		if strings.Count(g.profile, ":") < 5 {
			return "", fmt.Errorf("profile of %s in %s: %q is not an ARN", g.source.name, g.source.region, g.profile)
		}
		switch {
		case g.source.embeds:
			embedders = append(embedders, g.source.arn)
			continue
		case g.source.global():
			global.add(g)
		default:
			inside.add(g)
		}
		if g.checkpoint != nil {
			checkpoints = append(checkpoints, g.checkpoint.arns(g.profile)...)
		}
	}
	statements := append(inside.statements(nil), global.statements(sorted(global.sources))...)
	if len(embedders) > 0 {
		statements = append(statements, policy.Statement{Actions: []string{embedAction}, Resources: sorted(embedders)})
	}
	if len(checkpoints) > 0 {
		statements = append(statements, policy.Statement{Actions: []string{applyAction}, Resources: sorted(checkpoints)})
	}
	return policy.Document(statements...)
}

// reach is what several profiles of one kind give access to.
type reach struct {
	profiles   []string // ARNs
	patterns   []string // of these ARNs
	models     []string // ARNs with a region
	regionless []string // ARNs without one
	sources    []string // regions
}

func (r *reach) add(g grant) {
	r.profiles = append(r.profiles, g.profile)
	r.patterns = append(r.patterns, sibling(g.profile, g.source.region, "application-inference-profile/*"))
	if g.source.system {
		r.profiles = append(r.profiles, g.source.arn)
		r.patterns = append(r.patterns, sibling(g.profile, g.source.region, "inference-profile/*"))
	}
	for _, model := range g.source.models {
		if regionOf(model) == "" {
			// AWS asks for the model in the source region too, whether or not
			// its answer lists it.
			r.regionless = append(r.regionless, model)
			r.models = append(r.models, strings.Replace(model, ":bedrock::", ":bedrock:"+g.source.region+":", 1))
		} else {
			r.models = append(r.models, model)
		}
	}
	r.sources = append(r.sources, g.source.region)
}

// statements allow it, where they name the regions that a request must have.
func (r *reach) statements(regions []string) []policy.Statement {
	patterns := sorted(r.patterns)
	var all []policy.Statement
	for _, s := range []struct{ resources, patterns, regions []string }{
		{sorted(r.profiles), nil, regions},
		{sorted(r.models), patterns, regions},
		{sorted(r.regionless), patterns, []string{unspecified}},
	} {
		if len(s.resources) > 0 {
			all = append(all, policy.Statement{Actions: []string{invokeAction}, Resources: s.resources, Conditions: when(s.patterns, s.regions)})
		}
	}
	return all
}

// when is the condition that a request comes by a profile like one of the
// patterns and goes to one of the regions; nil asks for nothing.
func when(patterns, regions []string) map[string]map[string][]string {
	conditions := map[string]map[string][]string{}
	if patterns != nil {
		conditions["ArnLike"] = map[string][]string{"bedrock:InferenceProfileArn": patterns}
	}
	if regions != nil {
		conditions["StringEquals"] = map[string][]string{"aws:RequestedRegion": regions}
	}
	return conditions
}

// sibling is the ARN of a Bedrock resource in the account of a profile.
func sibling(profile, region, resource string) string {
	parts := strings.SplitN(profile, ":", 6)
	return strings.Join([]string{"arn", parts[1], "bedrock", region, parts[4], resource}, ":")
}
