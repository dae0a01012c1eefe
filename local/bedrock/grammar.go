package bedrock

import (
	"encoding/json"
	"fmt"
	"maps"
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
	return compiler{root, map[string]bool{}}.check(root, nil)
}

// compiler looks references up in a schema.
type compiler struct {
	root any
	good map[string]bool // references whose schemas have been checked
}

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
	inner := slices.Concat(list(node["anyOf"]), list(node["allOf"]), list(node["items"]), []any{node["items"]})
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
	if c.good[ref] {
		return nil // else definitions of definitions would take exponential time
	}
	target := c.root
	for _, name := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		members, _ := target.(map[string]any)
		target = members[unescape(name)]
	}
	if target == nil {
		return fmt.Errorf("reference '%s' not found in schema", ref)
	}
	err := c.check(target, append(slices.Clip(inside), ref))
	c.good[ref] = err == nil
	return err
}

// unescape returns a name as it was before it became part of a JSON pointer.
func unescape(name string) string { return strings.NewReplacer("~1", "/", "~0", "~").Replace(name) }

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// hasReferences reports whether a schema or one inside it defines others or
// refers to them, as Amazon's models do not take it.
// Source: https://docs.aws.amazon.com/nova/latest/userguide/tool-use-definition.html
func hasReferences(text []byte) bool {
	var root any
	return json.Unmarshal(text, &root) == nil && refers(root)
}

func refers(v any) bool {
	node, _ := v.(map[string]any)
	for keyword, value := range node {
		switch keyword {
		case "$ref", "$defs", "definitions":
			return true
		case "enum", "const", "default", "examples": // values, no schemas
			continue
		case "properties", "patternProperties": // by names of any kind
			named, _ := value.(map[string]any)
			value = slices.Collect(maps.Values(named))
		}
		if refers(value) {
			return true
		}
	}
	return slices.ContainsFunc(list(v), refers)
}
