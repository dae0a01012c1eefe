package oidc_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/auth"
	"github.com/crossregion/crossregion/lambda/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTokenSpeaksForItsTenant(t *testing.T) {
	w := newWorld(t)
	for range 3 {
		caller, err := w.Verify(t.Context(), w.token(w.claims(nil)))
		require.NoError(t, err)
		assert.Equal(t, contract.Caller{Tenant: "acme", Expires: start.Add(time.Hour + 30*time.Second)}, caller)
	}
	assert.Equal(t, 1, w.fetches, "keys are fetched once")
}

func TestTokensThatAreRefused(t *testing.T) {
	w := newWorld(t)
	stranger := newSigner(t, "first")
	secret := &signer{t, []byte(strings.Repeat("s", 32)), jose.HS256, "first"}
	good := w.token(w.claims(nil))
	tests := []struct {
		name, token, reason string
	}{
		{"nothing", "", "form or algorithm"},
		{"no token", "cr_abc", "form or algorithm"},
		{"another issuer", w.token(w.claims(map[string]any{"iss": "https://evil.example.com"})), "issuer, audience or time"},
		{"another audience", w.token(w.claims(map[string]any{"aud": "other"})), "issuer, audience or time"},
		{"expired", w.token(w.claims(map[string]any{"exp": start.Add(-31 * time.Second).Unix()})), "expired"},
		{"without an end", w.token(w.claims(map[string]any{"exp": nil})), "expired"},
		{"not yet valid", w.token(w.claims(map[string]any{"nbf": start.Add(6 * time.Minute).Unix()})), "issuer, audience or time"},
		{"no tenant", w.token(w.claims(map[string]any{"team": nil})), "tenant"},
		{"a tenant that spells another's key", w.token(w.claims(map[string]any{"team": "a#b"})), "tenant"},
		{"a tenant that is no text", w.token(w.claims(map[string]any{"team": []string{"acme"}})), "tenant"},
		{"another's signature", stranger.token(w.claims(nil)), "signature"},
		{"a shared secret", secret.token(w.claims(nil)), "form or algorithm"},
		{"no signature", unsigned(good), "form or algorithm"},
		{"another's claims", good[:strings.Index(good, ".")] + stranger.token(w.claims(map[string]any{"team": "evil"}))[strings.Index(good, "."):], "signature"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			caller, err := w.Verify(t.Context(), tt.token)
			require.ErrorIs(t, err, auth.ErrRefused)
			var refused *auth.RefusedError
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, tt.reason, refused.Reason)
			assert.Zero(t, caller)
		})
	}
}

// unsigned is a token that says that it needs no signature.
func unsigned(token string) string {
	parts := strings.Split(token, ".")
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
}

func TestClocksMayDiffer(t *testing.T) {
	w := newWorld(t)
	caller, err := w.Verify(t.Context(), w.token(w.claims(map[string]any{"exp": start.Add(-29 * time.Second).Unix()})))
	require.NoError(t, err)
	assert.False(t, caller.Expired(start), "nor does the cached answer end before")
}

// soon verifies a token again and again, at one moment of the issuer's time: the
// library may still share the outcome of the fetch before.
func (w *world) soon(t *testing.T, token string) error {
	_, err := w.Verify(t.Context(), token)
	for tries := 0; err != nil && tries < 1000; tries++ {
		_, err = w.Verify(t.Context(), token)
	}
	return err
}

func TestKeysMayRotate(t *testing.T) {
	w := newWorld(t)
	_, err := w.Verify(t.Context(), w.token(w.claims(nil)))
	require.NoError(t, err)
	second := newSigner(t, "second")
	w.publish(w.signer, second)
	w.now = w.now.Add(10 * time.Second)
	require.NoError(t, w.soon(t, second.token(w.claims(nil))), "an unknown key is looked for")
	_, err = w.Verify(t.Context(), w.token(w.claims(nil)))
	require.NoError(t, err)
	assert.Equal(t, 2, w.fetches)
}

func TestStrangersDoNotMakeUsAskTheIssuer(t *testing.T) {
	w := newWorld(t)
	for range 20 {
		_, err := w.Verify(t.Context(), newSigner(t, "unknown").token(w.claims(nil)))
		require.ErrorIs(t, err, auth.ErrRefused)
	}
	assert.Equal(t, 1, w.fetches)
	w.now = w.now.Add(10 * time.Second)
	// The library may still share the outcome of the fetch before.
	for tries := 0; w.fetches < 2 && tries < 1000; tries++ {
		_, err := w.Verify(t.Context(), newSigner(t, "unknown").token(w.claims(nil)))
		require.ErrorIs(t, err, auth.ErrRefused)
	}
	assert.Equal(t, 2, w.fetches)
}

func TestWithdrawnKeyIsForgotten(t *testing.T) {
	w := newWorld(t)
	claims := w.claims(map[string]any{"exp": start.Add(48 * time.Hour).Unix()})
	_, err := w.Verify(t.Context(), w.token(claims))
	require.NoError(t, err)
	w.publish(newSigner(t, "second"))
	w.now = w.now.Add(time.Hour)
	_, err = w.Verify(t.Context(), w.token(claims))
	assert.ErrorIs(t, err, auth.ErrRefused)
}

func TestKnownKeysOutliveTheIssuer(t *testing.T) {
	for name, fail := range map[string]func(*world){
		"all of it":   func(w *world) { w.Close() },
		"its keys":    func(w *world) { w.set(func(i *issuer) { i.status = http.StatusInternalServerError }) },
		"its purpose": func(w *world) { w.set(func(i *issuer) { i.metadata["issuer"] = "https://evil.example.com" }) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			claims := w.claims(map[string]any{"exp": start.Add(48 * time.Hour).Unix()})
			_, err := w.Verify(t.Context(), w.token(claims))
			require.NoError(t, err)
			fail(w)
			for range 3 {
				w.now = w.now.Add(2 * time.Hour)
				_, err = w.Verify(t.Context(), w.token(claims))
				require.NoError(t, err)
			}
		})
	}
}

func TestIssuerThatCannotBeAskedIsNoRefusal(t *testing.T) {
	tests := []struct {
		name string
		fail func(*world)
	}{
		{"it does not answer", func(w *world) { w.Close() }},
		{"its keys do not come", func(w *world) { w.set(func(i *issuer) { i.status = http.StatusServiceUnavailable }) }},
		{"its keys move to somebody else", func(w *world) { w.set(func(i *issuer) { i.status = http.StatusFound }) }},
		{"it is another", func(w *world) { w.set(func(i *issuer) { i.metadata["issuer"] = "https://evil.example.com" }) }},
		{"its keys come without TLS", func(w *world) { w.set(func(i *issuer) { i.metadata["jwks_uri"] = "http://keys.example.com/" }) }},
		{"it names no keys", func(w *world) { w.set(func(i *issuer) { delete(i.metadata, "jwks_uri") }) }},
		{"it says too much", func(w *world) { w.set(func(i *issuer) { i.metadata["x"] = strings.Repeat("x", 1<<20) }) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			tt.fail(w)
			_, err := w.Verify(t.Context(), w.token(w.claims(nil)))
			require.Error(t, err)
			assert.False(t, errors.Is(err, auth.ErrRefused), "a client would throw its token away")
			assert.NotContains(t, err.Error(), "acme")
		})
	}
}

func TestIssuerComesBack(t *testing.T) {
	w := newWorld(t)
	w.set(func(i *issuer) { i.status = http.StatusServiceUnavailable })
	_, err := w.Verify(t.Context(), w.token(w.claims(nil)))
	require.Error(t, err)
	w.set(func(i *issuer) { i.status = http.StatusOK })
	require.NoError(t, w.soon(t, w.token(w.claims(nil))), "a failure is not waited out")
}

// TestKeysThatBreakOffAreNoRefusal, and are fetched again at once.
func TestKeysThatBreakOffAreNoRefusal(t *testing.T) {
	w := newWorld(t)
	w.set(func(i *issuer) { i.cut = true })
	for range 3 {
		_, err := w.Verify(t.Context(), w.token(w.claims(nil)))
		require.Error(t, err)
		require.NotErrorIs(t, err, auth.ErrRefused)
	}
	w.set(func(i *issuer) { i.cut = false })
	require.NoError(t, w.soon(t, w.token(w.claims(nil))))
}

func TestNewRejects(t *testing.T) {
	good := contract.OIDC{Issuer: "https://issuer.example.com/x", Audience: "llm", TenantClaim: "team", Algorithms: []string{"RS256"}}
	_, err := oidc.New(oidc.Config{OIDC: good})
	require.NoError(t, err)
	for _, url := range []string{"", "issuer", "http://issuer.example.com", "https://u:p@issuer.example.com", "https://i.example.com?x", "https://i.example.com#x", "ftp://127.0.0.1"} {
		bad := good
		bad.Issuer = url
		_, err := oidc.New(oidc.Config{OIDC: bad})
		assert.Error(t, err, url)
	}
	for _, algorithm := range []string{"none", "HS256", "", "rs256"} {
		bad := good
		bad.Algorithms = []string{"RS256", algorithm}
		_, err := oidc.New(oidc.Config{OIDC: bad})
		assert.ErrorContains(t, err, "is not one of", algorithm)
	}
	_, err = oidc.New(oidc.Config{OIDC: contract.OIDC{Issuer: good.Issuer}})
	assert.ErrorContains(t, err, "audience, tenantClaim or algorithms are missing")
}
