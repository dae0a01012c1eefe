package stacks_test

import (
	"testing"

	"github.com/crossregion/crossregion/components/componenttest"
	"github.com/crossregion/crossregion/stacks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestADeployerWhoIsNotListed is found before anything exists. The recorder runs
// programs in a session of the role "deployer".
func TestADeployerWhoIsNotListed(t *testing.T) {
	const refusal = "deployers: arn:aws:iam::" + componenttest.Account + ":role/deployer runs the program and is not among them; add its ARN"
	listed := "arn:aws:iam::" + componenttest.Account + ":role/ci/deployer"
	other := "arn:aws:iam::" + componenttest.Account + ":role/other"
	tests := []struct {
		name      string
		deployers []any
		preview   bool
		refused   bool
		warned    bool
	}{
		{"nobody is listed", nil, false, false, false},
		{"who runs the program is listed", []any{other, listed}, false, false, false},
		{"who deploys is not listed", []any{other}, false, true, false},
		{"who previews is not listed", []any{other}, true, false, true},
		{"who previews is listed", []any{listed}, true, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stack := load(t, "eu")
			stack.Config["crossregion:settings"] = edit(t, stack.Config["crossregion:settings"], func(s map[string]any) { s["deployers"] = tt.deployers })
			log := &warningLog{}
			rec := componenttest.New(calls(inJurisdiction))
			err := rec.Run(func(ctx *pulumi.Context) error {
				log.Log, ctx.Log = ctx.Log, log
				return stacks.Program(ctx)
			}, as(stack), func(info *pulumi.RunInfo) { info.DryRun = tt.preview })
			if tt.refused {
				assert.ErrorContains(t, err, refusal)
				assert.Len(t, rec.Registrations(), len(rec.Of("pulumi:providers:aws")), "nothing but providers was registered")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.warned, len(log.containing(refusal)) == 1)
		})
	}
}
