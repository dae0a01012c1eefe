package converse

import "encoding/json"

const openSchema = `A strict schema needs "additionalProperties": false in every object.`

// closed tells whether every object in a schema forbids other properties than its
// own, as models that keep to schemas want it.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
func closed(schema json.RawMessage) bool {
	var v any
	return json.Unmarshal(schema, &v) != nil || allClosed(v)
}

func allClosed(v any) bool {
	switch v := v.(type) {
	case []any:
		for _, inner := range v {
			if !allClosed(inner) {
				return false
			}
		}
	case map[string]any:
		if v["type"] == "object" && v["additionalProperties"] != false {
			return false
		}
		for name, inner := range v {
			if !isData(name) && !allClosed(inner) {
				return false
			}
		}
	}
	return true
}

// isData tells the keywords that hold values in place of schemas.
func isData(keyword string) bool {
	return keyword == "enum" || keyword == "const" || keyword == "default" || keyword == "examples"
}
