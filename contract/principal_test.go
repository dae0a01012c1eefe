package contract_test

import (
	"strings"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPrincipalTenant(t *testing.T) {
	long := strings.Repeat("x", 64)
	for arn, want := range map[string]string{
		"arn:aws:sts::123456789012:assumed-role/reports/i-0abc":       "123456789012-role-reports",
		"arn:aws:sts::123456789012:assumed-role/reports/another@x":    "123456789012-role-reports",
		"arn:aws:iam::123456789012:user/reports":                      "123456789012-user-reports",
		"arn:aws:iam::123456789012:user/team/a/reports":               "123456789012-user-reports",
		"arn:aws-cn:iam::123456789012:user/reports":                   "123456789012-user-reports",
		"arn:aws:iam::123456789012:user/a.b_c@d":                      "123456789012-user-a_2eb_5fc_40d",
		"arn:aws:sts::123456789012:assumed-role/" + long + "/s":       "123456789012-role-_hptqqbfy7mttqahup4wsrs47m37",
		"arn:aws:sts::123456789012:assumed-role/" + long[:46] + "/s":  "123456789012-role-" + long[:46],
		"arn:aws:sts::123456789012:assumed-role/" + long[:45] + "./s": "",
		"arn:aws:iam::123456789012:root":                              "refused",
		"arn:aws:sts::123456789012:federated-user/somebody":           "refused",
		"arn:aws:sts::123456789012:assumed-role/reports":              "refused",
		"arn:aws:sts::12345678901:assumed-role/reports/s":             "refused",
		"arn:aws:iam::123456789012:user/rep#orts":                     "refused",
		"": "refused",
	} {
		got, err := contract.PrincipalTenant(arn)
		if want == "refused" {
			assert.Error(t, err, arn)
			assert.Empty(t, got)
			continue
		}
		require.NoError(t, err, arn)
		assert.True(t, contract.ValidTenant(got), got)
		if want != "" {
			assert.Equal(t, want, got)
		}
	}
}

func TestNoTwoPrincipalsAreOneTenant(t *testing.T) {
	name := rapid.StringMatching(`[a-c_.@h2-]{1,4}|[x_.]{40,64}`)
	rapid.Check(t, func(t *rapid.T) {
		arns, tenants := map[string]bool{}, map[string]bool{}
		for range 20 {
			n := name.Draw(t, "name")
			for _, arn := range []string{"arn:aws:sts::123456789012:assumed-role/" + n + "/s", "arn:aws:iam::123456789012:user/" + n} {
				tenant, err := contract.PrincipalTenant(arn)
				require.NoError(t, err)
				require.True(t, contract.ValidTenant(tenant), tenant)
				arns[arn], tenants[tenant] = true, true
			}
		}
		require.Len(t, tenants, len(arns))
	})
}
