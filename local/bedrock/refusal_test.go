package bedrock_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFeaturesThatBedrockRefuses(t *testing.T) {
	hello := text("hello")
	f := named("f")
	many := func(n int, block string) string { return strings.TrimSuffix(strings.Repeat(block+",", n), ",") }
	files := func(names ...string) string {
		all := []string{hello}
		for _, n := range names {
			all = append(all, fmt.Sprintf(txt, n))
		}
		return strings.Join(all, ",")
	}
	big := func(kind, format, more string, size int) string {
		return fmt.Sprintf(`{"%s":{"format":"%s"%s,"source":{"bytes":"%s"}}}`, kind, format, more, base64.StdEncoding.EncodeToString(make([]byte, size)))
	}
	additional := func(fields string) string { return `"additionalModelRequestFields":` + fields }
	config := func(c string) string { return `"inferenceConfig":` + c }
	spec := func(members string) string { return toolConfig("", `{"toolSpec":{`+members+`}}`) }
	const object = `"inputSchema":{"json":{"type":"object"}}`
	tests := []struct{ name, model, body, want string }{
		{"an image without data", sonnet, user(`{"image":{"format":"png","source":{}}}`), "Could not process image"},
		{"an image of another format", sonnet, user(strings.Replace(png, "png", "gif", 1)), "Could not process image"},
		{"an image of an unknown format", sonnet, user(strings.Replace(png, "png", "bmp", 1)), "one of png, jpeg, gif and webp"},
		{"an image with an unknown member", sonnet, user(`{"image":{"format":"png","source":{},"x":1}}`), `unknown field "x"`},
		{"too large an image", sonnet, user(big("image", "png", "", 3_750_001)), "image exceeds"},
		{"too many images", sonnet, user(many(21, png)), "maximum of 20 images"},
		{"an image by the assistant", sonnet, conversation([]string{hello, png, hello}), "does not belong to assistant content"},
		{"an image for a model without eyes", "meta.llama3-3-70b-instruct-v1:0", user(png), "doesn't support the image content block"},
		{"a file of an unknown format", sonnet, user(strings.Replace(files("a"), `"txt"`, `"zip"`, 1)), "document.format"},
		{"a file without data", sonnet, user(hello + `,{"document":{"format":"txt","name":"a","source":{}}}`), "at least 1 byte"},
		{"a PDF that is none", sonnet, user(strings.Replace(files("a"), `"txt"`, `"pdf"`, 1)), "not valid"},
		{"too large a file", sonnet, user(hello + "," + big("document", "txt", `,"name":"a"`, 4_500_001)), "exceeds 4500000 bytes"},
		{"too many files", sonnet, user(files("a", "b", "c", "d", "e", "f")), "maximum of 5 documents"},
		{"a file with a dot in its name", sonnet, user(files("a.txt")), "document file name"},
		{"a file with two spaces in its name", sonnet, user(files("a  b")), "document file name"},
		{"two files of one name", sonnet, user(files("a", "a")), "must be unique"},
		{"a file without a word", sonnet, user(fmt.Sprintf(txt, "a")), "no text"},

		{"a history with tools but no tools", sonnet, conversation([]string{hello, fmt.Sprintf(use, "u"), fmt.Sprintf(result, "u")}), "toolConfig field must be defined"},
		{"no tools in a list of tools", sonnet, user(hello, toolConfig("")), "at least 1 long"},
		{"a tool that is none", sonnet, user(hello, toolConfig("", `{}`)), "exactly one member"},
		{"two tools of one name", sonnet, user(hello, toolConfig("", f, f)), "must be unique"},
		{"a name of a tool", sonnet, user(hello, toolConfig("", named("a.b"))), "toolSpec.name"},
		{"an empty description", sonnet, user(hello, spec(`"name":"f","description":"",`+object)), "toolSpec.description"},
		{"a schema of no object", sonnet, user(hello, spec(`"name":"f","inputSchema":{"json":{"type":"array"}}`)), "inputSchema.json.type"},
		{"a strict tool of a model that is not", novaPro, user(hello, spec(`"name":"f","strict":true,`+object)), "strict"},
		{"a strict tool that is open", sonnet, user(hello, spec(`"name":"f","strict":true,`+object)), "additionalProperties"},
		{"a strict tool that limits a value", sonnet, user(hello, spec(`"name":"f","strict":true,"inputSchema":{"json":{"type":"object","additionalProperties":false,"properties":{"n":{"type":"integer","minimum":1}}}}`)), "'minimum' is not supported"},
		{"definitions for a model that takes none", novaPro, user(hello, spec(`"name":"f","inputSchema":{"json":{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{"a":{}}}}`)), "definitions or references"},
		{"a reference inside, for a model that takes none", novaPro, user(hello, spec(`"name":"f","inputSchema":{"json":{"type":"object","properties":{"a":{"anyOf":[{"$ref":"#/properties/b"}]}}}}`)), "definitions or references"},
		{"a choice of nothing", sonnet, user(hello, toolConfig(`{}`, f)), "0 members"},
		{"a choice of two kinds", sonnet, user(hello, toolConfig(`{"auto":{},"any":{}}`, f)), "2 members"},
		{"a choice of an unknown tool", sonnet, user(hello, toolConfig(`{"tool":{"name":"g"}}`, f)), "none of toolConfig.tools"},
		{"a choice of a model that has none", "meta.llama3-3-70b-instruct-v1:0", user(hello, toolConfig(`{"any":{}}`, f)), "doesn't support the toolConfig.toolChoice"},
		{"two choices", sonnet, user(hello, toolConfig(`{"auto":{}}`, f), additional(`{"tool_choice":{"type":"auto"}}`)), "conflicts with toolConfig.toolChoice"},
		{"a choice without tools", sonnet, user(hello, additional(`{"tool_choice":{"type":"auto"}}`)), "only be specified while providing tools"},
		{"a choice without a type", sonnet, user(hello, toolConfig("", f), additional(`{"tool_choice":{"disable_parallel_tool_use":true}}`)), "tool_choice.type"},
		{"a choice of none that is single", sonnet, user(hello, toolConfig("", f), additional(`{"tool_choice":{"type":"none","disable_parallel_tool_use":true}}`)), "Extra inputs"},
		{"Anthropic's choice of an unknown tool", sonnet, user(hello, toolConfig("", f), additional(`{"tool_choice":{"type":"tool","name":"g"}}`)), "not found"},
		{"Anthropic's choice of another model", novaPro, user(hello, toolConfig("", f), additional(`{"tool_choice":{"type":"auto"}}`)), "extraneous key [tool_choice]"},
		{"a use without arguments", sonnet, conversation([]string{hello, `{"toolUse":{"toolUseId":"u","name":"f","input":[]}}`, fmt.Sprintf(result, "u")}, toolConfig("", f)), "toolUse.input is invalid"},
		{"a use with an odd id", sonnet, conversation([]string{hello, fmt.Sprintf(use, "u u"), fmt.Sprintf(result, "u")}, toolConfig("", f)), "toolUse.toolUseId"},
		{"a use by the user", sonnet, user(fmt.Sprintf(use, "u"), toolConfig("", f)), "does not belong to user content"},
		{"a result without content", sonnet, conversation([]string{hello, fmt.Sprintf(use, "u"), `{"toolResult":{"toolUseId":"u"}}`}, toolConfig("", f)), "required key [content]"},
		{"a result of an odd status", sonnet, conversation([]string{hello, fmt.Sprintf(use, "u"), `{"toolResult":{"toolUseId":"u","content":[],"status":"ok"}}`}, toolConfig("", f)), "success or error"},
		{"a result that nobody waits for", sonnet, user(fmt.Sprintf(result, "u"), toolConfig("", f)), "exceeds the number of toolUse blocks"},
		{"a use without its result", sonnet, conversation([]string{hello, fmt.Sprintf(use, "u") + "," + fmt.Sprintf(use, "v"), fmt.Sprintf(result, "u")}, toolConfig("", f)), "for the following Ids: v"},
		{"two uses of one id", sonnet, conversation([]string{hello, fmt.Sprintf(use, "u") + "," + fmt.Sprintf(use, "u"), fmt.Sprintf(result, "u")}, toolConfig("", f)), "toolUse blocks at messages.1.content contain duplicate Ids: u"},
		{"two results of one id", sonnet, conversation([]string{hello, fmt.Sprintf(use, "u"), fmt.Sprintf(result, "u") + "," + fmt.Sprintf(result, "u")}, toolConfig("", f)), "toolResult blocks at messages.2.content contain duplicate Ids: u"},
		{"uses of one id in two turns", sonnet, conversation([]string{hello, fmt.Sprintf(use, "u"), fmt.Sprintf(result, "u"), fmt.Sprintf(use, "u"), fmt.Sprintf(result, "u")}, toolConfig("", f)), "messages.3.content.0: `tool_use` ids must be unique"},
		{"a word before the results", sonnet, conversation([]string{hello, fmt.Sprintf(use, "u"), hello + "," + fmt.Sprintf(result, "u")}, toolConfig("", f)), "must come before any other"},

		{"a schema of a model without", novaPro, user(hello, outputSchema(`{}`)), "outputConfig.textFormat"},
		{"a schema that is no JSON", sonnet, user(hello, outputSchema(`{`)), "not valid JSON"},
		{"a schema that is open", sonnet, user(hello, outputSchema(`{"type":"object"}`)), "additionalProperties"},
		{"a schema that limits a string", sonnet, user(hello, outputSchema(`{"anyOf":[{"type":"string","pattern":"a"}]}`)), "'pattern' is not supported"},
		{"a schema that limits a list", sonnet, user(hello, outputSchema(`{"type":"array","items":{"type":"array","minItems":2}}`)), "'minItems' values"},
		{"a schema that limits what is in a list of schemas", sonnet, user(hello, outputSchema(`{"type":"array","items":[{"type":"string","pattern":"a"}]}`)), "'pattern' is not supported"},
		{"a schema that chooses among objects", sonnet, user(hello, outputSchema(`{"enum":[{"a":1}]}`)), "primitive"},
		{"a schema that contains itself", sonnet, user(hello, outputSchema(`{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/a"}]}}}`)), "circular"},
		{"a schema that is itself", sonnet, user(hello, outputSchema(`{"type":"array","items":{"$ref":"#"}}`)), "circular"},
		{"a schema that is elsewhere", sonnet, user(hello, outputSchema(`{"$ref":"https://example.com/a"}`)), "external"},
		{"a schema that is nowhere", sonnet, user(hello, outputSchema(`{"$ref":"#/$defs/b","$defs":{"a":{}}}`)), "not found"},
		{"a schema that is open inside", sonnet, user(hello, outputSchema(`{"type":"object","additionalProperties":false,"properties":{"a":{"type":"array","items":{"type":"object"}}}}`)), "additionalProperties"},
		{"a format that is none", sonnet, user(hello, `"outputConfig":{"textFormat":{"type":"xml"}}`), "outputConfig.textFormat.type"},
		{"an effort of a model without", sonnet, user(hello, `"outputConfig":{"effort":"low"}`), "outputConfig.effort"},
		{"an effort that nobody knows", sonnet46, user(hello, `"outputConfig":{"effort":"some"}`), "one of low"},

		{"thoughts of a model without", novaPro, user(hello, thinking), "extraneous key [thinking]"},
		{"thoughts of an unknown type", sonnet, user(hello, additional(`{"thinking":{"type":"deep"}}`)), "thinking.type"},
		{"too small a budget", sonnet, user(hello, additional(`{"thinking":{"type":"enabled","budget_tokens":1023}}`)), "greater than or equal to 1024"},
		{"a budget over the bound", sonnet, user(hello, thinking, config(`{"maxTokens":1024}`)), "must be greater than `thinking.budget_tokens`"},
		{"a temperature of thoughts", sonnet, user(hello, thinking, config(`{"temperature":0.5}`)), "only be set to 1"},
		{"a narrow choice of thoughts", sonnet, user(hello, thinking, config(`{"topP":0.5}`)), "0.95"},
		{"a forced tool after thoughts", sonnet, user(hello, thinking, toolConfig(`{"any":{}}`, f)), "forces tool use"},
		{"thoughts on a result without those before", sonnet, conversation([]string{hello, fmt.Sprintf(use, "u"), fmt.Sprintf(result, "u")}, toolConfig("", f), thinking), "must start with a thinking block"},
		{"adaptive thoughts of an older model", sonnet, user(hello, adaptive), "not supported on this model"},
		{"adaptive thoughts with a budget", sonnet46, user(hello, additional(`{"thinking":{"type":"adaptive","budget_tokens":1024}}`)), "Extra inputs"},
		{"Nova's unknown effort", nova2, user(hello, additional(`{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"max"}}`)), "maxReasoningEffort"},
		{"Nova's unknown type", nova2, user(hello, additional(`{"reasoningConfig":{"type":"on"}}`)), "reasoningConfig.type"},
		{"Nova's highest effort with a bound", nova2, user(hello, additional(`{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"high"}}`), config(`{"maxTokens":9}`)), "cannot be used with maxReasoningEffort"},
		{"a forced tool after Nova's reasoning", nova2, user(hello, additional(`{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"}}`), toolConfig(`{"any":{}}`, f)), "cannot force a tool"},
		{"more tokens than an answer can have", sonnet, user(hello, config(`{"maxTokens":64001}`)), "exceeds the model limit of 64000"},
		{"a temperature and topP", sonnet, user(hello, config(`{"temperature":1,"topP":1}`)), "cannot both be specified"},
		{"a stop sequence of a model without", "meta.llama3-3-70b-instruct-v1:0", user(hello, config(`{"stopSequences":["a"]}`)), "doesn't support the stopSequences field"},

		{"more cache points than four", sonnet, user(many(5, hello+","+point)), "maximum of 4 blocks"},
		{"a cache point at the beginning", sonnet, user(point + "," + hello), "must come after the content"},
		{"a cache point of another type", sonnet, user(hello + `,{"cachePoint":{"type":"x"}}`), "cachePoint.type"},
		{"a cache point of another time", sonnet, user(hello + `,{"cachePoint":{"type":"default","ttl":"1h"}}`), "cachePoint.ttl"},
		{"a cache point after Nova's tools", novaPro, user(hello, toolConfig("", f, point)), "did not allow prompt caching"},
		{"a cache point of a model without", "meta.llama3-3-70b-instruct-v1:0", user(hello + "," + point), "did not allow prompt caching"},
	}
	b := fast(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { b.refuses(t, tt.model, tt.body, tt.want) })
	}
	resp, body := b.post(t, "/model/us.meta.llama3-3-70b-instruct-v1:0/converse-stream", user(hello, toolConfig("", f)))
	assert.Equal(t, 400, resp.StatusCode)
	assert.Contains(t, body, "in streaming mode")
	assert.Empty(t, b.Calls(), "a refused call reaches no destination")
}
