package inference

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/bedrock"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// globalPage is AWS's page on global profiles: their prices and permissions.
const globalPage = "https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html"

// source is what an application inference profile is copied from.
type source struct {
	name   string   // as the settings have it
	region string   // source region
	arn    string   // of the system profile or foundation model
	models []string // foundation model ARNs, one for each place that may process
	system bool     // arn is a system-defined profile
}

// lookup asks AWS, in the source region, where a model may be processed. The
// answer depends on the pair of profile and source region, never on the
// profile's prefix.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
func lookup(ctx *pulumi.Context, region string, m Model, opts ...pulumi.InvokeOption) (source, error) {
	if m.ID != "" {
		partition, err := aws.GetPartition(ctx, nil, opts...)
		if err != nil {
			return source{}, fmt.Errorf("partition of %s: %w", region, err)
		}
		arn := fmt.Sprintf("arn:%s:bedrock:%s::foundation-model/%s", partition.Partition, region, m.ID)
		return source{name: m.ID, region: region, arn: arn, models: []string{arn}}, nil
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
	return s, nil
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
