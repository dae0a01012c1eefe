package iam_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var relay = cloud.Caller{
	ARN: "arn:aws:sts::123456789012:assumed-role/relay/run", Role: "relay", Home: "eu-west-1", Region: "eu-central-1",
}

func TestAuthorizeDeniesByDefault(t *testing.T) {
	s := iam.New(cloud.NewManualClock(start))
	createRole(t, s, "relay")
	err := s.Authorize(relay, "dynamodb:GetItem", table, nil)
	requireCode(t, err, "AccessDeniedException", 403)
	assert.EqualError(t, err, "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/relay/run is not authorized "+
		"to perform: dynamodb:GetItem on resource: "+table+" because no identity-based policy allows the dynamodb:GetItem action")
}

func TestAuthorizeCombinesAllPoliciesOfARole(t *testing.T) {
	s := iam.New(cloud.NewManualClock(start))
	createRole(t, s, "relay")
	createRole(t, s, "other")
	attach(t, s, "other", "all", statements(statement("Allow", "*", "*")))
	attach(t, s, "relay", "read", statements(statement("Allow", "dynamodb:*Item", table)))
	attach(t, s, "relay", "guard", statements(statement("Deny", "dynamodb:DeleteItem", "*")))
	require.NoError(t, s.Authorize(relay, "dynamodb:GetItem", table, nil))
	requireCode(t, s.Authorize(relay, "dynamodb:Query", table, nil), "AccessDeniedException", 403)
	err := s.Authorize(relay, "dynamodb:DeleteItem", table, nil)
	requireCode(t, err, "AccessDeniedException", 403)
	assert.ErrorContains(t, err, "dynamodb:DeleteItem on resource: "+table+" with an explicit deny in an identity-based policy")
}

func TestAuthorizeKnowsWhoMayDoEverything(t *testing.T) {
	operator := cloud.Caller{ARN: "arn:aws:iam::123456789012:user/operator"}
	withRole := operator
	withRole.Role = "relay"
	tests := []struct {
		name    string
		caller  cloud.Caller
		allowed bool
	}{
		{"the operator", operator, true},
		{"nobody", cloud.Caller{}, false},
		{"another user", cloud.Caller{ARN: "arn:aws:iam::123456789012:user/other"}, false},
		{"a role under the operator's name", withRole, false},
		{"a role that does not exist", cloud.Caller{ARN: "arn:aws:sts::123456789012:assumed-role/gone/run", Role: "gone"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := iam.New(cloud.NewManualClock(start))
			createRole(t, s, "relay")
			err := s.Authorize(tt.caller, "s3:Get", "r", nil)
			if tt.allowed {
				require.NoError(t, err)
				return
			}
			requireCode(t, err, "AccessDeniedException", 403)
		})
	}
}

func TestAuthorizeAddsGlobalKeys(t *testing.T) {
	tests := []struct {
		name, operator, key, value string
		keys                       cloud.Keys
		allowed                    bool
	}{
		{"the region called", "StringEquals", "aws:RequestedRegion", "eu-central-1", nil, true},
		{"not the region of the caller", "StringEquals", "aws:RequestedRegion", "eu-west-1", nil, false},
		{"the account", "StringEquals", "aws:PrincipalAccount", "123456789012", nil, true},
		{"the role, not its session", "ArnEquals", "aws:PrincipalArn", "arn:aws:iam::123456789012:role/relay", nil, true},
		{"the service's own region, whatever its case", "StringEquals", "aws:RequestedRegion", "unspecified",
			cloud.Keys{"AWS:requestedregion": {"unspecified"}}, true},
		{"not both regions", "StringEquals", "aws:RequestedRegion", "eu-central-1",
			cloud.Keys{"aws:RequestedRegion": {"unspecified"}}, false},
		{"the service's keys", "StringEquals", "dynamodb:LeadingKeys", "t#1", cloud.Keys{"dynamodb:LeadingKeys": {"t#1"}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := iam.New(cloud.NewManualClock(start))
			createRole(t, s, "relay")
			attach(t, s, "relay", "p", statements(fmt.Sprintf(
				`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{%q:{%q:%q}}}`, tt.operator, tt.key, tt.value)))
			err := s.Authorize(relay, "s3:Get", "r", tt.keys)
			if tt.allowed {
				require.NoError(t, err)
				return
			}
			requireCode(t, err, "AccessDeniedException", 403)
		})
	}
}

// The policy that cross-region inference needs: the model is allowed through
// the profile only.
func TestAuthorizeCrossRegionInference(t *testing.T) {
	const (
		invoke  = "bedrock:InvokeModel"
		profile = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc"
		model   = "arn:aws:bedrock:eu-north-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0"
	)
	s := iam.New(cloud.NewManualClock(start))
	createRole(t, s, "relay")
	attach(t, s, "relay", "invoke", statements(statement("Allow", invoke, profile), fmt.Sprintf(
		`{"Effect":"Allow","Action":%q,"Resource":%q,"Condition":{"StringEquals":{"bedrock:InferenceProfileArn":%q}}}`, invoke, model, profile)))
	require.NoError(t, s.Authorize(relay, invoke, profile, nil))
	require.NoError(t, s.Authorize(relay, invoke, model, cloud.Keys{"bedrock:InferenceProfileArn": {profile}}))
	for _, keys := range []cloud.Keys{nil, {"bedrock:InferenceProfileArn": {profile + "d"}}} {
		requireCode(t, s.Authorize(relay, invoke, model, keys), "AccessDeniedException", 403)
	}
}

func TestServiceMayBeUsedConcurrently(t *testing.T) {
	s := iam.New(cloud.NewManualClock(start))
	arn := createRole(t, s, "relay")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			_, err := create(t, s, "aws:iam/rolePolicy:RolePolicy", map[string]any{
				"role": "relay", "name": fmt.Sprint("p", i), "policy": statements(statement("Allow", "s3:Get", "*"))})
			assert.NoError(t, err)
			assert.NoError(t, s.Authorize(relay, "s3:Get", "r", nil))
			assert.NoError(t, s.CheckTrust(arn, "lambda.amazonaws.com"))
			_, err = s.Issue(arn, "eu-west-1", "run")
			assert.NoError(t, err)
		})
	}
	wg.Wait()
}
