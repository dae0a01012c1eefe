package converse_test

import (
	"encoding/json"
	"fmt"
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
