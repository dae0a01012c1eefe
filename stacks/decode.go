package stacks

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/agext/levenshtein"
)

// Fault is one thing wrong with the settings.
type Fault struct {
	Path    string // e.g. "regions[0].name"
	Problem string
	Hint    string // what to do
}

func (f Fault) String() string { return f.Path + ": " + f.Problem + "; " + f.Hint }

// Faults are all that is wrong with one stack's settings.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = "  " + fault.String()
	}
	return strings.Join(lines, "\n")
}

// decodeSettings fills Settings from JSON as far as it goes, and reports what
// has no place in them or is of the wrong type.
func decodeSettings(raw string) (Settings, Faults) {
	var object any
	decoder := json.NewDecoder(strings.NewReader(raw))
	decoder.UseNumber() // as it was written: a float64 holds no digits beyond the 15th
	if err := decoder.Decode(&object); err != nil {
		return Settings{}, Faults{{"settings", "not a JSON object: " + err.Error(), seeTable}}
	}
	faults := checkShape(reflect.TypeFor[Settings](), "settings", object)
	var s Settings
	err := json.Unmarshal([]byte(raw), &s)
	var mismatch *json.UnmarshalTypeError
	// What has been reported is no second fault; the rest is decoded all the same.
	if err != nil && (len(faults) == 0 || !errors.As(err, &mismatch)) {
		faults = append(faults, Fault{"settings", err.Error(), seeTable})
	}
	return s, faults
}

const seeTable = "compare it with the settings table in README.md"

// checkShape compares a decoded value with the type that is to hold it.
// Null is an absent value.
func checkShape(t reflect.Type, path string, value any) Faults {
	if value == nil {
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return checkShape(t.Elem(), path, value)
	case reflect.Struct:
		return checkStruct(t, path, value)
	case reflect.Slice:
		items, ok := value.([]any)
		var all Faults
		for i, item := range items {
			all = append(all, checkShape(t.Elem(), fmt.Sprintf("%s[%d]", path, i), item)...)
		}
		return append(all, unless(ok, path, "a list", value)...)
	case reflect.Map:
		object, ok := value.(map[string]any)
		var all Faults
		for _, key := range slices.Sorted(maps.Keys(object)) {
			all = append(all, checkShape(t.Elem(), path+"."+key, object[key])...)
		}
		return append(all, unless(ok, path, "an object", value)...)
	case reflect.Bool:
		_, ok := value.(bool)
		return unless(ok, path, "true or false", value)
	case reflect.Int:
		_, err := strconv.Atoi(literal(value))
		return unless(err == nil, path, "a whole number", value)
	case reflect.Float64:
		_, err := strconv.ParseFloat(literal(value), 64)
		return unless(err == nil, path, "a number", value)
	default:
		_, ok := value.(string)
		return unless(ok, path, "a string", value)
	}
}

// literal is a number as it was written, "" of anything else.
func literal(value any) string {
	n, _ := value.(json.Number)
	return n.String()
}

// zeroIsNone are the numbers of which 0 switches something off, as leaving them
// out does. Any other number has a default, which 0 would silently become.
var zeroIsNone = []string{"failover.hedgeDelaySeconds", "reservedConcurrency", "rollout.canaryPercent"}

// withoutDefault is the one number that must be given. Its range is checked with
// all others.
const withoutDefault = "firewall.requestsPerFiveMinutes"

// checkZero refuses a 0 that would count as left out. One behind a pointer is a
// value of its own.
func checkZero(t reflect.Type, path string, value any) Faults {
	n, err := strconv.ParseFloat(literal(value), 64)
	if err != nil || n != 0 || t.Kind() == reflect.Pointer || path == withoutDefault || slices.Contains(zeroIsNone, path) {
		return nil
	}
	if t.Kind() != reflect.Int && t.Kind() != reflect.Float64 {
		return nil // of the wrong type
	}
	return Faults{{path, "0 is out of range", "give more, or leave it out for the default"}}
}

func checkStruct(t reflect.Type, path string, value any) Faults {
	object, ok := value.(map[string]any)
	all := unless(ok, path, "an object", value)
	fields := map[string]reflect.Type{}
	for i := range t.NumField() {
		fields[t.Field(i).Tag.Get("json")] = t.Field(i).Type
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		at := strings.TrimPrefix(path+"."+key, "settings.")
		if field, known := fields[key]; known {
			faults := checkShape(field, at, object[key])
			if len(faults) == 0 {
				faults = checkZero(field, at, object[key])
			}
			all = append(all, faults...)
		} else {
			all = append(all, Fault{at, "unknown key", suggestion(key, fields)})
		}
	}
	return all
}

func unless(ok bool, path, want string, value any) Faults {
	if ok {
		return nil
	}
	if n := literal(value); n != "" && want == "a string" {
		return Faults{{path, n + " is a number, not a string", "put it in quotes"}}
	}
	if text, quoted := value.(string); quoted {
		value = strconv.Quote(text)
	}
	return Faults{{path, fmt.Sprintf("%v is not %s", value, want), seeTable}}
}

// suggestion names the key that was probably meant.
func suggestion(key string, fields map[string]reflect.Type) string {
	best, distance := "", 3
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		if d := levenshtein.Distance(strings.ToLower(key), strings.ToLower(k), nil); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return "remove it, or " + seeTable
	}
	return `did you mean "` + best + `"?`
}

// unreported returns the faults at places of which reported says nothing yet,
// neither of themselves nor of what they are in: a value of a wrong type is also
// a missing one, which helps nobody.
func unreported(all, reported Faults) Faults {
	return slices.DeleteFunc(all, func(f Fault) bool {
		return slices.ContainsFunc(reported, func(r Fault) bool {
			rest, within := strings.CutPrefix(f.Path, r.Path)
			return within && (rest == "" || rest[0] == '.' || rest[0] == '[')
		})
	})
}
