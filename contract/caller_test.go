package contract_test

import (
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCallerComesBackFromItsContext(t *testing.T) {
	for _, want := range []contract.Caller{
		{Tenant: "acme"},
		{Tenant: "acme", KeyID: "k1", Models: []string{"claude", "nova-pro.1"}, Expires: time.Unix(1_700_000_000, 0)},
	} {
		context := want.Context()
		for key, value := range context {
			assert.IsType(t, "", value, "API Gateway passes strings on as they are: %s", key)
		}
		got, err := contract.ReadCaller(context)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	nobody, err := contract.ReadCaller(nil)
	require.NoError(t, err)
	assert.Zero(t, nobody)
}

func TestReadCallerRefusesWhatMightBeALimit(t *testing.T) {
	for _, key := range []string{contract.ContextTenant, contract.ContextKeyID, contract.ContextModels, contract.ContextExpires} {
		got, err := contract.ReadCaller(map[string]any{contract.ContextTenant: "acme", key: 7.5})
		assert.ErrorContains(t, err, key)
		assert.Zero(t, got)
	}
	_, err := contract.ReadCaller(map[string]any{contract.ContextExpires: "soon"})
	assert.Error(t, err)
}

func TestCallerMayUse(t *testing.T) {
	assert.True(t, contract.Caller{}.MayUse("claude"), "no list means all")
	some := contract.Caller{Models: []string{"claude"}}
	assert.True(t, some.MayUse("claude"))
	assert.False(t, some.MayUse("claude-2"))
}

func TestCallerExpires(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	c := contract.Caller{Expires: at}
	assert.False(t, c.Expired(at.Add(-1)))
	assert.True(t, c.Expired(at))
	assert.False(t, contract.Caller{}.Expired(at), "never")
}

func TestTenantsCannotSpellAnothersKey(t *testing.T) {
	for _, tenant := range []string{"a", "A-b_9", strings.Repeat("x", 64)} {
		assert.True(t, contract.ValidTenant(tenant), tenant)
	}
	for _, tenant := range []string{"", "a b", "a/b", "a#b", strings.Repeat("x", 65), "ü", "a\n"} {
		assert.False(t, contract.ValidTenant(tenant), "%q", tenant)
	}
}
