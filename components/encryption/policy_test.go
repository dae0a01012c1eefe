package encryption_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/components/encryption"
	"github.com/crossregion/crossregion/components/policy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func users() encryption.Users {
	return encryption.Users{
		Account: "123456789012", Region: "eu-west-1", Regions: []string{"eu-west-1", "eu-central-1"},
		Operators: []string{"arn:aws:iam::123456789012:user/ops"}, Roles: []string{"arn:aws:iam::123456789012:role/reader"},
	}
}

// TestPolicyNamesItsUsers compares all of each statement but its actions.
func TestPolicyNamesItsUsers(t *testing.T) {
	text, err := users().Policy()
	require.NoError(t, err)
	var got []string
	for _, s := range parse(t, text).Statement {
		line := s.Principal["AWS"] + s.Principal["Service"]
		for _, operator := range []string{"ArnEquals", "ArnLike", "Bool", "StringEquals"} {
			for key, values := range s.Condition[operator] {
				line += " " + operator + " " + key + "=" + strings.Join(values, ",")
			}
		}
		got = append(got, line)
	}
	assert.Equal(t, []string{
		"arn:aws:iam::123456789012:root",
		"arn:aws:iam::123456789012:root ArnLike aws:PrincipalArn=arn:aws:iam::123456789012:user/ops" +
			" StringEquals kms:ViaService=dynamodb.eu-west-1.amazonaws.com,dynamodb.eu-central-1.amazonaws.com",
		"arn:aws:iam::123456789012:root ArnLike aws:PrincipalArn=arn:aws:iam::123456789012:user/ops Bool kms:GrantIsForAWSResource=true" +
			" StringEquals kms:ViaService=dynamodb.eu-west-1.amazonaws.com,dynamodb.eu-central-1.amazonaws.com",
		"* ArnEquals aws:PrincipalArn=arn:aws:iam::123456789012:role/aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication",
		"logs.eu-west-1.amazonaws.com ArnLike kms:EncryptionContext:aws:logs:arn=arn:aws:logs:eu-west-1:123456789012:log-group:*",
		"arn:aws:iam::123456789012:root ArnEquals aws:PrincipalArn=arn:aws:iam::123456789012:role/reader" +
			" StringEquals kms:ViaService=dynamodb.eu-west-1.amazonaws.com",
	}, got)
}

// TestKeepersReadNothing: whoever administers the key has no action on data.
func TestKeepersReadNothing(t *testing.T) {
	text, err := users().Policy()
	require.NoError(t, err)
	keepers := parse(t, text).Statement[0].Action
	assert.Contains(t, keepers, "kms:PutKeyPolicy")
	for _, data := range []string{"kms:Decrypt", "kms:Encrypt", "kms:CreateGrant", "kms:GenerateDataKey", "kms:ReEncryptFrom"} {
		assert.False(t, slices.Contains(keepers, data), data)
	}
	assert.Equal(t, []string{"kms:Decrypt"}, parse(t, text).Statement[5].Action, "roles only read table keys")
}

// TestOperatorsGrantNothingThemselves: what DynamoDB grants for them is all.
func TestOperatorsGrantNothingThemselves(t *testing.T) {
	text, err := users().Policy()
	require.NoError(t, err)
	for _, s := range parse(t, text).Statement {
		if s.Principal["AWS"] == "arn:aws:iam::123456789012:root" && slices.Contains(s.Action, "kms:CreateGrant") {
			assert.Equal(t, []string{"true"}, s.Condition["Bool"]["kms:GrantIsForAWSResource"])
			assert.Len(t, s.Action, 1, "the condition holds for no other action")
		}
	}
}

func TestPolicyWithoutRoles(t *testing.T) {
	u := users()
	u.Roles = nil
	text, err := u.Policy()
	require.NoError(t, err)
	assert.Len(t, parse(t, text).Statement, 5)
}

func TestPolicyRefuses(t *testing.T) {
	_, err := encryption.Users{Roles: []string{"reader"}}.Policy()
	for _, want := range []string{"missing Account", "missing Region", "missing Regions", "missing Operators", `role "reader" is not the ARN`} {
		assert.ErrorContains(t, err, want)
	}
}

func TestUseStatement(t *testing.T) {
	const key = "arn:aws:kms:eu-west-1:123456789012:key/k"
	got, err := encryption.UseStatement(key)
	require.NoError(t, err)
	assert.Equal(t, policy.Statement{Actions: []string{"kms:Decrypt"}, Resources: []string{key},
		Conditions: map[string]map[string][]string{"StringEquals": {"kms:ViaService": {"dynamodb.eu-west-1.amazonaws.com"}}}}, got)

	for _, wrong := range []string{"", "k", "arn:aws:kms::123456789012:key/k"} {
		_, err := encryption.UseStatement(wrong)
		assert.ErrorContains(t, err, "is not the ARN of a key")
	}
}
