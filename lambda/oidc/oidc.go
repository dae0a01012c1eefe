// Package oidc verifies the tokens of one OpenID Connect issuer. Signatures and
// claims are the library's to check; this package says which issuer, audience
// and algorithms are taken, which claim is the tenant, and how often the issuer
// is asked for its keys. It takes no token on trust while the issuer is away,
// and no key that it has not fetched from it.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/auth"
)

// skew is how far the issuer's clock may be from ours.
const skew = 30 * time.Second

// Config configures a [Verifier].
type Config struct {
	contract.OIDC
	// Transport reaches the issuer; http.DefaultTransport if nil.
	Transport http.RoundTripper
	// Now is time.Now if nil.
	Now func() time.Time
}

// Verifier is an [auth.Verifier] of tokens. It is safe for concurrent use.
type Verifier struct {
	cfg    Config
	issuer *issuer
}

// New returns a Verifier, or an error that names every fault of cfg. It asks the
// issuer for nothing until there is a token to verify.
func New(cfg Config) (*Verifier, error) {
	var errs []error
	if !contract.Fetchable(cfg.Issuer) {
		errs = append(errs, fmt.Errorf("%q is not the https:// URL of an issuer", cfg.Issuer))
	}
	if cfg.Audience == "" || cfg.TenantClaim == "" || len(cfg.Algorithms) == 0 {
		errs = append(errs, errors.New("audience, tenantClaim or algorithms are missing"))
	}
	for _, a := range cfg.Algorithms {
		if !slices.Contains(contract.OIDCAlgorithms, a) {
			errs = append(errs, fmt.Errorf("algorithm %q is not one of %q", a, contract.OIDCAlgorithms))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("configure oidc: %w", err)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Verifier{cfg: cfg, issuer: newIssuer(cfg)}, nil
}

// Verify implements [auth.Verifier].
func (v *Verifier) Verify(ctx context.Context, credential string) (contract.Caller, error) {
	keys := &attempt{issuer: v.issuer}
	token, err := oidc.NewVerifier(v.cfg.Issuer, keys, &oidc.Config{
		ClientID: v.cfg.Audience, SupportedSigningAlgs: v.cfg.Algorithms,
		Now: func() time.Time { return v.cfg.Now().Add(-skew) },
	}).Verify(ctx, credential)
	if err != nil {
		return contract.Caller{}, keys.refusal(err)
	}
	tenant, err := v.tenant(token)
	if err != nil {
		return contract.Caller{}, err
	}
	return contract.Caller{Tenant: tenant, Expires: token.Expiry.Add(skew)}, nil
}

func (v *Verifier) tenant(token *oidc.IDToken) (string, error) {
	var claims map[string]any
	if err := token.Claims(&claims); err != nil {
		return "", &auth.RefusedError{Reason: "claims"}
	}
	tenant, _ := claims[v.cfg.TenantClaim].(string)
	if !contract.ValidTenant(tenant) {
		return "", &auth.RefusedError{Reason: "tenant"}
	}
	return tenant, nil
}

// attempt is the key set of one verification. It remembers how far that came,
// which the library's errors do not tell, and which they would tell in words of
// the token.
type attempt struct {
	issuer *issuer
	asked  bool
	err    error
}

// VerifySignature implements [oidc.KeySet].
func (a *attempt) VerifySignature(ctx context.Context, jwt string) (payload []byte, err error) {
	a.asked = true
	payload, a.err = a.issuer.VerifySignature(ctx, jwt)
	return payload, a.err
}

// refusal says why a token was not taken; or that this cannot be told, since
// the issuer did not answer.
func (a *attempt) refusal(err error) error {
	var expired *oidc.TokenExpiredError
	switch {
	case errors.Is(a.err, errUnavailable):
		return a.err
	case !a.asked:
		return &auth.RefusedError{Reason: "form or algorithm"}
	case a.err != nil:
		return &auth.RefusedError{Reason: "signature"}
	case errors.As(err, &expired):
		return &auth.RefusedError{Reason: "expired"}
	default:
		return &auth.RefusedError{Reason: "issuer, audience or time"}
	}
}
