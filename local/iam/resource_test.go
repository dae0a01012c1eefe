package iam_test

import (
	"testing"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	root     = `{"AWS": "arn:aws:iam::123456789012:root"}`
	keyARN   = "arn:aws:kms:eu-central-1:123456789012:key/k"
	decrypt  = "kms:Decrypt"
	roleARN  = "arn:aws:iam::123456789012:role/relay"
	onlyThis = `, "Condition": {"ArnEquals": {"aws:PrincipalArn": "` + roleARN + `"}}`
)

// grants is a resource statement on everything.
func grants(effect, principal, condition string) string {
	return `{"Effect": "` + effect + `", "Principal": ` + principal + `, "Action": "kms:Decrypt", "Resource": "*"` + condition + `}`
}

// TestAResourcePolicyDecidesFirst: a key's policy must allow, and hands the
// decision to IAM only where it names the account.
func TestAResourcePolicyDecidesFirst(t *testing.T) {
	allow, deny := statement("Allow", decrypt, keyARN), statement("Deny", decrypt, keyARN)
	other := statement("Allow", "dynamodb:GetItem", table)
	tests := []struct {
		name     string
		resource string
		identity string
		want     string // empty when allowed
	}{
		{"the account and the role's own policy", grants("Allow", root, ""), allow, ""},
		{"the account by its number", grants("Allow", `{"AWS": "123456789012"}`, ""), allow, ""},
		{"the account alone is not enough", grants("Allow", root, ""), other, "no identity-based policy allows"},
		{"the role's own policy alone is not enough", grants("Allow", `{"Service": "logs.eu-west-1.amazonaws.com"}`, ""), allow, "no resource-based policy allows"},
		{"the account, for another role", grants("Allow", root, `, "Condition": {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/x"}}`), allow, "no resource-based policy allows"},
		{"the account, for this role", grants("Allow", root, onlyThis), allow, ""},
		{"the role itself needs no policy of its own", grants("Allow", `{"AWS": "`+roleARN+`"}`, ""), other, ""},
		{"everybody", grants("Allow", `"*"`, onlyThis), other, ""},
		{"the role itself, with a deny of its own", grants("Allow", `{"AWS": ["`+roleARN+`"]}`, ""), deny, "explicit deny in an identity-based"},
		{"a deny beside an allow", grants("Allow", root, "") + "," + grants("Deny", `{"AWS": "*"}`, onlyThis), allow, "explicit deny in a resource-based"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := iam.New(cloud.NewManualClock(start))
			createRole(t, s, "relay")
			attach(t, s, "relay", "p", statements(tt.identity))
			p, err := iam.ParseResourcePolicy(statements(tt.resource))
			require.NoError(t, err)
			require.NoError(t, s.CheckPrincipals(p))
			err = s.AuthorizeResource(relay, p, iam.Ask{Action: decrypt, Resource: keyARN})
			if tt.want == "" {
				assert.NoError(t, err)
				return
			}
			requireCode(t, err, "AccessDeniedException", 403)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestTheOperatorNeedsTheResourcePolicyToo(t *testing.T) {
	s := iam.New(cloud.NewManualClock(start))
	ask := iam.Ask{Action: decrypt, Resource: keyARN}
	open, err := iam.ParseResourcePolicy(statements(grants("Allow", root, "")))
	require.NoError(t, err)
	assert.NoError(t, s.AuthorizeResource(iam.OperatorCaller("eu-west-1"), open, ask))
	closed, err := iam.ParseResourcePolicy(statements(grants("Allow", root, onlyThis)))
	require.NoError(t, err)
	requireCode(t, s.AuthorizeResource(iam.OperatorCaller("eu-west-1"), closed, ask), "AccessDeniedException", 403)
}

func TestAServiceIsAllowedInItsOwnName(t *testing.T) {
	const logs = "logs.eu-west-1.amazonaws.com"
	p, err := iam.ParseResourcePolicy(statements(
		grants("Allow", `{"Service": "`+logs+`"}`, `, "Condition": {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-west-1:123456789012:log-group:*"}}`),
		grants("Allow", `"*"`, onlyThis),
	))
	require.NoError(t, err)
	group := func(region string) cloud.Keys {
		return cloud.Keys{"kms:EncryptionContext:aws:logs:arn": {"arn:aws:logs:" + region + ":123456789012:log-group:g"}}
	}
	assert.True(t, p.AllowsService(logs, iam.Ask{Action: decrypt, Resource: keyARN, Keys: group("eu-west-1")}))
	assert.False(t, p.AllowsService(logs, iam.Ask{Action: decrypt, Resource: keyARN, Keys: group("eu-west-2")}), "another context")
	assert.False(t, p.AllowsService(logs, iam.Ask{Action: "kms:Encrypt", Resource: keyARN, Keys: group("eu-west-1")}), "another action")
	assert.False(t, p.AllowsService("logs.eu-west-2.amazonaws.com", iam.Ask{Action: decrypt, Resource: keyARN, Keys: group("eu-west-1")}), "another service")
}

func TestResourcePoliciesAreStrict(t *testing.T) {
	tests := []struct{ name, statement, want string }{
		{"no principal", `{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}`, "missing required field Principal"},
		{"a principal of a kind that is not known", grants("Allow", `{"Federated": "x"}`, ""), "unknown element"},
		{"a principal that is not text", grants("Allow", `{"AWS": {}}`, ""), "principal"},
		{"a principal that is no object", grants("Allow", `"me"`, ""), "not an object"},
		{"a service that AWS has not", grants("Allow", `{"Service": "logs"}`, ""), "invalid principal in policy"},
		{"no resource", `{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt"}`, "Resource"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := iam.ParseResourcePolicy(statements(tt.statement))
			requireCode(t, err, "MalformedPolicyDocument", 400)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestPrincipalsMustExist(t *testing.T) {
	s := iam.New(cloud.NewManualClock(start))
	for _, principal := range []string{roleARN, "arn:aws:iam::210987654321:root", "arn:aws:iam::123456789012:user/other"} {
		p, err := iam.ParseResourcePolicy(statements(grants("Allow", `{"AWS": "`+principal+`"}`, "")))
		require.NoError(t, err)
		requireCode(t, s.CheckPrincipals(p), "MalformedPolicyDocument", 400)
	}
}
