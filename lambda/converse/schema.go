package converse

import (
	"encoding/json"
	"slices"
)

const openSchema = `A strict schema needs "additionalProperties": false in every object.`

// closed tells whether every object in a schema forbids other properties than its
// own, as models that keep to schemas want it.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
func closed(schema json.RawMessage) bool {
	var v any
	return json.Unmarshal(schema, &v) != nil || every(v, closesObject)
}

func closesObject(schema map[string]any) bool {
	return schema["type"] != "object" || schema["additionalProperties"] == false
}

// every tells whether ok holds for a schema and for all inside it.
func every(v any, ok func(map[string]any) bool) bool {
	schema, isObject := v.(map[string]any)
	if !isObject {
		return true // true and false are schemas, too
	}
	if !ok(schema) {
		return false
	}
	for keyword, inner := range schema {
		for _, s := range schemasIn(keyword, inner) {
			if !every(s, ok) {
				return false
			}
		}
	}
	return true
}

// schemasIn are the schemas in the value of a keyword.
func schemasIn(keyword string, value any) []any {
	switch v := value.(type) {
	case map[string]any:
		switch keyword {
		case "properties", "patternProperties", "$defs", "definitions": // by any name
			var all []any
			for _, s := range v {
				all = append(all, s)
			}
			return all
		case "items", "additionalProperties", "not", "if", "then", "else", "contains":
			return []any{v}
		}
	case []any:
		switch keyword {
		case "anyOf", "allOf", "oneOf", "items", "prefixItems":
			return v
		}
	}
	return nil
}

// Keywords that Bedrock takes in a schema that a model is to keep to exactly, and
// formats of strings. Others, among them all limits of values, it refuses.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
var (
	exactKeywords = []string{
		"type", "properties", "required", "additionalProperties", "items", "minItems", "enum", "const", "anyOf", "allOf", "format",
		"$ref", "$defs", "definitions", "$schema", "$id", "title", "description", "default", "examples",
	}
	exactFormats = []string{"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)

// isExact tells whether a model that keeps to schemas can keep to this one, but
// for what is inside it.
func isExact(schema map[string]any) bool {
	for keyword := range schema {
		if !slices.Contains(exactKeywords, keyword) {
			return false
		}
	}
	format, limited := schema["format"].(string)
	if limited && !slices.Contains(exactFormats, format) {
		return false
	}
	if n, limited := schema["minItems"].(float64); limited && n > 1 {
		return false
	}
	values, _ := schema["enum"].([]any)
	return !slices.ContainsFunc(values, isComposite)
}

func isComposite(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	default:
		return false
	}
}

// references follows what a schema refers to.
type references struct {
	root map[string]any
	seen map[string]bool // by reference: false while it is being followed
}

// end tells whether all references in a schema lead somewhere in it, and none back
// to where it stands.
func (r references) end(v any) bool {
	return every(v, func(schema map[string]any) bool {
		ref, refers := schema["$ref"].(string)
		return !refers || r.leads(ref)
	})
}

// leads tells whether a reference leads to a definition that ends. What is known
// to be taken is references to definitions, and nothing of others.
func (r references) leads(ref string) bool {
	if over, met := r.seen[ref]; met {
		return over
	}
	path, local := pointer(ref)
	target := pointed(r.root, path)
	if !local || target == nil || path[0] != "$defs" && path[0] != "definitions" {
		return false
	}
	r.seen[ref] = false
	ends := r.end(target)
	r.seen[ref] = ends
	return ends
}
