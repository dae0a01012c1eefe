package up_test

import (
	"net/http"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/conversations"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestOneOfAPairGoesOnWithConversations while the other's tables are down, in
// both regions alike; without those of the first, its home, nothing of a
// conversation is read or added. Responses go on in either case.
func TestOneOfAPairGoesOnWithConversations(t *testing.T) {
	t.Parallel()
	p, err := startAltered(t, alteration{}, pairOptions(1, nil))
	require.NoError(t, err)
	printed, err := p.Printed(false)
	require.NoError(t, err)
	assert.Regexp(t, `warning: .*`+primary, printed, "who starts a pair learns what it cannot do")
	tests := []struct {
		name  string
		up    string // whose tables answer
		turn  int    // what becomes of the next turn
		tries option.RequestOption
	}{
		{"the one that breaks ties is up", primary, http.StatusOK, patient},
		{"the other one is up", partner, http.StatusConflict, option.WithMaxRetries(0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := inRegion(p.Running, primary).Conversations.New(t.Context(), conversations.ConversationNewParams{})
			require.NoError(t, err)
			more := respond("Please say 1 word.")
			more.Conversation = responses.ResponseNewParamsConversationUnion{OfString: openai.String(c.ID)}
			said, err := inRegion(p.Running, partner).Responses.New(t.Context(), more)
			require.NoError(t, err)
			first, err := p.respond(t.Context(), "", patient)
			require.NoError(t, err)

			mend := p.only(tt.up)
			defer mend()
			for _, region := range p.RegionNames {
				api := inRegion(p.Running, region)
				var raw *http.Response
				_, err := api.Responses.New(t.Context(), more, option.WithResponseInto(&raw), tt.tries)
				refusal(t, err, tt.turn)
				if tt.turn == http.StatusOK {
					assert.Equal(t, "1", raw.Header.Get(contract.HeaderReplicas), region)
				}
				_, err = api.Responses.Get(t.Context(), said.ID, responses.ResponseGetParams{}, tt.tries)
				refusal(t, err, tt.turn)
				alone := respond("Please say 1 word.")
				alone.PreviousResponseID = openai.String(first.ID)
				_, err = api.Responses.New(t.Context(), alone)
				require.NoError(t, err, "a response in %s", region)
			}
			mend()
			for _, region := range p.RegionNames {
				_, err := inRegion(p.Running, region).Responses.New(t.Context(), more)
				require.NoError(t, err, region)
			}
		})
	}
}

// refusal expects an answer of a status, which is a conversation that has not
// arrived unless it is 200.
func refusal(t *testing.T, err error, status int) {
	t.Helper()
	if status == http.StatusOK {
		require.NoError(t, err)
		return
	}
	var failure *openai.Error
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, status, failure.StatusCode)
	assert.Equal(t, "conversation_not_arrived", failure.Code)
}
