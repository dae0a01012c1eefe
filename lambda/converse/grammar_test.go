package converse_test

import (
	"encoding/json"
	"testing"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
)

func TestGrammar(t *testing.T) {
	const claude = "anthropic.claude-sonnet-4-5-20250929-v1:0"
	schema := json.RawMessage(`{"type":"object","properties":{},"additionalProperties":false}`)
	strict := func(name string) converse.Tool { return converse.Tool{Name: name, Schema: schema, Strict: true} }
	format := func(f converse.Format) converse.Request { return converse.Request{Model: claude, Format: &f} }
	tools := func(all ...converse.Tool) converse.Request { return converse.Request{Model: claude, Tools: all} }
	used := []converse.Message{{Parts: []converse.Part{{ToolUse: &converse.ToolUse{ID: "1", Name: "a", Input: []byte(`{}`)}}}}}
	for name, r := range map[string]converse.Request{
		"no schema":      {Model: claude},
		"any JSON":       format(converse.Format{Strict: true}),
		"a loose format": format(converse.Format{Schema: schema}),
		"a loose tool":   tools(converse.Tool{Name: "a", Schema: schema}),
		"a model that only sees it": {
			Model: "amazon.nova-pro-v1:0", Format: &converse.Format{Schema: schema, Strict: true}, Tools: []converse.Tool{strict("a")},
		},
		"tools that are not to be used": {Model: claude, Tools: []converse.Tool{strict("a")}, ToolChoice: converse.ToolChoice{Mode: converse.ToolNone}},
	} {
		assert.Zero(t, r.Grammar(), name)
	}
	different := map[converse.Grammar]bool{}
	for _, r := range []converse.Request{
		format(converse.Format{Schema: schema, Strict: true}), format(converse.Format{Schema: append(schema, ' '), Strict: true}),
		tools(strict("a")), tools(strict("b")), tools(strict("a"), strict("b")),
	} {
		assert.NotZero(t, r.Grammar())
		different[r.Grammar()] = true
	}
	assert.Len(t, different, 5)
	again := format(converse.Format{Schema: schema, Strict: true, Name: "other", Description: "words"})
	assert.True(t, different[again.Grammar()], "names and words are not compiled")
	before := tools(strict("a"))
	before.ToolChoice.Mode, before.Messages = converse.ToolNone, used
	assert.True(t, different[before.Grammar()], "what was used is sent")
}
