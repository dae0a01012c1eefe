// Package deploy brings a Pulumi program's resources into the embedded cloud.
// It behaves as the engine and the AWS provider do between them: it refuses
// what either would refuse.
package deploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	providers map[string]Provider // by ID
	urns      map[resource.URN]bool
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
	inputs, err := Plain(args.Inputs)
	if err != nil {
		return "", nil, fmt.Errorf("%s %q: %w", args.TypeToken, args.Name, err)
	}
	if m.target.Taggable(args.TypeToken) {
		inputs = p.Tagged(inputs)
	}
	state, err := m.target.Create(m.ctx, args.TypeToken, p.Region, args.Name, inputs)
	if err != nil {
		return "", nil, err
	}
	outputs := args.Inputs.Copy()
	maps.Copy(outputs, resource.NewPropertyMapFromMap(state.Outputs))
	m.created(Resource{Token: args.TypeToken, Name: args.Name, Region: p.Region})
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

func (m *monitor) newProvider(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	p, err := ParseProvider(args.Inputs)
	if err == nil {
		err = m.target.OpenRegion(p.Region)
	}
	if err != nil {
		return "", nil, fmt.Errorf("provider %q: %w", args.Name, err)
	}
	id := args.Name + "-provider"
	m.mu.Lock()
	defer m.mu.Unlock()
	m.providers[id] = p
	m.created(Resource{Token: args.TypeToken, Name: args.Name})
	return id, args.Inputs, nil
}

// provider finds what a reference, "urn::id", refers to.
func (m *monitor) provider(reference string) (Provider, error) {
	if reference == "" {
		return Provider{}, errors.New("default provider for 'aws' disabled; 'crossregion' must use an explicit provider")
	}
	id := reference[strings.LastIndex(reference, "::")+2:]
	m.mu.Lock()
	defer m.mu.Unlock()
	p, ok := m.providers[id]
	if !ok {
		return Provider{}, fmt.Errorf("unknown provider %s", reference)
	}
	return p, nil
}

// Call implements pulumi.MockResourceMonitor.
func (m *monitor) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	p, err := m.provider(args.Provider)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", args.Token, err)
	}
	in, err := Plain(args.Args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", args.Token, err)
	}
	out, err := m.target.Call(m.ctx, args.Token, p.Region, in)
	if err != nil {
		return nil, err
	}
	return resource.NewPropertyMapFromMap(out), nil
}
