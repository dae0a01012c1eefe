package inference

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/bedrock"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/bedrockfoundation"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// globalPage is AWS's page on global profiles: their prices and permissions.
const globalPage = "https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html"

// source is what an application inference profile is copied from, or a model
// that is invoked without one.
type source struct {
	name   string   // as the settings have it
	region string   // source region
	arn    string   // of the system profile or foundation model
	models []string // foundation model ARNs, one for each place that may process
	system bool     // arn is a system-defined profile
	embeds bool     // arn is a model that makes embeddings, for which there are no profiles
}

// lookup finds where a model may be processed that is called from the region.
func (a *ProfilesArgs) lookup(ctx *pulumi.Context, m Model, opts ...pulumi.InvokeOption) (source, error) {
	if a.Offline != nil {
		return a.Offline.recall(a.Region, m)
	}
	return lookup(ctx, a.Region, m, opts...)
}

// lookup asks AWS, in the source region, where a model may be processed. The
// answer depends on the pair of profile and source region, never on the
// profile's prefix.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
func lookup(ctx *pulumi.Context, region string, m Model, opts ...pulumi.InvokeOption) (source, error) {
	if m.ID != "" {
		return lookupModel(ctx, region, m.ID, opts...)
	}
	got, err := bedrock.LookupInferenceProfile(ctx, &bedrock.LookupInferenceProfileArgs{InferenceProfileId: m.Profile}, opts...)
	if err != nil {
		return source{}, fmt.Errorf("profile %s in %s: %w; check that the profile exists in this source region "+
			"and that the account has access to the model", m.Profile, region, err)
	}
	s := source{name: m.Profile, region: region, arn: got.InferenceProfileArn, system: true}
	for _, model := range got.Models {
		s.models = append(s.models, model.ModelArn)
	}
	if len(s.models) == 0 {
		return source{}, fmt.Errorf("profile %s in %s lists no destination", m.Profile, region)
	}
	if base := s.base(); contract.Embeds(base) {
		return source{}, fmt.Errorf("profile %s: models that make embeddings have no application inference profiles: "+
			"set model: %s in place of the profile", m.Profile, base)
	}
	return s, nil
}

// Words of AWS's answer about a model.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_FoundationModelDetails.html
const (
	onDemand = "ON_DEMAND"
	vectors  = "EMBEDDING"
)

// lookupModel asks AWS whether the region serves a model by itself.
func lookupModel(ctx *pulumi.Context, region, id string, opts ...pulumi.InvokeOption) (source, error) {
	got, err := bedrockfoundation.GetModel(ctx, &bedrockfoundation.GetModelArgs{ModelId: id}, opts...)
	if err != nil {
		return source{}, fmt.Errorf("model %s in %s: %w; check that this region offers the model, or take it from the stack", id, region, err)
	}
	if !slices.Contains(got.InferenceTypesSupporteds, onDemand) {
		return source{}, fmt.Errorf("model %s in %s is not served on demand, only by %s: use a profile, or a model that every region serves",
			id, region, strings.Join(got.InferenceTypesSupporteds, ", "))
	}
	embeds := slices.Contains(got.OutputModalities, vectors)
	if embeds != contract.Embeds(id) {
		return source{}, fmt.Errorf("model %s in %s returns %s: for embeddings use one of %s", id, region,
			strings.Join(got.OutputModalities, ", "), strings.Join(contract.EmbeddingModels, ", "))
	}
	return source{name: id, region: region, arn: got.ModelArn, models: []string{got.ModelArn}, embeds: embeds}, nil
}

// base is the ID of the foundation model.
func (s source) base() string {
	_, id, _ := strings.Cut(s.models[0], "foundation-model/")
	return id
}

// destinations are the regions, sorted, that may process; [contract.AnyRegion]
// stands for all.
func (s source) destinations() []string {
	var regions []string
	for _, arn := range s.models {
		regions = append(regions, cmp.Or(regionOf(arn), contract.AnyRegion))
	}
	return sorted(regions)
}

// global tells a profile that AWS may route anywhere.
func (s source) global() bool { return slices.Contains(s.destinations(), contract.AnyRegion) }

// checkResidency reports each destination of s outside the allowed regions.
func checkResidency(s source, args *ProfilesArgs) error {
	var errs []error
	for _, region := range s.destinations() {
		switch {
		case args.allows(region):
		case region == contract.AnyRegion:
			errs = append(errs, fmt.Errorf("profile %s called from %s may be processed in any commercial region, "+
				"which jurisdiction %q does not allow: use a geographic profile; that global ones are about 10 %% cheaper for some models "+
				"is the price of residency (%s)", s.name, s.region, args.Jurisdiction, globalPage))
		default:
			errs = append(errs, fmt.Errorf("profile %s called from %s may be processed in %s, which is outside jurisdiction %q: "+
				"call it from another source region or use another profile", s.name, s.region, region, args.Jurisdiction))
		}
	}
	return errors.Join(errs...)
}

// regionOf returns the region of an ARN, empty where it has none.
func regionOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[3]
}
