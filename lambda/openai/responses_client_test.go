package openai_test

import (
	"testing"

	"github.com/crossregion/crossregion/lambda/converse"
	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// spoken is what a model was shown, without the marks of what is worth keeping.
func spoken(messages []converse.Message) []converse.Message {
	var all []converse.Message
	for _, m := range messages {
		var parts []converse.Part
		for _, p := range m.Parts {
			if !p.Cache {
				parts = append(parts, p)
			}
		}
		all = append(all, converse.Message{Role: m.Role, Parts: parts})
	}
	return all
}

// outputOf is what the function answered that was called with id.
func outputOf(id, output string) responses.ResponseInputItemUnionParam {
	return responses.ResponseInputItemUnionParam{OfFunctionCallOutput: &responses.ResponseInputItemFunctionCallOutputParam{
		CallID: sdk.String(id), Output: responses.ResponseInputItemFunctionCallOutputOutputUnionParam{OfString: sdk.String(output)},
	}}
}

func newSDK(url string) *sdk.Client {
	c := client(url)
	return &c
}

// ask returns the response to p. A streamed one is checked against what an
// accumulator makes of its events.
func ask(t *testing.T, url string, p responses.ResponseNewParams, stream bool, opts ...option.RequestOption) *responses.Response {
	t.Helper()
	if !stream {
		got, err := newSDK(url).Responses.New(t.Context(), p, opts...)
		require.NoError(t, err)
		return got
	}
	events, err := collect(t, url, p, opts...)
	require.NoError(t, err)
	return accumulated(t, events)
}

// accumulated is what a client makes of the events, which must be the same as
// what the last of them says.
func accumulated(t *testing.T, events []responses.ResponseStreamEventUnion) *responses.Response {
	t.Helper()
	texts, summaries := map[string]string{}, map[string]string{}
	var items []string
	for i, ev := range events {
		assert.EqualValues(t, i, ev.SequenceNumber)
		switch ev.Type {
		case "response.output_text.delta", "response.function_call_arguments.delta":
			texts[ev.ItemID] += ev.Delta
		case "response.output_text.done":
			assert.Equal(t, texts[ev.ItemID], ev.Text)
		case "response.function_call_arguments.done":
			assert.Equal(t, texts[ev.ItemID], ev.Arguments)
		case "response.reasoning_summary_text.delta":
			summaries[ev.ItemID] += ev.Delta
		case "response.output_item.added":
			assert.EqualValues(t, len(items), ev.OutputIndex)
		case "response.output_item.done":
			items = append(items, ev.Item.RawJSON())
		}
	}
	assert.Equal(t, "response.created", events[0].Type)
	assert.Equal(t, "response.in_progress", events[1].Type)
	last := events[len(events)-1].Response
	var output []string
	for _, it := range last.Output {
		output = append(output, it.RawJSON())
		switch it.Type {
		case "message":
			assert.Equal(t, it.Content[0].Text, texts[it.ID])
		case "function_call":
			assert.Equal(t, it.AsFunctionCall().Arguments, texts[it.ID])
		case "reasoning":
			whole := ""
			for _, part := range it.Summary {
				whole += part.Text
			}
			assert.Equal(t, whole, summaries[it.ID])
		}
	}
	assert.Equal(t, output, items)
	assert.Equal(t, events[0].Response.ID, last.ID)
	return &last
}

func collect(t *testing.T, url string, p responses.ResponseNewParams, opts ...option.RequestOption) ([]responses.ResponseStreamEventUnion, error) {
	t.Helper()
	s := newSDK(url).Responses.NewStreaming(t.Context(), p, opts...)
	var events []responses.ResponseStreamEventUnion
	for s.Next() {
		events = append(events, s.Current())
	}
	require.NoError(t, s.Close())
	return events, s.Err()
}

func assertError(t *testing.T, err error, status int, code, message string) {
	t.Helper()
	var failure *sdk.Error
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, status, failure.StatusCode)
	assert.Equal(t, code, failure.Code)
	assert.Contains(t, failure.Message, message)
}
