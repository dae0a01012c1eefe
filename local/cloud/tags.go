package cloud

import (
	"reflect"
	"regexp"
	"strings"
)

// Limits of tags in every service. Most take letters of any script, and Bedrock
// more tags; one set of tags goes to all resources of a stack, so the narrowest
// limits count for all.
// Source: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Tag.html
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

var tagText = regexp.MustCompile(`^[a-zA-Z0-9\s._:/=+@-]*$`)

// checkTags refuses the tags that a resource may not have.
func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return Refuse("TooManyTagsException", "%d tags are over the limit of %d", len(tags), maxTags)
	}
	for key, value := range tags {
		switch {
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return Refuse("InvalidTagException", "tag %q: the prefix aws: is AWS's own", key)
		case key == "" || len(key) > maxTagKey || !tagText.MatchString(key):
			return Refuse("InvalidTagException", "tag %q: want a key of 1 to %d letters, digits, spaces and _.:/=+-@", key, maxTagKey)
		case len(value) > maxTagValue || !tagText.MatchString(value):
			return Refuse("InvalidTagException", "tag %q: want a value of up to %d letters, digits, spaces and _.:/=+-@", key, maxTagValue)
		}
	}
	return nil
}

// tagsOf returns the tags among decoded inputs, and whether inputs of the type
// can have any.
func tagsOf(in reflect.Value) (tags map[string]string, taggable bool) {
	if in.Kind() != reflect.Struct {
		return nil, false
	}
	for i := range in.NumField() {
		name, _, _ := strings.Cut(in.Type().Field(i).Tag.Get("json"), ",")
		if name == "tags" && in.Field(i).CanInterface() {
			tags, taggable = in.Field(i).Interface().(map[string]string)
			return tags, taggable
		}
	}
	return nil, false
}
