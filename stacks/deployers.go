package stacks

import (
	"fmt"
	"slices"

	"github.com/crossregion/crossregion/components/encryption"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// checkDeployers compares who runs the program with the deployers of the
// settings. Whoever is none of them would make the keys, and then be refused the
// tables that they encrypt. A preview warns only: it may be run by whoever may
// not deploy. The warning is no output, which must not depend on who runs.
func (s *stack) checkDeployers() error {
	if len(s.settings.Deployers) == 0 {
		return nil
	}
	caller, err := aws.GetCallerIdentity(s.ctx, nil, pulumi.Provider(s.witness()))
	if err != nil {
		return fmt.Errorf("find out who runs the program: %w", err)
	}
	listed := slices.ContainsFunc(s.settings.Deployers, func(arn string) bool { return encryption.IsPrincipal(arn, caller.Arn) })
	if listed {
		return nil
	}
	fault := Faults{{"deployers", fmt.Sprintf("%s runs the program and is not among them", encryption.PrincipalName(caller.Arn)),
		"add its ARN, or deploy as one of them: the keys would let it make no table"}}
	if s.ctx.DryRun() {
		return s.ctx.Log.Warn(fault[0].String(), nil)
	}
	return fault
}
