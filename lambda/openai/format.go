package openai

import (
	"github.com/crossregion/crossregion/lambda/converse"
)

// format takes the object name of o, which says what shape the answer has: nil
// is text. In chat completions a schema is "json_schema" inside it, in responses
// its members stand beside "type".
func format(o *object, name string, s spelling) *converse.Format {
	raw := o.take(name)
	if raw == nil {
		return nil
	}
	f := o.child(name, raw)
	kind := needed(f, "type")
	var shape *converse.Format
	switch kind {
	case "text":
	case "json_object":
		shape = &converse.Format{}
	case "json_schema":
		in := f
		if s == nested {
			in = f.child(kind, f.take(kind))
		}
		shape = jsonSchema(in)
	default:
		f.invalid("type", "expected text, json_object or json_schema")
	}
	f.finish()
	return shape
}

func jsonSchema(o *object) *converse.Format {
	f := &converse.Format{
		Name:        functionName(o),
		Description: value[string](o, "description", "a string"),
		Schema:      schema(o, "schema"),
		Strict:      value[bool](o, "strict", "a boolean"),
	}
	if f.Schema == nil {
		o.missing("schema")
	}
	o.finish()
	return f
}
