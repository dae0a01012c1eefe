package stacks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/servicequotas"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// quota is one of Service Quotas, which each region has for itself. Code or
// name find it, the code first.
type quota struct{ service, code, name string }

func (q quota) String() string { return fmt.Sprintf("quota %q of %s", q.name, q.service) }

// concurrency bounds how many environments all of a region's functions have.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
var concurrency = quota{"lambda", "L-B99A9384", "Concurrent executions"}

// quotaNamesDate is when quotaNames were copied from their source.
const quotaNamesDate = "2026-11"

// Beginnings of the names of Bedrock's quotas of tokens per minute.
const (
	crossRegionTokens       = "Cross-region model inference tokens per minute for "
	globalCrossRegionTokens = "Global cross-region model inference tokens per minute for "
)

// quotaNames say which quota the calls of a system-defined profile count
// against. All geographies share one, so that their profiles stand here without
// prefix; global profiles have others. A name follows no rule, and one that is
// not known is left out.
// Source: https://docs.aws.amazon.com/general/latest/gr/bedrock.html#limits_bedrock
var quotaNames = map[string]string{
	"anthropic.claude-sonnet-4-6":               crossRegionTokens + "Anthropic Claude Sonnet 4.6",
	"anthropic.claude-sonnet-4-5-20250929-v1:0": crossRegionTokens + "Anthropic Claude Sonnet 4.5 V1",
	"anthropic.claude-haiku-4-5-20251001-v1:0":  crossRegionTokens + "Anthropic Claude Haiku 4.5",
	"anthropic.claude-sonnet-4-20250514-v1:0":   crossRegionTokens + "Anthropic Claude Sonnet 4 V1",
	"amazon.nova-pro-v1:0":                      crossRegionTokens + "Amazon Nova Pro",
	"amazon.nova-2-lite-v1:0":                   crossRegionTokens + "Amazon Nova 2 Lite",
	"meta.llama3-3-70b-instruct-v1:0":           crossRegionTokens + "Meta Llama 3.3 70B Instruct",

	"global.anthropic.claude-sonnet-4-6":               globalCrossRegionTokens + "Anthropic Claude Sonnet 4.6",
	"global.anthropic.claude-sonnet-4-5-20250929-v1:0": globalCrossRegionTokens + "Anthropic Claude Sonnet 4.5 V1",
	"global.anthropic.claude-haiku-4-5-20251001-v1:0":  globalCrossRegionTokens + "Anthropic Claude Haiku 4.5",
}

// tokens finds the quota of tokens per minute that a profile's calls count
// against, if its name is known.
func tokens(profile string) (quota, bool) {
	geography, model, _ := strings.Cut(profile, ".")
	if geography == "global" {
		model = profile
	}
	name, known := quotaNames[model]
	return quota{service: "bedrock", name: name}, known
}

// checkCapacity warns of failover partners that could not carry the load of a
// region besides their own. How much load there is cannot be known before there
// is any, so the rule is a simple one. A partner is warned of if it has less
// than the region of a quota, Lambda's concurrent executions or a profile's
// tokens per minute; or if its concurrent executions are fewer than what the
// settings reserve for the invokers of both. No warning is no proof.
func (s *stack) checkCapacity() error {
	if s.settings.CapacityCheck != nil && !*s.settings.CapacityCheck {
		return nil
	}
	values, err := s.readQuotas(s.quotas())
	if err != nil {
		return err
	}
	s.quotaReadings = values
	for _, r := range s.settings.Regions {
		for _, partner := range r.Failover {
			s.warnings = append(s.warnings, shortages(r.Name, partner, values)...)
			s.warnings = append(s.warnings, s.overbooked(r.Name, partner, values)...)
		}
	}
	return nil
}

// quotas are those to compare, each once. It warns of models without one.
func (s *stack) quotas() []quota {
	all := []quota{concurrency}
	for _, m := range s.settings.Models {
		q, known := tokens(m.Profile)
		switch {
		case !known:
			s.warnings = append(s.warnings, fmt.Sprintf("the capacity of model %s is not compared: the quota names of %s have none for %s; "+
				"compare its tokens per minute of all regions in Service Quotas", m.Name, quotaNamesDate, m.Profile+m.Model))
		case !slices.Contains(all, q):
			all = append(all, q)
		}
	}
	return all
}

// reading is a quota's value in a region.
type reading struct {
	region string
	quota  quota
	value  float64
}

// readings are all that could be read, by region in the order of the settings.
type readings []reading

// of finds the value of a quota in a region, if it could be read.
func (all readings) of(q quota, region string) (float64, bool) {
	i := slices.IndexFunc(all, func(r reading) bool { return r.quota == q && r.region == region })
	if i < 0 {
		return 0, false
	}
	return all[i].value, true
}

// readQuotas asks each region for its values. It warns of those that it does
// not get: whoever previews a stack need not be allowed to read quotas. AWS's
// reason differs from run to run, so that it goes to the log only.
func (s *stack) readQuotas(quotas []quota) (readings, error) {
	var all readings
	for _, r := range s.settings.Regions {
		if r.Offline {
			continue
		}
		for _, q := range quotas {
			args := &servicequotas.LookupServiceQuotaArgs{ServiceCode: q.service, QuotaCode: &q.code}
			if q.code == "" {
				args.QuotaCode, args.QuotaName = nil, &q.name
			}
			found, err := servicequotas.LookupServiceQuota(s.ctx, args, pulumi.Provider(s.regions[r.Name].provider))
			if err != nil {
				s.warnings = append(s.warnings, fmt.Sprintf("the capacity of %s is not compared: %s cannot be read; allow "+
					"servicequotas:GetServiceQuota, servicequotas:GetAWSDefaultServiceQuota and servicequotas:ListAWSDefaultServiceQuotas, "+
					"or set capacityCheck to false", r.Name, q))
				if err := s.ctx.Log.Debug(err.Error(), nil); err != nil {
					return nil, err
				}
				continue
			}
			all = append(all, reading{r.Name, q, found.Value})
		}
	}
	return all, nil
}

// shortages are sentences on the quotas of which a region has more than its
// partner.
func shortages(region, partner string, values readings) []string {
	var all []string
	for _, own := range values {
		if own.region != region {
			continue
		}
		if value, read := values.of(own.quota, partner); read && value < own.value {
			all = append(all, fmt.Sprintf("%s could not carry the load of %s, which fails over to it: %s is %.0f in %s and %.0f in %s; "+
				"request an increase for %s in Service Quotas", partner, region, own.quota, value, partner, own.value, region, partner))
		}
	}
	return all
}

// overbooked is a sentence on a partner with too few concurrent executions for
// what is reserved in both regions together, or none.
func (s *stack) overbooked(region, partner string, values readings) []string {
	reserved := 2 * s.settings.ReservedConcurrency
	value, read := values.of(concurrency, partner)
	if !read || value >= float64(reserved) {
		return nil
	}
	return []string{fmt.Sprintf("%s could not carry the load of %s, which fails over to it: %s is %.0f in %s, and the invokers of both reserve %d; "+
		"request an increase for %s in Service Quotas, or lower reservedConcurrency in the settings",
		partner, region, concurrency, value, partner, reserved, partner)}
}
