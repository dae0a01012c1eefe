package auth_test

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/auth"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var now = time.Unix(1_700_000_000, 0)

// minted returns a table with one key of tenant acme, and the key.
func minted(t *testing.T) (*table, string) {
	t.Helper()
	db := newTable()
	key, err := auth.Mint(t.Context(), auth.NewTable(db, "control"), random(), auth.Grant{Tenant: "acme"})
	require.NoError(t, err)
	return db, key
}

func TestMintStoresTheHashAlone(t *testing.T) {
	db, key := minted(t)
	parts := regexp.MustCompile(`^cr_([a-z2-7]{16})\.([A-Za-z0-9_-]{43})$`).FindStringSubmatch(key)
	require.NotNil(t, parts, key)
	sum := sha256.Sum256([]byte(parts[2]))
	assert.Equal(t, map[string]item{
		contract.KeyPartition(parts[1]) + "|" + contract.KeySort: {
			contract.PartitionKey:  &types.AttributeValueMemberS{Value: contract.KeyPartition(parts[1])},
			contract.SortKey:       &types.AttributeValueMemberS{Value: contract.KeySort},
			contract.AttrKeyHash:   &types.AttributeValueMemberS{Value: hex.EncodeToString(sum[:])},
			contract.AttrKeyTenant: &types.AttributeValueMemberS{Value: "acme"},
		},
	}, db.items)
}

func TestMintWithFaults(t *testing.T) {
	tests := []struct {
		name    string
		fault   fault
		wantErr error
		stored  int
	}{
		{"done", none, nil, 1},
		{"a refusal gives no key", refused, errDown, 0},
		{"a lost reply gives no key", lostReply, errDown, 1},
		{"a lost reply that was repeated is found to be done", repeated, nil, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			db := newTable()
			db.fault = tt.fault
			store := auth.NewTable(db, "control")
			key, err := auth.Mint(t.Context(), store, random(), auth.Grant{Tenant: "acme"})
			require.ErrorIs(t, err, tt.wantErr)
			assert.Equal(t, tt.wantErr != nil, key == "")
			assert.Len(t, db.items, tt.stored)
			if key != "" {
				db.fault = none
				_, _, err = auth.Verify(t.Context(), store, key, now)
				assert.NoError(t, err)
			}
		})
	}
}

func TestMintNeverTakesOverAnId(t *testing.T) {
	db, _ := minted(t)
	before := db.items
	_, err := auth.Mint(t.Context(), auth.NewTable(db, "control"), random(), auth.Grant{Tenant: "evil"})
	require.ErrorIs(t, err, auth.ErrExists)
	assert.Equal(t, before, db.items)
}

func TestMintRejects(t *testing.T) {
	for _, tenant := range []string{"", "a b", "a/b", "a#b", strings.Repeat("x", 65), "ü", "a\n"} {
		_, err := auth.Mint(t.Context(), auth.NewTable(newTable(), "control"), random(), auth.Grant{Tenant: tenant})
		assert.ErrorContains(t, err, "the tenant must be", "%q", tenant)
	}
	for _, g := range []auth.Grant{
		{Tenant: "acme", Models: []string{""}}, {Tenant: "acme", Models: []string{"a,b"}}, {Tenant: "acme", Models: []string{"a", "a"}},
		{Tenant: "acme", Expires: time.Unix(0, 0)},
	} {
		_, err := auth.Mint(t.Context(), auth.NewTable(newTable(), "control"), random(), g)
		assert.Error(t, err, "%+v", g)
	}
	_, err := auth.Mint(t.Context(), auth.NewTable(newTable(), "control"), strings.NewReader("too little"), auth.Grant{Tenant: "acme"})
	assert.ErrorContains(t, err, "read random bytes")
}

func TestVerify(t *testing.T) {
	seconds := func(n string) types.AttributeValue { return &types.AttributeValueMemberN{Value: n} }
	tests := []struct {
		name  string
		attr  string
		value types.AttributeValue
		want  string // "" for access
	}{
		{"a key as it was minted", "other", word("x"), ""},
		{"one that expires later", contract.AttrExpires, seconds("1700000001"), ""},
		{"one that expires now", contract.AttrExpires, seconds("1700000000"), auth.ErrRefused.Error()},
		{"another secret's hash", contract.AttrKeyHash, word("00"), auth.ErrRefused.Error()},
		{"an item without a hash", contract.AttrKeyHash, word(""), "lacks hash or tenant"},
		{"an item without a tenant", contract.AttrKeyTenant, seconds("1"), "lacks hash or tenant"},
		{"models in another type", contract.AttrKeyModels, word("claude"), "models is no set of texts"},
		{"expiry in another type", contract.AttrExpires, word("1"), "expiresAt is no number"},
		{"expiry in fractions", contract.AttrExpires, seconds("1.5"), "read its expiresAt"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			db, key := minted(t)
			db.set(tt.attr, tt.value)
			id, r, err := auth.Verify(t.Context(), auth.NewTable(db, "control"), key, now)
			if tt.want != "" {
				assert.ErrorContains(t, err, tt.want)
				assert.Equal(t, tt.want == auth.ErrRefused.Error(), err == auth.ErrRefused, "only a refusal is one")
				assert.Zero(t, r)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, key[3:19], id)
			assert.Equal(t, "acme", r.Tenant)
			assert.True(t, aws.ToBool(db.queries[0].ConsistentRead))
		})
	}
}

func TestRecordComesBackAsItWasPut(t *testing.T) {
	store := auth.NewTable(newTable(), "control")
	for id, want := range map[string]auth.Record{
		"all":  {Hash: "h", Grant: auth.Grant{Tenant: "acme"}},
		"some": {Hash: "h", Grant: auth.Grant{Tenant: "acme", Models: []string{"claude", "nova"}, Expires: now}},
	} {
		require.NoError(t, store.Put(t.Context(), id, want))
		got, err := store.Get(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := store.Get(t.Context(), "other")
	assert.ErrorIs(t, err, auth.ErrNotFound)
}

func TestKeysThatOpenNothing(t *testing.T) {
	db, key := minted(t)
	unknown := "cr_aaaaaaaaaaaaaaaa" + key[19:]
	for name, k := range map[string]string{
		"nothing": "", "prefix": "cr_", "no prefix": key[3:], "another prefix": "sk_" + key[3:], "no secret": key[:20],
		"no point": strings.Replace(key, ".", "", 1), "longer": key + "A", "shorter": key[:len(key)-1],
		"upper case": "cr_" + strings.ToUpper(key[3:19]) + key[19:], "another alphabet": "cr_" + strings.Repeat("1", 16) + key[19:],
		"another secret":         key[:20] + strings.Repeat("A", 43),
		"no base64":              key[:len(key)-1] + "!",
		"the same in other bits": key[:len(key)-1] + string(key[len(key)-1]+1),
		"unknown":                unknown,
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := auth.Verify(t.Context(), auth.NewTable(db, "control"), k, now)
			assert.Equal(t, auth.ErrRefused, err)
		})
	}
}
