package stacks

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const componentTag = "crossregion:component"

// maxTags leaves room for the program's own tags, of which a resource has four
// at most, among the 50 that it may have.
// Source: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
const maxTags = 50 - 4

// tagPattern is Bedrock's, the narrowest of all services.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Tag.html
var tagPattern = regexp.MustCompile(`^[a-zA-Z0-9\s._:/=+@-]*$`)

func (s Settings) validateTags(f *faults) {
	f.check(len(s.Tags) <= maxTags, "tags", fmt.Sprintf("%d tags given", len(s.Tags)), fmt.Sprintf("give up to %d: the program has some of its own", maxTags))
	const letters = "letters of English, digits, spaces and _ . : / = + - @"
	seen := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		path, value, folded := "tags."+key, s.Tags[key], strings.ToLower(key)
		f.check(!strings.HasPrefix(folded, "aws:"), path, "tags that start with aws: are AWS's own", "rename it")
		f.check(!strings.HasPrefix(folded, "crossregion:"), path, "tags that start with crossregion: are the program's own", "rename it")
		f.check(key != "" && len(key) <= 128 && tagPattern.MatchString(key), path, fmt.Sprintf("%q is not a tag key", key), "use up to 128 "+letters)
		f.check(len(value) <= 256 && tagPattern.MatchString(value), path, fmt.Sprintf("%q is not a tag value", value), "use up to 256 "+letters)
		f.check(seen[folded] == "", path, fmt.Sprintf("differs from %q in case only, which IAM does not tell apart", seen[folded]), "remove one")
		seen[folded] = key
	}
}

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
