package up_test

import (
	"net/http"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/up"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAnotherJurisdictionNeedsNoCode deploys a stack of Australia from a
// settings file alone, and asks it from New Zealand.
func TestAnotherJurisdictionNeedsNoCode(t *testing.T) {
	r, err := up.Start(t.Context(), up.Options{
		Root: "../../stacks/testdata/au", Stack: "au", Listen: "127.0.0.1:0", From: "ap-southeast-6",
	})
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	var raw *http.Response
	c := client(r)
	_, err = c.Chat.Completions.New(t.Context(), ask("hello"), option.WithResponseInto(&raw))
	require.NoError(t, err)
	assert.Equal(t, "ap-southeast-2", raw.Header.Get(contract.HeaderRegion), "Sydney is nearer than Melbourne")
	for _, call := range r.Account.Bedrock.Calls() {
		assert.Contains(t, []string{"ap-southeast-2", "ap-southeast-4"}, call.Destination, "a prompt left Australia")
	}
}
