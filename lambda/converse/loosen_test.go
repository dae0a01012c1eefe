package converse_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
)

func TestSchemasThatNoModelKeepsToAreNotStrict(t *testing.T) {
	of := func(property string) string {
		return `{"type":"object","properties":{"p":` + property + `},"required":["p"],"additionalProperties":false}`
	}
	defining := func(property, a string) string {
		return `{"type":"object","properties":{"p":` + property + `},"additionalProperties":false,"$defs":{"a":` + a + `,"b":{"$ref":"#/$defs/a"}}}`
	}
	for name, tt := range map[string]struct {
		schema string
		strict bool
	}{
		"types":                    {of(`{"type":["string","null"],"title":"P","description":"d","format":"email"}`), true},
		"choices":                  {of(`{"anyOf":[{"enum":["a",1,null,true]},{"const":{"a":[]}},{"type":"array","items":{"type":"string"},"minItems":1}]}`), true},
		"a limit's name":           {of(`{"type":"object","properties":{"minimum":{"type":"number"},"enum":{"type":"object","additionalProperties":false}},"additionalProperties":false}`), true},
		"references":               {defining(`{"anyOf":[{"$ref":"#/$defs/b"},{"$ref":"#/$defs/a"},{"$ref":"#/$defs/b"}]}`, `{"type":"string"}`), true},
		"to an escaped name":       {`{"type":"object","properties":{"p":{"$ref":"#/$defs/a~1%C3%A4"}},"additionalProperties":false,"$defs":{"a/ä":{"type":"null"}}}`, true},
		"what is open is refused":  {of(`{"type":"object","properties":{"n":{"type":"number","minimum":1}}}`), true},
		"what is no schema, too":   {`[]`, true},
		"limits of a number":       {of(`{"type":"integer","minimum":0}`), false},
		"of a string":              {of(`{"type":"string","maxLength":3}`), false},
		"of a string's shape":      {of(`{"type":"string","pattern":"^a"}`), false},
		"another format":           {of(`{"type":"string","format":"uri-template"}`), false},
		"of a list":                {of(`{"type":"array","items":{"type":"string"},"minItems":2}`), false},
		"in a list":                {of(`{"type":"array","items":{"type":"number","exclusiveMinimum":0}}`), false},
		"in a definition":          {defining(`{"type":"null"}`, `{"type":"number","multipleOf":2}`), false},
		"exactly one of":           {of(`{"oneOf":[{"type":"string"}]}`), false},
		"a choice of objects":      {of(`{"enum":[{"a":1}]}`), false},
		"itself":                   {of(`{"anyOf":[{"$ref":"#"},{"type":"null"}]}`), false},
		"a definition in itself":   {defining(`{"$ref":"#/$defs/b"}`, `{"type":"array","items":{"$ref":"#/$defs/b"}}`), false},
		"a reference to elsewhere": {of(`{"$ref":"https://example.com/a.json"}`), false},
		"to a property":            {of(`{"anyOf":[{"type":"null"},{"$ref":"#/properties/p/anyOf/0"}]}`), false},
		"to nowhere":               {of(`{"$ref":"#/$defs/a"}`), false},
		"to nothing of a list":     {of(`{"anyOf":[{"$ref":"#/properties/p/anyOf/2"},{}]}`), false},
		"to no number of a list":   {of(`{"anyOf":[{"$ref":"#/properties/p/anyOf/01"},{}]}`), false},
		"into what has nothing":    {of(`{"anyOf":[{"$ref":"#/type/a"},{}]}`), false},
		"a property in itself":     {of(`{"type":"array","items":{"$ref":"#/properties/p"}}`), false},
	} {
		t.Run(name, func(t *testing.T) {
			in := converse.Request{
				Format: &converse.Format{Strict: true, Schema: json.RawMessage(tt.schema)},
				Tools:  []converse.Tool{{Name: "f", Strict: true, Schema: json.RawMessage(tt.schema)}},
			}
			got := converse.Loosen(in)
			assert.Equal(t, tt.strict, got.Format.Strict)
			assert.Equal(t, tt.strict, got.Tools[0].Strict)
			assert.True(t, in.Format.Strict && in.Tools[0].Strict, "the request is the caller's")
		})
	}
}

// Each of these is referred to twice by the next, which is more than there is time
// to follow one by one.
func TestReferencesAreFollowedOnce(t *testing.T) {
	defs := `"d0":{"type":"null"}`
	for i := 1; i < 64; i++ {
		ref := fmt.Sprintf(`{"$ref":"#/$defs/d%d"}`, i-1)
		defs += fmt.Sprintf(`,"d%d":{"anyOf":[%s,%s]}`, i, ref, ref)
	}
	schema := `{"type":"object","properties":{"p":{"$ref":"#/$defs/d63"}},"additionalProperties":false,"$defs":{` + defs + `}}`
	got := converse.Loosen(converse.Request{Format: &converse.Format{Strict: true, Schema: json.RawMessage(schema)}})
	assert.True(t, got.Format.Strict)
}
