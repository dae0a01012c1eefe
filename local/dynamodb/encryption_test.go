package dynamodb_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const replicationRole = "AWSServiceRoleForDynamoDBReplication"

func encrypted() map[string]any {
	return map[string]any{"serverSideEncryption": map[string]any{"enabled": true, "kmsKeyArn": homeKey}}
}

func farKey() string { return strings.Replace(homeKey, home, far, 1) }

func via(region string) string { return "dynamodb." + region + ".amazonaws.com" }

// TestEveryCallOpensTheTable with the key of its own region, in the caller's name.
func TestEveryCallOpensTheTable(t *testing.T) {
	b := newBench(t)
	_, err := b.createTable(home, encrypted())
	require.NoError(t, err)
	_, err = b.createReplica(far, map[string]any{"kmsKeyArn": farKey()})
	require.NoError(t, err)
	for region, key := range map[string]string{home: homeKey, far: farKey()} {
		b.keys.asked, b.keys.deny = nil, ""
		b.put(t, region, keyed("p", "s"))
		b.get(t, region, keyed("p", "s"))
		ask := "arn:role " + via(region) + " " + key + " kms:Decrypt"
		assert.Equal(t, []string{ask, ask}, b.keys.asked)

		b.keys.deny = ask
		_, err := b.client(region).GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String(tbl), Key: keyed("p", "s")})
		refused(t, err, "AccessDeniedException", "kms:Decrypt")
	}
}

func TestATableOfAWSsKeyAsksNobody(t *testing.T) {
	b := global(t)
	b.put(t, home, keyed("p", "s"))
	assert.Empty(t, b.keys.asked)
}

// TestKeysMustServe whoever chooses them, and replication.
func TestKeysMustServe(t *testing.T) {
	tests := []struct{ name, deny string }{
		{"a table by DynamoDB of its region", "operator " + via(home) + " " + homeKey + " kms:CreateGrant"},
		{"a replica by DynamoDB of its region", "operator " + via(far) + " " + farKey() + " kms:CreateGrant"},
		{"a replica by DynamoDB of the table's home", "operator " + via(home) + " " + farKey() + " kms:GenerateDataKey"},
		{"replication at the replica", replicationRole + " " + via(far) + " " + farKey() + " kms:Encrypt"},
		{"replication at the table's home", replicationRole + " " + via(home) + " " + homeKey + " kms:Decrypt"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			b.keys.deny = tt.deny
			_, err := b.createTable(home, encrypted())
			if err == nil {
				_, err = b.createReplica(far, map[string]any{"kmsKeyArn": farKey()})
			}
			assert.ErrorContains(t, err, "AccessDeniedException")
		})
	}
}
