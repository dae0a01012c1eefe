package converse_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tidwall/gjson"
)

func TestSchemasOfNovaReferToNothing(t *testing.T) {
	for name, tt := range map[string]struct{ schema, want string }{
		"a schema without references stays as it is": {`{"type":"object","z":12345678901234567890,"a": 1}`, `{"type":"object","z":12345678901234567890,"a": 1}`},
		"a definition": {`{"type":"object","properties":{"p":{"$ref":"#/$defs/a"}},"$defs":{"a":{"type":"string"}},"required":["p"]}`,
			`{"type":"object","properties":{"p":{"type":"string"}},"required":["p"]}`},
		"one that nobody refers to": {`{"type":"object","definitions":{}}`, `{"type":"object"}`},
		"beside a description": {`{"type":"object","properties":{"p":{"description":"here","$ref":"#/definitions/a"}},"definitions":{"a":{"description":"there","const":1.50}}}`,
			`{"type":"object","properties":{"p":{"description":"here","const":1.50}}}`},
		"within another, in lists": {`{"type":"object","properties":{"p":{"anyOf":[{"$ref":"#/$defs/a"},{"type":"null"}]}},"$defs":{"a":{"items":{"$ref":"#/$defs/b"}},"b":{"enum":["x"]}}}`,
			`{"type":"object","properties":{"p":{"anyOf":[{"items":{"enum":["x"]}},{"type":"null"}]}}}`},
		"of the root": {`{"type":"object","$ref":"#/$defs/a","$defs":{"a":{"type":"array","properties":{}}}}`, `{"type":"object","properties":{}}`},
		"names and data are no references": {`{"type":"object","properties":{"$ref":{"const":{"$ref":"#/$defs/a"}},"$defs":{"default":{"$defs":1}},"enum":{"$ref":"#/$defs/a"}},"$defs":{"a":{}}}`,
			`{"type":"object","properties":{"$ref":{"const":{"$ref":"#/$defs/a"}},"$defs":{"default":{"$defs":1}},"enum":{}}}`},
		"to a property": {`{"type":"object","properties":{"a":{"type":"string"},"b":{"$ref":"#/properties/a"}}}`,
			`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}}`},
		"to a part of a definition, and of a list": {`{"type":"object","properties":{"p":{"$ref":"#/$defs/a/properties/x"},"q":{"$ref":"#/$defs/a/anyOf/1"}},"$defs":{"a":{"properties":{"x":{"const":1}},"anyOf":[{},{"const":2}]}}}`,
			`{"type":"object","properties":{"p":{"const":1},"q":{"const":2}}}`},
		"to names that are escaped": {`{"type":"object","properties":{"p":{"$ref":"#/$defs/a~1%C3%A4%20~0~01"}},"$defs":{"a/\u00e4 ~~1":{"const":1}}}`,
			`{"type":"object","properties":{"p":{"const":1}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			in := to(novaPro, func(r *converse.Request) { r.Tools = []converse.Tool{{Name: "f", Schema: json.RawMessage(tt.schema)}} })
			require.NoError(t, converse.Check(in))
			_, body := wire(t, in)
			assert.Equal(t, tt.want, gjson.Get(body, "toolConfig.tools.0.toolSpec.inputSchema.json").Raw)
		})
	}
}

func TestSchemasWithoutAnEndAreRefused(t *testing.T) {
	twice := `"d0":{"type":"null"}`
	for i := 1; i < 64; i++ {
		twice += fmt.Sprintf(`,"d%d":{"anyOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]}`, i, i-1, i-1)
	}
	for name, defs := range map[string]string{
		"itself":        `"p":{"items":{"$ref":"#/$defs/p"}}`,
		"nothing but":   `"p":{"$ref":"#/$defs/p"}`,
		"nowhere":       `"q":{}`,
		"its property":  `"p":{"$ref":"#/properties/p"}`,
		"no number":     `"p":{"anyOf":[{"$ref":"#/$defs/q/01"}]},"q":[{},{}]`,
		"no text":       `"p":{"$ref":"#/$defs/p%2"}`,
		"all too often": twice + `,"p":{"$ref":"#/$defs/d63"}`,
	} {
		schema := json.RawMessage(`{"type":"object","properties":{"p":{"$ref":"#/$defs/p"}},"$defs":{` + defs + `}}`)
		for feature, in := range map[converse.Feature]converse.Request{
			converse.FeatureTools:  to(novaPro, func(r *converse.Request) { r.Tools = []converse.Tool{{Name: "f", Schema: schema}} }),
			converse.FeatureFormat: to(novaPro, func(r *converse.Request) { r.Format = &converse.Format{Schema: schema} }),
		} {
			var unfit *converse.Unfit
			require.ErrorAs(t, converse.Check(in), &unfit, name)
			assert.Equal(t, feature, unfit.Feature, name)
		}
		assert.NoError(t, converse.Check(to(sonnet45, func(r *converse.Request) { r.Tools = []converse.Tool{{Name: "f", Schema: schema}} })), name)
	}
}

// TestLongSchemasOfNovaTakeNoTime: what is long or deep is given up before it is
// read again and again.
func TestLongSchemasOfNovaTakeNoTime(t *testing.T) {
	refers := strings.Repeat(`{"$ref":"#/$defs/z"},`, 4000)
	long := `"` + strings.Repeat("x", 4<<20) + `"`
	most := `"` + strings.Repeat("x", 150<<10) + `"`
	for name, schema := range map[string]string{
		"references past something long": `{"anyOf":[` + refers + `{}],"$defs":{"a":{"const":` + long + `},"z":{}}}`,
		"past something that may be":     `{"anyOf":[` + refers + `{}],"$defs":{"a":{"const":` + most + `},"z":{}}}`,
		"something long deep inside":     strings.Repeat(`{"not":`, 4900) + `{"$ref":"#/$defs/z","const":` + long + `}` + strings.Repeat("}", 4900),
		"something that may be":          `{"$defs":{"z":{}},"not":` + strings.Repeat(`{"not":`, 4900) + `{"$ref":"#/$defs/z","const":` + most + `}` + strings.Repeat("}", 4901),
	} {
		var unfit *converse.Unfit
		in := to(novaPro, func(r *converse.Request) { r.Tools = []converse.Tool{{Name: "f", Schema: json.RawMessage(schema)}} })
		require.ErrorAs(t, converse.Check(in), &unfit, name)
		assert.Contains(t, unfit.Error(), "256 KiB", name)
	}
	plain := json.RawMessage(`{"type":"object","description":` + long + `}`)
	assert.NoError(t, converse.Check(to(novaPro, func(r *converse.Request) { r.Tools = []converse.Tool{{Name: "f", Schema: plain}} })), "as it is")
}
