package stacks

import (
	"maps"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// tagComponent names, on every resource that takes tags, the component that it
// belongs to. The provider's default tags add what is the same for all.
func tagComponent(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
	opts, err := pulumi.NewResourceOptions(args.Opts...)
	props := reflect.ValueOf(args.Props)
	if err != nil || opts.Parent == nil || props.Kind() != reflect.Pointer || props.IsNil() {
		return nil
	}
	tags := props.Elem().FieldByName("Tags")
	if !tags.IsValid() || tags.Type() != reflect.TypeFor[pulumi.StringMapInput]() {
		return nil
	}
	own := pulumi.StringMap{}
	if given, ok := tags.Interface().(pulumi.StringMap); ok {
		own = maps.Clone(given)
	}
	own["crossregion:component"] = pulumi.String(opts.Parent.PulumiResourceName())
	tags.Set(reflect.ValueOf(own))
	return &pulumi.ResourceTransformationResult{Props: args.Props, Opts: args.Opts}
}
