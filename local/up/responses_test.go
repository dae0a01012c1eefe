package up_test

import (
	"net/http"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/up"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/conversations"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patient tries again for half a minute what comes to nothing for now: a busy
// machine may miss the second that a region's tables have for an answer, and
// they are spared for some seconds then.
var patient = option.WithMaxRetries(6)

// inRegion is a patient client of one region of the stack.
func inRegion(r *up.Running, region string) *openai.Client {
	c := client(r, option.WithBaseURL(r.Regions[region]+"/v1"), patient)
	return &c
}

func respond(text string) responses.ResponseNewParams {
	return responses.ResponseNewParams{Model: "claude-sonnet", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(text)}}
}

// TestAResponseIsContinuedInEveryRegion, each turn in another one at once, which
// replication may not have reached.
func TestAResponseIsContinuedInEveryRegion(t *testing.T) {
	r := start(t, "eu")
	p := respond("Please say 3 words.")
	var input int64
	var stands []string // in how many regions each turn does
	for turn, region := range append(r.RegionNames, r.RegionNames...) {
		var raw *http.Response
		got, err := inRegion(r, region).Responses.New(t.Context(), p, option.WithResponseInto(&raw))
		require.NoError(t, err, "turn %d in %s", turn, region)
		assert.Equal(t, region, raw.Header.Get(contract.HeaderRegion))
		stands = append(stands, raw.Header.Get(contract.HeaderReplicas))
		assert.Greater(t, got.Usage.InputTokens, input, "the model reads all that was said before")
		input = got.Usage.InputTokens
		p.PreviousResponseID = openai.String(got.ID)
	}
	assert.Contains(t, stands, "2", "all would, if each table answered in time")
	for _, region := range r.RegionNames {
		_, err := inRegion(r, region).Responses.Get(t.Context(), p.PreviousResponseID.Value, responses.ResponseGetParams{})
		require.NoError(t, err)
	}
}

// TestAConversationIsHeldInEveryRegion and read back page by page.
func TestAConversationIsHeldInEveryRegion(t *testing.T) {
	r := start(t, "eu")
	first := r.RegionNames[0]
	c, err := inRegion(r, first).Conversations.New(t.Context(), conversations.ConversationNewParams{Metadata: map[string]string{"topic": "x"}})
	require.NoError(t, err)
	for _, region := range r.RegionNames {
		p := respond("Please say 3 words.")
		p.Conversation = responses.ResponseNewParamsConversationUnion{OfString: openai.String(c.ID)}
		s := inRegion(r, region).Responses.NewStreaming(t.Context(), p)
		last := ""
		for s.Next() {
			last = s.Current().Type
		}
		require.NoError(t, s.Err())
		assert.Equal(t, "response.completed", last)
	}
	for _, region := range r.RegionNames {
		pages := inRegion(r, region).Conversations.Items.ListAutoPaging(t.Context(), c.ID, conversations.ItemListParams{Limit: openai.Int(2), Order: "asc"})
		var roles []string
		for pages.Next() {
			roles = append(roles, string(pages.Current().Role))
		}
		require.NoError(t, pages.Err())
		assert.Equal(t, []string{"user", "assistant", "user", "assistant", "user", "assistant"}, roles, region)
	}
	_, err = inRegion(r, r.RegionNames[1]).Conversations.Delete(t.Context(), c.ID)
	require.NoError(t, err)
	for _, region := range r.RegionNames {
		_, err := inRegion(r, region).Conversations.Get(t.Context(), c.ID)
		var failure *openai.Error
		require.ErrorAs(t, err, &failure)
		assert.Equal(t, http.StatusNotFound, failure.StatusCode)
	}
}

// TestARepeatedRequestIsAnsweredOnce by the table's own conditions.
func TestARepeatedRequestIsAnsweredOnce(t *testing.T) {
	r := start(t, "eu")
	key := option.WithHeader("Idempotency-Key", t.Name())
	want, err := inRegion(r, r.RegionNames[0]).Responses.New(t.Context(), respond("Please say 3 words."), key)
	require.NoError(t, err)
	got, err := inRegion(r, r.RegionNames[0]).Responses.New(t.Context(), respond("Please say 3 words."), key)
	require.NoError(t, err)
	assert.Equal(t, want.RawJSON(), got.RawJSON())
	require.NoError(t, inRegion(r, r.RegionNames[1]).Responses.Delete(t.Context(), want.ID))
	_, err = inRegion(r, r.RegionNames[0]).Responses.Get(t.Context(), want.ID, responses.ResponseGetParams{})
	assert.ErrorContains(t, err, "404")
}

// TestAConversationOutlivesItsItems: whichever is deleted, it goes on.
func TestAConversationOutlivesItsItems(t *testing.T) {
	c := inRegion(start(t, "eu"), "eu-west-1")
	for deleted := range 4 {
		conversation, err := c.Conversations.New(t.Context(), conversations.ConversationNewParams{})
		require.NoError(t, err)
		items, err := c.Conversations.Items.New(t.Context(), conversation.ID, conversations.ItemNewParams{Items: []responses.ResponseInputItemUnionParam{
			responses.ResponseInputItemParamOfMessage("How is it?", responses.EasyInputMessageRoleUser),
			responses.ResponseInputItemParamOfFunctionCall("{}", "call_0", "weather"),
			{OfFunctionCallOutput: &responses.ResponseInputItemFunctionCallOutputParam{CallID: openai.String("call_0"),
				Output: responses.ResponseInputItemFunctionCallOutputOutputUnionParam{OfString: openai.String("rain")}}},
			responses.ResponseInputItemParamOfMessage("It rains.", responses.EasyInputMessageRoleAssistant),
		}})
		require.NoError(t, err)
		_, err = c.Conversations.Items.Delete(t.Context(), conversation.ID, items.Data[deleted].ID)
		require.NoError(t, err)
		p := respond("And now?")
		p.Conversation = responses.ResponseNewParamsConversationUnion{OfString: openai.String(conversation.ID)}
		got, err := c.Responses.New(t.Context(), p)
		require.NoError(t, err, "without item %d", deleted)
		assert.Contains(t, got.OutputText(), "And now?")
	}
}
