package openai

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep a request may nest. The deepest that the API defines is
// far below.
const maxDepth = 32

// object is a JSON object that is taken apart name by name. The first fault
// stays; whatever nobody took is unknown. It is exact where encoding/json is
// lenient: names are case-sensitive and stand once.
type object struct {
	*fault
	path   string // of the names in it, e.g. "messages[0]."
	fields map[string]json.RawMessage
}

type fault struct{ err error }

func (f *fault) set(e *apiError) {
	if f.err == nil {
		f.err = e
	}
}

// parse reads the body of a request.
func parse(body []byte) (*object, error) {
	if !utf8.Valid(body) {
		return nil, invalid("", "invalid_json", "The request body is not valid UTF-8.")
	}
	var fields map[string]json.RawMessage
	err := json.Unmarshal(body, &fields)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return nil, invalid("", "invalid_json", "The request body is not valid JSON: %v, at byte %d.", syntax, syntax.Offset)
	case err != nil || fields == nil:
		return nil, invalid("", "invalid_json", "The request body must be a JSON object.")
	}
	w := &walker{data: body}
	if err := w.value(0); err != nil {
		return nil, err
	}
	if w.half > 0 {
		return nil, invalid("", "invalid_json", `The request body has half a character, a \u escape of a surrogate alone, at byte %d.`, w.half)
	}
	return &object{fault: &fault{}, fields: fields}, nil
}

// take returns the value of name, nil if it is absent or null.
func (o *object) take(name string) json.RawMessage {
	raw := o.fields[name]
	delete(o.fields, name)
	if string(raw) == "null" {
		return nil
	}
	return raw
}

// child returns an object inside o, with faults in common. Any other value is a
// fault, and then the child is empty.
func (o *object) child(name string, raw json.RawMessage) *object {
	return o.childOr(name, raw, "an object")
}

// childOr is child where something else was possible, too: wanted says what.
func (o *object) childOr(name string, raw json.RawMessage, wanted string) *object {
	c := &object{fault: o.fault, path: o.path + name + "."}
	if err := json.Unmarshal(raw, &c.fields); err != nil || c.fields == nil {
		o.wrongType(name, wanted)
	}
	return c
}

func (o *object) wrongType(name, want string) {
	o.set(invalid(o.path+name, "invalid_type", "Invalid type for '%s': expected %s.", o.path+name, want))
}

func (o *object) missing(name string) {
	o.set(invalid(o.path+name, "missing_required_parameter", "Missing required parameter: '%s'.", o.path+name))
}

func (o *object) invalid(name, format string, args ...any) {
	o.set(invalid(o.path+name, "invalid_value", "Invalid '%s': %s.", o.path+name, fmt.Sprintf(format, args...)))
}

// field takes the value of name, nil if it is absent, null or faulty. What was
// wanted is said as in "a string".
func field[T any](o *object, name, want string) *T {
	raw := o.take(name)
	if raw == nil {
		return nil
	}
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		o.wrongType(name, want)
		return nil
	}
	return &v
}

// value is field with a default.
func value[T any](o *object, name, want string) T {
	if v := field[T](o, name, want); v != nil {
		return *v
	}
	var zero T
	return zero
}

// integer takes the value of name, which clients may write as 100.0 or 1e2 too.
func integer(o *object, name string) *int64 {
	f := field[float64](o, name, "an integer")
	if f == nil {
		return nil
	}
	if *f != math.Trunc(*f) {
		o.wrongType(name, "an integer")
		return nil
	}
	n := int64(max(math.MinInt32-1, min(*f, math.MaxInt32+1))) // no limit is beyond
	return &n
}

// tokenBound takes how many tokens an answer may have, thoughts included, 0 for
// as many as there are by default.
func tokenBound(o *object, name string) int32 {
	n := integer(o, name)
	if n == nil {
		return 0
	}
	if *n < 1 || *n > math.MaxInt32 {
		o.invalid(name, "it is not between 1 and %d", math.MaxInt32)
		return 0
	}
	return int32(*n)
}

// oneOf takes one of some words, "" if there is none.
func oneOf(o *object, name string, words ...string) string {
	word := field[string](o, name, "a string")
	if word == nil {
		return ""
	}
	if !slices.Contains(words, *word) {
		o.invalid(name, "expected one of %s", strings.Join(words, ", "))
	}
	return *word
}

// needed takes a string that must be there.
func needed(o *object, name string) string {
	s := field[string](o, name, "a string")
	if s == nil {
		o.missing(name)
		return ""
	}
	return *s
}

// refuse takes name and faults it unless its value is one of neutral, which are
// as encoding/json decodes them.
func (o *object) refuse(name string, neutral ...any) {
	raw := o.take(name)
	if raw == nil {
		return
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		o.wrongType(name, "JSON")
		return
	}
	if !slices.ContainsFunc(neutral, func(n any) bool { return reflect.DeepEqual(n, v) }) {
		o.set(unsupported(o.path+name, "This service does not support it."))
	}
}

// finish faults every name that is left.
func (o *object) finish() {
	for _, name := range slices.Sorted(maps.Keys(o.fields)) {
		o.set(unknownParameter(o.path, name))
	}
}

// unknownParameter repeats a name that the caller chose, unless it is endless.
func unknownParameter(path, name string) *apiError {
	name = path + strings.ToValidUTF8(name[:min(len(name), maxHint)], "")
	return invalid(name, "unknown_parameter", "Unknown parameter: '%s'.", name)
}
