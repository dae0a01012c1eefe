package remote

import (
	"errors"

	"github.com/crossregion/crossregion/components/inference"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

type model struct {
	Name    string `pulumi:"name"`
	Profile string `pulumi:"profile,optional"`
	ID      string `pulumi:"id,optional"`
}

// Annotate implements infer.Annotated.
func (m *model) Annotate(a infer.Annotator) {
	a.SetToken("inference", "Model")
	a.Describe(&m, "A model that callers may name. Either profile or id is required.")
	a.Describe(&m.Name, "What callers put into \"model\".")
	a.Describe(&m.Profile, "ID of a system-defined inference profile, e.g. \"eu.amazon.nova-pro-v1:0\".")
	a.Describe(&m.ID, "ID of a foundation model that is invoked in the region itself.")
}

type guardrail struct {
	ID      string `pulumi:"id"`
	Version string `pulumi:"version"`
	Profile string `pulumi:"profile,optional"`
}

// Annotate implements infer.Annotated.
func (g *guardrail) Annotate(a infer.Annotator) {
	a.SetToken("inference", "Guardrail")
	a.Describe(&g, "A Bedrock guardrail of the region, which exists already.")
	a.Describe(&g.ID, "ID of the guardrail, without its ARN.")
	a.Describe(&g.Version, "A number, or \"DRAFT\".")
	a.Describe(&g.Profile, "ID of the guardrail profile through which it is evaluated in several regions. Default: none.")
}

func (g *guardrail) of() *inference.Guardrail {
	if g == nil {
		return nil
	}
	return &inference.Guardrail{ID: g.ID, Version: g.Version, Profile: g.Profile}
}

type profilesArgs struct {
	Region       string     `pulumi:"region"`
	Jurisdiction string     `pulumi:"jurisdiction"`
	Allowed      []string   `pulumi:"allowed,optional"`
	AllowGlobal  bool       `pulumi:"allowGlobal,optional"`
	Guardrail    *guardrail `pulumi:"guardrail,optional"`
	Models       []model    `pulumi:"models"`
}

// Annotate implements infer.Annotated.
func (p *profilesArgs) Annotate(a infer.Annotator) {
	a.Describe(&p.Region, "Source region, that of the provider.")
	a.Describe(&p.Jurisdiction, "Name of the allowed regions, for messages.")
	a.Describe(&p.Allowed, "Regions in which a prompt may be processed. Required unless allowGlobal is set.")
	a.Describe(&p.AllowGlobal, "Permits processing anywhere, which global profiles need. Default: false.")
	a.Describe(&p.Guardrail, "Checks what every model is asked and answers. Default: none.")
	a.Describe(&p.Models, "Models to create profiles for.")
}

// profiles are those of package inference, and what a role needs to invoke them.
type profiles struct {
	pulumi.ComponentResource

	Arns         pulumi.StringMapOutput      `pulumi:"arns"`
	Destinations pulumi.StringArrayMapOutput `pulumi:"destinations"`
	InvokePolicy pulumi.StringOutput         `pulumi:"invokePolicy"`
}

// Annotate implements infer.Annotated.
func (p *profiles) Annotate(a infer.Annotator) {
	a.SetToken("inference", "Profiles")
	a.Describe(&p, "The application inference profiles of one region. A model that could be processed outside the allowed regions is refused.")
	a.Describe(&p.Arns, "ARNs of the profiles by model name; of a model that makes embeddings, its own.")
	a.Describe(&p.Destinations, "Regions that may process what a model is asked, by its name.")
	a.Describe(&p.InvokePolicy, "IAM policy that allows invoking the profiles, and nothing else.")
}

func newProfiles(ctx *pulumi.Context, name string, args profilesArgs, opts ...pulumi.ResourceOption) (*profiles, error) {
	var models []inference.Model
	for _, m := range args.Models {
		models = append(models, inference.Model{Name: m.Name, Profile: m.Profile, ID: m.ID})
	}
	p, err := inference.NewProfiles(ctx, name, &inference.ProfilesArgs{
		Region: args.Region, Jurisdiction: args.Jurisdiction, Allowed: args.Allowed, AllowGlobal: args.AllowGlobal,
		Guardrail: args.Guardrail.of(), Models: models,
	}, opts...)
	if err != nil {
		return nil, err
	}
	grant, err := inference.InvokePolicy(1, p)
	var warnings []error
	for _, difference := range p.Differences {
		warnings = append(warnings, ctx.Log.Warn(difference, &pulumi.LogArgs{Resource: p}))
	}
	return &profiles{p, p.Arns, p.Destinations, grant}, errors.Join(append(warnings, err)...)
}
