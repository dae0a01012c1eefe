package stacks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/components/encryption"
	"github.com/crossregion/crossregion/components/gateway"
	"github.com/crossregion/crossregion/components/policy"
	"github.com/crossregion/crossregion/contract"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
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

// authorizerEnvironment says how credentials are verified. A token is, by what
// its issuer publishes; an API key, by the control table.
func (s *stack) authorizerEnvironment(r *region) pulumi.StringMapInput {
	return environment(pulumi.StringMap{controlTable: r.tables.ControlName}, func(v map[string]string) (contract.Authorizer, error) {
		c := contract.Authorizer{Stack: s.ctx.Stack(), Region: r.Name, OIDC: s.settings.Auth.oidc()}
		if c.OIDC == nil {
			c.Partners, c.Table = r.Failover, v[controlTable]
		}
		return c, nil
	})
}

// authorizerPolicies let an authorizer of API keys read them, and one of tokens
// nothing.
func (s *stack) authorizerPolicies(r *region) map[string]pulumi.StringInput {
	if s.settings.Auth.oidc() != nil {
		return nil
	}
	return map[string]pulumi.StringInput{"read-keys": s.keysPolicy(r)}
}

// keysPolicy allows looking up API keys in r's control table and, for when that
// does not answer, in its partners'.
func (s *stack) keysPolicy(r *region) pulumi.StringOutput {
	var arns []any
	for _, name := range s.targets(r) {
		arns = append(arns, s.regions[name].tables.ControlArn, s.regions[name].key.Arn)
	}
	return pulumi.All(arns...).ApplyT(func(arns []any) (string, error) {
		var tables []string
		var uses []policy.Statement
		for i := 0; i < len(arns); i += 2 {
			tables = append(tables, arns[i].(string))
			use, err := encryption.UseStatement(arns[i+1].(string))
			if err != nil {
				return "", err
			}
			uses = append(uses, use)
		}
		return policy.Document(append([]policy.Statement{
			leadingKeys(tables, "dynamodb:Query", contract.KeyPartition("*")),
		}, uses...)...)
	}).(pulumi.StringOutput)
}
