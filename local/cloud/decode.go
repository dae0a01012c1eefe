package cloud

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// Decode reads properties into a struct of those that are known. A field is
// required unless its json tag says omitempty; a property that has no field is
// refused, never ignored.
func Decode[In any](inputs map[string]any) (In, error) {
	var in In
	if err := errors.Join(check(reflect.TypeFor[In](), "", inputs)...); err != nil {
		return in, err
	}
	b, err := json.Marshal(inputs)
	if err != nil {
		return in, err
	}
	return in, DecodeStrict(b, &in)
}

// check compares a value with the type that it will be decoded into, and
// reports unknown and missing properties with their paths.
func check(t reflect.Type, path string, value any) []error {
	switch t.Kind() {
	case reflect.Pointer:
		return check(t.Elem(), path, value)
	case reflect.Slice:
		var errs []error
		items, _ := value.([]any)
		for i, item := range items {
			errs = append(errs, check(t.Elem(), fmt.Sprintf("%s[%d]", path, i), item)...)
		}
		return errs
	case reflect.Struct:
		object, ok := value.(map[string]any)
		if !ok {
			return []error{fmt.Errorf("property %q is not an object", path)}
		}
		return checkObject(t, path, object)
	default:
		return nil
	}
}

func checkObject(t reflect.Type, path string, object map[string]any) []error {
	var errs []error
	known := map[string]bool{}
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		known[name] = true
		value, given := object[name]
		switch {
		case given && value != nil:
			errs = append(errs, check(t.Field(i).Type, join(path, name), value)...)
		case options != "omitempty":
			errs = append(errs, fmt.Errorf("missing required property %q", join(path, name)))
		}
	}
	for name := range object {
		if !known[name] {
			errs = append(errs, fmt.Errorf("the embedded cloud does not know property %q", join(path, name)))
		}
	}
	return errs
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
