package stacks_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEachModeOfAuthHasItsRights: only an authorizer of API keys reads the
// table, and in every mode the invoker reads what its tenants may use.
func TestEachModeOfAuthHasItsRights(t *testing.T) {
	tests := []struct {
		name       string
		auth       map[string]any
		authorizer bool // there is one
		reads      bool // it reads keys
	}{
		{"API keys", map[string]any{"mode": "apiKey"}, true, true},
		{"tokens", map[string]any{"mode": "oidc", "issuer": "https://id.example.com", "audience": "llm", "tenantClaim": "team"}, true, false},
		{"signatures", map[string]any{"mode": "iam"}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stack := load(t, "eu")
			require.NoError(t, stack.Override(map[string]any{"auth": tt.auth}))
			rec, err := run(t, stack, inJurisdiction)
			require.NoError(t, err)
			for _, f := range rec.Of("aws:lambda/function:Function") {
				checkEnvironment(t, stack, f)
			}
			var authorizer, reads, limits bool
			for _, p := range rec.Of("aws:iam/rolePolicy:RolePolicy") {
				document := p.Inputs["policy"].StringValue()
				if strings.Contains(p.Name, "-authorizer-") {
					authorizer, reads = true, reads || strings.Contains(document, "dynamodb:")
				}
				if strings.HasPrefix(p.Name, "eu-west-1-invoker-") && strings.Contains(document, "tenant#*") {
					limits = true
				}
			}
			assert.Equal(t, tt.authorizer, authorizer)
			assert.Equal(t, tt.reads, reads)
			assert.True(t, limits)
			for _, k := range rec.Of("aws:kms/key:Key") {
				assert.Equal(t, tt.reads, strings.Contains(k.Inputs["policy"].StringValue(), "authorizer"), "of what %s encrypts", k.Name)
			}
		})
	}
}
