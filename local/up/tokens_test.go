package up_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/up"
	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// issuer is an OpenID Connect issuer on this machine.
type issuer struct {
	*httptest.Server
	t *testing.T

	mu   sync.Mutex
	keys []jose.JSONWebKey // public ones
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{t: t}
	mux := http.NewServeMux()
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	write := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		assert.NoError(t, json.NewEncoder(w).Encode(v))
	}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		write(w, map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys"})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		write(w, jose.JSONWebKeySet{Keys: i.keys})
	})
	return i
}

// newKey returns a key, which the issuer publishes under a name.
func (i *issuer) newKey(name string, published bool) *rsa.PrivateKey {
	i.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(i.t, err)
	if published {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.keys = append(i.keys, jose.JSONWebKey{Key: key.Public(), KeyID: name, Algorithm: string(jose.RS256), Use: "sig"})
	}
	return key
}

// claims are good ones of a tenant, with changes.
func (i *issuer) claims(tenant string, changes map[string]any) map[string]any {
	claims := map[string]any{"iss": i.URL, "aud": "llm", "sub": "somebody", "team": tenant,
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	for name, value := range changes {
		claims[name] = value
	}
	return claims
}

// token signs claims with a key of the given name.
func (i *issuer) token(alg jose.SignatureAlgorithm, key any, name string, claims map[string]any) string {
	i.t.Helper()
	payload, err := json.Marshal(claims)
	require.NoError(i.t, err)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: name}}, nil)
	require.NoError(i.t, err)
	signed, err := signer.Sign(payload)
	require.NoError(i.t, err)
	token, err := signed.CompactSerialize()
	require.NoError(i.t, err)
	return token
}

// unsigned is a token of algorithm "none", with or without something where the
// signature would be.
func (i *issuer) unsigned(claims map[string]any, signature string) string {
	payload, err := json.Marshal(claims)
	require.NoError(i.t, err)
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none","kid":"first"}`)) + "." + encode(payload) + "." + encode([]byte(signature))
}

// public is the key as an issuer may publish it, byte for byte, which whoever
// mistakes it for a shared secret would sign with.
func public(t *testing.T, key *rsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// TestTokens is mode oidc: whose tokens are taken, and what they open.
func TestTokens(t *testing.T) {
	i := newIssuer(t)
	r := admitting(t, map[string]any{"mode": "oidc", "issuer": i.URL, "audience": "llm", "tenantClaim": "team"})
	assert.Empty(t, r.APIKey, "nobody has a key")
	assert.Equal(t, &up.Tokens{Issuer: i.URL, Audience: "llm", TenantClaim: "team"}, r.Tokens)
	first, stolen := i.newKey("first", true), i.newKey("first", false)
	sign := func(changes map[string]any) string {
		return i.token(jose.RS256, first, "first", i.claims("acme", changes))
	}
	good := sign(nil)
	tests := []struct {
		name, token string
		status      int
	}{
		{"of the issuer", good, 200},
		{"for several audiences", sign(map[string]any{"aud": []string{"other", "llm"}}), 200},
		{"for another audience", sign(map[string]any{"aud": "billing"}), 401},
		{"of another issuer", sign(map[string]any{"iss": "https://evil.example.com"}), 401},
		{"that has expired", sign(map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}), 401},
		{"that is not valid yet", sign(map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}), 401},
		{"without a tenant", sign(map[string]any{"team": nil}), 401},
		{"whose tenant would spell another's key", sign(map[string]any{"team": "acme#x"}), 401},
		{"signed by another key of the same name", i.token(jose.RS256, stolen, "first", i.claims("acme", nil)), 401},
		{"signed with an algorithm that is not taken", i.token(jose.RS512, first, "first", i.claims("acme", nil)), 401},
		{"signed with the public key as a shared secret", i.token(jose.HS256, public(t, first), "first", i.claims("acme", nil)), 401},
		{"not signed", i.unsigned(i.claims("acme", nil), ""), 401},
		{"not signed, but for some bytes", i.unsigned(i.claims("acme", nil), "signature"), 401},
		{"that is an API key", "cr_aaaaaaaaaaaaaaaa." + "b.c", 401},
		{"that is empty", "", 401},
	}
	secrets := []string{"somebody", "acme", "umbrella"}
	for _, tt := range tests {
		t.Run("a token "+tt.name, func(t *testing.T) {
			got := list(t, http.DefaultClient, near(r), "Bearer "+tt.token)
			assert.Equal(t, tt.status, got.status, got.body)
			if tt.status == 401 {
				assert.Contains(t, got.body, "invalid_token")
			}
		})
		if tt.token != "" {
			secrets = append(secrets, tt.token)
		}
	}
	other := i.token(jose.RS256, first, "first", i.claims("umbrella", nil))
	t.Run("two tenants do not see each other's responses", func(t *testing.T) { stranger(t, keyed(r, good), keyed(r, other)) })
	t.Run("a tenant over its budget", func(t *testing.T) {
		overBudget(t, r, "hooli", keyed(r, i.token(jose.RS256, first, "first", i.claims("hooli", nil))))
	})
	t.Run("what is printed works when pasted", func(t *testing.T) {
		t.Setenv("TOKEN", good)
		pasted(t, r)
		fields := printedFields(t, r)
		assert.NotContains(t, fields, "apiKey")
		assert.Equal(t, map[string]any{"issuer": i.URL, "audience": "llm", "tenantClaim": "team"}, fields["tokens"])
	})
	t.Run("health needs no token", func(t *testing.T) { assert.Equal(t, 200, status(t, r.Endpoint+"/healthz")) })
	t.Run("a key that the issuer adds is fetched", func(t *testing.T) {
		added := i.token(jose.RS256, i.newKey("second", true), "second", i.claims("acme", nil))
		require.Eventually(t, func() bool {
			return list(t, http.DefaultClient, near(r), "Bearer "+added).status == 200
		}, time.Minute, 50*time.Millisecond, "not for each unknown key, but soon")
	})
	quiet(t, r, append(secrets, other)...)
}
