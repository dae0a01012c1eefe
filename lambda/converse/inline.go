package converse

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// Bounds of what one schema may refer to, again and again, and of what it becomes.
const (
	maxReferences = 4096
	maxInlined    = 256 << 10
)

const tangledSchema = "This model takes no schema that contains itself, or refers to what is not in it."

// inlined puts what a schema refers to in place of the references, for models that
// take no definitions beside the properties of a tool: of those Bedrock says that
// "extraneous key [definitions] is not permitted". It is not ok if that has no end.
// Sources: https://docs.aws.amazon.com/nova/latest/userguide/tool-use-definition.html
// and https://github.com/zed-industries/zed/issues/28521
func inlined(schema json.RawMessage) (flat json.RawMessage, ok bool) {
	if !bytes.Contains(schema, []byte(`"$ref"`)) && !bytes.Contains(schema, []byte(`"$defs"`)) && !bytes.Contains(schema, []byte(`"definitions"`)) {
		return schema, true
	}
	in := inliner{root: gjson.ParseBytes(schema)}
	in.value("", in.root)
	return in.out.Bytes(), !in.lost
}

// inliner writes a schema as it stands, in order and with all digits, but for its
// references and definitions.
type inliner struct {
	root       gjson.Result
	out        bytes.Buffer
	references int
	lost       bool // there is no end, or a reference leads nowhere
}

// value writes what stands behind a keyword.
func (in *inliner) value(keyword string, v gjson.Result) {
	switch isData := keyword == "enum" || keyword == "const" || keyword == "default" || keyword == "examples"; {
	case isData || !v.IsObject() && !v.IsArray():
		in.out.WriteString(v.Raw)
	case v.IsArray():
		in.between('[', ']', v, func(_, s gjson.Result) { in.value("", s) })
	case keyword == "properties":
		in.between('{', '}', v, func(name, s gjson.Result) {
			in.out.WriteString(name.Raw + ":")
			in.value("", s)
		})
	default:
		in.out.WriteByte('{')
		in.members(v, nil)
		in.out.WriteByte('}')
	}
	in.lost = in.lost || in.out.Len() > maxInlined
}

// between writes each of the elements of a list, or of the members of an object.
func (in *inliner) between(begin, end byte, v gjson.Result, write func(name, value gjson.Result)) {
	in.out.WriteByte(begin)
	v.ForEach(func(name, value gjson.Result) bool {
		in.comma()
		write(name, value)
		return !in.lost
	})
	in.out.WriteByte(end)
}

func (in *inliner) comma() {
	if last := in.out.Bytes()[in.out.Len()-1]; last != '{' && last != '[' {
		in.out.WriteByte(',')
	}
}

// members writes those of a schema and of what it refers to, but for keywords that
// are written already.
func (in *inliner) members(schema gjson.Result, written []string) {
	var reference string
	schema.ForEach(func(name, value gjson.Result) bool {
		switch keyword := name.String(); {
		case keyword == "$ref":
			reference = value.String()
		case keyword == "$defs" || keyword == "definitions" || slices.Contains(written, keyword):
		default:
			in.comma()
			in.out.WriteString(name.Raw + ":")
			in.value(keyword, value)
			written = append(written, keyword)
		}
		return !in.lost
	})
	if reference == "" {
		return
	}
	target := in.target(reference)
	if in.references++; in.references > maxReferences || !target.IsObject() {
		in.lost = true
		return
	}
	in.members(target, written)
}

// target is the definition that a reference leads to.
func (in *inliner) target(reference string) (found gjson.Result) {
	list, name, _ := strings.Cut(strings.TrimPrefix(reference, "#/"), "/")
	if list != "$defs" && list != "definitions" {
		return found
	}
	in.root.Get(list).ForEach(func(defined, schema gjson.Result) bool {
		if defined.String() == name {
			found = schema
		}
		return !found.Exists()
	})
	return found
}
