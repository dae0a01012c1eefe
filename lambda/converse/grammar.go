package converse

import (
	"crypto/sha256"
	"hash"
	"io"
)

// Grammar tells apart what Bedrock compiles before a model can keep to it exactly:
// the schemas of a strict format and of strict tools. That may take minutes when a
// region first sees them, and nothing for a day after. The zero Grammar is none.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
type Grammar [sha256.Size]byte

// Grammar is that of the request to its model.
func (r Request) Grammar() (g Grammar) {
	var sum hash.Hash
	add := func(name string, schema []byte) {
		if sum == nil {
			sum = sha256.New()
		}
		_, _ = io.WriteString(sum, name+"\x00") // a hash takes everything
		_, _ = sum.Write(schema)
	}
	m := abilitiesOf(r.Model)
	if m.nativeFormat(r) {
		add("", r.Format.Schema)
	}
	if m.strict && len(r.Tools) > 0 && m.sendsTools(r) { // the last of which may look through all messages
		for _, t := range r.Tools {
			if t.Strict {
				add(t.Name, t.Schema)
			}
		}
	}
	if sum != nil {
		sum.Sum(g[:0])
	}
	return g
}
