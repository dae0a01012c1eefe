package openai_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/lambda/converse"
	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStoredResponses(t *testing.T) {
	e := hello()
	url, _ := api(t, e)
	c := newSDK(url)
	p := request1("")
	p.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{
		spokenBy("developer", "rule"), spokenBy("user", "one"), spokenBy("assistant", "two"), spokenBy("user", "three"),
	}}
	got := ask(t, url, p, false)

	var all []string
	pager := c.Responses.InputItems.ListAutoPaging(t.Context(), got.ID, responses.InputItemListParams{Limit: sdk.Int(3), Order: "asc"})
	for pager.Next() {
		var it struct{ Content []struct{ Text string } }
		require.NoError(t, json.Unmarshal([]byte(pager.Current().RawJSON()), &it))
		all = append(all, it.Content[0].Text)
	}
	require.NoError(t, pager.Err())
	assert.Equal(t, []string{"rule", "one", "two", "three"}, all)

	s := c.Responses.GetStreaming(t.Context(), got.ID, responses.ResponseGetParams{}, option.WithQuery("stream", "true")) // which the SDK puts into a body
	var events []responses.ResponseStreamEventUnion
	for s.Next() {
		events = append(events, s.Current())
	}
	require.NoError(t, s.Err())
	assert.Equal(t, got.RawJSON(), accumulated(t, events).RawJSON())

	resp, body := do(t, http.MethodDelete, url+"/v1/responses/"+got.ID, "", "")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.JSONEq(t, `{"id":"`+got.ID+`","object":"response","deleted":true}`, body)
	for _, path := range []string{"", "/input_items"} {
		resp, _ := do(t, http.MethodGet, url+"/v1/responses/"+got.ID+path, "", "")
		assert.Equal(t, http.StatusNotFound, resp.StatusCode)
	}
}

func TestItemsAloneAreNoResponse(t *testing.T) {
	url, _ := api(t, hello())
	item := conversationWith(t, url).item
	id := "resp_" + strings.Replace(strings.TrimPrefix(item, "msg_"), "000eu", "eu", 1)
	for _, path := range []string{"", "/input_items"} {
		resp, _ := do(t, http.MethodGet, url+"/v1/responses/"+id+path, "", "")
		assert.Equal(t, http.StatusNotFound, resp.StatusCode)
	}
}

func TestReferences(t *testing.T) {
	e := hello()
	url, _ := api(t, e)
	first := ask(t, url, request1("one"), false)
	p := request1("")
	p.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{
		spokenBy("user", "before"), responses.ResponseInputItemParamOfItemReference(first.Output[0].ID), spokenBy("user", "after"),
	}}
	got := ask(t, url, p, false)
	assert.Equal(t, []converse.Message{
		said(converse.User, "before"), said(converse.Assistant, "Hello <&>"), said(converse.User, "after"),
	}, spoken(e.question.Messages))
	items, err := newSDK(url).Responses.InputItems.List(t.Context(), got.ID, responses.InputItemListParams{Order: "asc"})
	require.NoError(t, err)
	assert.NotEqual(t, first.Output[0].ID, items.Data[1].ID, "a copy, which lasts when the original is deleted")
	assert.Equal(t, "message", items.Data[1].Type)

	_, err = newSDK(url).Responses.New(t.Context(), p, option.WithHeader("Test-Tenant", "evil"))
	assertError(t, err, http.StatusNotFound, "not_found", "No item has this id")
}
