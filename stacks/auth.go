package stacks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/components/gateway"
	"github.com/crossregion/crossregion/contract"
)

// credentials are what each mode of auth wants to see.
var credentials = map[string]gateway.Credentials{
	"": gateway.APIKeys, "apiKey": gateway.APIKeys, "oidc": gateway.Tokens, "iam": gateway.Signatures,
}

func (a Auth) validate(f *faults) {
	_, known := credentials[a.Mode]
	f.check(known, "auth.mode", fmt.Sprintf("%q is not known", a.Mode), "use apiKey, oidc or iam")
	if !known {
		return
	}
	for _, setting := range []struct{ path, value string }{
		{"auth.issuer", a.Issuer}, {"auth.audience", a.Audience}, {"auth.tenantClaim", a.TenantClaim},
	} {
		if a.Mode == "oidc" {
			f.check(setting.value != "", setting.path, "missing", "say whose tokens are taken, for whom, and which claim is the tenant")
		} else {
			f.check(setting.value == "", setting.path, "has no effect without auth.mode oidc", "remove it, or set the mode")
		}
	}
	f.check(a.Mode == "oidc" || len(a.Algorithms) == 0, "auth.algorithms", "has no effect without auth.mode oidc", "remove it, or set the mode")
	f.check(a.Issuer == "" || contract.Fetchable(a.Issuer), "auth.issuer", fmt.Sprintf("%q is not the https:// URL of an issuer", a.Issuer),
		"give the iss of its tokens, without query and fragment")
	for i, name := range a.Algorithms {
		f.check(slices.Contains(contract.OIDCAlgorithms, name), fmt.Sprintf("auth.algorithms[%d]", i), fmt.Sprintf("%q is not known", name),
			"use some of "+strings.Join(contract.OIDCAlgorithms, ", ")+": with a shared secret, whoever verifies could sign")
	}
}

// oidc is nil in other modes.
func (a Auth) oidc() *contract.OIDC {
	if a.Mode != "oidc" {
		return nil
	}
	algorithms := a.Algorithms
	if len(algorithms) == 0 {
		algorithms = []string{"RS256", "ES256"}
	}
	return &contract.OIDC{Issuer: a.Issuer, Audience: a.Audience, TenantClaim: a.TenantClaim, Algorithms: algorithms}
}

// functions are those of each region, by contract's names.
func (s *stack) functions() []string { return credentials[s.settings.Auth.Mode].Functions() }
