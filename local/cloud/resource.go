package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Request asks a service to create one resource.
type Request[In any] struct {
	Region string // of the provider that the program gave the resource
	Name   string // logical name in the program
	In     In
}

// PhysicalName is the name that the AWS provider would give the resource: the
// logical one with seven more characters, cut to at most max.
func (r Request[In]) PhysicalName(max int) string {
	suffix := "-" + ID(7, r.Region, r.Name)
	return r.Name[:min(len(r.Name), max-len(suffix))] + suffix
}

// State is what AWS keeps of a resource. Outputs are laid over the inputs.
type State struct {
	ID      string
	Outputs map[string]any
}

// Resource is one Pulumi resource type that a service stands in for.
type Resource struct {
	// Token is the type's Pulumi token, e.g. "aws:iam/role:Role".
	Token string
	// Taggable says whether the type takes tags.
	Taggable bool
	// Create makes the resource. Inputs are those of the Pulumi type; an
	// archive is the path of its file.
	Create func(ctx context.Context, region, name string, inputs map[string]any) (State, error)
}

// Function is one Pulumi function (data source) that a service stands in for.
type Function struct {
	// Token is the function's Pulumi token, e.g. "aws:route53/getZone:getZone".
	Token string
	// Call answers it, asked through the provider of the given region.
	Call func(ctx context.Context, region string, args map[string]any) (map[string]any, error)
}

// DefineResource describes a resource type by a struct of the inputs it
// accepts. A field is required unless its json tag says omitempty; a property
// that has no field is refused, never ignored. Tags are checked here, alike for
// every service.
func DefineResource[In any](token string, create func(context.Context, Request[In]) (State, error)) Resource {
	_, taggable := tagsOf(reflect.ValueOf(*new(In)))
	return Resource{Token: token, Taggable: taggable, Create: func(ctx context.Context, region, name string, inputs map[string]any) (State, error) {
		in, err := decode[In](inputs)
		if err != nil {
			return State{}, fmt.Errorf("%s %q: %w", token, name, err)
		}
		tags, _ := tagsOf(reflect.ValueOf(in))
		if err := checkTags(tags); err != nil {
			return State{}, fmt.Errorf("create %s %q in %s: %w", token, name, region, err)
		}
		state, err := create(ctx, Request[In]{Region: region, Name: name, In: in})
		if err != nil {
			return State{}, fmt.Errorf("create %s %q in %s: %w", token, name, region, err)
		}
		return state, nil
	}}
}

// DefineFunction describes a function as [DefineResource] does a resource.
func DefineFunction[In any](token string, call func(ctx context.Context, region string, in In) (map[string]any, error)) Function {
	return Function{Token: token, Call: func(ctx context.Context, region string, args map[string]any) (map[string]any, error) {
		in, err := decode[In](args)
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

func decode[In any](inputs map[string]any) (In, error) {
	var in In
	if err := errors.Join(check(reflect.TypeFor[In](), "", inputs)...); err != nil {
		return in, err
	}
	b, err := json.Marshal(inputs)
	if err != nil {
		return in, err
	}
	return in, DecodeStrict(b, &in)
}

// check compares a value with the type that it will be decoded into, and
// reports unknown and missing properties with their paths.
func check(t reflect.Type, path string, value any) []error {
	switch t.Kind() {
	case reflect.Pointer:
		return check(t.Elem(), path, value)
	case reflect.Slice:
		var errs []error
		items, _ := value.([]any)
		for i, item := range items {
			errs = append(errs, check(t.Elem(), fmt.Sprintf("%s[%d]", path, i), item)...)
		}
		return errs
	case reflect.Struct:
		object, ok := value.(map[string]any)
		if !ok {
			return []error{fmt.Errorf("property %q is not an object", path)}
		}
		return checkObject(t, path, object)
	default:
		return nil
	}
}

func checkObject(t reflect.Type, path string, object map[string]any) []error {
	var errs []error
	known := map[string]bool{}
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		known[name] = true
		value, given := object[name]
		switch {
		case given && value != nil:
			errs = append(errs, check(t.Field(i).Type, join(path, name), value)...)
		case options != "omitempty":
			errs = append(errs, fmt.Errorf("missing required property %q", join(path, name)))
		}
	}
	for name := range object {
		if !known[name] {
			errs = append(errs, fmt.Errorf("the embedded cloud does not know property %q", join(path, name)))
		}
	}
	return errs
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
