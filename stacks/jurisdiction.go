package stacks

import (
	"maps"
	"slices"
)

// jurisdictions are the sets of regions that may process or hold data. They
// are political facts, not AWS's geographies: London and Zurich belong to
// AWS's Europe and not to the European Union.
var jurisdictions = map[string][]string{
	"us": {"us-east-1", "us-east-2", "us-west-1", "us-west-2"},
	"eu": {"eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"},
	"jp": {"ap-northeast-1", "ap-northeast-3"},
	"au": {"ap-southeast-2", "ap-southeast-4"},
	anywhere: {
		"af-south-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
		"ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5", "ap-southeast-7",
		"ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1",
		"eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1",
		"us-east-1", "us-east-2", "us-west-1", "us-west-2",
	},
}

// anywhere is the jurisdiction of those who need none: its stacks may use
// global profiles, which process in any commercial region.
const anywhere = "global"

// Jurisdictions returns the names of all jurisdictions, sorted.
func Jurisdictions() []string { return slices.Sorted(maps.Keys(jurisdictions)) }

// JurisdictionRegions returns the regions of a jurisdiction, sorted; none if
// it is unknown.
func JurisdictionRegions(name string) []string { return slices.Clone(jurisdictions[name]) }

// Unbounded reports whether a jurisdiction leaves open where in the world
// prompts are processed.
func Unbounded(name string) bool { return name == anywhere }
