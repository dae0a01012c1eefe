package converse_test

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
		{"a tool that must be used", tool("mistral.mistral-large-2407-v1:0", func(r *converse.Request) { r.ToolChoice.Mode = converse.ToolAny }), converse.FeatureToolChoice},
		{"a tool that must be used after thoughts", tool(sonnet45, func(r *converse.Request) { r.ToolChoice.Mode, r.Effort = converse.ToolAny, "low" }), converse.FeatureToolChoice},
		{"one tool at a time", tool(novaPro, func(r *converse.Request) { r.ToolChoice.Single = true }), converse.FeatureSingle},
		{"a history with tools for a model without, and tools", tool(llama, func(r *converse.Request) { r.Messages = afterTool(llama).Messages }), converse.FeatureTools},
		{"a strict tool that is open", tool(sonnet45, func(r *converse.Request) { r.Tools[0].Strict = true }), converse.FeatureTools},
		{"a strict format that is open inside", to(sonnet45, func(r *converse.Request) {
			r.Format = &converse.Format{Strict: true, Schema: json.RawMessage(`{"anyOf":[{"type":"object"}]}`)}
		}), converse.FeatureFormat},
		{"a strict format that is open in a property with the name of a keyword", to(sonnet45, func(r *converse.Request) {
			r.Format = &converse.Format{Strict: true, Schema: json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"default":{"type":"object"}}}`)}
		}), converse.FeatureFormat},
		{"a longer answer than there is", to(sonnet45, func(r *converse.Request) { r.MaxTokens = 64_001 }), converse.FeatureMaxTokens},
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
		{"a temperature of a model with its own", to(sonnet5, func(r *converse.Request) { r.Temperature = aws.Float32(0) }), converse.FeatureTemperature},
		{"a narrow choice of a model with its own", to(sonnet5, func(r *converse.Request) { r.TopP = aws.Float32(0.5) }), converse.FeatureTopP},
		{"a tool that must be used by Sonnet 5.5", tool("anthropic.claude-sonnet-5-5", func(r *converse.Request) { r.ToolChoice.Mode = converse.ToolAny }), converse.FeatureToolChoice},
		{"by Opus 5.5", tool(opus55, func(r *converse.Request) { r.ToolChoice.Mode = converse.ToolOne }), converse.FeatureToolChoice},
		{"by Fable 5.1", tool("anthropic.claude-fable-5-1", func(r *converse.Request) { r.ToolChoice.Mode = converse.ToolAny }), converse.FeatureToolChoice},
		{"any JSON of a model that cannot be made to use a tool", to(opus55, func(r *converse.Request) { r.Format = &converse.Format{} }), converse.FeatureFormat},
		{"a stop sequence", to(llama, func(r *converse.Request) { r.Stop = []string{"x"} }), converse.FeatureStop},
		{"an image", parts(llama, images(1, 1)...), converse.FeatureMessages},
		{"a file", parts("amazon.nova-micro-v1:0", files(1, 1)...), converse.FeatureMessages},
		{"too many images", parts(sonnet45, images(21, 1)...), converse.FeatureMessages},
		{"too many files", parts(sonnet45, files(6, 1)...), converse.FeatureMessages},
		{"too large an image", parts(sonnet45, images(1, 3_750_001)...), converse.FeatureMessages},
		{"too large a file", parts(sonnet45, files(1, 4_500_001)...), converse.FeatureMessages},
		{"too large an image of a tool", parts(sonnet45, converse.Part{ToolResult: &converse.ToolResult{Parts: images(1, 3_750_001)}}), converse.FeatureMessages},
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
		"20 images and 5 files":                            parts(sonnet45, append(images(20, 1), files(5, 1)...)...),
		"a plain temperature of thoughts":                  effort(sonnet45, func(r *converse.Request) { r.Temperature = aws.Float32(1) }),
		"a strict tool of a model that keeps to no schema": tool(novaPro, func(r *converse.Request) { r.Tools[0].Strict = true }),
		"the longest answer":                               to(sonnet45, func(r *converse.Request) { r.MaxTokens = 64_000 }),
		"a strict schema of data": to(sonnet45, func(r *converse.Request) {
			r.Format = &converse.Format{Strict: true, Schema: json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"a":{"enum":[{"type":"object"}]}}}`)}
		}),
		"an open schema that no model keeps to": to(nova2, func(r *converse.Request) {
			r.Format = &converse.Format{Strict: true, Schema: json.RawMessage(`{"type":"object"}`)}
		}),
		"a tool that must be used by Opus 5": tool("anthropic.claude-opus-5", func(r *converse.Request) { r.ToolChoice.Mode = converse.ToolAny }),
		"JSON after a tool":                  func() converse.Request { r := afterTool(novaPro); r.Format = schema; return r }(),
	} {
		assert.NoError(t, converse.Check(in), name)
	}
}
