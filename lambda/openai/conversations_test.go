package openai_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/conversations"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func spokenBy(role responses.EasyInputMessageRole, text string) responses.ResponseInputItemUnionParam {
	return responses.ResponseInputItemParamOfMessage(text, role)
}

// begun is a conversation with one item.
type begun struct{ id, thread, item string }

func conversationWith(t *testing.T, url string) begun {
	t.Helper()
	c := newSDK(url)
	got, err := c.Conversations.New(t.Context(), conversations.ConversationNewParams{
		Items: []responses.ResponseInputItemUnionParam{spokenBy("user", "a")},
	})
	require.NoError(t, err)
	items, err := c.Conversations.Items.List(t.Context(), got.ID, conversations.ItemListParams{})
	require.NoError(t, err)
	require.Len(t, items.Data, 1)
	thread := strings.TrimSuffix(strings.TrimPrefix(got.ID, "conv_"), "eu-west-1")
	return begun{got.ID, thread, items.Data[0].ID}
}

func TestConversations(t *testing.T) {
	url, _ := api(t, hello())
	c := newSDK(url)
	var resp *http.Response
	got, err := c.Conversations.New(t.Context(), conversations.ConversationNewParams{Metadata: map[string]string{"topic": "<x>"}}, option.WithResponseInto(&resp))
	require.NoError(t, err)
	id := "conv_" + threadOne + "eu-west-1"
	assert.JSONEq(t, `{"id":"`+id+`","object":"conversation","created_at":1700000000,"metadata":{"topic":"<x>"}}`, got.RawJSON())
	assert.Equal(t, "1", resp.Header.Get(contract.HeaderReplicas))
	got, err = c.Conversations.Get(t.Context(), id)
	require.NoError(t, err)
	assert.JSONEq(t, `{"topic":"<x>"}`, got.JSON.Metadata.Raw())
	got, err = c.Conversations.Update(t.Context(), id, conversations.ConversationUpdateParams{Metadata: map[string]string{"topic": "y"}})
	require.NoError(t, err)
	assert.JSONEq(t, `{"topic":"y"}`, got.JSON.Metadata.Raw())
	gone, err := c.Conversations.Delete(t.Context(), id)
	require.NoError(t, err)
	assert.JSONEq(t, `{"id":"`+id+`","object":"conversation.deleted","deleted":true}`, gone.RawJSON())
	_, err = c.Conversations.Get(t.Context(), id)
	assertError(t, err, http.StatusNotFound, "not_found", "No conversation has this id")
}

func TestConversationIsContinuedAndReadBack(t *testing.T) {
	for _, stream := range []bool{false, true} {
		e := hello()
		url, _ := api(t, e)
		c := newSDK(url)
		begun := conversationWith(t, url)
		for i := range 2 {
			p := request1(fmt.Sprint(i))
			p.Conversation = responses.ResponseNewParamsConversationUnion{OfString: sdk.String(begun.id)}
			got := ask(t, url, p, stream)
			assert.Equal(t, begun.id, got.Conversation.ID)
		}
		assert.Equal(t, []converse.Message{
			{Role: converse.User, Parts: []converse.Part{{Text: "a"}, {Text: "0"}}}, said(converse.Assistant, "Hello <&>"), said(converse.User, "1"),
		}, spoken(e.question.Messages))

		added, err := c.Conversations.Items.New(t.Context(), begun.id, conversations.ItemNewParams{
			Items: []responses.ResponseInputItemUnionParam{spokenBy("user", "c"), spokenBy("assistant", "d")},
		})
		require.NoError(t, err)
		require.Len(t, added.Data, 2)
		assert.Equal(t, []string{"a", "0", "Hello <&>", "1", "Hello <&>", "c", "d"}, texts(t, c, begun.id, "asc", 100))

		p := responses.ResponseNewParams{Model: "claude-sonnet"}
		p.Conversation = responses.ResponseNewParamsConversationUnion{OfConversationObject: &responses.ResponseConversationParam{ID: begun.id}}
		ask(t, url, p, stream)
		assert.Equal(t, said(converse.User, "(Please go on.)"), spoken(e.question.Messages)[6])
		_, err = c.Conversations.Items.New(t.Context(), begun.id, conversations.ItemNewParams{
			Items: []responses.ResponseInputItemUnionParam{spokenBy("user", "e")},
		})
		require.NoError(t, err)
		ask(t, url, p, stream)
		assert.Equal(t, said(converse.User, "e"), spoken(e.question.Messages)[6], "the input may be in the conversation already")
	}
}

// texts reads a whole conversation, page by page.
func texts(t *testing.T, c *sdk.Client, id string, order conversations.ItemListParamsOrder, limit int64) []string {
	t.Helper()
	pager := c.Conversations.Items.ListAutoPaging(t.Context(), id, conversations.ItemListParams{Order: order, Limit: sdk.Int(limit)})
	var all []string
	for pager.Next() {
		all = append(all, pager.Current().AsMessage().Content[0].Text)
	}
	require.NoError(t, pager.Err())
	return all
}

// TestATurnExpiresWithWhatItContinues, so that no history loses its beginning
// only.
func TestATurnExpiresWithWhatItContinues(t *testing.T) {
	m := newMemory()
	url, _ := stateful(t, hello(), m)
	first := ask(t, url, request1("one"), false)
	p := request1("two")
	p.PreviousResponseID = sdk.String(first.ID)
	ask(t, url, p, false)
	assert.Equal(t, 1, len(m.expiries()), "%v", m.expiries())

	begun := conversationWith(t, url)
	p = request1("three")
	p.Conversation = responses.ResponseNewParamsConversationUnion{OfString: sdk.String(begun.id)}
	ask(t, url, p, true)
	_, err := newSDK(url).Conversations.Items.New(t.Context(), begun.id, conversations.ItemNewParams{Items: []responses.ResponseInputItemUnionParam{spokenBy("user", "four")}})
	require.NoError(t, err)
	assert.Equal(t, 2, len(m.expiries()), "%v", m.expiries())
}

func TestPagesAreCompleteAndStable(t *testing.T) {
	url, _ := api(t, hello())
	c := newSDK(url)
	id := conversationWith(t, url).id
	want := []string{"a"}
	for turn := range 5 {
		var items []responses.ResponseInputItemUnionParam
		for i := range 4 {
			text := fmt.Sprintf("%d.%d", turn, i)
			want, items = append(want, text), append(items, spokenBy("user", text))
		}
		_, err := c.Conversations.Items.New(t.Context(), id, conversations.ItemNewParams{Items: items})
		require.NoError(t, err)
	}
	var back []string
	for i := range want {
		back = append(back, want[len(want)-1-i])
	}
	for _, limit := range []int64{1, 2, 3, 20, 21, 22, 100} {
		assert.Equal(t, want, texts(t, c, id, "asc", limit), "limit %d", limit)
		assert.Equal(t, back, texts(t, c, id, "desc", limit), "limit %d", limit)
	}

	page, err := c.Conversations.Items.List(t.Context(), id, conversations.ItemListParams{})
	require.NoError(t, err)
	require.Len(t, page.Data, 20, "the default")
	assert.True(t, page.HasMore)
	assert.Equal(t, page.Data[19].ID, page.LastID)
	assert.Equal(t, "4.3", page.Data[0].AsMessage().Content[0].Text, "the latest first")

	_, err = c.Conversations.Items.Delete(t.Context(), id, page.LastID)
	require.NoError(t, err)
	_, err = c.Conversations.Items.New(t.Context(), id, conversations.ItemNewParams{Items: []responses.ResponseInputItemUnionParam{spokenBy("user", "new")}})
	require.NoError(t, err)
	rest, err := c.Conversations.Items.List(t.Context(), id, conversations.ItemListParams{After: sdk.String(page.LastID)})
	require.NoError(t, err)
	require.Len(t, rest.Data, 1, "whatever was added or deleted since")
	assert.False(t, rest.HasMore)
	assert.Equal(t, "a", rest.Data[0].AsMessage().Content[0].Text)
}

func TestEmptyPage(t *testing.T) {
	url, _ := api(t, hello())
	c, err := newSDK(url).Conversations.New(t.Context(), conversations.ConversationNewParams{})
	require.NoError(t, err)
	_, body := do(t, http.MethodGet, url+"/v1/conversations/"+c.ID+"/items", "", "")
	assert.JSONEq(t, `{"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false}`, body)
}

func TestItems(t *testing.T) {
	url, _ := api(t, hello())
	c := newSDK(url)
	begun := conversationWith(t, url)
	got, err := c.Conversations.Items.Get(t.Context(), begun.id, begun.item, conversations.ItemGetParams{})
	require.NoError(t, err)
	assert.JSONEq(t, `{"id":"`+begun.item+`","type":"message","status":"completed","role":"user","content":[{"type":"input_text","text":"a"}]}`, got.RawJSON())
	other := conversationWith(t, url)
	_, err = c.Conversations.Items.Get(t.Context(), other.id, begun.item, conversations.ItemGetParams{})
	assertError(t, err, http.StatusNotFound, "not_found", "No item has this id")
	alone := ask(t, url, request1("b"), false)
	thread := "conv_" + strings.TrimPrefix(alone.ID, "resp_")[:20] + "eu-west-1"
	_, err = c.Conversations.Items.Get(t.Context(), thread, alone.Output[0].ID, conversations.ItemGetParams{})
	assertError(t, err, http.StatusNotFound, "not_found", "No item has this id")
	_, err = c.Conversations.Items.Delete(t.Context(), begun.id, strings.Replace(begun.item, "000eu", "001eu", 1))
	assertError(t, err, http.StatusNotFound, "not_found", "No item has this id")
	_, err = c.Conversations.Items.Get(t.Context(), begun.id, "rs_"+strings.TrimPrefix(begun.item, "msg_"), conversations.ItemGetParams{})
	assertError(t, err, http.StatusNotFound, "not_found", "No item has this id")

	left, err := c.Conversations.Items.Delete(t.Context(), begun.id, begun.item)
	require.NoError(t, err)
	assert.Equal(t, begun.id, left.ID)
	_, err = c.Conversations.Items.Get(t.Context(), begun.id, begun.item, conversations.ItemGetParams{})
	assertError(t, err, http.StatusNotFound, "not_found", "No item has this id")
	_, err = c.Conversations.Items.Delete(t.Context(), begun.id, begun.item)
	assertError(t, err, http.StatusNotFound, "not_found", "No item has this id")
}

func TestItemsThatAreNotStoredAreNotShown(t *testing.T) {
	for _, tt := range appends {
		t.Run(tt.name, func(t *testing.T) {
			m := newMemory()
			url, _ := stateful(t, hello(), m)
			id := conversationWith(t, url).id
			m.appendDoes = tt.does
			_, err := newSDK(url).Conversations.Items.New(t.Context(), id, conversations.ItemNewParams{Items: []responses.ResponseInputItemUnionParam{spokenBy("user", "b")}})
			if tt.does == nil {
				require.NoError(t, err)
				return
			}
			assertError(t, err, http.StatusServiceUnavailable, "state_unavailable", "Please retry")
			m.appendDoes = tt.does
			_, err = newSDK(url).Conversations.New(t.Context(), conversations.ConversationNewParams{Items: []responses.ResponseInputItemUnionParam{spokenBy("user", "b")}})
			assertError(t, err, http.StatusServiceUnavailable, "state_unavailable", "Please retry")
		})
	}
}

func TestResponseOfAConversationIsNotContinuedByItsID(t *testing.T) {
	url, _ := api(t, hello())
	p := request1("b")
	p.Conversation = responses.ResponseNewParamsConversationUnion{OfString: sdk.String(conversationWith(t, url).id)}
	got := ask(t, url, p, false)
	q := request1("c")
	q.PreviousResponseID = sdk.String(got.ID)
	_, err := newSDK(url).Responses.New(t.Context(), q)
	assertError(t, err, http.StatusBadRequest, "invalid_value", "Pass its id as 'conversation' instead")
	p.PreviousResponseID = sdk.String(got.ID)
	_, err = newSDK(url).Responses.New(t.Context(), p)
	assertError(t, err, http.StatusBadRequest, "mutually_exclusive_parameters", "Use one of them")
}

func TestQueriesAreChecked(t *testing.T) {
	url, _ := api(t, hello())
	begun := conversationWith(t, url)
	other := conversationWith(t, url)
	items, response := "/v1/conversations/"+begun.id+"/items", "/v1/responses/"+ask(t, url, request1("a"), false).ID
	tests := []struct{ name, path, want string }{
		{"a limit of nothing", items + "?limit=0", "from 1 to 100"},
		{"a limit too high", items + "?limit=101", "from 1 to 100"},
		{"a limit that is no number", items + "?limit=x", "from 1 to 100"},
		{"a limit twice", items + "?limit=1&limit=2", "more than once"},
		{"an order", items + "?order=up", "asc or desc"},
		{"a cursor that is no id", items + "?after=x", "the id of an item of this list"},
		{"a cursor of another list", items + "?after=" + other.item, "the id of an item of this list"},
		{"an unknown parameter", items + "?before=x", "Unknown parameter"},
		{"something to include that is unknown", items + "?include=x", "Invalid 'include'"},
		{"log probabilities", response + "?include[]=message.output_text.logprobs", "no log probabilities"},
		{"obfuscation", response + "?include_obfuscation=true", "does not support"},
		{"a stream that is none", response + "?stream=1", "true or false"},
		{"a place to start at", response + "?starting_after=1", "from its beginning"},
		{"of a conversation", "/v1/conversations/" + begun.id + "?limit=1", "Unknown parameter: 'limit'"},
		{"of the models", "/v1/models?limit=1", "Unknown parameter: 'limit'"},
		{"of one item", items + "/" + begun.item + "?limit=1", "Unknown parameter"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := do(t, http.MethodGet, url+tt.path, "", "")
			assert.Equal(t, http.StatusBadRequest, resp.StatusCode, body)
			assert.Contains(t, body, tt.want)
		})
	}
	for _, path := range []string{items + "?include=reasoning.encrypted_content&include[]=file_search_call.results", response + "?include_obfuscation=false&stream=false"} {
		resp, body := do(t, http.MethodGet, url+path, "", "")
		assert.Equal(t, http.StatusOK, resp.StatusCode, body)
	}
}
