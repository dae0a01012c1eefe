package openai_test

import (
	"testing"

	"github.com/crossregion/crossregion/lambda/converse"
	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/conversations"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAConversationGoesOnWithoutWhatWasDeleted from it, item by item.
func TestAConversationGoesOnWithoutWhatWasDeleted(t *testing.T) {
	call := responses.ResponseInputItemParamOfFunctionCall("{}", "c", "f")
	b, next := said(converse.Assistant, "b"), said(converse.User, "next")
	opening := said(converse.User, "(The assistant speaks first.)")
	use := converse.Message{Role: converse.Assistant, Parts: []converse.Part{{ToolUse: &converse.ToolUse{ID: "c", Name: "f", Input: []byte("{}")}}}}
	told := converse.Message{Role: converse.User, Parts: []converse.Part{{ToolResult: &converse.ToolResult{ID: "c", Parts: []converse.Part{{Text: "x"}}}}}}
	tests := []struct {
		name    string
		deleted int
		want    []converse.Message
	}{
		{"the first question", 0, []converse.Message{opening, use, told, b, next}},
		{"a call", 1, []converse.Message{said(converse.User, "a"), b, next}},
		{"an output", 2, []converse.Message{said(converse.User, "a"), b, next}},
		{"an answer", 3, []converse.Message{said(converse.User, "a"), use, {Role: converse.User, Parts: append(told.Parts[:1:1], next.Parts...)}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := hello()
			url, _ := api(t, e)
			c := newSDK(url)
			conversation, err := c.Conversations.New(t.Context(), conversations.ConversationNewParams{})
			require.NoError(t, err)
			items, err := c.Conversations.Items.New(t.Context(), conversation.ID, conversations.ItemNewParams{
				Items: []responses.ResponseInputItemUnionParam{spokenBy("user", "a"), call, outputOf("c", "x"), spokenBy("assistant", "b")},
			})
			require.NoError(t, err)
			_, err = c.Conversations.Items.Delete(t.Context(), conversation.ID, items.Data[tt.deleted].ID)
			require.NoError(t, err)
			p := request1("next")
			p.Conversation = responses.ResponseNewParamsConversationUnion{OfString: sdk.String(conversation.ID)}
			ask(t, url, p, false)
			assert.Equal(t, tt.want, spoken(e.question.Messages))
		})
	}
}
