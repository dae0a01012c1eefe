package contract

import (
	"net"
	"net/url"
)

// OIDC says which tokens of an OpenID Connect issuer are taken.
type OIDC struct {
	// Issuer is the URL that tokens name, under which its configuration is found.
	Issuer string `json:"issuer"`
	// Audience must be among those that a token is for.
	Audience string `json:"audience"`
	// TenantClaim names the claim that holds the tenant.
	TenantClaim string `json:"tenantClaim"`
	// Algorithms are those of [OIDCAlgorithms] that a token may be signed with.
	Algorithms []string `json:"algorithms"`
}

// OIDCAlgorithms are those whose keys an issuer can publish: with a shared secret
// whoever verifies could sign.
var OIDCAlgorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// Fetchable reports whether an issuer's keys can be fetched from the URL: with
// TLS, or on this machine, where an embedded cloud may have its issuer.
func Fetchable(raw string) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}
