// Package inference makes a region's Bedrock models callable: it reads from
// AWS where each profile may process a prompt, refuses a place outside the
// stack's jurisdiction, a guardrail's as well as a model's, and creates the
// application inference profiles through which the models are invoked.
package inference

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/bedrock"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// profilesType is part of every child's URN. Changing it replaces deployed
// resources unless the old token is kept as an alias.
const profilesType = "crossregion:inference:Profiles"

// Profiles are the application inference profiles of one source region, one
// for each model. They refuse a model that could be processed outside the
// allowed regions, and one that the region does not offer. A model that makes
// embeddings is invoked by itself: AWS has no such profiles for it, nor
// guardrails.
type Profiles struct {
	pulumi.ResourceState

	// Arns are the profiles' ARNs by model name; of a model that makes
	// embeddings, its own.
	Arns pulumi.StringMapOutput `pulumi:"arns"`
	// Destinations are the regions, sorted, that may process what a model is
	// asked, by its name. Those of the guardrail count; [contract.AnyRegion]
	// stands for all.
	Destinations pulumi.StringArrayMapOutput `pulumi:"destinations"`
	// Differences are sentences on where AWS's answers and the catalogue differ,
	// for the caller to warn of. Mostly none.
	Differences []string

	region     string
	models     []string            // names
	sources    []source            // one for each model
	reach      map[string][]string // Destinations by model
	grants     pulumi.ArrayOutput  // of grant, in the order of models
	checkpoint *checkpoint         // nil without a guardrail
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
	// Setting is where the caller's settings have the model, for messages.
	// Default: the model's name.
	Setting string
}

// ProfilesArgs are the arguments of [NewProfiles].
type ProfilesArgs struct {
	// Region is the source region, that of the provider. Required.
	Region string
	// Jurisdiction is the name of Allowed, for messages. Required.
	Jurisdiction string
	// Allowed are the regions in which a prompt may be processed. Required
	// unless AllowGlobal is set.
	Allowed []string
	// AllowGlobal permits processing anywhere, which global profiles need.
	// Default: false.
	AllowGlobal bool
	// Guardrail checks what every model is asked and answers. Default: none.
	Guardrail *Guardrail
	// Models to create profiles for. Required.
	Models []Model
	// Offline is set for a region that cannot be asked: what AWS would answer
	// comes from the catalogue. Default: AWS is asked.
	Offline *Owner
}

func (a *ProfilesArgs) validate() error {
	if a == nil {
		return errors.New("no arguments")
	}
	var errs []error
	for field, empty := range map[string]bool{
		"Region": a.Region == "", "Jurisdiction": a.Jurisdiction == "", "Allowed": len(a.Allowed) == 0 && !a.AllowGlobal, "Models": len(a.Models) == 0,
	} {
		if empty {
			errs = append(errs, fmt.Errorf("missing %s", field))
		}
	}
	errs = append(errs, a.Guardrail.validate(), a.Offline.validate())
	for _, m := range a.Models {
		if m.Name == "" || (m.Profile == "") == (m.ID == "") {
			errs = append(errs, fmt.Errorf("model %q needs a name and either a profile or an ID", m.Name))
		}
	}
	return errors.Join(errs...)
}

// allows reports whether the jurisdiction lets a region process.
func (a *ProfilesArgs) allows(region string) bool {
	return a.AllowGlobal || region != contract.AnyRegion && slices.Contains(a.Allowed, region)
}

// NewProfiles registers Profiles and their children.
func NewProfiles(ctx *pulumi.Context, name string, args *ProfilesArgs, opts ...pulumi.ResourceOption) (*Profiles, error) {
	if err := args.validate(); err != nil {
		return nil, fmt.Errorf("inference.Profiles %s: %w", name, err)
	}
	p := &Profiles{region: args.Region, reach: map[string][]string{}}
	inputs := pulumi.Map{"region": pulumi.String(args.Region), "allowed": pulumi.ToStringArray(args.Allowed)}
	if err := ctx.RegisterComponentResourceV2(profilesType, name, inputs, p, opts...); err != nil {
		return nil, err
	}
	if err := p.find(ctx, args); err != nil {
		return nil, err
	}
	p.compare()
	arns, destinations, grants := pulumi.StringMap{}, pulumi.StringArrayMap{}, pulumi.Array{}
	for i, s := range p.sources {
		model := p.models[i]
		arn, err := p.callable(ctx, name+"-"+slug(model), s)
		if err != nil {
			return nil, fmt.Errorf("profile of model %s: %w", model, err)
		}
		arns[model] = arn
		destinations[model] = pulumi.ToStringArray(p.reach[model])
		grants = append(grants, arn.ApplyT(func(arn string) grant { return grant{profile: arn, source: s, checkpoint: p.checkpoint} }))
	}
	p.Arns, p.Destinations, p.grants = arns.ToStringMapOutput(), destinations.ToStringArrayMapOutput(), grants.ToArrayOutput()
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{"arns": p.Arns, "destinations": p.Destinations})
}

// callable is the ARN by which s is invoked: that of a new profile, or its own.
func (p *Profiles) callable(ctx *pulumi.Context, name string, s source) (pulumi.StringOutput, error) {
	if s.embeds {
		return pulumi.String(s.arn).ToStringOutput(), nil
	}
	profile, err := bedrock.NewInferenceProfile(ctx, name, &bedrock.InferenceProfileArgs{
		ModelSource: bedrock.InferenceProfileModelSourceArgs{CopyFrom: pulumi.String(s.arn)},
	}, pulumi.Parent(p))
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return profile.Arn, nil
}

// find sets where each model may be processed, or reports every place outside
// the jurisdiction.
func (p *Profiles) find(ctx *pulumi.Context, args *ProfilesArgs) error {
	checkpoint, err := locate(args)
	faults := []error{err}
	p.checkpoint = checkpoint
	for _, m := range args.Models {
		s, err := args.lookup(ctx, m, pulumi.Parent(p))
		if err == nil {
			err = checkResidency(s, args)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", cmp.Or(m.Setting, "model "+m.Name), err))
			continue
		}
		p.models, p.sources = append(p.models, m.Name), append(p.sources, s)
		p.reach[m.Name] = s.destinations()
		if checkpoint != nil && !s.embeds {
			p.reach[m.Name] = sorted(append(p.reach[m.Name], checkpoint.destinations...))
		}
	}
	return errors.Join(faults...)
}

// compare notes what AWS answers otherwise than the catalogue.
func (p *Profiles) compare() {
	for _, s := range p.sources {
		if d := difference(s); d != "" {
			p.Differences = append(p.Differences, d)
		}
	}
}

// Base is the ID of the foundation model behind a model's name; "" if the
// model is unknown.
func (p *Profiles) Base(model string) string {
	i := slices.Index(p.models, model)
	if i < 0 {
		return ""
	}
	return p.sources[i].base()
}

// ModelDestinations are the regions, sorted, that may process what a model is
// asked, but for the guardrail; none if the model is unknown.
func (p *Profiles) ModelDestinations(model string) []string {
	i := slices.Index(p.models, model)
	if i < 0 {
		return nil
	}
	return p.sources[i].destinations()
}

// GuardrailDestinations are the regions, sorted, that may evaluate the
// guardrail; none without one.
func (p *Profiles) GuardrailDestinations() []string {
	if p.checkpoint == nil {
		return nil
	}
	return slices.Clone(p.checkpoint.destinations)
}

// Target is how an invoker reaches a model by its ARN of [Profiles.Arns].
func (p *Profiles) Target(model, arn string) contract.Target {
	t := contract.Target{Region: p.region, ID: arn, Destinations: slices.Clone(p.reach[model])}
	if p.checkpoint != nil && !contract.Embeds(p.Base(model)) {
		t.Guardrail = &contract.Guardrail{ID: p.checkpoint.ID, Version: p.checkpoint.Version}
	}
	return t
}

// slug turns a model name into part of a resource name: profile names allow
// no dot.
func slug(model string) string { return strings.ReplaceAll(model, ".", "-") }
