package converse

import (
	"encoding/json"
	"slices"
)

// Loosen returns r with Strict taken from what no model can keep to exactly: a
// schema that limits values or that contains itself. OpenAI's models can, so
// callers ask for it; Bedrock would refuse the request. Models then see the whole
// schema, and keep to it as well as they can.
func Loosen(r Request) Request {
	if r.Format != nil && r.Format.Strict && inexact(r.Format.Schema) {
		format := *r.Format
		format.Strict = false
		r.Format = &format
	}
	for i, t := range r.Tools {
		if t.Strict && inexact(t.Schema) {
			r.Tools = slices.Clone(r.Tools)
			r.Tools[i].Strict = false
		}
	}
	return r
}

// inexact tells whether a schema closes its objects, as OpenAI wants it too, and
// still has what no model keeps to.
func inexact(schema json.RawMessage) bool {
	var root map[string]any
	if json.Unmarshal(schema, &root) != nil || !every(root, closesObject) {
		return false // which is refused
	}
	return !every(root, isExact) || !references{root, map[string]bool{}}.end(root)
}
