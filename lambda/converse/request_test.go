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
	novaPro  = "amazon.nova-pro-v1:0"
	nova2    = "amazon.nova-2-lite-v1:0"
	llama    = "meta.llama3-3-70b-instruct-v1:0"
)

var (
	weather = converse.Tool{Name: "weather", Description: "tells it", Schema: json.RawMessage(`{"type":"object","z":12345678901234567890,"a":1}`)}
	thought = converse.Part{Reasoning: &converse.Reasoning{Text: "hmm", Signature: "sig"}}
	called  = converse.Part{ToolUse: &converse.ToolUse{ID: "u1", Name: "weather", Input: json.RawMessage(`{"n":12345678901234567890}`)}}
	told    = converse.Part{ToolResult: &converse.ToolResult{ID: "u1", Parts: []converse.Part{{Text: "rain"}}}}
	schema  = &converse.Format{Name: "point", Description: "a point", Schema: json.RawMessage(`{"type":"object","required":["x"]}`), Strict: true}
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

// TestPartsOfTheWire compares single members of what is sent.
func TestPartsOfTheWire(t *testing.T) {
	const spec = `{"toolSpec":{"name":"weather","description":"tells it","inputSchema":{"json":{"type":"object","z":12345678901234567890,"a":1}}}}`
	const answer = `{"toolSpec":{"name":"answer_in_json","description":"a point","inputSchema":{"json":{"type":"object","required":["x"]}}}}`
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
		{"thoughts go back with their proof, arguments as they were", "messages", `[{"role":"user","content":[{"text":"hello"}]},
			{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hmm","signature":"sig"}}},
			{"reasoningContent":{"redactedContent":"eA=="}},{"toolUse":{"toolUseId":"u1","name":"weather","input":{"n":12345678901234567890}}}]},
			{"role":"user","content":[{"toolResult":{"toolUseId":"u1","content":[{"text":"rain"}]}}]}]`,
			afterTool(sonnet45, thought, converse.Part{Reasoning: &converse.Reasoning{Redacted: []byte("x")}}, converse.Part{Reasoning: &converse.Reasoning{Text: "unproven"}})},
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
		{"a schema that the model keeps to", "outputConfig", `{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{
			"schema":"{\"type\":\"object\",\"required\":[\"x\"]}","name":"point","description":"a point"}}}}`,
			to(sonnet45, func(r *converse.Request) { r.Format = schema })},
		{"a schema that it might not keep to is that of a tool", "toolConfig", `{"tools":[` + answer + `],"toolChoice":{"tool":{"name":"answer_in_json"}}}`,
			to(sonnet45, func(r *converse.Request) { r.Format = &loose })},
		{"a model without schemas answers by a tool", "toolConfig", `{"tools":[` + answer + `],"toolChoice":{"tool":{"name":"answer_in_json"}}}`,
			to(novaPro, func(r *converse.Request) { r.Format = schema })},
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
		{"thoughts on a tool with those before it", "additionalModelRequestFields", `{"thinking":{"type":"enabled","budget_tokens":2048},"tool_choice":{"type":"none"}}`,
			func() converse.Request { r := afterTool(sonnet45, thought); r.Effort = "low"; return r }()},
		{"thoughts as the model sees fit", "additionalModelRequestFields", `{"thinking":{"type":"adaptive"}}`,
			to(sonnet46, func(r *converse.Request) { r.Effort = "low" })},
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

func TestWhatAModelCannotDoIsRefused(t *testing.T) {
	tool := func(model string, change func(*converse.Request)) converse.Request {
		return to(model, func(r *converse.Request) { r.Tools = []converse.Tool{weather}; change(r) })
	}
	effort := func(model string, change func(*converse.Request)) converse.Request {
		return to(model, func(r *converse.Request) { r.Effort = "high"; change(r) })
	}
	parts := func(model string, parts ...converse.Part) converse.Request {
		return to(model, func(r *converse.Request) { r.Messages[0].Parts = append(r.Messages[0].Parts, parts...) })
	}
	images := func(n, size int) []converse.Part {
		all := make([]converse.Part, n)
		for i := range all {
			all[i].Image = &converse.Image{Format: "png", Bytes: make([]byte, size)}
		}
		return all
	}
	files := func(n, size int) []converse.Part {
		all := make([]converse.Part, n)
		for i := range all {
			all[i].Document = &converse.Document{Format: "pdf", Bytes: make([]byte, size)}
		}
		return all
	}
	nothing := func(*converse.Request) {}
	tests := []struct {
		name string
		in   converse.Request
		want converse.Feature
	}{
		{"tools of a model without", tool(llama, nothing), converse.FeatureTools},
		{"tools of a model that nobody knows", tool("", nothing), converse.FeatureTools},
		{"a history with tools for a model without", afterTool(llama), converse.FeatureTools},
		{"a tool that must be used", tool("mistral.mistral-large-2407-v1:0", func(r *converse.Request) { r.ToolChoice.Mode = converse.ToolAny }), converse.FeatureToolChoice},
		{"a tool that must be used after thoughts", tool(sonnet45, func(r *converse.Request) { r.ToolChoice.Mode, r.Effort = converse.ToolAny, "low" }), converse.FeatureToolChoice},
		{"no more tools", afterTool(novaPro), converse.FeatureToolChoice},
		{"one tool at a time", tool(novaPro, func(r *converse.Request) { r.ToolChoice.Single = true }), converse.FeatureSingle},
		{"a strict tool", tool(novaPro, func(r *converse.Request) { r.Tools[0].Strict = true }), converse.FeatureTools},
		{"JSON of a model without tools", to(llama, func(r *converse.Request) { r.Format = schema }), converse.FeatureFormat},
		{"any JSON after thoughts", effort(sonnet45, func(r *converse.Request) { r.Format = &converse.Format{} }), converse.FeatureFormat},
		{"a schema after thoughts", effort(nova2, func(r *converse.Request) { r.Format = schema }), converse.FeatureFormat},
		{"thoughts", effort(novaPro, nothing), converse.FeatureEffort},
		{"a temperature of thoughts", effort(sonnet45, func(r *converse.Request) { r.Temperature = aws.Float32(0.5) }), converse.FeatureTemperature},
		{"a temperature of unbounded thoughts", effort(nova2, func(r *converse.Request) { r.Temperature = aws.Float32(1) }), converse.FeatureTemperature},
		{"a narrow choice of thoughts", effort(sonnet46, func(r *converse.Request) { r.TopP = aws.Float32(0.9) }), converse.FeatureTopP},
		{"a choice of unbounded thoughts", effort(nova2, func(r *converse.Request) { r.TopP = aws.Float32(0.99) }), converse.FeatureTopP},
		{"no room for thoughts", effort(sonnet45, func(r *converse.Request) { r.MaxTokens = 1024 }), converse.FeatureMaxTokens},
		{"a bound of unbounded thoughts", effort(nova2, func(r *converse.Request) { r.MaxTokens = 9 }), converse.FeatureMaxTokens},
		{"a temperature and top_p", to(sonnet45, func(r *converse.Request) { r.Temperature, r.TopP = aws.Float32(1), aws.Float32(0.5) }), converse.FeatureTopP},
		{"a stop sequence", to(llama, func(r *converse.Request) { r.Stop = []string{"x"} }), converse.FeatureStop},
		{"an image", parts(llama, images(1, 1)...), converse.FeatureMessages},
		{"a file", parts("amazon.nova-micro-v1:0", files(1, 1)...), converse.FeatureMessages},
		{"too many images", parts(sonnet45, images(21, 1)...), converse.FeatureMessages},
		{"too many files", parts(sonnet45, files(6, 1)...), converse.FeatureMessages},
		{"too large an image", parts(sonnet45, images(1, 3_750_001)...), converse.FeatureMessages},
		{"too large a file", parts(sonnet45, files(1, 4_500_001)...), converse.FeatureMessages},
		{"too large an image of a tool", parts(sonnet45, converse.Part{ToolResult: &converse.ToolResult{Parts: images(1, 3_750_001)}}), converse.FeatureMessages},
		{"a file without a word", to(sonnet45, func(r *converse.Request) { r.Messages[0].Parts = files(1, 1) }), converse.FeatureMessages},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var unfit *converse.Unfit
			require.ErrorAs(t, converse.Check(tt.in), &unfit)
			assert.Equal(t, tt.want, unfit.Feature)
			assert.Regexp(t, `^[A-Z].*\.$`, unfit.Reason)
		})
	}
	for name, in := range map[string]converse.Request{
		"20 images and 5 files":           parts(sonnet45, append(images(20, 1), files(5, 1)...)...),
		"a plain temperature of thoughts": effort(sonnet45, func(r *converse.Request) { r.Temperature = aws.Float32(1) }),
		"JSON after a tool":               func() converse.Request { r := afterTool(novaPro); r.Format = schema; return r }(),
	} {
		assert.NoError(t, converse.Check(in), name)
	}
}

func TestPrefixesAreKept(t *testing.T) {
	turns := func(n int) converse.Request {
		return to(sonnet45, func(r *converse.Request) {
			for range n - 1 {
				r.Messages = append(r.Messages,
					converse.Message{Role: converse.Assistant, Parts: []converse.Part{{Text: "a"}}},
					converse.Message{Role: converse.User, Parts: []converse.Part{{Text: "q"}}})
			}
			r.Tools, r.System = []converse.Tool{weather, weather}, []converse.Part{{Text: "s"}}
		})
	}
	const spec = `{"toolSpec":{"name":"weather","description":"tells it","inputSchema":{"json":{"type":"object","z":12345678901234567890,"a":1}}}}`
	const point = `{"cachePoint":{"type":"default"}}`
	tests := []struct {
		name          string
		in            converse.Request
		tools, system string
		first, last   string
	}{
		{"a single question keeps tools and instructions", converse.KeepPrefixes(turns(1)),
			`[` + spec + `,` + spec + `,` + point + `]`, `[{"text":"s"},` + point + `]`, `[{"text":"hello"}]`, `[{"text":"hello"}]`},
		{"a conversation keeps its last two questions", converse.KeepPrefixes(turns(2)),
			`[` + spec + `,` + spec + `,` + point + `]`, `[{"text":"s"},` + point + `]`, `[{"text":"hello"},` + point + `]`, `[{"text":"q"},` + point + `]`},
		{"no others", converse.KeepPrefixes(turns(3)),
			`[` + spec + `,` + spec + `,` + point + `]`, `[{"text":"s"},` + point + `]`, `[{"text":"hello"}]`, `[{"text":"q"},` + point + `]`},
		{"Nova keeps no tools", func() converse.Request { r := turns(2); r.Model = novaPro; return converse.KeepPrefixes(r) }(),
			`[` + spec + `,` + spec + `]`, `[{"text":"s"},` + point + `]`, `[{"text":"hello"},` + point + `]`, `[{"text":"q"},` + point + `]`},
		{"a model that keeps nothing", func() converse.Request {
			r := turns(2)
			r.Model = "mistral.mistral-large-2407-v1:0"
			return converse.KeepPrefixes(r)
		}(),
			`[` + spec + `,` + spec + `]`, `[{"text":"s"}]`, `[{"text":"hello"}]`, `[{"text":"q"}]`},
		{"more points than Bedrock takes, and one at the beginning", func() converse.Request {
			r := converse.KeepPrefixes(turns(2))
			r.System = append([]converse.Part{{Cache: true}}, r.System...)
			r.Messages[0].Parts = append(r.Messages[0].Parts, converse.Part{Text: "more"}, converse.Part{Cache: true})
			return r
		}(), `[` + spec + `,` + spec + `,` + point + `]`, `[{"text":"s"},` + point + `]`,
			`[{"text":"hello"},` + point + `,{"text":"more"},` + point + `]`, `[{"text":"q"}]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, body := wire(t, tt.in)
			var got struct {
				System     json.RawMessage
				ToolConfig struct{ Tools json.RawMessage }
				Messages   []struct{ Content json.RawMessage }
			}
			require.NoError(t, json.Unmarshal([]byte(body), &got))
			assert.JSONEq(t, tt.tools, string(got.ToolConfig.Tools))
			assert.JSONEq(t, tt.system, string(got.System))
			assert.JSONEq(t, tt.first, string(got.Messages[0].Content))
			assert.JSONEq(t, tt.last, string(got.Messages[len(got.Messages)-1].Content))
		})
	}
}

func TestKeepingPrefixesLeavesTheQuestionAsItWas(t *testing.T) {
	r := afterTool(sonnet45)
	r.Tools, r.System = []converse.Tool{weather}, make([]converse.Part, 1, 2)
	converse.KeepPrefixes(r)
	assert.False(t, r.Tools[0].Cache)
	assert.False(t, r.System[:2][1].Cache)
	assert.Len(t, r.Messages[2].Parts, 1)
}
