package kms_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestKey(t *testing.T) {
	state := newBench(t).must("aws:kms/key:Key", object{
		"policy": document(keeper), "description": "tables", "enableKeyRotation": true, "rotationPeriodInDays": 90.0,
		"deletionWindowInDays": 30.0, "tags": object{"stack": "eu"},
	})
	assert.Regexp(t, `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, state.ID)
	assert.Equal(t, object{"arn": "arn:aws:kms:eu-west-1:123456789012:key/" + state.ID, "keyId": state.ID}, state.Outputs)
}

func TestKeyRefuses(t *testing.T) {
	tests := []struct {
		name   string
		inputs object
		want   string
	}{
		{"no policy", object{"policy": nil}, `missing required property "policy"`},
		{"an unknown property", object{"multiRegion": true}, `does not know property "multiRegion"`},
		{"a policy that is not JSON", object{"policy": "{"}, "MalformedPolicyDocumentException"},
		{"a policy that is too long", object{"policy": strings.Repeat(" ", 32_769)}, "LimitExceededException"},
		{"a policy that locks out who sets it", object{"policy": document(reader)}, "will not allow you to update the key policy in the future"},
		{"a principal who does not exist", object{"policy": document(keeper, strings.Replace(keeper, ":root", ":role/gone", 1))}, "one or more invalid principals"},
		{"a deletion window of 6 days", object{"deletionWindowInDays": 6.0}, "want 7 to 30"},
		{"a deletion window of 31 days", object{"deletionWindowInDays": 31.0}, "want 7 to 30"},
		{"a rotation every 89 days", object{"enableKeyRotation": true, "rotationPeriodInDays": 89.0}, "want 90 to 2560"},
		{"a rotation period without rotation", object{"rotationPeriodInDays": 365.0}, "rotation is not enabled"},
		{"a long description", object{"description": strings.Repeat("x", 8193)}, "description"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inputs := object{"policy": document(keeper)}
			for k, v := range tt.inputs {
				inputs[k] = v
			}
			_, err := newBench(t).create("aws:kms/key:Key", region, inputs)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestAlias(t *testing.T) {
	b := newBench(t)
	key := b.key()
	id := key[strings.LastIndex(key, "/")+1:]
	named := b.must("aws:kms/alias:Alias", object{"name": "alias/eu/tables", "targetKeyId": id})
	assert.Equal(t, object{"arn": "arn:aws:kms:eu-west-1:123456789012:alias/eu/tables", "name": "alias/eu/tables", "targetKeyArn": key}, named.Outputs)
	assert.Regexp(t, `^alias/p-[0-9a-f]{26}$`, b.must("aws:kms/alias:Alias", object{"namePrefix": "alias/p-", "targetKeyId": key}).ID)
	assert.Regexp(t, `^alias/test-[0-9a-f]{7}$`, b.must("aws:kms/alias:Alias", object{"targetKeyId": key}).ID)
}

func TestAliasRefuses(t *testing.T) {
	tests := []struct {
		name   string
		region string
		inputs object
		want   string
	}{
		{"a name without alias/", region, object{"name": "tables"}, "InvalidAliasNameException"},
		{"a name with a dot", region, object{"name": "alias/a.b"}, "InvalidAliasNameException"},
		{"a name that is too long", region, object{"name": "alias/" + strings.Repeat("x", 251)}, "InvalidAliasNameException"},
		{"a name of AWS", region, object{"name": "alias/aws/dynamodb"}, "NotAuthorizedException"},
		{"a name and a prefix", region, object{"name": "alias/a", "namePrefix": "alias/b"}, "exclude each other"},
		{"a name that is taken", region, object{"name": "alias/taken"}, "AlreadyExistsException"},
		{"a key that does not exist", region, object{"name": "alias/a", "targetKeyId": "k"}, "NotFoundException"},
		{"a key of another region", "eu-west-2", object{"name": "alias/a"}, "NotFoundException"},
	}
	b := newBench(t)
	key := b.key()
	b.must("aws:kms/alias:Alias", object{"name": "alias/taken", "targetKeyId": key})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inputs := object{"targetKeyId": key}
			for k, v := range tt.inputs {
				inputs[k] = v
			}
			_, err := b.create("aws:kms/alias:Alias", tt.region, inputs)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
