// Package inference makes a region's Bedrock models callable: it reads from
// AWS where each profile may process a prompt, refuses a place outside the
// stack's jurisdiction, and creates the application inference profiles through
// which the models are invoked.
package inference

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/bedrock"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// profilesType is part of every child's URN. Changing it replaces deployed
// resources unless the old token is kept as an alias.
const profilesType = "crossregion:inference:Profiles"

// Profiles are the application inference profiles of one source region, one
// for each model. They refuse a model that could be processed outside the
// allowed regions.
type Profiles struct {
	pulumi.ResourceState

	// Arns are the profiles' ARNs by model name.
	Arns pulumi.StringMapOutput `pulumi:"arns"`

	sources []source           // one for each model
	grants  pulumi.ArrayOutput // of grant, in the same order
}

// Model is a model that callers may name.
type Model struct {
	// Name is what callers put into "model". Required.
	Name string
	// Profile is the ID of a system-defined inference profile, e.g.
	// "eu.anthropic.claude-sonnet-4-6". Either this or ID is required.
	Profile string
	// ID is the ID of a foundation model that is invoked in the region itself.
	ID string
}

// ProfilesArgs are the arguments of [NewProfiles].
type ProfilesArgs struct {
	// Region is the source region, that of the provider. Required.
	Region string
	// Jurisdiction is the name of Allowed, for messages. Required.
	Jurisdiction string
	// Allowed are the regions in which a prompt may be processed. Required.
	Allowed []string
	// Models to create profiles for. Required.
	Models []Model
}

func (a *ProfilesArgs) validate() error {
	if a == nil {
		return errors.New("no arguments")
	}
	var errs []error
	for field, empty := range map[string]bool{
		"Region": a.Region == "", "Jurisdiction": a.Jurisdiction == "", "Allowed": len(a.Allowed) == 0, "Models": len(a.Models) == 0,
	} {
		if empty {
			errs = append(errs, fmt.Errorf("missing %s", field))
		}
	}
	for _, m := range a.Models {
		if m.Name == "" || (m.Profile == "") == (m.ID == "") {
			errs = append(errs, fmt.Errorf("model %q needs a name and either a profile or an ID", m.Name))
		}
	}
	return errors.Join(errs...)
}

// NewProfiles registers Profiles and their children.
func NewProfiles(ctx *pulumi.Context, name string, args *ProfilesArgs, opts ...pulumi.ResourceOption) (*Profiles, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("inference.Profiles %s: %w", name, err)
	}
	p := &Profiles{}
	inputs := pulumi.Map{"region": pulumi.String(args.Region), "allowed": pulumi.ToStringArray(args.Allowed)}
	if err := ctx.RegisterComponentResourceV2(profilesType, name, inputs, p, opts...); err != nil {
		return nil, err
	}
	arns, grants := pulumi.StringMap{}, pulumi.Array{}
	var faults []error
	for _, m := range args.Models {
		s, err := lookup(ctx, args.Region, m, pulumi.Parent(p))
		if err == nil {
			err = checkResidency(s, args)
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		profile, err := bedrock.NewInferenceProfile(ctx, name+"-"+slug(m.Name), &bedrock.InferenceProfileArgs{
			ModelSource: bedrock.InferenceProfileModelSourceArgs{CopyFrom: pulumi.String(s.arn)},
		}, pulumi.Parent(p))
		if err != nil {
			return nil, fmt.Errorf("profile of model %s: %w", m.Name, err)
		}
		arns[m.Name] = profile.Arn
		p.sources = append(p.sources, s)
		grants = append(grants, profile.Arn.ApplyT(func(arn string) grant { return grant{profile: arn, source: s} }))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	p.Arns = arns.ToStringMapOutput()
	p.grants = grants.ToArrayOutput()
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{"arns": p.Arns})
}

// slug turns a model name into part of a resource name: profile names allow
// no dot.
func slug(model string) string { return strings.ReplaceAll(model, ".", "-") }
