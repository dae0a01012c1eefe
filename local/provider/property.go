package provider

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

// keep is how properties cross the wire: nothing of them is lost.
var keep = plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, SkipNulls: true}

func properties(s *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(s, keep)
}

func message(p resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.MarshalProperties(p, keep)
}

// changed lists the properties that differ, sorted. Whether a value is a secret
// is no difference.
func changed(olds, news resource.PropertyMap) []string {
	var keys []string
	for key := range olds {
		if !same(olds[key], news[key]) {
			keys = append(keys, string(key))
		}
	}
	for key := range news {
		if _, was := olds[key]; !was {
			keys = append(keys, string(key))
		}
	}
	slices.Sort(keys)
	return keys
}

// same compares two values, archives by what is in them.
func same(a, b resource.PropertyValue) bool {
	return open(a).DeepEquals(open(b))
}

// open lays secrets open.
func open(v resource.PropertyValue) resource.PropertyValue {
	return resource.NewPropertyValue(v.MapRepl(nil, func(v resource.PropertyValue) (any, bool) {
		if v.IsSecret() {
			return open(v.SecretValue().Element), true
		}
		return nil, false
	}))
}

// response says what differs, and what of it takes a new resource.
func response(diffs, replacing []string) *pulumirpc.DiffResponse {
	d := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE, Diffs: diffs}
	if len(diffs) > 0 {
		d.Changes = pulumirpc.DiffResponse_DIFF_SOME
	}
	for _, key := range diffs {
		if slices.Contains(replacing, key) {
			d.Replaces = append(d.Replaces, key)
		}
	}
	return d
}
