package converse

import (
	"bytes"
	"encoding/json"

	"github.com/tidwall/gjson"
)

// Bounds of what one schema may refer to, again and again, of what it is and
// becomes, and of what is read on the way: each level of it anew, and whatever
// stands before what is referred to.
const (
	maxReferences = 4096
	maxInlined    = 256 << 10
	maxRead       = 256 * maxInlined
)

const tangledSchema = "This model takes no schema that contains itself or refers to what is not in it, nor one with references that is longer than 256 KiB, as it stands or without them."

// inlined puts what a schema refers to in place of the references, for models that
// take no definitions beside the properties of a tool: of those Bedrock says that
// "extraneous key [definitions] is not permitted". It is not ok if that has no end.
// Sources: https://docs.aws.amazon.com/nova/latest/userguide/tool-use-definition.html
// and https://github.com/zed-industries/zed/issues/28521
func inlined(schema json.RawMessage) (flat json.RawMessage, ok bool) {
	if !bytes.Contains(schema, []byte(`"$ref"`)) && !bytes.Contains(schema, []byte(`"$defs"`)) && !bytes.Contains(schema, []byte(`"definitions"`)) {
		return schema, true
	}
	if len(schema) > maxInlined {
		return nil, false
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
	read       int
	lost       bool // there is no end, or too much, or a reference leads nowhere
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
		in.members(v, map[string]bool{})
		in.out.WriteByte('}')
	}
	in.lost = in.lost || in.out.Len() > maxInlined
}

// between writes each of the elements of a list, or of the members of an object.
func (in *inliner) between(begin, end byte, v gjson.Result, write func(name, value gjson.Result)) {
	in.out.WriteByte(begin)
	in.each(v, func(name, value gjson.Result) bool {
		in.comma()
		write(name, value)
		return !in.lost
	})
	in.out.WriteByte(end)
}

// each goes through a list or an object, as long as not too much has been read.
func (in *inliner) each(v gjson.Result, yield func(name, value gjson.Result) bool) {
	if in.read += len(v.Raw); in.read > maxRead {
		in.lost = true
		return
	}
	v.ForEach(yield)
}

func (in *inliner) comma() {
	if last := in.out.Bytes()[in.out.Len()-1]; last != '{' && last != '[' {
		in.out.WriteByte(',')
	}
}

// members writes those of a schema and of what it refers to, but for keywords that
// are written already.
func (in *inliner) members(schema gjson.Result, written map[string]bool) {
	var reference string
	in.each(schema, func(name, value gjson.Result) bool {
		switch keyword := name.String(); {
		case keyword == "$ref":
			reference = value.String()
		case keyword == "$defs" || keyword == "definitions" || written[keyword]:
		default:
			in.comma()
			in.out.WriteString(name.Raw + ":")
			in.value(keyword, value)
			written[keyword] = true
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

// target is what a reference leads to.
func (in *inliner) target(reference string) gjson.Result {
	path, local := pointer(reference)
	if !local {
		return gjson.Result{}
	}
	at := in.root
	for _, token := range path {
		at = in.inside(at, token)
	}
	return at
}

// inside is the member of an object that has the name, or the element of a list
// that has it as its number.
func (in *inliner) inside(v gjson.Result, name string) (found gjson.Result) {
	if !v.IsObject() && !v.IsArray() {
		return found
	}
	in.each(v, func(key, value gjson.Result) bool {
		if key.String() == name {
			found = value
		}
		return !found.Exists()
	})
	return found
}
