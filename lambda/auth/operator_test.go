package auth_test

import (
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/auth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRevokeWithFaults(t *testing.T) {
	tests := []struct {
		name    string
		fault   fault
		wantErr error
		opens   bool
	}{
		{"done", none, nil, false},
		{"a refusal is reported", refused, errDown, true},
		{"a lost reply is reported, and the key revoked", lostReply, errDown, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			db, key := minted(t)
			store := auth.NewTable(db, "control")
			db.fault = tt.fault
			assert.ErrorIs(t, auth.Revoke(t.Context(), store, key[3:19]), tt.wantErr)
			db.fault = none
			_, _, err := auth.Verify(t.Context(), store, key, now)
			assert.Equal(t, tt.opens, err == nil)
			require.NoError(t, auth.Revoke(t.Context(), store, key[3:19]), "to repeat it is safe")
			_, _, err = auth.Verify(t.Context(), store, key, now)
			assert.ErrorIs(t, err, auth.ErrRefused)
		})
	}
}

// TestRevocationWins writes the key again, as a region would that has not heard
// of the revocation, and whose write is the last.
func TestRevocationWins(t *testing.T) {
	db, key := minted(t)
	id, store := key[3:19], auth.NewTable(db, "control")
	record, err := store.Get(t.Context(), id)
	require.NoError(t, err)
	require.NoError(t, auth.Revoke(t.Context(), store, id))
	delete(db.items, contract.KeyPartition(id)+"|"+contract.KeySort)
	require.NoError(t, store.Put(t.Context(), id, record))
	_, _, err = auth.Verify(t.Context(), store, key, now)
	assert.ErrorIs(t, err, auth.ErrRefused)
}

func TestKeyIsRevokedBeforeItArrives(t *testing.T) {
	there, key := minted(t)
	here, id := newTable(), key[3:19]
	store := auth.NewTable(here, "control")
	assert.ErrorIs(t, auth.Revoke(t.Context(), store, id), auth.ErrNotFound, "a wrong id must not look right")
	for k, it := range there.items {
		here.items[k] = it
	}
	_, _, err := auth.Verify(t.Context(), store, key, now)
	assert.ErrorIs(t, err, auth.ErrRefused)
}

func TestRevokeWantsAnID(t *testing.T) {
	db, key := minted(t)
	for _, id := range []string{"", key, key[3:18], "AAAAAAAAAAAAAAAA"} {
		err := auth.Revoke(t.Context(), auth.NewTable(db, "control"), id)
		assert.ErrorContains(t, err, "is no id", id)
	}
	assert.Len(t, db.items, 1)
}

func TestListShowsTheKeysOfATenant(t *testing.T) {
	db, key := minted(t)
	store := auth.NewTable(db, "control")
	second, err := auth.Mint(t.Context(), store, other(), auth.Grant{Tenant: "umbrella", Models: []string{"claude"}, Expires: now})
	require.NoError(t, err)
	require.NoError(t, auth.PutTenant(t.Context(), store, auth.Tenant{Name: "acme"}))
	require.NoError(t, auth.Revoke(t.Context(), store, key[3:19]))
	acme := auth.Key{ID: key[3:19], Grant: auth.Grant{Tenant: "acme"}, Revoked: true}
	umbrella := auth.Key{ID: second[3:19], Grant: auth.Grant{Tenant: "umbrella", Models: []string{"claude"}, Expires: now}}
	for tenant, want := range map[string][]auth.Key{"acme": {acme}, "umbrella": {umbrella}, "": {acme, umbrella}, "nobody": {}} {
		got, err := auth.List(t.Context(), store, tenant)
		require.NoError(t, err)
		assert.ElementsMatch(t, want, got, tenant)
	}
	one, err := auth.Get(t.Context(), store, key[3:19])
	require.NoError(t, err)
	assert.Equal(t, acme, one)
	db.fault = refused
	_, err = auth.List(t.Context(), store, "acme")
	assert.ErrorIs(t, err, errDown)
}

func TestTenantComesBackAsItWasPut(t *testing.T) {
	db := newTable()
	store := auth.NewTable(db, "control")
	free := auth.Tenant{Name: "free"}
	bound := auth.Tenant{Name: "bound", Limits: auth.Limits{TokensPerMinute: 10, TokensPerDay: 20, Shares: map[string]int{"eu-west-1": 60, "eu-central-1": 40}}}
	for _, want := range []auth.Tenant{free, bound} {
		require.NoError(t, auth.PutTenant(t.Context(), store, want))
		got, err := auth.GetTenant(t.Context(), store, want.Name)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := auth.GetTenant(t.Context(), store, "other")
	assert.ErrorIs(t, err, auth.ErrNotFound)
	all, err := auth.ListTenants(t.Context(), store)
	require.NoError(t, err)
	assert.Equal(t, []auth.Tenant{bound, free}, all)
	require.NoError(t, auth.PutTenant(t.Context(), store, auth.Tenant{Name: "bound"}))
	lifted, err := auth.GetTenant(t.Context(), store, "bound")
	require.NoError(t, err)
	assert.Equal(t, auth.Tenant{Name: "bound"}, lifted, "no limits lift them")
}

func TestTenantsWithFaults(t *testing.T) {
	tests := []struct {
		name  string
		fault fault
		want  auth.Limits // afterwards
	}{
		{"a refusal is reported", refused, auth.Limits{TokensPerDay: 10}},
		{"a lost reply is reported, though the limits are set", lostReply, auth.Limits{TokensPerDay: 20}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			db := newTable()
			store := auth.NewTable(db, "control")
			require.NoError(t, auth.PutTenant(t.Context(), store, auth.Tenant{Name: "acme", Limits: auth.Limits{TokensPerDay: 10}}))
			db.fault = tt.fault
			assert.ErrorIs(t, auth.PutTenant(t.Context(), store, auth.Tenant{Name: "acme", Limits: auth.Limits{TokensPerDay: 20}}), errDown)
			db.fault = refused
			_, err := auth.GetTenant(t.Context(), store, "acme")
			assert.ErrorIs(t, err, errDown)
			_, err = auth.ListTenants(t.Context(), store)
			assert.ErrorIs(t, err, errDown)
			db.fault = none
			got, err := auth.GetTenant(t.Context(), store, "acme")
			require.NoError(t, err)
			assert.Equal(t, tt.want, got.Limits)
		})
	}
}

func TestTenantInAnotherShapeIsAnError(t *testing.T) {
	db := newTable()
	store := auth.NewTable(db, "control")
	for _, attribute := range []string{contract.AttrTokensPerDay, contract.AttrTokensPerMinute, contract.AttrShares} {
		require.NoError(t, auth.PutTenant(t.Context(), store, auth.Tenant{Name: "acme"}))
		db.set(attribute, word("many"))
		_, err := auth.GetTenant(t.Context(), store, "acme")
		assert.ErrorContains(t, err, attribute)
	}
}

func TestPutTenantRejects(t *testing.T) {
	for want, l := range map[string]auth.Limits{
		"is negative":    {TokensPerDay: -1},
		"101 percent":    {Shares: map[string]int{"eu-west-1": 60, "eu-central-1": 41}},
		"eu-west-1":      {Shares: map[string]int{"eu-west-1": 0}},
		"region \"\" is": {Shares: map[string]int{"": 1}},
	} {
		err := auth.PutTenant(t.Context(), auth.NewTable(newTable(), "control"), auth.Tenant{Name: "acme", Limits: l})
		assert.ErrorContains(t, err, want)
	}
	assert.ErrorContains(t, auth.PutTenant(t.Context(), auth.NewTable(newTable(), "control"), auth.Tenant{Name: "a#b"}), "the name must be")
}

func TestShare(t *testing.T) {
	regions := []string{"a", "b", "c"}
	tests := []struct {
		name   string
		limits auth.Limits
		region string
		want   contract.Budget
	}{
		{"no limits, no budget", auth.Limits{Shares: map[string]int{"b": 100}}, "a", contract.Budget{}},
		{"equal shares, rounded down", auth.Limits{TokensPerMinute: 100, TokensPerDay: 11}, "a", contract.Budget{TokensPerMinute: 33, TokensPerDay: 3}},
		{"percent", auth.Limits{TokensPerMinute: 199, Shares: map[string]int{"a": 50}}, "a", contract.Budget{TokensPerMinute: 99}},
		{"no share", auth.Limits{TokensPerMinute: 199, Shares: map[string]int{"a": 50}}, "b", contract.Budget{TokensPerMinute: contract.NoTokens}},
		{"less than a token", auth.Limits{TokensPerDay: 2}, "a", contract.Budget{TokensPerDay: contract.NoTokens}},
		{"the largest limit", auth.Limits{TokensPerDay: 1<<63 - 1, Shares: map[string]int{"a": 100}}, "a", contract.Budget{TokensPerDay: 1<<63 - 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, tt.limits.Share(tt.region, regions)) })
	}
}
