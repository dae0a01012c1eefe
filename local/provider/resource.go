package provider

import (
	"context"
	"maps"
	"slices"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// allTags is the output that holds a resource's tags and those of its provider.
const allTags = "tagsAll"

// serial is an output that only [Restore] reads; names with two underscores are
// a provider's own, which the engine does not show.
const serial = "__serial"

// plain are inputs as the cloud takes them, with the provider's tags.
func (i *instance) plain(token string, inputs resource.PropertyMap) (map[string]any, error) {
	values, err := deploy.Plain(inputs)
	if err == nil && i.cloud.Taggable(token) {
		values = i.Tagged(values)
	}
	return values, err
}

// outputs are what a resource then is: its inputs, secrets as such, and what the
// cloud says of it.
func (i *instance) outputs(token string, inputs resource.PropertyMap, values map[string]any, state cloud.State) (*structpb.Struct, error) {
	out := inputs.Copy()
	maps.Copy(out, resource.NewPropertyMapFromMap(state.Outputs))
	out[serial] = resource.NewProperty(float64(state.Serial))
	if i.cloud.Taggable(token) {
		out[allTags] = resource.NewPropertyValue(values["tags"])
	}
	return message(out)
}

// Create implements pulumirpc.ResourceProviderServer. In a preview, outputs that
// are missing are unknown.
func (i *instance) Create(ctx context.Context, r *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	if r.GetPreview() {
		return &pulumirpc.CreateResponse{Properties: r.GetProperties()}, nil
	}
	urn := resource.URN(r.GetUrn())
	token := string(urn.Type())
	inputs, err := properties(r.GetProperties())
	if err != nil {
		return nil, err
	}
	values, err := i.plain(token, inputs)
	if err != nil {
		return nil, err
	}
	state, err := i.cloud.Create(ctx, token, i.Region, urn.Name(), values)
	if err != nil {
		return nil, err
	}
	out, err := i.outputs(token, inputs, values, state)
	return &pulumirpc.CreateResponse{Id: state.ID, Properties: out}, err
}

// compared are the inputs that a program gave before, and gives now.
func compared(r *pulumirpc.DiffRequest) (olds, news resource.PropertyMap, err error) {
	if olds, err = properties(r.GetOldInputs()); err != nil {
		return nil, nil, err
	}
	news, err = properties(r.GetNews())
	return olds, news, err
}

// Diff implements pulumirpc.ResourceProviderServer.
func (i *instance) Diff(_ context.Context, r *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	token := string(resource.URN(r.GetUrn()).Type())
	olds, news, err := compared(r)
	if err != nil {
		return nil, err
	}
	diffs := changed(olds, news)
	retagged, err := i.retagged(token, r.GetOlds(), news)
	if err != nil {
		return nil, err
	}
	if retagged && !slices.Contains(diffs, "tags") {
		diffs = append(diffs, allTags)
	}
	kind, _ := i.cloud.Resource(token)
	d := response(diffs, kind.Replaces)
	// A name that the program gave is taken until its owner is gone.
	d.DeleteBeforeReplace = len(d.Replaces) > 0 && news.HasValue("name") && !slices.Contains(diffs, "name")
	return d, nil
}

// retagged reports whether the tags of the provider changed those of a resource.
func (i *instance) retagged(token string, state *structpb.Struct, news resource.PropertyMap) (bool, error) {
	was, err := properties(state)
	if err != nil || !i.cloud.Taggable(token) || news["tags"].ContainsUnknowns() {
		return false, err
	}
	now, err := i.plain(token, resource.PropertyMap{"tags": news["tags"]})
	return !was[allTags].DeepEquals(resource.NewPropertyValue(now["tags"])), err
}

// Update implements pulumirpc.ResourceProviderServer.
func (i *instance) Update(ctx context.Context, r *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	token := string(resource.URN(r.GetUrn()).Type())
	inputs, err := properties(r.GetNews())
	if err != nil {
		return nil, err
	}
	if r.GetPreview() {
		return i.foresee(token, r, inputs)
	}
	values, err := i.plain(token, inputs)
	if err != nil {
		return nil, err
	}
	state, err := i.cloud.Update(ctx, token, i.Region, r.GetId(), values)
	if err != nil {
		return nil, err
	}
	out, err := i.outputs(token, inputs, values, state)
	return &pulumirpc.UpdateResponse{Properties: out}, err
}

// foresee is a resource after an update: what it is now, under its new inputs,
// and unknown where the update may alter it.
func (i *instance) foresee(token string, r *pulumirpc.UpdateRequest, inputs resource.PropertyMap) (*pulumirpc.UpdateResponse, error) {
	state, err := properties(r.GetOlds())
	if err != nil {
		return nil, err
	}
	olds, err := properties(r.GetOldInputs())
	if err != nil {
		return nil, err
	}
	for key := range olds {
		delete(state, key)
	}
	maps.Copy(state, inputs)
	kind, _ := i.cloud.Resource(token)
	for _, key := range kind.Renews {
		state[resource.PropertyKey(key)] = resource.MakeComputed(resource.NewProperty(""))
	}
	out, err := message(state)
	return &pulumirpc.UpdateResponse{Properties: out}, err
}

// Delete implements pulumirpc.ResourceProviderServer.
func (i *instance) Delete(ctx context.Context, r *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	err := i.cloud.Delete(ctx, string(resource.URN(r.GetUrn()).Type()), i.Region, r.GetId())
	return &emptypb.Empty{}, err
}
