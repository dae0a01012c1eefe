// Package deploy brings a Pulumi program's resources into the embedded cloud.
// It behaves as the engine and the AWS provider do between them: it refuses
// what either would refuse.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Target is where resources go: the embedded account.
type Target interface {
	// OpenRegion prepares a region for resources. It is called once for each
	// provider that a program registers.
	OpenRegion(region string) error
	// Taggable reports whether resources of a type take tags.
	Taggable(token string) bool
	Create(ctx context.Context, token, region, name string, inputs map[string]any) (cloud.State, error)
	Call(ctx context.Context, token, region string, args map[string]any) (map[string]any, error)
}

// Resource is one registration that succeeded.
type Resource struct {
	Token  string // Pulumi type token
	Name   string // logical name
	Region string // of its provider; empty for components and providers
}

const providerToken = "pulumi:providers:aws"

// monitor is a pulumi.MockResourceMonitor that creates what is registered. The
// SDK calls it from several goroutines.
type monitor struct {
	ctx     context.Context
	target  Target
	created func(Resource)

	mu        sync.Mutex
	providers map[string]provider // by ID
	urns      map[resource.URN]bool
}

// provider is what its resources get of an AWS provider.
type provider struct {
	region string
	tags   map[string]string // of every resource that takes tags
}

// tagged lays a resource's own tags over those of the provider.
func (p provider) tagged(inputs map[string]any) map[string]any {
	all := map[string]any{}
	for key, value := range p.tags {
		all[key] = value
	}
	if own, ok := inputs["tags"].(map[string]any); ok {
		maps.Copy(all, own)
	}
	tagged := maps.Clone(inputs)
	tagged["tags"] = all
	return tagged
}

// NewResource implements pulumi.MockResourceMonitor.
func (m *monitor) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	if err := m.claim(args); err != nil {
		return "", nil, err
	}
	if !args.Custom {
		m.created(Resource{Token: args.TypeToken, Name: args.Name})
		return args.Name, args.Inputs, nil
	}
	if args.TypeToken == providerToken {
		return m.newProvider(args)
	}
	p, err := m.provider(args.Provider)
	if err != nil {
		return "", nil, fmt.Errorf("%s %q: %w", args.TypeToken, args.Name, err)
	}
	inputs, err := plain(args.Inputs)
	if err != nil {
		return "", nil, fmt.Errorf("%s %q: %w", args.TypeToken, args.Name, err)
	}
	if m.target.Taggable(args.TypeToken) {
		inputs = p.tagged(inputs)
	}
	state, err := m.target.Create(m.ctx, args.TypeToken, p.region, args.Name, inputs)
	if err != nil {
		return "", nil, err
	}
	outputs := args.Inputs.Copy()
	maps.Copy(outputs, resource.NewPropertyMapFromMap(state.Outputs))
	m.created(Resource{Token: args.TypeToken, Name: args.Name, Region: p.region})
	return state.ID, outputs, nil
}

// claim refuses a second resource of the same URN, which the SDK's mocks let
// pass and the engine does not.
func (m *monitor) claim(args pulumi.MockResourceArgs) error {
	parent := tokens.Type("")
	if args.RegisterRPC != nil && args.RegisterRPC.GetParent() != "" {
		parent = resource.URN(args.RegisterRPC.GetParent()).QualifiedType()
	}
	urn := resource.NewURN("stack", "project", parent, tokens.Type(args.TypeToken), args.Name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.urns[urn] {
		return fmt.Errorf("duplicate resource URN: %s %q is registered twice", args.TypeToken, args.Name)
	}
	m.urns[urn] = true
	return nil
}

// providerInputs are what the embedded cloud understands of an AWS provider.
type providerInputs struct {
	Region            string   `json:"region"`
	AllowedAccountIDs []string `json:"allowedAccountIds,omitempty"`
	DefaultTags       struct {
		Tags map[string]string `json:"tags,omitempty"`
	} `json:"defaultTags,omitempty"`
	SkipValidation any `json:"skipCredentialsValidation,omitempty"`
	SkipRegion     any `json:"skipRegionValidation,omitempty"`
	SkipMetadata   any `json:"skipMetadataApiCheck,omitempty"`
}

func (m *monitor) newProvider(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	fail := func(err error) (string, resource.PropertyMap, error) {
		return "", nil, fmt.Errorf("provider %q: %w", args.Name, err)
	}
	inputs, err := plain(args.Inputs)
	if err != nil {
		return fail(err)
	}
	var in providerInputs
	define := cloud.DefineResource(providerToken, func(_ context.Context, r cloud.Request[providerInputs]) (cloud.State, error) {
		in = r.In
		return cloud.State{ID: r.Name}, nil
	})
	if _, err := define.Create(m.ctx, "", args.Name, inputs); err != nil {
		return fail(err)
	}
	if !cloud.KnownRegion(in.Region) {
		return fail(fmt.Errorf("invalid AWS Region: %s", in.Region))
	}
	if len(in.AllowedAccountIDs) > 0 && !slices.Contains(in.AllowedAccountIDs, cloud.Account) {
		return fail(fmt.Errorf("AWS account ID not allowed: %s; the settings allow %s", cloud.Account, strings.Join(in.AllowedAccountIDs, ", ")))
	}
	if err := m.target.OpenRegion(in.Region); err != nil {
		return fail(err)
	}
	id := args.Name + "-provider"
	m.mu.Lock()
	defer m.mu.Unlock()
	m.providers[id] = provider{region: in.Region, tags: in.DefaultTags.Tags}
	m.created(Resource{Token: args.TypeToken, Name: args.Name})
	return id, args.Inputs, nil
}

// provider finds what a reference, "urn::id", refers to.
func (m *monitor) provider(reference string) (provider, error) {
	if reference == "" {
		return provider{}, errors.New("default provider for 'aws' disabled; 'crossregion' must use an explicit provider")
	}
	id := reference[strings.LastIndex(reference, "::")+2:]
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.providers[id]
	if !ok {
		return provider{}, fmt.Errorf("unknown provider %s", reference)
	}
	return p, nil
}

// Call implements pulumi.MockResourceMonitor.
func (m *monitor) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	p, err := m.provider(args.Provider)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", args.Token, err)
	}
	in, err := plain(args.Args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", args.Token, err)
	}
	out, err := m.target.Call(m.ctx, args.Token, p.region, in)
	if err != nil {
		return nil, err
	}
	return resource.NewPropertyMapFromMap(out), nil
}

// plain turns Pulumi's property values into JSON's, secrets laid open as a
// provider sees them, and an archive as the path of its file.
func plain(in resource.PropertyMap) (map[string]any, error) {
	var failed error
	var replace func(v resource.PropertyValue) (any, bool)
	replace = func(v resource.PropertyValue) (any, bool) {
		switch {
		case v.IsSecret():
			return v.SecretValue().Element.MapRepl(nil, replace), true
		case v.IsArchive() && v.ArchiveValue().IsPath():
			return v.ArchiveValue().Path, true
		case v.IsArchive(), v.IsAsset():
			failed = errors.New("the embedded cloud takes archives by path only")
			return nil, true
		case v.IsComputed(), v.IsOutput():
			failed = errors.New("a value is unknown when it is needed")
			return nil, true
		}
		return nil, false
	}
	return in.MapRepl(nil, replace), failed
}
