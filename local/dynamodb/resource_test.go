package dynamodb_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const homeKey = "arn:aws:kms:us-east-1:123456789012:key/k"

func attribute(name, kind string) map[string]any { return map[string]any{"name": name, "type": kind} }

func TestCreateTable(t *testing.T) {
	state, err := newBench(t).createTable(home, map[string]any{
		"ttl":                       map[string]any{"attributeName": "expiresAt", "enabled": true},
		"pointInTimeRecovery":       map[string]any{"enabled": true, "recoveryPeriodInDays": 35},
		"serverSideEncryption":      map[string]any{"enabled": true, "kmsKeyArn": homeKey},
		"deletionProtectionEnabled": true, "tableClass": "STANDARD", "tags": map[string]any{"stack": "us"},
	})
	require.NoError(t, err)
	assert.Equal(t, tbl, state.ID)
	assert.Equal(t, map[string]any{
		"arn": "arn:aws:dynamodb:us-east-1:123456789012:table/conversations", "name": tbl,
		"streamArn":   "arn:aws:dynamodb:us-east-1:123456789012:table/conversations/stream/2026-01-01T00:00:00.000",
		"streamLabel": "2026-01-01T00:00:00.000",
	}, state.Outputs)
}

func TestCreateTableNamesItself(t *testing.T) {
	state, err := newBench(t).createTable(home, map[string]any{"name": nil, "streamEnabled": nil, "streamViewType": nil})
	require.NoError(t, err)
	assert.Regexp(t, `^table-[0-9a-f]{7}$`, state.ID)
	assert.NotContains(t, state.Outputs, "streamArn")
}

func TestCreateTableRefuses(t *testing.T) {
	pk, sk := attribute("pk", "S"), attribute("sk", "S")
	tests := []struct {
		name    string
		changes map[string]any
		want    string
	}{
		{"an unknown property", map[string]any{"colour": "red"}, `does not know property "colour"`},
		{"a table without hash key", map[string]any{"hashKey": nil}, `missing required property "hashKey"`},
		{"a name that is too short", map[string]any{"name": "ab"}, "name"},
		{"a name with a slash", map[string]any{"name": "a/bc"}, "name"},
		{"replicas of its own", map[string]any{"replicas": []any{map[string]any{"regionName": far}}}, "TableReplica"},
		{"provisioned capacity", map[string]any{"billingMode": "PROVISIONED"}, "No provisioned throughput"},
		{"no billing mode", map[string]any{"billingMode": nil}, "No provisioned throughput"},
		{"a key that is not defined", map[string]any{"attributes": []any{pk}}, "not defined in AttributeDefinitions"},
		{"an attribute that no key uses", map[string]any{"attributes": []any{pk, sk, attribute("x", "S")}}, `no key uses "x"`},
		{"an attribute defined twice", map[string]any{"attributes": []any{pk, sk, pk}}, "defined twice"},
		{"a key that is a map", map[string]any{"attributes": []any{attribute("pk", "M"), sk}}, "not S, N or B"},
		{"one attribute for both keys", map[string]any{"rangeKey": "pk", "attributes": []any{pk}}, "have the same name"},
		{"a stream without view type", map[string]any{"streamViewType": nil}, "streamViewType"},
		{"a view type without stream", map[string]any{"streamEnabled": nil}, "streams are not enabled"},
		{"a TTL without attribute", map[string]any{"ttl": map[string]any{"enabled": true}}, "ttl.attributeName"},
		{"recovery of 36 days", map[string]any{"pointInTimeRecovery": map[string]any{"enabled": true, "recoveryPeriodInDays": 36.0}}, "recoveryPeriodInDays"},
		{"a key without encryption", map[string]any{"serverSideEncryption": map[string]any{"enabled": false, "kmsKeyArn": homeKey}}, "encryption is not enabled"},
		{"a key of another region", map[string]any{"serverSideEncryption": map[string]any{"enabled": true,
			"kmsKeyArn": strings.Replace(homeKey, home, far, 1)}}, "want the ARN of a key in us-east-1"},
		{"an unknown table class", map[string]any{"tableClass": "GLACIER"}, "table class"},
		{"a name that is taken", nil, "ResourceInUseException"},
	}
	b := newBench(t)
	_, err := b.createTable(home, nil)
	require.NoError(t, err)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := b.createTable(home, tt.changes)
			assert.ErrorContains(t, err, tt.want)
		})
	}
	_, err = b.createTable("eu-west-1", nil)
	assert.NoError(t, err, "names are regional")
}

func TestCreateReplica(t *testing.T) {
	b := newBench(t)
	_, err := b.createTable(home, nil)
	require.NoError(t, err)
	state, err := b.createReplica(far, map[string]any{
		"deletionProtectionEnabled": true, "tags": map[string]any{"stack": "us"}, "tableClassOverride": "STANDARD",
	})
	require.NoError(t, err)
	assert.Equal(t, "conversations:us-east-1", state.ID)
	assert.Equal(t, map[string]any{"arn": "arn:aws:dynamodb:us-west-2:123456789012:table/conversations"}, state.Outputs)
}

func TestCreateReplicaRefuses(t *testing.T) {
	key := map[string]any{"serverSideEncryption": map[string]any{"enabled": true, "kmsKeyArn": homeKey}}
	farKey := strings.Replace(homeKey, home, far, 1)
	tests := []struct {
		name           string
		table, changes map[string]any
		region, want   string
	}{
		{"in the region of the table", nil, nil, home, "the local region"},
		{"of a table that does not exist", nil, map[string]any{"globalTableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/none"}, far, "ResourceNotFoundException"},
		{"of another replica", nil, map[string]any{"globalTableArn": "arn:aws:dynamodb:eu-west-1:123456789012:table/conversations"}, far, "ResourceNotFoundException"},
		{"twice in one region", nil, nil, "eu-west-1", "exists in eu-west-1"},
		{"of a table without streams", map[string]any{"streamEnabled": nil, "streamViewType": nil}, nil, far, "needs streams"},
		{"of a table that streams only keys", map[string]any{"streamViewType": "KEYS_ONLY"}, nil, far, "needs streams"},
		{"without a key of a table with one", key, nil, far, "same type of key"},
		{"with a key of a table without one", nil, map[string]any{"kmsKeyArn": farKey}, far, "same type of key"},
		{"with a key of another region", key, map[string]any{"kmsKeyArn": homeKey}, far, "key in us-west-2"},
		{"with an unknown table class", nil, map[string]any{"tableClassOverride": "GLACIER"}, far, "table class"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t)
			_, err := b.createTable(home, tt.table)
			require.NoError(t, err)
			if tt.table == nil {
				_, err = b.createReplica("eu-west-1", nil)
				require.NoError(t, err)
			}
			_, err = b.createReplica(tt.region, tt.changes)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
