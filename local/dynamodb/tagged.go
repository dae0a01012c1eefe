package dynamodb

import (
	"context"
	"slices"

	"github.com/crossregion/crossregion/local/cloud"
)

// Functions returns the Pulumi functions that the service answers: the part of
// the Resource Groups Tagging API that looks for tables.
func (s *Service) Functions() []cloud.Function {
	return []cloud.Function{
		cloud.DefineFunction("aws:resourcegroupstaggingapi/getResources:getResources", s.getResources),
	}
}

type getResourcesInputs struct {
	ResourceTypeFilters []string    `json:"resourceTypeFilters"`
	TagFilters          []tagFilter `json:"tagFilters"`
}

type tagFilter struct {
	Key    string   `json:"key"`
	Values []string `json:"values,omitempty"`
}

// getResources finds the tables and replicas of a region that match all
// filters. It knows no other type of resource.
func (s *Service) getResources(_ context.Context, region string, in getResourcesInputs) (map[string]any, error) {
	if !slices.Equal(in.ResourceTypeFilters, []string{"dynamodb:table"}) {
		return nil, cloud.Refuse("InvalidParameterException", "resource types %q: this stand-in finds dynamodb:table alone", in.ResourceTypeFilters)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []any{}
	for at, t := range s.tables {
		if r := t.replicas[region]; at.region == region && matches(r.tags, in.TagFilters) {
			tags := map[string]any{}
			for key, value := range r.tags {
				tags[key] = value
			}
			found = append(found, map[string]any{"resourceArn": tableARN(region, t.name), "tags": tags})
		}
	}
	return map[string]any{"id": region, "resourceTagMappingLists": found}, nil
}

func matches(tags map[string]string, filters []tagFilter) bool {
	for _, f := range filters {
		value, tagged := tags[f.Key]
		if !tagged || len(f.Values) > 0 && !slices.Contains(f.Values, value) {
			return false
		}
	}
	return true
}
