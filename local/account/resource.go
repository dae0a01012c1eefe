package account

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/crossregion/crossregion/local/cloud"
)

// address is what tells one resource from all others: two regions may use the
// same ID.
type address struct{ token, region, id string }

// kept are the resources that exist, for who reads them.
type kept struct {
	mu sync.Mutex
	by map[address]cloud.Existing
}

func newKept() *kept { return &kept{by: map[address]cloud.Existing{}} }

func (k *kept) get(at address) (cloud.Existing, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.by[at]
	return e, ok
}

func (k *kept) put(at address, e cloud.Existing) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.by[at] = e
}

func (k *kept) drop(at address) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.by, at)
}

// Resource describes a type, or returns false for one that the embedded cloud
// does not know.
func (a *Account) Resource(token string) (cloud.Resource, bool) {
	r, ok := a.resources[token]
	return r, ok
}

// Taggable reports whether resources of a type take tags.
func (a *Account) Taggable(token string) bool { return a.resources[token].Taggable }

// Create makes a resource in a region, as the AWS provider would.
func (a *Account) Create(ctx context.Context, token, region, name string, inputs map[string]any) (cloud.State, error) {
	r, err := a.resource("create", token, name)
	if err != nil {
		return cloud.State{}, err
	}
	state, err := r.Create(ctx, region, name, inputs)
	if err == nil {
		a.kept.put(address{token, region, state.ID}, cloud.Existing{State: state, Region: region, Name: name, Inputs: inputs})
	}
	return state, err
}

// Restore makes a resource again that another account had, as it was. One that
// would be another now is refused.
func (a *Account) Restore(ctx context.Context, token string, e cloud.Existing) error {
	r, err := a.resource("restore", token, e.Name)
	if err != nil {
		return err
	}
	state, err := r.Restore(ctx, e)
	if err != nil {
		return err
	}
	if state.ID != e.ID {
		return fmt.Errorf("restore %s %q: it was %s, and would be %s now", token, e.Name, e.ID, state.ID)
	}
	a.kept.put(address{token, e.Region, e.ID}, e)
	return nil
}

// resource finds a type, unless control planes are down.
func (a *Account) resource(what, token, name string) (cloud.Resource, error) {
	if err := a.controlled(); err != nil {
		return cloud.Resource{}, fmt.Errorf("%s %s %q: %w", what, token, name, err)
	}
	r, ok := a.resources[token]
	if !ok {
		return r, fmt.Errorf("the embedded cloud does not know resource type %s (of %q)", token, name)
	}
	return r, nil
}

// Read returns a resource that exists, or false.
func (a *Account) Read(token, region, id string) (cloud.Existing, bool, error) {
	if err := a.controlled(); err != nil {
		return cloud.Existing{}, false, fmt.Errorf("read %s %q: %w", token, id, err)
	}
	e, ok := a.kept.get(address{token, region, id})
	return e, ok, nil
}

// Update changes a resource in place, and returns all that it then is.
func (a *Account) Update(ctx context.Context, token, region, id string, inputs map[string]any) (cloud.State, error) {
	r, err := a.resource("change", token, id)
	if err != nil {
		return cloud.State{}, err
	}
	e, ok := a.kept.get(address{token, region, id})
	if !ok {
		return cloud.State{}, fmt.Errorf("change %s %q: it does not exist in %s", token, id, region)
	}
	state, err := r.Update(ctx, e, inputs)
	if err != nil {
		return cloud.State{}, err
	}
	outputs := map[string]any{}
	maps.Copy(outputs, e.Outputs)
	maps.Copy(outputs, state.Outputs)
	if state.ID == "" {
		state.ID = id
	}
	e.State, e.Inputs = cloud.State{ID: state.ID, Outputs: outputs, Serial: e.Serial}, inputs
	a.kept.drop(address{token, region, id})
	a.kept.put(address{token, region, state.ID}, e)
	return e.State, nil
}

// Delete removes a resource. One that does not exist is removed already.
func (a *Account) Delete(ctx context.Context, token, region, id string) error {
	r, err := a.resource("delete", token, id)
	if err != nil {
		return err
	}
	at := address{token, region, id}
	e, ok := a.kept.get(at)
	if !ok {
		return nil
	}
	if err := r.Delete(ctx, e); err != nil {
		return err
	}
	a.kept.drop(at)
	return nil
}

// Resources lists what exists, as "type region id", sorted.
func (a *Account) Resources() []string {
	a.kept.mu.Lock()
	defer a.kept.mu.Unlock()
	var all []string
	for at := range a.kept.by {
		all = append(all, at.token+" "+at.region+" "+at.id)
	}
	slices.Sort(all)
	return all
}
