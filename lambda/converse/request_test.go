package converse_test

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	sonnet45 = "anthropic.claude-sonnet-4-5-20250929-v1:0"
	sonnet46 = "anthropic.claude-sonnet-4-6"
	sonnet5  = "anthropic.claude-sonnet-5"
	opus47   = "anthropic.claude-opus-4-7"
	opus55   = "anthropic.claude-opus-5-5"
	novaPro  = "amazon.nova-pro-v1:0"
	nova2    = "amazon.nova-2-lite-v1:0"
	llama    = "meta.llama3-3-70b-instruct-v1:0"
)

var (
	weather = converse.Tool{Name: "weather", Description: "tells it", Schema: json.RawMessage(`{"type":"object","z":12345678901234567890,"a":1}`)}
	thought = converse.Part{Reasoning: &converse.Reasoning{Text: "hmm", Signature: "sig"}}
	called  = converse.Part{ToolUse: &converse.ToolUse{ID: "u1", Name: "weather", Input: json.RawMessage(`{"n":12345678901234567890}`)}}
	told    = converse.Part{ToolResult: &converse.ToolResult{ID: "u1", Parts: []converse.Part{{Text: "rain"}}}}
	schema  = &converse.Format{Name: "point", Description: "a point", Schema: json.RawMessage(`{"type":"object","required":["x"],"additionalProperties":false}`), Strict: true}
)

// to is a question to a model, changed.
func to(model string, change func(*converse.Request)) converse.Request {
	r := ask("hello")
	r.Model = model
	change(&r)
	return r
}

// afterTool is a conversation in which a tool was used.
func afterTool(model string, before ...converse.Part) converse.Request {
	return to(model, func(r *converse.Request) {
		r.Messages = append(r.Messages,
			converse.Message{Role: converse.Assistant, Parts: append(before, called)},
			converse.Message{Role: converse.User, Parts: []converse.Part{told}})
	})
}

// useAndResult is what called and told are sent as.
func useAndResult(id string) string {
	return `{"role":"assistant","content":[{"toolUse":{"toolUseId":"` + id + `","name":"weather","input":{"n":12345678901234567890}}}]},
		{"role":"user","content":[{"toolResult":{"toolUseId":"` + id + `","content":[{"text":"rain"}]}}]}`
}

// TestPartsOfTheWire compares single members of what is sent.
func TestPartsOfTheWire(t *testing.T) {
	const spec = `{"toolSpec":{"name":"weather","description":"tells it","inputSchema":{"json":{"type":"object","z":12345678901234567890,"a":1}}}}`
	const answer = `{"toolSpec":{"name":"answer_in_json","description":"a point","inputSchema":{"json":{"type":"object","required":["x"],"additionalProperties":false}}}}`
	loose := *schema
	loose.Strict = false
	tests := []struct {
		name, member, want string
		in                 converse.Request
	}{
		{"images, files and what tools answered", "messages", `[{"role":"user","content":[{"text":"look"},
			{"image":{"format":"png","source":{"bytes":"cG5n"}}},{"document":{"format":"pdf","name":"document 1","source":{"bytes":"cGRm"}}},
			{"document":{"format":"txt","name":"notes","source":{"bytes":"dA=="}}},
			{"toolResult":{"toolUseId":"u1","status":"error","content":[{"text":"no"},{"image":{"format":"gif","source":{"bytes":"Z2lm"}}},
			{"document":{"format":"csv","name":"document 3","source":{"bytes":"YQ=="}}}]}}]}]`,
			to(novaPro, func(r *converse.Request) {
				r.Messages[0].Parts = []converse.Part{
					{Text: "look"}, {Image: &converse.Image{Format: "png", Bytes: []byte("png")}},
					{Document: &converse.Document{Format: "pdf", Bytes: []byte("pdf")}},
					{Document: &converse.Document{Name: "notes", Format: "txt", Bytes: []byte("t")}},
					{ToolResult: &converse.ToolResult{ID: "u1", Failed: true, Parts: []converse.Part{
						{Text: "no"}, {Image: &converse.Image{Format: "gif", Bytes: []byte("gif")}},
						{Document: &converse.Document{Format: "csv", Bytes: []byte("a")}},
					}}},
				}
			})},
		{"files without a word", "messages", `[{"role":"user","content":[{"text":"(A file.)"},{"document":{"format":"pdf","name":"document 1","source":{"bytes":"cGRm"}}}]},
			{"role":"assistant","content":[{"toolUse":{"toolUseId":"u1","name":"weather","input":{"n":12345678901234567890}}}]},
			{"role":"user","content":[{"toolResult":{"toolUseId":"u1","content":[{"text":"(A file.)"},{"document":{"format":"pdf","name":"document 2","source":{"bytes":"cGRm"}}}]}},
			{"text":"(A file.)"},{"document":{"format":"pdf","name":"document 3","source":{"bytes":"cGRm"}}}]}]`,
			func() converse.Request {
				r := afterTool(sonnet45)
				file := converse.Part{Document: &converse.Document{Format: "pdf", Bytes: []byte("pdf")}}
				r.Messages[0].Parts = []converse.Part{file}
				r.Messages[2].Parts = []converse.Part{{ToolResult: &converse.ToolResult{ID: "u1", Parts: []converse.Part{file}}}, file}
				return r
			}()},
		{"thoughts go back with their proof, arguments as they were", "messages", `[{"role":"user","content":[{"text":"hello"}]},
			{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hmm","signature":"sig"}}},
			{"reasoningContent":{"redactedContent":"eA=="}},{"toolUse":{"toolUseId":"u1","name":"weather","input":{"n":12345678901234567890}}}]},
			{"role":"user","content":[{"toolResult":{"toolUseId":"u1","content":[{"text":"rain"}]}}]}]`,
			afterTool(sonnet45, thought, converse.Part{Reasoning: &converse.Reasoning{Redacted: []byte("x")}}, converse.Part{Reasoning: &converse.Reasoning{Text: "unproven"}})},
		{"an id that comes back is sent as another", "messages", `[{"role":"user","content":[{"text":"hello"}]},` + useAndResult("u1") + `,` + useAndResult("u1.2") + `,` + useAndResult("u1.3") + `]`,
			to(sonnet45, func(r *converse.Request) {
				for range 3 {
					r.Messages = append(r.Messages, afterTool(sonnet45).Messages[1:]...)
				}
			})},
		{"thoughts of another kind of model stay here", "messages", `[{"role":"user","content":[{"text":"hello"}]},
			{"role":"assistant","content":[{"toolUse":{"toolUseId":"u1","name":"weather","input":{"n":12345678901234567890}}}]},
			{"role":"user","content":[{"toolResult":{"toolUseId":"u1","content":[{"text":"rain"}]}}]}]`,
			func() converse.Request {
				r := afterTool(novaPro, thought)
				r.Tools = []converse.Tool{weather}
				return r
			}()},
		{"tools, as the model sees fit", "toolConfig", `{"tools":[` + spec + `]}`,
			to(novaPro, func(r *converse.Request) { r.Tools = []converse.Tool{weather} })},
		{"some tool", "toolConfig", `{"tools":[` + spec + `],"toolChoice":{"any":{}}}`,
			to(novaPro, func(r *converse.Request) {
				r.Tools, r.ToolChoice.Mode = []converse.Tool{weather}, converse.ToolAny
			})},
		{"a certain tool", "toolConfig", `{"tools":[` + spec + `],"toolChoice":{"tool":{"name":"weather"}}}`,
			to(novaPro, func(r *converse.Request) {
				r.Tools, r.ToolChoice = []converse.Tool{weather}, converse.ToolChoice{Mode: converse.ToolOne, Name: "weather"}
			})},
		{"no tool, where none was used", "toolConfig", `null`,
			to(novaPro, func(r *converse.Request) { r.Tools, r.ToolChoice.Mode = []converse.Tool{weather}, converse.ToolNone })},
		{"no tool, after one was used", "additionalModelRequestFields", `{"tool_choice":{"type":"none"}}`, afterTool(sonnet45)},
		{"tools that are only in the history", "toolConfig", `{"tools":[{"toolSpec":{"name":"weather","inputSchema":{"json":{"type":"object"}}}}]}`, afterTool(sonnet45)},
		{"one tool at a time", "additionalModelRequestFields", `{"tool_choice":{"type":"auto","disable_parallel_tool_use":true}}`,
			to(sonnet45, func(r *converse.Request) {
				r.Tools, r.ToolChoice.Single = []converse.Tool{weather}, true
			})},
		{"one tool at a time has one choice", "toolConfig", `{"tools":[` + spec + `]}`,
			to(sonnet45, func(r *converse.Request) {
				r.Tools, r.ToolChoice = []converse.Tool{weather}, converse.ToolChoice{Mode: converse.ToolAny, Single: true}
			})},
		{"a certain tool, once", "additionalModelRequestFields", `{"tool_choice":{"type":"tool","name":"weather","disable_parallel_tool_use":true}}`,
			to(sonnet45, func(r *converse.Request) {
				r.Tools, r.ToolChoice = []converse.Tool{weather}, converse.ToolChoice{Mode: converse.ToolOne, Name: "weather", Single: true}
			})},
		{"a strict tool", "toolConfig", `{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{}},"strict":true}}]}`,
			to(sonnet45, func(r *converse.Request) {
				r.Tools = []converse.Tool{{Name: "f", Schema: json.RawMessage(`{}`), Strict: true}}
			})},
		{"a strict tool of a model that keeps to no schema", "toolConfig", `{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]}`,
			to(novaPro, func(r *converse.Request) {
				r.Tools = []converse.Tool{{Name: "f", Schema: json.RawMessage(`{"type":"object"}`), Strict: true}}
			})},
		{"a strict tool of a Claude whose schema Bedrock refuses", "toolConfig", `{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]}`,
			to(opus55, func(r *converse.Request) {
				r.Tools = []converse.Tool{{Name: "f", Schema: json.RawMessage(`{"type":"object"}`), Strict: true}}
			})},
		{"no more tools of a model that would use them", "toolConfig", `null`, afterTool(novaPro)},
		{"so that their use is told in words", "messages", `[{"role":"user","content":[{"text":"hello"}]},
			{"role":"assistant","content":[{"text":"(I called weather with {\"n\":12345678901234567890}.)"}]},
			{"role":"user","content":[{"text":"weather answered:"},{"text":"rain"}]}]`, afterTool(novaPro)},
		{"to a model without tools, too", "messages", `[{"role":"user","content":[{"text":"hello"}]},
			{"role":"assistant","content":[{"text":"(I called weather with {\"n\":12345678901234567890}.)"}]},
			{"role":"user","content":[{"text":"weather answered:"},{"text":"rain"}]}]`, afterTool(llama)},
		{"none of the tools that there are", "toolConfig", `null`,
			func() converse.Request {
				r := afterTool(novaPro)
				r.Tools, r.ToolChoice.Mode = []converse.Tool{weather}, converse.ToolNone
				return r
			}()},
		{"a schema that the model keeps to", "outputConfig", `{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{
			"schema":"{\"type\":\"object\",\"required\":[\"x\"],\"additionalProperties\":false}","name":"point","description":"a point"}}}}`,
			to(sonnet45, func(r *converse.Request) { r.Format = schema })},
		{"a schema that it might not keep to is that of a tool", "toolConfig", `{"tools":[` + answer + `],"toolChoice":{"tool":{"name":"answer_in_json"}}}`,
			to(sonnet45, func(r *converse.Request) { r.Format = &loose })},
		{"a model without schemas answers by a tool", "toolConfig", `{"tools":[` + answer + `],"toolChoice":{"tool":{"name":"answer_in_json"}}}`,
			to(novaPro, func(r *converse.Request) { r.Format = schema })},
		{"and so does a Claude whose schema Bedrock refuses", "toolConfig", `{"tools":[` + answer + `],"toolChoice":{"tool":{"name":"answer_in_json"}}}`,
			to(opus47, func(r *converse.Request) { r.Format = schema })},
		{"but one that cannot be made to use a tool", "toolConfig", `null`, to(opus55, func(r *converse.Request) { r.Format = schema })},
		{"or by another tool, if there are any", "toolConfig", `{"tools":[` + spec + `,` + answer + `],"toolChoice":{"any":{}}}`,
			to(novaPro, func(r *converse.Request) { r.Format, r.Tools = schema, []converse.Tool{weather} })},
		{"but not if it must use another", "toolConfig", `{"tools":[` + spec + `],"toolChoice":{"any":{}}}`,
			to(novaPro, func(r *converse.Request) {
				r.Format, r.Tools, r.ToolChoice.Mode = schema, []converse.Tool{weather}, converse.ToolAny
			})},
		{"any JSON, under a name that no tool has", "toolConfig", `{"tools":[{"toolSpec":{"name":"answer_in_json","inputSchema":{"json":{}}}},
			{"toolSpec":{"name":"answer_in_json_","description":"Gives the answer. Nobody reads any other.","inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{"any":{}}}`,
			to(novaPro, func(r *converse.Request) {
				r.Format, r.Tools = &converse.Format{}, []converse.Tool{{Name: "answer_in_json", Schema: json.RawMessage(`{}`)}}
			})},
		{"a budget for thoughts", "additionalModelRequestFields", `{"thinking":{"type":"enabled","budget_tokens":8192}}`,
			to(sonnet45, func(r *converse.Request) { r.Effort = "medium" })},
		{"which is on top of what an answer has by default", "inferenceConfig", `{"maxTokens":12288}`,
			to(sonnet45, func(r *converse.Request) { r.Effort = "medium" })},
		{"but half of what the caller allows", "additionalModelRequestFields", `{"thinking":{"type":"enabled","budget_tokens":1500}}`,
			to(sonnet45, func(r *converse.Request) { r.Effort, r.MaxTokens = "low", 3000 })},
		{"and the least that there is", "additionalModelRequestFields", `{"thinking":{"type":"enabled","budget_tokens":1024}}`,
			to(sonnet45, func(r *converse.Request) { r.Effort, r.MaxTokens = "high", 1025 })},
		{"no thoughts on a tool without those before it", "additionalModelRequestFields", `{"tool_choice":{"type":"none"}}`,
			func() converse.Request { r := afterTool(sonnet45); r.Effort = "low"; return r }()},
		{"nor without their proof", "additionalModelRequestFields", `{"tool_choice":{"type":"none"}}`,
			func() converse.Request {
				r := afterTool(sonnet45, converse.Part{Reasoning: &converse.Reasoning{Text: "unproven"}})
				r.Effort = "low"
				return r
			}()},
		{"thoughts on a tool with those before it", "additionalModelRequestFields", `{"thinking":{"type":"enabled","budget_tokens":2048},"tool_choice":{"type":"none"}}`,
			func() converse.Request { r := afterTool(sonnet45, thought); r.Effort = "low"; return r }()},
		{"thoughts as the model sees fit", "additionalModelRequestFields", `{"thinking":{"type":"adaptive"}}`,
			to(sonnet46, func(r *converse.Request) { r.Effort = "low" })},
		{"and told, of a model that would keep them", "additionalModelRequestFields", `{"thinking":{"type":"adaptive","display":"summarized"}}`,
			to(sonnet5, func(r *converse.Request) { r.Effort = "high" })},
		{"no temperature for a model with its own", "inferenceConfig", `{"maxTokens":4096}`,
			to(sonnet5, func(r *converse.Request) { r.Temperature, r.TopP = aws.Float32(1), aws.Float32(1) })},
		{"within an effort", "outputConfig", `{"effort":"low"}`, to(sonnet46, func(r *converse.Request) { r.Effort = "low" })},
		{"Nova's reasoning", "additionalModelRequestFields", `{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"}}`,
			to(nova2, func(r *converse.Request) { r.Effort = "low" })},
		{"Nova has a bound at low effort", "inferenceConfig", `{"maxTokens":4096}`, to(nova2, func(r *converse.Request) { r.Effort = "low" })},
		{"Nova has none at the highest", "inferenceConfig", `{}`, to(nova2, func(r *converse.Request) { r.Effort = "high" })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, converse.Check(tt.in))
			_, body := wire(t, tt.in)
			var members map[string]json.RawMessage
			require.NoError(t, json.Unmarshal([]byte(body), &members))
			got := members[tt.member]
			if got == nil {
				got = json.RawMessage("null")
			}
			assert.JSONEq(t, tt.want, string(got))
		})
	}
}

func TestNumbersKeepTheirDigits(t *testing.T) {
	_, body := wire(t, to(novaPro, func(r *converse.Request) { r.Tools = []converse.Tool{weather} }))
	assert.Contains(t, body, `"json":{"type":"object","z":12345678901234567890,"a":1}`)
	_, body = wire(t, afterTool(sonnet45))
	assert.Contains(t, body, `"input":{"n":12345678901234567890}`)
}
