package inference

import (
	"fmt"
	"slices"
	"strings"
)

// catalogueDate is when the catalogue was copied from its sources.
const catalogueDate = "2026-11"

// Regions that the sources list together.
const (
	unitedStates = "us-east-1 us-east-2 us-west-2"
	europe       = "eu-central-1 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-3"
	europe4      = "eu-central-1 eu-north-1 eu-west-1 eu-west-3"
	japan        = "ap-northeast-1 ap-northeast-3"
	australia    = "ap-southeast-2 ap-southeast-4"
	asia7        = "ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2"
)

// row says where a profile may process what is asked in any of some source
// regions: in the destinations, and in that source region itself.
type row struct {
	profile, sources, destinations string
}

// catalogue is a cross-check on what AWS answers at every preview, never the
// authority. It has no global profiles, whose destinations change.
// Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/model-card-anthropic-claude-sonnet-4-6.html
// and the cards of the other models beside it.
var catalogue = []row{
	{"us.anthropic.claude-sonnet-4-6", unitedStates + " us-west-1 ca-central-1 ca-west-1", unitedStates},
	{"eu.anthropic.claude-sonnet-4-6", europe + " eu-central-2 eu-west-2", europe},
	{"au.anthropic.claude-sonnet-4-6", australia + " ap-southeast-6", australia},
	{"jp.anthropic.claude-sonnet-4-6", japan, japan},

	{"us.anthropic.claude-sonnet-4-5-20250929-v1:0", unitedStates + " us-west-1 ca-central-1", unitedStates},
	{"eu.anthropic.claude-sonnet-4-5-20250929-v1:0", europe + " eu-central-2 eu-west-2", europe},
	{"au.anthropic.claude-sonnet-4-5-20250929-v1:0", australia + " ap-southeast-6", australia},
	{"jp.anthropic.claude-sonnet-4-5-20250929-v1:0", japan, japan},

	{"us.anthropic.claude-haiku-4-5-20251001-v1:0", unitedStates + " us-west-1 ca-central-1", unitedStates},
	{"eu.anthropic.claude-haiku-4-5-20251001-v1:0", europe + " eu-central-2 eu-west-2", europe},
	{"au.anthropic.claude-haiku-4-5-20251001-v1:0", australia + " ap-southeast-6", australia},
	{"jp.anthropic.claude-haiku-4-5-20251001-v1:0", japan, japan},

	{"us.anthropic.claude-sonnet-4-20250514-v1:0", unitedStates + " us-west-1", unitedStates},
	{"eu.anthropic.claude-sonnet-4-20250514-v1:0", europe + " il-central-1", europe},
	{"apac.anthropic.claude-sonnet-4-20250514-v1:0", asia7, asia7 + " ap-southeast-4"},

	{"us.amazon.nova-pro-v1:0", unitedStates + " us-west-1", unitedStates},
	{"eu.amazon.nova-pro-v1:0", europe4 + " eu-south-1 eu-south-2", europe4},
	{"eu.amazon.nova-pro-v1:0", "il-central-1", europe4 + " eu-south-1"},

	{"us.amazon.nova-2-lite-v1:0", unitedStates + " us-west-1 ca-central-1 ca-west-1", unitedStates},
	{"eu.amazon.nova-2-lite-v1:0", europe, europe},
	{"jp.amazon.nova-2-lite-v1:0", "ap-northeast-1", japan},

	{"us.meta.llama3-3-70b-instruct-v1:0", unitedStates, unitedStates},
}

// guardrailCatalogue is where guardrail profiles route. AWS has no way to ask,
// so for these it is the authority, and one that it does not list is refused.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-cross-region-support.html
var guardrailCatalogue = []row{
	{"us.guardrail.v1:0", unitedStates + " us-west-1", unitedStates},
	{"eu.guardrail.v1:0", europe4, europe4},
}

// lookIn returns the destinations, sorted, of a profile called from a source
// region.
func lookIn(rows []row, profile, source string) ([]string, bool) {
	for _, r := range rows {
		if r.profile == profile && slices.Contains(strings.Fields(r.sources), source) {
			return sorted(append(strings.Fields(r.destinations), source)), true
		}
	}
	return nil, false
}

// difference says how what AWS answers for s differs from the catalogue, "" if
// it does not. What the catalogue does not list differs in nothing.
func difference(s source) string {
	want, known := lookIn(catalogue, s.name, s.region)
	got := s.destinations()
	if !known || slices.Equal(want, got) {
		return ""
	}
	return fmt.Sprintf("profile %s called from %s: the catalogue of %s expects destinations %s, AWS answers %s; AWS's answer is used: "+
		"see the model's card, and correct the catalogue", s.name, s.region, catalogueDate, strings.Join(want, ", "), strings.Join(got, ", "))
}

// sorted sorts in place and drops duplicates.
func sorted(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}
