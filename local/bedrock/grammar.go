package bedrock

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// uncompiled are keywords that no grammar is compiled of: all that bound numbers,
// strings and lists, and some that combine schemas.
// Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html and
// https://platform.claude.com/docs/en/build-with-claude/structured-outputs
var uncompiled = []string{
	"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
	"maxItems", "uniqueItems", "contains", "prefixItems", "minProperties", "maxProperties", "patternProperties",
	"propertyNames", "oneOf", "not", "if", "then", "else",
}

// compilable returns what keeps Bedrock from compiling a grammar of a schema, nil
// if nothing does.
func compilable(text []byte) error {
	var root any
	if json.Unmarshal(text, &root) != nil {
		return nil // which is refused as such
	}
	return compiler{root: root}.check(root, nil)
}

// compiler looks references up in a schema.
type compiler struct{ root any }

// check goes through a schema that stands inside the named definitions.
func (c compiler) check(v any, inside []string) error {
	node, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	for keyword := range node {
		if slices.Contains(uncompiled, keyword) {
			return fmt.Errorf("property '%s' is not supported", keyword)
		}
	}
	if n, given := node["minItems"].(float64); given && n > 1 {
		return fmt.Errorf("'minItems' values other than 0 or 1 are not supported")
	}
	for _, value := range list(node["enum"]) {
		switch value.(type) {
		case map[string]any, []any:
			return fmt.Errorf("enum values must be primitive types")
		}
	}
	if ref, given := node["$ref"].(string); given {
		return c.follow(ref, inside)
	}
	return c.within(node, inside)
}

// within checks the schemas in a schema. Definitions are checked where they are
// referred to.
func (c compiler) within(node map[string]any, inside []string) error {
	inner := slices.Concat(list(node["anyOf"]), list(node["allOf"]), []any{node["items"]})
	properties, _ := node["properties"].(map[string]any)
	for _, p := range properties {
		inner = append(inner, p)
	}
	for _, s := range inner {
		if err := c.check(s, inside); err != nil {
			return err
		}
	}
	return nil
}

func (c compiler) follow(ref string, inside []string) error {
	path, local := strings.CutPrefix(ref, "#")
	if !local {
		return fmt.Errorf("external $ref '%s' is not supported", ref)
	}
	if path == "" || slices.Contains(inside, ref) {
		return fmt.Errorf("circular reference detected in schema definitions: %s", ref)
	}
	target := c.root
	for _, name := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		members, _ := target.(map[string]any)
		target = members[name]
	}
	if target == nil {
		return fmt.Errorf("reference '%s' not found in schema", ref)
	}
	return c.check(target, append(slices.Clip(inside), ref))
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// hasReferences reports whether a schema defines others or refers to them, as
// Amazon's models do not take it.
// Source: https://docs.aws.amazon.com/nova/latest/userguide/tool-use-definition.html
func hasReferences(text []byte) bool {
	var s struct {
		Defs        json.RawMessage `json:"$defs"`
		Definitions json.RawMessage `json:"definitions"`
		Ref         json.RawMessage `json:"$ref"`
	}
	return json.Unmarshal(text, &s) == nil && (s.Defs != nil || s.Definitions != nil || s.Ref != nil)
}
