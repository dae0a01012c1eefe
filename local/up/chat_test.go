package up_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/png"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// weather is a tool with arguments that must be there.
func weather() openai.ChatCompletionToolUnionParam {
	return openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
		Name: "weather", Description: openai.String("tells the weather"),
		Parameters: shared.FunctionParameters{
			"type": "object", "required": []string{"city", "days"}, "additionalProperties": false,
			"properties": map[string]any{
				"city": map[string]any{"type": "string", "enum": []string{"Rome", "Oslo"}}, "days": map[string]any{"type": "integer"},
			},
		},
	})
}

// streamed reads a stream to its end.
func streamed(t *testing.T, c openai.Client, p openai.ChatCompletionNewParams) openai.ChatCompletion {
	t.Helper()
	p.StreamOptions.IncludeUsage = openai.Bool(true)
	s := c.Chat.Completions.NewStreaming(t.Context(), p)
	var all openai.ChatCompletionAccumulator
	for s.Next() {
		require.True(t, all.AddChunk(s.Current()))
	}
	require.NoError(t, s.Err())
	return all.ChatCompletion
}

// TestToolsRoundTrip has a tool called and its result read, by models of
// different makers, at once and as a stream.
func TestToolsRoundTrip(t *testing.T) {
	r := start(t, "prod")
	c := client(r)
	for _, model := range r.Models {
		for name, answer := range map[string]func(openai.ChatCompletionNewParams) openai.ChatCompletion{
			"whole": func(p openai.ChatCompletionNewParams) openai.ChatCompletion {
				got, err := c.Chat.Completions.New(t.Context(), p)
				require.NoError(t, err)
				return *got
			},
			"streamed": func(p openai.ChatCompletionNewParams) openai.ChatCompletion { return streamed(t, c, p) },
		} {
			t.Run(model+" "+name, func(t *testing.T) {
				p := ask("Please call the tool.")
				p.Model, p.Tools = model, []openai.ChatCompletionToolUnionParam{weather()}
				got := answer(p).Choices[0]
				assert.Equal(t, "tool_calls", got.FinishReason)
				require.Len(t, got.Message.ToolCalls, 1)
				call := got.Message.ToolCalls[0]
				assert.Equal(t, "weather", call.Function.Name)
				assert.JSONEq(t, `{"city":"Rome","days":7}`, call.Function.Arguments)

				p.Messages = append(p.Messages, got.Message.ToParam(), openai.ToolMessage("rain at last", call.ID))
				last := answer(p)
				assert.Equal(t, "stop", last.Choices[0].FinishReason)
				assert.Contains(t, last.Choices[0].Message.Content, `The tools said: "rain at last".`)
				assert.Positive(t, last.Usage.TotalTokens)
			})
		}
	}
}

func TestAnswersMatchTheirSchema(t *testing.T) {
	r := start(t, "prod")
	c := client(r)
	for _, model := range r.Models {
		for name, strict := range map[string]bool{"strictly": true, "loosely": false} {
			t.Run(model+" "+name, func(t *testing.T) {
				p := ask("Where?")
				p.Model = model
				p.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
					Name: "place", Strict: openai.Bool(strict), Schema: map[string]any{
						"type": "object", "required": []string{"lat", "tags"}, "additionalProperties": false,
						"properties": map[string]any{
							"lat":  map[string]any{"type": "number", "minimum": 12.5},
							"tags": map[string]any{"type": "array", "items": map[string]any{"type": "boolean"}},
						},
					},
				}}
				got := streamed(t, c, p).Choices[0]
				assert.Equal(t, "stop", got.FinishReason)
				assert.JSONEq(t, `{"lat":12.5,"tags":[true]}`, got.Message.Content)
			})
		}
	}
}

func TestAnImageIsSeen(t *testing.T) {
	c := client(start(t, "prod"))
	var picture bytes.Buffer
	require.NoError(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 4, 3))))
	p := ask("")
	p.Messages = []openai.ChatCompletionMessageParamUnion{openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
		openai.TextContentPart("What is it?"),
		openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{
			URL: "data:image/png;base64," + base64.StdEncoding.EncodeToString(picture.Bytes()),
		}),
	})}
	got, err := c.Chat.Completions.New(t.Context(), p)
	require.NoError(t, err)
	assert.Contains(t, got.Choices[0].Message.Content, "I see a png image of 4x3 pixels")
}

// TestThoughts also uses a tool in between, the thoughts before which chat
// completions do not carry.
func TestThoughts(t *testing.T) {
	c := client(start(t, "prod"))
	p := ask("Please call the tool now.")
	p.ReasoningEffort, p.Tools = shared.ReasoningEffortLow, []openai.ChatCompletionToolUnionParam{weather()}
	got, err := c.Chat.Completions.New(t.Context(), p)
	require.NoError(t, err)
	var thoughts struct {
		Reasoning string `json:"reasoning_content"`
	}
	require.NoError(t, json.Unmarshal([]byte(got.Choices[0].Message.RawJSON()), &thoughts))
	assert.Equal(t, "The question has 5 words.", thoughts.Reasoning)

	call := got.Choices[0].Message.ToolCalls[0]
	p.Messages = append(p.Messages, got.Choices[0].Message.ToParam(), openai.ToolMessage("rain", call.ID))
	got, err = c.Chat.Completions.New(t.Context(), p)
	require.NoError(t, err)
	assert.Contains(t, got.Choices[0].Message.Content, `The tools said: "rain".`)
}

// TestWhatFrameworksSend has each model take what agents and chat front ends send
// and OpenAI's own models take.
func TestWhatFrameworksSend(t *testing.T) {
	r := start(t, "prod")
	c := client(r)
	strict := weather()
	strict.OfFunction.Function.Strict = openai.Bool(true)
	used := []openai.ChatCompletionMessageParamUnion{
		openai.UserMessage("How is it?"),
		{OfAssistant: &openai.ChatCompletionAssistantMessageParam{ToolCalls: []openai.ChatCompletionMessageToolCallUnionParam{{
			OfFunction: &openai.ChatCompletionMessageFunctionToolCallParam{ID: "call_0", Function: openai.ChatCompletionMessageFunctionToolCallFunctionParam{
				Name: "weather", Arguments: `{"city":"Oslo","days":1}`,
			}},
		}}}},
		openai.ToolMessage("rain", "call_0"),
	}
	named := openai.UserMessage("I am here.")
	named.OfUser.Name = openai.String("jane")
	tests := map[string]func(*openai.ChatCompletionNewParams){
		"strict tools":                          func(p *openai.ChatCompletionNewParams) { p.Tools = []openai.ChatCompletionToolUnionParam{strict} },
		"a history with tools that are no more": func(p *openai.ChatCompletionNewParams) { p.Messages = used },
		"calls of one id in two turns": func(p *openai.ChatCompletionNewParams) {
			p.Messages, p.Tools = append(used[:3:3], used...), []openai.ChatCompletionToolUnionParam{strict}
		},
		"a greeting first": func(p *openai.ChatCompletionNewParams) {
			p.Messages = append([]openai.ChatCompletionMessageParamUnion{openai.AssistantMessage("Hello!")}, p.Messages...)
		},
		"an assistant last": func(p *openai.ChatCompletionNewParams) {
			p.Messages = append(p.Messages, openai.AssistantMessage("I am on it."))
		},
		"only instructions": func(p *openai.ChatCompletionNewParams) {
			p.Messages = []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("Say hello.")}
		},
		"speakers with names": func(p *openai.ChatCompletionNewParams) { p.Messages = append(p.Messages, named) },
	}
	for _, model := range r.Models {
		for name, change := range tests {
			t.Run(model+" "+name, func(t *testing.T) {
				p := ask("hello")
				p.Model = model
				change(&p)
				got, err := c.Chat.Completions.New(t.Context(), p)
				require.NoError(t, err)
				assert.NotEmpty(t, got.Choices[0].Message.Content)
			})
		}
	}
}
