package bedrock

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// schema is as much of a JSON schema as the model needs to satisfy one.
type schema struct {
	Type       schemaType        `json:"type"`
	Properties map[string]schema `json:"properties"`
	Required   []string          `json:"required"`
	Additional json.RawMessage   `json:"additionalProperties"`
	Items      *schema           `json:"items"`
	MinItems   int               `json:"minItems"`
	Minimum    json.Number       `json:"minimum"`
	Enum       []json.RawMessage `json:"enum"`
	Const      json.RawMessage   `json:"const"`
	AnyOf      []schema          `json:"anyOf"`
	OneOf      []schema          `json:"oneOf"`
	Ref        string            `json:"$ref"`
	Defs       map[string]schema `json:"$defs"`
}

// schemaType is the first of a schema's types.
type schemaType string

// UnmarshalJSON reads a name or a list of names.
func (t *schemaType) UnmarshalJSON(data []byte) error {
	var name string
	if json.Unmarshal(data, &name) == nil {
		*t = schemaType(name)
		return nil
	}
	var names []string
	if err := json.Unmarshal(data, &names); err != nil || len(names) == 0 {
		return err
	}
	*t = schemaType(names[0])
	return nil
}

// parseSchema returns the zero schema for what is none.
func parseSchema(data []byte) schema {
	var s schema
	if err := json.Unmarshal(data, &s); err != nil {
		return schema{}
	}
	return s
}

// closed reports whether every object in s forbids other properties than its
// own, as what is guaranteed asks for.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
func (s schema) closed() bool {
	if s.Type == "object" && string(s.Additional) != "false" {
		return false
	}
	inner := slices.Concat(s.AnyOf, s.OneOf, slices.Collect(maps.Values(s.Properties)), slices.Collect(maps.Values(s.Defs)))
	if s.Items != nil {
		inner = append(inner, *s.Items)
	}
	return !slices.ContainsFunc(inner, func(i schema) bool { return !i.closed() })
}

// maxExampleDepth ends the examples of schemas that contain themselves.
const maxExampleDepth = 16

// example is a value that satisfies s, always the same. References are looked up
// in root.
func (s schema) example(root schema, depth int) any {
	choices := slices.Concat(s.AnyOf, s.OneOf)
	switch {
	case depth > maxExampleDepth:
		return nil
	case s.Const != nil:
		return s.Const
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Ref == "#":
		return root.example(root, depth+1)
	case s.Ref != "":
		return root.Defs[unescape(strings.TrimPrefix(s.Ref, "#/$defs/"))].example(root, depth+1)
	case len(choices) > 0:
		return choices[len(choices)-1].example(root, depth+1) // often null, and the end of a recursion
	}
	return s.plain(root, depth)
}

func (s schema) plain(root schema, depth int) any {
	switch s.Type {
	case "object":
		names := s.Required
		if len(names) == 0 {
			names = slices.Collect(maps.Keys(s.Properties))
		}
		value := make(map[string]any, len(names))
		for _, name := range names {
			value[name] = s.Properties[name].example(root, depth+1)
		}
		return value
	case "array":
		value := make([]any, max(s.MinItems, 1))
		for i := range value {
			if s.Items != nil {
				value[i] = s.Items.example(root, depth+1)
			}
		}
		return value
	case "integer", "number":
		if s.Minimum != "" {
			return s.Minimum
		}
		return 7
	case "boolean":
		return true
	case "null":
		return nil
	default:
		return vocabulary[0]
	}
}

// exampleOf is the JSON of a value that satisfies the schema data.
func exampleOf(data []byte) (string, error) {
	s := parseSchema(data)
	b, err := json.Marshal(s.example(s, 0))
	return string(b), err
}
