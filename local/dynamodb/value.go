package dynamodb

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/crossregion/crossregion/local/cloud"
)

// maxDepth is how deep lists and maps may nest.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const maxDepth = 32

// Overheads of lists and maps in an item's size, in bytes.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
const (
	containerOverhead = 3
	elementOverhead   = 1
)

// value is one attribute value. Values are never changed once decoded.
type value struct {
	kind string           // S, N, B, BOOL, NULL, M, L, SS, NS or BS
	text string           // of S, N (in canonical form) and B (the bytes)
	flag bool             // of BOOL
	set  []string         // of SS, NS and BS, as text
	list []value          // of L
	m    map[string]value // of M
}

// item is one item, by attribute name.
type item map[string]value

// UnmarshalJSON decodes and validates a value.
func (v *value) UnmarshalJSON(data []byte) error {
	kind, text, ok := plainScalar(data)
	if !ok {
		return v.decode(data, maxDepth)
	}
	v.kind = kind
	var err error
	v.text, err = parseScalar(kind, text)
	return err
}

// plainScalar reads an S, N or B as clients write most of them: without white
// space, and with nothing escaped in the text. Others are for [value.decode].
func plainScalar(data []byte) (kind, text string, ok bool) {
	content, begins := bytes.CutPrefix(data, []byte(`{"`))
	content, ends := bytes.CutSuffix(content, []byte(`"}`))
	if !begins || !ends || len(content) < 4 || string(content[1:4]) != `":"` {
		return "", "", false
	}
	kind, content = string(content[0]), content[4:]
	ok = strings.Contains("SNB", kind) && !bytes.ContainsAny(content, `"\\`) && utf8.Valid(content)
	return kind, string(content), ok
}

func (v *value) decode(data []byte, depth int) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	if len(members) != 1 {
		return invalid("Supplied AttributeValue has %d datatypes set, must contain exactly one of the supported datatypes", len(members))
	}
	if depth == 0 {
		return invalid("Nesting Levels have exceeded supported limits: %d", maxDepth)
	}
	for kind, raw := range members {
		v.kind = kind
		switch kind {
		case "S", "N", "B":
			return v.decodeScalar(raw)
		case "BOOL", "NULL":
			return v.decodeFlag(raw)
		case "SS", "NS", "BS":
			return v.decodeSet(raw)
		case "L":
			return v.decodeList(raw, depth)
		case "M":
			return v.decodeMap(raw, depth)
		}
	}
	return invalid("Supplied AttributeValue has the unknown datatype %s", v.kind)
}

func (v *value) decodeScalar(raw json.RawMessage) error {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	var err error
	v.text, err = parseScalar(v.kind, s)
	return err
}

// parseScalar validates the text of an S, N or B value, or of a member of a set.
func parseScalar(kind, s string) (string, error) {
	switch kind[:1] {
	case "N":
		return parseNumber(s)
	case "B":
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return "", cloud.Refuse("SerializationException", "binary value is not base64: %v", err)
		}
		return string(b), nil
	default:
		return s, nil
	}
}

func (v *value) decodeFlag(raw json.RawMessage) error {
	if err := json.Unmarshal(raw, &v.flag); err != nil {
		return err
	}
	if v.kind == "NULL" && !v.flag {
		return invalid("One or more parameter values were invalid: Null attribute value types must have the value of true")
	}
	return nil
}

func (v *value) decodeSet(raw json.RawMessage) error {
	var members []string
	if err := json.Unmarshal(raw, &members); err != nil {
		return err
	}
	if len(members) == 0 {
		return invalid("One or more parameter values were invalid: An %s set may not be empty", v.kind)
	}
	for _, m := range members {
		text, err := parseScalar(v.kind, m)
		if err != nil {
			return err
		}
		v.set = append(v.set, text)
	}
	slices.Sort(v.set)
	if len(slices.Compact(slices.Clone(v.set))) != len(members) {
		return invalid("One or more parameter values were invalid: Input collection %v contains duplicates.", members)
	}
	return nil
}

func (v *value) decodeList(raw json.RawMessage, depth int) error {
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		return err
	}
	v.list = make([]value, len(elements))
	for i, e := range elements {
		if err := v.list[i].decode(e, depth-1); err != nil {
			return err
		}
	}
	return nil
}

func (v *value) decodeMap(raw json.RawMessage, depth int) error {
	var elements map[string]json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		return err
	}
	v.m = make(map[string]value, len(elements))
	for name, e := range elements {
		var element value
		if err := element.decode(e, depth-1); err != nil {
			return err
		}
		v.m[name] = element
	}
	return nil
}

// size is what DynamoDB counts for v, in bytes.
func (v value) size() int {
	switch v.kind {
	case "S", "B":
		return len(v.text)
	case "N":
		return numberSize(v.text)
	case "SS", "NS", "BS":
		return v.setSize()
	case "L":
		n := containerOverhead
		for _, e := range v.list {
			n += elementOverhead + e.size()
		}
		return n
	case "M":
		return containerOverhead + len(v.m)*elementOverhead + item(v.m).size()
	default:
		return 1
	}
}

func (v value) setSize() int {
	n := 0
	for _, m := range v.set {
		if v.kind == "NS" {
			n += numberSize(m)
		} else {
			n += len(m)
		}
	}
	return n
}

// size is what DynamoDB counts for an item: names and values, in bytes.
func (i item) size() int {
	n := 0
	for name, v := range i {
		n += len(name) + v.size()
	}
	return n
}

// compare orders two values of one scalar kind as a sort key does.
func (v value) compare(o value) int {
	if v.kind != "N" {
		return strings.Compare(v.text, o.text)
	}
	a, _ := new(big.Rat).SetString(v.text)
	b, _ := new(big.Rat).SetString(o.text)
	return a.Cmp(b)
}
