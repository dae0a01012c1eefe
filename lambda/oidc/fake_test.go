package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// issuer serves its configuration and its keys.
type issuer struct {
	*httptest.Server
	mu       sync.Mutex
	keys     []jose.JSONWebKey // public ones
	metadata map[string]any
	status   int  // of the keys
	fetches  int  // of the keys
	cut      bool // keys do not come whole
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{status: http.StatusOK}
	mux := http.NewServeMux()
	i.Server = httptest.NewServer(mux)
	t.Cleanup(i.Close)
	i.metadata = map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys"}
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		assert.NoError(t, json.NewEncoder(w).Encode(i.metadata))
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.fetches++
		w.Header().Set("Content-Type", "application/json")
		if i.cut {
			w.Header().Set("Content-Length", "100000") // more than comes
		}
		w.WriteHeader(i.status)
		assert.NoError(t, json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: i.keys}))
	})
	return i
}

// set changes the issuer.
func (i *issuer) set(f func(*issuer)) {
	i.mu.Lock()
	defer i.mu.Unlock()
	f(i)
}

// signer is a key of an issuer.
type signer struct {
	t    *testing.T
	key  any
	alg  jose.SignatureAlgorithm
	name string
}

// newSigner returns a key that the issuer does not publish.
func newSigner(t *testing.T, name string) *signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return &signer{t, key, jose.ES256, name}
}

// publish makes the keys those of the issuer.
func (i *issuer) publish(signers ...*signer) {
	i.set(func(i *issuer) {
		i.keys = nil
		for _, s := range signers {
			i.keys = append(i.keys, jose.JSONWebKey{Key: s.key.(*ecdsa.PrivateKey).Public(), KeyID: s.name, Algorithm: string(s.alg), Use: "sig"})
		}
	})
}

// token signs claims.
func (s *signer) token(claims map[string]any) string {
	s.t.Helper()
	payload, err := json.Marshal(claims)
	require.NoError(s.t, err)
	jws, err := jose.NewSigner(jose.SigningKey{Algorithm: s.alg, Key: jose.JSONWebKey{Key: s.key, KeyID: s.name}}, nil)
	require.NoError(s.t, err)
	signed, err := jws.Sign(payload)
	require.NoError(s.t, err)
	token, err := signed.CompactSerialize()
	require.NoError(s.t, err)
	return token
}

var start = time.Unix(1_700_000_000, 0)

// world is a verifier, its clock and its issuer with one key.
type world struct {
	*oidc.Verifier
	*issuer
	*signer
	now time.Time
}

func newWorld(t *testing.T) *world {
	w := &world{issuer: newIssuer(t), signer: newSigner(t, "first"), now: start}
	w.publish(w.signer)
	var err error
	w.Verifier, err = oidc.New(oidc.Config{
		OIDC: contract.OIDC{Issuer: w.URL, Audience: "llm", TenantClaim: "team", Algorithms: []string{"ES256"}},
		Now:  func() time.Time { return w.now }, Transport: w.Client().Transport,
	})
	require.NoError(t, err)
	return w
}

// claims are good ones, with changes.
func (w *world) claims(changes map[string]any) map[string]any {
	claims := map[string]any{
		"iss": w.URL, "aud": []string{"other", "llm"}, "sub": "somebody", "team": "acme",
		"exp": start.Add(time.Hour).Unix(), "nbf": start.Unix(), "iat": start.Unix(),
	}
	for name, value := range changes {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}
