package dynamodb

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// MarshalJSON encodes an item as the wire has it, by the order of names.
func (i item) MarshalJSON() ([]byte, error) {
	if i == nil {
		return []byte("null"), nil
	}
	return i.append(nil)
}

// MarshalJSON encodes a value as the wire has it.
func (v value) MarshalJSON() ([]byte, error) { return v.append(nil) }

func (i item) append(b []byte) ([]byte, error) {
	b = append(b, '{')
	for n, name := range slices.Sorted(maps.Keys(i)) {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, name), ':')
		var err error
		if b, err = i[name].append(b); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func (v value) append(b []byte) (_ []byte, err error) {
	b = append(appendText(append(b, '{'), v.kind), ':')
	switch v.kind {
	case "S", "N":
		b = appendText(b, v.text)
	case "B":
		b = appendBinary(b, v.text)
	case "BOOL", "NULL":
		b = strconv.AppendBool(b, v.flag)
	case "SS", "NS":
		b, err = appendList(b, v.set, func(b []byte, s string) ([]byte, error) { return appendText(b, s), nil })
	case "BS":
		b, err = appendList(b, v.set, func(b []byte, s string) ([]byte, error) { return appendBinary(b, s), nil })
	case "L":
		b, err = appendList(b, v.list, func(b []byte, v value) ([]byte, error) { return v.append(b) })
	case "M":
		b, err = item(v.m).append(b)
	default:
		err = fmt.Errorf("encode attribute value: unknown datatype %q", v.kind)
	}
	return append(b, '}'), err
}

func appendList[E any](b []byte, list []E, one func([]byte, E) ([]byte, error)) (_ []byte, err error) {
	b = append(b, '[')
	for n, e := range list {
		if n > 0 {
			b = append(b, ',')
		}
		if b, err = one(b, e); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// appendText quotes a text. The standard library is asked only if there is
// something to escape.
func appendText(b []byte, s string) []byte {
	escaped := func(c rune) bool { return c < ' ' || c > '~' || c == '"' || c == '\\' }
	if strings.ContainsFunc(s, escaped) {
		quoted, _ := json.Marshal(s) // a text always encodes
		return append(b, quoted...)
	}
	return append(append(append(b, '"'), s...), '"')
}

func appendBinary(b []byte, s string) []byte {
	return append(base64.StdEncoding.AppendEncode(append(b, '"'), []byte(s)), '"')
}
