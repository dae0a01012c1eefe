package encryption_test

import (
	"testing"

	"github.com/crossregion/crossregion/components/encryption"
	"github.com/stretchr/testify/assert"
)

func TestIsPrincipal(t *testing.T) {
	const session = "arn:aws:sts::123456789012:assumed-role/deploy/jane@example.com"
	tests := []struct {
		name, listed, caller string
		want                 bool
	}{
		{"a user", "arn:aws:iam::123456789012:user/ops", "arn:aws:iam::123456789012:user/ops", true},
		{"another user", "arn:aws:iam::123456789012:user/ops", "arn:aws:iam::123456789012:user/dev", false},
		{"a session of the role", "arn:aws:iam::123456789012:role/deploy", session, true},
		{"a session of the role, which has a path", "arn:aws:iam::123456789012:role/ci/eu/deploy", session, true},
		{"a session of another role", "arn:aws:iam::123456789012:role/predeploy", session, false},
		{"a session of another account's role", "arn:aws:iam::999999999999:role/deploy", session, false},
		{"a user of the role's name", "arn:aws:iam::123456789012:user/deploy", session, false},
		{"nobody", "arn:aws:iam::123456789012:role/deploy", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, encryption.IsPrincipal(tt.listed, tt.caller))
		})
	}
}

func TestPrincipalNameIsNotAPersons(t *testing.T) {
	assert.Equal(t, "arn:aws:iam::123456789012:role/deploy", encryption.PrincipalName("arn:aws:sts::123456789012:assumed-role/deploy/jane@example.com"))
	assert.Equal(t, "arn:aws:iam::123456789012:user/ops", encryption.PrincipalName("arn:aws:iam::123456789012:user/ops"))
}
