package openai

import (
	"errors"
	"net/http"
	"testing"

	state "github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func FuzzDecodeResponse(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `{}`, `{"model":"m","input":"a"}`, `{"model":"m","input":[]}`, `{"model":"m","input":[{}]}`,
		`{"model":"m","input":[{"role":"user","content":"a"},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":[{"type":"input_text","text":"x"}]}]}`,
		`{"model":"m","input":[{"role":"user","content":[{"type":"input_image","image_url":"data:image/png;base64,aaaa"},{"type":"input_file","file_data":"data:text/plain;base64,aaaa"}]}]}`,
		`{"model":"m","input":[{"role":"user","content":"a"},{"type":"reasoning","encrypted_content":"e30="},{"type":"item_reference","id":"msg_0000000000000000000100000000000000000002001eu-west-1"}]}`,
		`{"model":"m","input":"a","previous_response_id":"resp_0000000000000000000100000000000000000002eu-west-1","tools":[{"type":"function","name":"f"}],"tool_choice":"auto","text":{"format":{"type":"json_object"}},"reasoning":{"effort":"low","summary":"auto"},"truncation":"auto","include":["x"],"stream":true}`,
		`{"model":"m","input":"a","conversation":{"id":"conv_00000000000000000001eu-west-1"},"metadata":{"a":"b"},"instructions":null,"store":false}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := decodeResponse(body)
		if err == nil {
			assertDialogue(t, r)
			return
		}
		var e *apiError
		require.True(t, errors.As(err, &e), "%v is no answer for a client", err)
		assert.Contains(t, []int{http.StatusBadRequest, http.StatusNotFound}, e.status)
		assert.NotEmpty(t, e.message)
	})
}

// assertDialogue says again, in Bedrock's terms, what an accepted request must
// be, unless its items are in no order that could be answered.
func assertDialogue(t *testing.T, r responseRequest) {
	assert.True(t, r.previous.IsZero() || r.conversation == state.ConversationID{})
	d, err := newDialogue("m", r.instructions, nil, r.input)
	if err != nil {
		var e *apiError
		require.True(t, errors.As(err, &e), "%v is no answer for a client", err)
		return
	}
	assertAnswerable(t, d.messages)
	_, err = encode(turnBody{Input: r.input, Response: &response{echo: r.echo}})
	assert.NoError(t, err, "what was accepted can be stored")
}

func assertAnswerable(t *testing.T, messages []converse.Message) {
	t.Helper()
	last := converse.Assistant
	calls := map[string]bool{}
	for _, m := range messages {
		assert.NotEqual(t, last, m.Role, "roles alternate, the user first")
		require.NotEmpty(t, m.Parts)
		last = m.Role
		for _, p := range m.Parts {
			if p.ToolResult != nil {
				assert.True(t, calls[p.ToolResult.ID], "an output follows its call")
				delete(calls, p.ToolResult.ID)
			}
		}
		if m.Role == converse.User {
			assert.Empty(t, calls, "every call has its output right behind it")
		}
		for _, p := range m.Parts {
			if p.ToolUse != nil {
				calls[p.ToolUse.ID] = true
			}
		}
	}
	assert.Equal(t, converse.User, last)
}

func FuzzIDs(f *testing.F) {
	for _, seed := range []string{"", "resp_", "resp_0000000000000000000100000000000000000002eu-west-1", "conv_00000000000000000001eu-west-1",
		"fco_0000000000000000000100000000000000000002999us-gov-west-1", "msg_0000000000000000000100000000000000000002+01eu-west-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := parseResponseID(s); err == nil {
			assert.Equal(t, s, prefixResponse+id.String(), "an id has one spelling")
		}
		if id, err := parseConversationID(s); err == nil {
			assert.Equal(t, s, prefixConversation+id.String())
		}
		if id, err := parseItemID(s); err == nil {
			assert.LessOrEqual(t, id.Number, state.MaxItem)
			assert.Contains(t, s, id.String())
		}
	})
}
