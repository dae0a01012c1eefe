package stacks

import (
	"maps"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const componentTag = "crossregion:component"

// webACLType is registered without the SDK's types, whose package alone takes a
// minute to compile.
const webACLType = "aws:wafv2/webAcl:WebAcl"

// tagComponent names, on every resource that takes tags, the component that it
// belongs to. The provider's default tags add what is the same for all.
func tagComponent(args *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
	opts, err := pulumi.NewResourceOptions(args.Opts...)
	if untyped, ok := args.Props.(pulumi.Map); ok && err == nil && opts.Parent != nil && args.Type == webACLType {
		untyped["tags"] = pulumi.StringMap{componentTag: pulumi.String(opts.Parent.PulumiResourceName())}
		return &pulumi.ResourceTransformationResult{Props: untyped, Opts: args.Opts}
	}
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
	own[componentTag] = pulumi.String(opts.Parent.PulumiResourceName())
	tags.Set(reflect.ValueOf(own))
	return &pulumi.ResourceTransformationResult{Props: args.Props, Opts: args.Opts}
}
