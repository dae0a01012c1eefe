package policy_test

import (
	"testing"

	"github.com/crossregion/crossregion/components/policy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func on(operator, key string, values ...string) map[string]map[string][]string {
	return map[string]map[string][]string{operator: {key: values}}
}

func TestKeyDocument(t *testing.T) {
	got, err := policy.KeyDocument(
		policy.KeyStatement{AWS: "arn:aws:iam::1:root", Actions: []string{"kms:PutKeyPolicy"}},
		policy.KeyStatement{Service: "logs.eu-west-1.amazonaws.com", Actions: []string{"kms:Decrypt"}},
		policy.KeyStatement{AWS: "*", Actions: []string{"kms:Decrypt"}, Conditions: on("ArnEquals", "aws:PrincipalArn", "arn:r")},
	)
	require.NoError(t, err)
	assert.JSONEq(t, `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":["kms:PutKeyPolicy"],"Resource":["*"]},
		{"Effect":"Allow","Principal":{"Service":"logs.eu-west-1.amazonaws.com"},"Action":["kms:Decrypt"],"Resource":["*"]},
		{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["kms:Decrypt"],"Resource":["*"],
			"Condition":{"ArnEquals":{"aws:PrincipalArn":["arn:r"]}}}]}`, got)
}

func TestKeyDocumentRefuses(t *testing.T) {
	everybody := func(conditions map[string]map[string][]string) []policy.KeyStatement {
		return []policy.KeyStatement{{AWS: "*", Actions: []string{"kms:Decrypt"}, Conditions: conditions}}
	}
	tests := []struct {
		name string
		in   []policy.KeyStatement
		want string
	}{
		{"no statement", nil, "a key policy needs a statement"},
		{"no action", []policy.KeyStatement{{AWS: "arn:aws:iam::1:root"}}, "statement 0: no action"},
		{"a wildcard action", []policy.KeyStatement{{AWS: "arn:aws:iam::1:root", Actions: []string{"kms:*"}}}, "name it in full"},
		{"no principal", []policy.KeyStatement{{Actions: []string{"kms:Decrypt"}}}, "exactly one of AWS and Service"},
		{"two principals", []policy.KeyStatement{{AWS: "a", Service: "s", Actions: []string{"kms:Decrypt"}}}, "exactly one of AWS and Service"},
		{"everybody", everybody(nil), "must name who is meant"},
		{"everybody by another key", everybody(on("StringEquals", "kms:ViaService", "x")), "must name who is meant"},
		{"everybody but one", everybody(on("ArnNotEquals", "aws:PrincipalArn", "arn:r")), "must name who is meant"},
		{"everybody by a pattern", everybody(on("ArnLike", "aws:PrincipalArn", "arn:*")), "must name who is meant"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := policy.KeyDocument(tt.in...)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestTracesAreTheOnlyActionsOnEveryResource(t *testing.T) {
	got, err := policy.Document(policy.Trace())
	require.NoError(t, err)
	assert.JSONEq(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
		"Action":["xray:PutTraceSegments","xray:PutTelemetryRecords"],"Resource":["*"]}]}`, got)

	more := policy.Trace()
	more.Actions = append(more.Actions, "xray:GetTraceSummaries")
	_, err = policy.Document(more)
	assert.ErrorContains(t, err, `resource "*": name it in full`)
}
