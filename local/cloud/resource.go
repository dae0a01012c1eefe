package cloud

import (
	"context"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// Request asks a service to create, change or delete one resource.
type Request[In any] struct {
	Region string // of the provider that the program gave the resource
	Name   string // logical name in the program
	In     In     // what the resource shall be; what it is, when it is deleted
	ID     string // of the resource; empty when it is created
	Was    In     // what the resource is, when it is changed
	Serial int    // how many of the same logical name were created before
	// Before are the outputs that the resource had, when it is made again in
	// another cloud; nil when it is new.
	Before map[string]any
}

// PhysicalName is the name that the AWS provider would give the resource: the
// logical one with seven more characters, cut to at most max.
func (r Request[In]) PhysicalName(max int) string {
	suffix := "-" + r.Digits(7)
	return r.Name[:min(len(r.Name), max-len(suffix))] + suffix
}

// Digits returns n hexadecimal digits (at most 64) that no other resource gets
// for a kind of use, nor its successor under the same logical name.
func (r Request[In]) Digits(n int, kind ...string) string {
	parts := append(kind, r.Region, r.Name)
	if r.Serial > 0 {
		parts = append(parts, strconv.Itoa(r.Serial))
	}
	return ID(n, parts...)
}

// State is what AWS keeps of a resource. Outputs are laid over the inputs.
type State struct {
	ID      string
	Outputs map[string]any
	Serial  int // of its [Request]; set by [DefineResource]
}

// Existing is a resource that was created.
type Existing struct {
	State
	Region, Name string
	Inputs       map[string]any
}

// Resource is one Pulumi resource type that a service stands in for. Inputs are
// those of the Pulumi type; an archive is the path of its file.
type Resource struct {
	// Token is the type's Pulumi token, e.g. "aws:iam/role:Role".
	Token string
	// Taggable says whether the type takes tags.
	Taggable bool
	// Replaces are the inputs whose change takes a new resource.
	Replaces []string
	// Renews are the outputs that a change in place may alter.
	Renews []string
	// Check refuses inputs that are not those of the type. What they are worth,
	// the other functions find out.
	Check func(name string, inputs map[string]any) error
	// Create makes the resource.
	Create func(ctx context.Context, region, name string, inputs map[string]any) (State, error)
	// Restore makes a resource again that was created in another cloud.
	Restore func(ctx context.Context, e Existing) (State, error)
	// Update changes the resource in place. The outputs that it returns are laid
	// over those that were.
	Update func(ctx context.Context, e Existing, inputs map[string]any) (State, error)
	// Delete removes the resource.
	Delete func(ctx context.Context, e Existing) error
}

// Renewing returns r with the outputs that a change in place may alter.
func (r Resource) Renewing(outputs ...string) Resource {
	r.Renews = outputs
	return r
}

// Function is one Pulumi function (data source) that a service stands in for.
type Function struct {
	// Token is the function's Pulumi token, e.g. "aws:route53/getZone:getZone".
	Token string
	// Call answers it, asked through the provider of the given region.
	Call func(ctx context.Context, region string, args map[string]any) (map[string]any, error)
}

// definition is what [DefineResource] makes a [Resource] of.
type definition[In any] struct {
	token          string
	create, update func(context.Context, Request[In]) (State, error)
	remove         func(context.Context, Request[In]) error

	mu      sync.Mutex
	created map[string]int // by region and logical name
}

// DefineResource describes a resource type by a struct of the inputs it
// accepts, see [Decode], and by what creates, changes and deletes it. A change
// of a field with the tag change:"replace" takes a new resource; without update,
// any change does. Tags are checked here, alike for every service.
func DefineResource[In any](token string, create, update func(context.Context, Request[In]) (State, error),
	remove func(context.Context, Request[In]) error) Resource {
	d := &definition[In]{token: token, create: create, update: update, remove: remove, created: map[string]int{}}
	_, taggable := tagsOf(reflect.ValueOf(*new(In)))
	return Resource{
		Token: token, Taggable: taggable, Replaces: replacing(reflect.TypeFor[In](), update == nil),
		Check: d.check, Create: d.make, Restore: d.restore, Update: d.change, Delete: d.delete,
	}
}

// replacing lists the properties of a struct that are tagged to replace, or all.
func replacing(in reflect.Type, all bool) []string {
	var names []string
	for i := range in.NumField() {
		if f := in.Field(i); all || f.Tag.Get("change") == "replace" {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	return names
}

func (d *definition[In]) check(name string, inputs map[string]any) error {
	_, err := d.decode(name, inputs)
	return err
}

func (d *definition[In]) make(ctx context.Context, region, name string, inputs map[string]any) (State, error) {
	d.mu.Lock()
	serial := d.created[region+" "+name]
	d.mu.Unlock()
	return d.restore(ctx, Existing{State: State{Serial: serial}, Region: region, Name: name, Inputs: inputs})
}

// restore creates what e says, which may be new.
func (d *definition[In]) restore(ctx context.Context, e Existing) (State, error) {
	in, err := d.decode(e.Name, e.Inputs)
	if err != nil {
		return State{}, err
	}
	state, err := d.create(ctx, Request[In]{Region: e.Region, Name: e.Name, In: in, Serial: e.Serial, Before: e.Outputs})
	if err != nil {
		return State{}, d.failed("create", e.Region, e.Name, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.created[e.Region+" "+e.Name] = e.Serial + 1
	state.Serial = e.Serial
	return state, nil
}

func (d *definition[In]) change(ctx context.Context, e Existing, inputs map[string]any) (State, error) {
	was, err := d.decode(e.Name, e.Inputs)
	if err != nil {
		return State{}, err
	}
	in, err := d.decode(e.Name, inputs)
	if err != nil {
		return State{}, err
	}
	if d.update == nil {
		return State{}, d.failed("change", e.Region, e.Name, Refuse("UnsupportedOperation", "resources of this type never change: replace it"))
	}
	state, err := d.update(ctx, Request[In]{Region: e.Region, Name: e.Name, In: in, ID: e.ID, Was: was})
	if err != nil {
		return State{}, d.failed("change", e.Region, e.Name, err)
	}
	return state, nil
}

func (d *definition[In]) delete(ctx context.Context, e Existing) error {
	in, err := d.decode(e.Name, e.Inputs)
	if err != nil {
		return err
	}
	if err := d.remove(ctx, Request[In]{Region: e.Region, Name: e.Name, In: in, ID: e.ID}); err != nil {
		return d.failed("delete", e.Region, e.Name, err)
	}
	return nil
}

func (d *definition[In]) decode(name string, inputs map[string]any) (In, error) {
	in, err := Decode[In](inputs)
	if err != nil {
		return in, fmt.Errorf("%s %q: %w", d.token, name, err)
	}
	tags, _ := tagsOf(reflect.ValueOf(in))
	if err := checkTags(tags); err != nil {
		return in, fmt.Errorf("%s %q: %w", d.token, name, err)
	}
	return in, nil
}

func (d *definition[In]) failed(what, region, name string, err error) error {
	return fmt.Errorf("%s %s %q in %s: %w", what, d.token, name, region, err)
}

// DefineFunction describes a function as [DefineResource] does a resource.
func DefineFunction[In any](token string, call func(ctx context.Context, region string, in In) (map[string]any, error)) Function {
	return Function{Token: token, Call: func(ctx context.Context, region string, args map[string]any) (map[string]any, error) {
		in, err := Decode[In](args)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", token, err)
		}
		out, err := call(ctx, region, in)
		if err != nil {
			return nil, fmt.Errorf("%s in %s: %w", token, region, err)
		}
		return out, nil
	}}
}
