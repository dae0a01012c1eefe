package up_test

import (
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/deploy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAnotherHomeIsRefused deploys a stack once more, with another home, into
// the account that has it: the tables themselves tell.
func TestAnotherHomeIsRefused(t *testing.T) {
	r := start(t, "eu")
	stack, err := deploy.Load("../..", "eu")
	require.NoError(t, err)
	key := stack.Project + ":settings"
	moved := strings.Replace(stack.Config[key], `"home":"eu-central-1"`, `"home":"eu-west-1"`, 1)
	require.NotEqual(t, stack.Config[key], moved)
	stack.Config[key] = moved
	_, err = stack.Deploy(t.Context(), r.Account, func(deploy.Resource) {})
	assert.ErrorContains(t, err, `conversations.home: "eu-west-1" is not the home that the tables were created in, "eu-central-1"`)
}
