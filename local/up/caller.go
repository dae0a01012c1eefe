package up

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/local/iam"
)

// modes of auth that need no API key, as settings name them.
const (
	modeOIDC = "oidc"
	modeIAM  = "iam"
)

// signerRole is the role of a first caller that signs.
const signerRole = "local-caller"

// Tokens are those that a stack takes from callers.
type Tokens struct {
	Issuer   string `json:"issuer"`
	Audience string `json:"audience"`
	// TenantClaim names the claim that holds the tenant.
	TenantClaim string `json:"tenantClaim"`
}

// admit does what an operator does after the first deployment: it lets a first
// caller in, by what the stack's mode of auth asks for. Tokens are their
// issuer's to give.
func (r *Running) admit(ctx context.Context, stack *deploy.Stack) (err error) {
	switch auth := stack.Settings.Auth; auth.Mode {
	case modeOIDC:
		r.Tokens = &Tokens{Issuer: auth.Issuer, Audience: auth.Audience, TenantClaim: auth.TenantClaim}
	case modeIAM:
		r.Signer, err = r.newSigner(ctx, stack.Settings.Conversations.Home)
	default:
		r.APIKey, err = r.MintKey(ctx, tenant)
	}
	return err
}

// newSigner makes a role that may call the stack's APIs, as the account's owner
// would for an application in Lambda, and returns credentials of a session.
func (r *Running) newSigner(ctx context.Context, home string) (*iam.Credentials, error) {
	trust, may, err := signerPolicies()
	if err != nil {
		return nil, err
	}
	role, err := r.Account.Create(ctx, "aws:iam/role:Role", home, signerRole, map[string]any{"name": signerRole, "assumeRolePolicy": trust})
	if err != nil {
		return nil, fmt.Errorf("make a role that may call the API: %w", err)
	}
	_, err = r.Account.Create(ctx, "aws:iam/rolePolicy:RolePolicy", home, signerRole, map[string]any{"role": signerRole, "policy": may})
	if err != nil {
		return nil, fmt.Errorf("let role %s call the API: %w", signerRole, err)
	}
	c, err := r.Account.IAM.Issue(fmt.Sprint(role.Outputs["arn"]), home, "up")
	return &c, err
}

// signerPolicies say who may be the role, and what it may do.
func signerPolicies() (trust, may string, err error) {
	document := func(statement map[string]any) string {
		b, failed := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{statement}})
		if failed != nil {
			err = failed
		}
		return string(b)
	}
	trust = document(map[string]any{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": map[string]any{"Service": "lambda.amazonaws.com"}})
	may = document(map[string]any{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": cloud.ARN("execute-api", "*", "*")})
	return trust, may, err
}

// signing is what makes curl sign a request for the API of a region, and send it
// to that region under the region's own name, which the signature covers.
func (r *Running) signing(region string) (options, base string, err error) {
	u, err := url.Parse(r.names[region])
	if err != nil {
		return "", "", fmt.Errorf("read the URL of region %s: %w", region, err)
	}
	ip, err := cloud.RegionIP(region)
	if err != nil {
		return "", "", err
	}
	_, port, err := net.SplitHostPort(r.doors[0].listener.Addr().String())
	options = fmt.Sprintf("--aws-sigv4 aws:amz:%s:execute-api --user '%s:%s' -H 'X-Amz-Security-Token: %s' --connect-to %s:80:%s:%s",
		region, r.Signer.AccessKeyID, r.Signer.SecretAccessKey, r.Signer.SessionToken, u.Host, ip, port)
	return options, "http://" + u.Host + u.Path, err
}
