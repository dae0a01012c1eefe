package provider

import (
	"context"
	"fmt"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Cloud is where resources go: the embedded account.
type Cloud interface {
	deploy.Target
	// Resource describes a type, or returns false for an unknown one.
	Resource(token string) (cloud.Resource, bool)
	// Read returns a resource that exists, or false.
	Read(token, region, id string) (cloud.Existing, bool, error)
	// Update changes a resource in place and returns all its outputs.
	Update(ctx context.Context, token, region, id string, inputs map[string]any) (cloud.State, error)
	// Delete removes a resource.
	Delete(ctx context.Context, token, region, id string) error
}

// instance is one provider of a program. What it does not implement, the engine
// does not ask of it.
type instance struct {
	pulumirpc.UnimplementedResourceProviderServer
	cloud Cloud
	deploy.Provider
}

// GetPluginInfo implements pulumirpc.ResourceProviderServer.
func (i *instance) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Version}, nil
}

// CheckConfig implements pulumirpc.ResourceProviderServer.
func (i *instance) CheckConfig(_ context.Context, r *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: r.GetNews()}, nil
}

// DiffConfig implements pulumirpc.ResourceProviderServer. Resources stay where
// they are, so another region is another provider.
func (i *instance) DiffConfig(_ context.Context, r *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	olds, news, err := compared(r)
	if err != nil {
		return nil, err
	}
	return response(changed(olds, news), []string{"region"}), nil
}

// Configure implements pulumirpc.ResourceProviderServer.
func (i *instance) Configure(_ context.Context, r *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	args, err := properties(r.GetArgs())
	if err != nil {
		return nil, err
	}
	delete(args, "version")
	if i.Provider, err = deploy.ParseProvider(args); err == nil {
		err = i.cloud.OpenRegion(i.Region)
	}
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	return &pulumirpc.ConfigureResponse{AcceptSecrets: true, SupportsPreview: true}, nil
}

// Check implements pulumirpc.ResourceProviderServer. What is not yet known is
// checked when it is.
func (i *instance) Check(_ context.Context, r *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	urn := resource.URN(r.GetUrn())
	kind, ok := i.cloud.Resource(string(urn.Type()))
	if !ok {
		return nil, fmt.Errorf("the embedded cloud does not know resource type %s (of %q)", urn.Type(), urn.Name())
	}
	news, err := properties(r.GetNews())
	if err != nil {
		return nil, err
	}
	checked := &pulumirpc.CheckResponse{Inputs: r.GetNews()}
	if news.ContainsUnknowns() {
		return checked, nil
	}
	inputs, err := deploy.Plain(news)
	if err == nil {
		err = kind.Check(urn.Name(), inputs)
	}
	if err != nil {
		checked.Failures = []*pulumirpc.CheckFailure{{Reason: err.Error()}}
	}
	return checked, nil
}

// Invoke implements pulumirpc.ResourceProviderServer.
func (i *instance) Invoke(ctx context.Context, r *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	in, err := properties(r.GetArgs())
	if err != nil {
		return nil, err
	}
	args, err := deploy.Plain(in)
	if err != nil {
		return nil, err
	}
	out, err := i.cloud.Call(ctx, r.GetTok(), i.Region, args)
	if err != nil {
		return nil, err
	}
	answer, err := message(resource.NewPropertyMapFromMap(out))
	return &pulumirpc.InvokeResponse{Return: answer}, err
}

// Cancel implements pulumirpc.ResourceProviderServer. Nothing here takes long.
func (i *instance) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}
