package stacks

import (
	"cmp"

	"github.com/crossregion/crossregion/components/encryption"
	"github.com/crossregion/crossregion/components/policy"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// recoveryDays is the longest that any region can restore a table: replicas
// keep 35 days, whatever the home does.
func (s *stack) recoveryDays() int {
	const replica = 35
	if len(s.settings.Regions) > 1 {
		return replica
	}
	return cmp.Or(s.settings.Conversations.RecoveryPeriodInDays, replica)
}

// operatorPolicy is what the operator's commands need besides a place in the
// keys' policies: to read and write the control table, and to remove what a
// tenant said, whose keys a scan shows and whose content no command reads.
func (s *stack) operatorPolicy() pulumi.StringOutput {
	var arns []any
	for _, r := range s.settings.Regions {
		region := s.regions[r.Name]
		arns = append(arns, region.tables.ControlArn, region.tables.ContentArn, region.key.Arn)
	}
	return pulumi.All(arns...).ApplyT(func(arns []any) (string, error) {
		var control, content []string
		var uses []policy.Statement
		for i := 0; i < len(arns); i += 3 {
			control, content = append(control, arns[i].(string)), append(content, arns[i+1].(string))
			use, err := encryption.UseStatement(arns[i+2].(string))
			if err != nil {
				return "", err
			}
			uses = append(uses, use)
		}
		return policy.Document(append([]policy.Statement{
			{Actions: []string{"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan"}, Resources: control},
			{Actions: []string{"dynamodb:DeleteItem", "dynamodb:Scan"}, Resources: content},
		}, uses...)...)
	}).(pulumi.StringOutput)
}
