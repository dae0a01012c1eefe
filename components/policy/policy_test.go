package policy_test

import (
	"testing"

	"github.com/crossregion/crossregion/components/policy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDocument(t *testing.T) {
	got, err := policy.Document(policy.Statement{
		Actions: []string{"dynamodb:GetItem"}, Resources: []string{"arn:aws:dynamodb:eu-west-1:1:table/t"},
		Conditions: map[string]map[string][]string{"StringEquals": {"aws:RequestedRegion": {"eu-west-1"}}},
	})
	require.NoError(t, err)
	assert.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["dynamodb:GetItem"],
		"Resource":["arn:aws:dynamodb:eu-west-1:1:table/t"],
		"Condition":{"StringEquals":{"aws:RequestedRegion":["eu-west-1"]}}}]}`, got)
}

func TestDocumentRefuses(t *testing.T) {
	tests := []struct {
		name string
		in   []policy.Statement
		want string
	}{
		{"no statement", nil, "a policy needs a statement"},
		{"no action", []policy.Statement{{Resources: []string{"arn:x"}}}, "statement 0: no action"},
		{"no resource", []policy.Statement{{Actions: []string{"a:B"}}}, "statement 0: no resource"},
		{"every resource", []policy.Statement{{Actions: []string{"a:B"}, Resources: []string{"*"}}}, `resource "*": name it in full`},
		{"a wildcard within an ARN", []policy.Statement{{Actions: []string{"a:B"}, Resources: []string{"arn:aws:bedrock:*::foundation-model/m"}}}, "name it in full"},
		{"a wildcard action", []policy.Statement{{Actions: []string{"a:*"}, Resources: []string{"arn:x"}}}, "name it in full"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := policy.Document(tt.in...)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestTrust(t *testing.T) {
	assert.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
		"Principal":{"Service":"lambda.amazonaws.com"},"Action":["sts:AssumeRole"]}]}`, policy.Trust("lambda.amazonaws.com"))
	assert.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
		"Principal":{"Service":"apigateway.amazonaws.com"},"Action":["sts:AssumeRole"],
		"Condition":{"StringEqualsIfExists":{"aws:SourceAccount":["123456789012"]}}}]}`, policy.TrustFor("apigateway.amazonaws.com", "123456789012"))
}
