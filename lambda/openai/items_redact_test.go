package openai_test

import (
	"strings"
	"testing"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestADeletedItemIsNowhere: not in what is kept, not in its response, not in
// what the model is asked next.
func TestADeletedItemIsNowhere(t *testing.T) {
	m, e := newMemory(), hello()
	url, _ := stateful(t, e, m)
	c, begun := newSDK(url), conversationWith(t, url)
	p := request1("my secret")
	p.Conversation = responses.ResponseNewParamsConversationUnion{OfString: sdk.String(begun.id)}
	got, err := c.Responses.New(t.Context(), p)
	require.NoError(t, err)
	stored := func() string {
		for _, turn := range m.turns {
			if "resp_"+turn.ID.String() == got.ID {
				return string(turn.Body)
			}
		}
		return ""
	}
	answer := got.Output[0].ID
	question := strings.Replace(answer, "001eu", "000eu", 1)
	require.Contains(t, stored(), "my secret")
	_, err = c.Conversations.Items.Delete(t.Context(), begun.id, question)
	require.NoError(t, err)
	assert.NotContains(t, stored(), "my secret")
	inputs, err := c.Responses.InputItems.List(t.Context(), got.ID, responses.InputItemListParams{})
	require.NoError(t, err)
	assert.Empty(t, inputs.Data)
	again, err := c.Responses.Get(t.Context(), got.ID, responses.ResponseGetParams{})
	require.NoError(t, err)
	assert.Equal(t, got.RawJSON(), again.RawJSON(), "the answer is what it was")

	require.Contains(t, stored(), "Hello")
	_, err = c.Conversations.Items.Delete(t.Context(), begun.id, answer)
	require.NoError(t, err)
	assert.NotContains(t, stored(), "Hello")
	again, err = c.Responses.Get(t.Context(), got.ID, responses.ResponseGetParams{})
	require.NoError(t, err)
	assert.Empty(t, again.Output)
	assert.Equal(t, got.Usage.RawJSON(), again.Usage.RawJSON())

	p = request1("b")
	p.Conversation = responses.ResponseNewParamsConversationUnion{OfString: sdk.String(begun.id)}
	_, err = c.Responses.New(t.Context(), p)
	require.NoError(t, err)
	require.Len(t, e.question.Messages, 1, "what is left is the user's")
	require.Equal(t, "a", e.question.Messages[0].Parts[0].Text)
}
