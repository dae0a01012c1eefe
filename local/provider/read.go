package provider

import (
	"context"
	"maps"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// Read implements pulumirpc.ResourceProviderServer. What is as the engine
// remembers it stays so, to the secret and the archive.
func (i *instance) Read(_ context.Context, r *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	token := string(resource.URN(r.GetUrn()).Type())
	e, exists, err := i.cloud.Read(token, i.Region, r.GetId())
	if err != nil || !exists {
		return &pulumirpc.ReadResponse{}, err
	}
	inputs, err := properties(r.GetInputs())
	if err != nil {
		return nil, err
	}
	state, err := properties(r.GetProperties())
	if err != nil {
		return nil, err
	}
	now := remembered(inputs, i.untagged(token, inputs, e))
	out := resource.NewPropertyMapFromMap(e.Inputs)
	maps.Copy(out, resource.NewPropertyMapFromMap(e.Outputs))
	out[serial] = resource.NewProperty(float64(e.Serial))
	delete(out, "tags")
	maps.Copy(out, now)
	if i.cloud.Taggable(token) {
		out[allTags] = resource.NewPropertyValue(e.Inputs["tags"])
	}
	in, err := message(now)
	if err != nil {
		return nil, err
	}
	props, err := message(remembered(state, out))
	return &pulumirpc.ReadResponse{Id: e.ID, Properties: props, Inputs: in}, err
}

// untagged are the inputs of a resource, without the tags that come from its
// provider and that the engine does not know as the resource's own.
func (i *instance) untagged(token string, known resource.PropertyMap, e cloud.Existing) resource.PropertyMap {
	now := resource.NewPropertyMapFromMap(e.Inputs)
	if !i.cloud.Taggable(token) {
		return now
	}
	own := resource.PropertyMap{}
	for key, value := range now["tags"].ObjectValue() {
		if known["tags"].IsObject() && known["tags"].ObjectValue().HasValue(key) || i.Tags[string(key)] != value.StringValue() {
			own[key] = value
		}
	}
	delete(now, "tags")
	if _, given := known["tags"]; given || len(own) > 0 {
		now["tags"] = resource.NewProperty(own)
	}
	return now
}

// remembered are values as the engine knows them, where they are the same. Of an
// archive the engine sends no more than its hash, and the cloud keeps no more
// than its path: it is taken for unchanged.
func remembered(known, now resource.PropertyMap) resource.PropertyMap {
	for key, value := range known {
		switch {
		case value.IsArchive() && now[key].IsString():
			kept := *value.ArchiveValue()
			kept.Path = now[key].StringValue()
			now[key] = resource.NewProperty(&kept)
		case now.HasValue(key) && same(value, now[key]):
			now[key] = value
		}
	}
	return now
}
