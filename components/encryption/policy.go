package encryption

import (
	"errors"
	"fmt"
	"strings"

	"github.com/crossregion/crossregion/components/policy"
)

// Users are all who may use a key, and through what. They decide its policy.
type Users struct {
	// Account that the key belongs to. Required.
	Account string
	// Region that the key is in. Required.
	Region string
	// Regions are those of the stack: DynamoDB of one may ask for the key of
	// another to set up a replica. Required.
	Regions []string
	// Operators are ARNs of principals who deploy tables and work on them by
	// hand, users or roles; that of a session stands for its role. Required.
	Operators []string
	// Roles are ARNs of roles that read or write tables of Region. Default:
	// none.
	Roles []string
}

func (u Users) validate() error {
	var errs []error
	for field, empty := range map[string]bool{
		"Account": u.Account == "", "Region": u.Region == "", "Regions": len(u.Regions) == 0, "Operators": len(u.Operators) == 0,
	} {
		if empty {
			errs = append(errs, fmt.Errorf("missing %s", field))
		}
	}
	for _, arn := range u.Operators {
		if strings.Count(arn, ":") != 5 || !strings.Contains(arn, "/") {
			errs = append(errs, fmt.Errorf("operator %q is not the ARN of a role, a user or a session", arn))
		}
	}
	for _, arn := range u.Roles {
		if !strings.HasPrefix(arn, "arn:") || strings.Contains(arn, "*") {
			errs = append(errs, fmt.Errorf("role %q is not the ARN of one role", arn))
		}
	}
	return errors.Join(errs...)
}

// Policy returns the key policy for u. Its statements name the account, whose
// IAM policies must allow the same: so a role needs its name here and the grant
// of [UseStatement], and neither alone is enough. Roles are named in conditions
// rather than as principals, which KMS would resolve when the policy is set and
// refuse while a role is new.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func (u Users) Policy() (string, error) {
	if err := u.validate(); err != nil {
		return "", err
	}
	statements := []policy.KeyStatement{u.administration(), u.deployment(), u.grants(), u.replication(), u.logs()}
	if len(u.Roles) > 0 {
		statements = append(statements, u.access())
	}
	return policy.KeyDocument(statements...)
}

func (u Users) root() string { return "arn:aws:iam::" + u.Account + ":root" }

// administration lets the account keep the key, and read nothing with it.
func (u Users) administration() policy.KeyStatement {
	return policy.KeyStatement{AWS: u.root(), Actions: []string{
		"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey",
		"kms:DisableKeyRotation", "kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus",
		"kms:ListGrants", "kms:ListKeyPolicies", "kms:ListKeyRotations", "kms:ListResourceTags", "kms:PutKeyPolicy",
		"kms:RevokeGrant", "kms:RotateKeyOnDemand", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource",
		"kms:UpdateAlias", "kms:UpdateKeyDescription",
	}}
}

// deployment lets the operators choose the key for tables and replicas, and
// work on these. DynamoDB asks for all of it on behalf of who chooses a key; a
// replica may be asked for by DynamoDB of another region.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html
func (u Users) deployment() policy.KeyStatement {
	return policy.KeyStatement{AWS: u.root(), Actions: append(cryptography(), "kms:DescribeKey"), Conditions: u.operators()}
}

// grants lets DynamoDB make, for the operators, the grant under which it keeps a
// table's data keys. A grant outlives every condition of this policy, so the
// operators may make none of their own.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/grant-authorization.html
func (u Users) grants() policy.KeyStatement {
	conditions := u.operators()
	conditions["Bool"] = map[string][]string{"kms:GrantIsForAWSResource": {"true"}}
	return policy.KeyStatement{AWS: u.root(), Actions: []string{"kms:CreateGrant"}, Conditions: conditions}
}

// operators is the condition that DynamoDB asks for one of them.
func (u Users) operators() map[string]map[string][]string {
	var patterns []string
	for _, arn := range u.Operators {
		patterns = append(patterns, principals(arn)...)
	}
	conditions := through(u.Regions...)
	conditions["ArnLike"] = map[string][]string{"aws:PrincipalArn": patterns}
	return conditions
}

// replication lets DynamoDB copy items between replicas. It does so by a role
// of its own, which has no policy for keys, need not exist yet when the key is
// made, and cannot be assumed by anybody else; what it asks for, and whether
// through DynamoDB, is not documented, so it may do all that DynamoDB does.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables-security.html
func (u Users) replication() policy.KeyStatement {
	role := "arn:aws:iam::" + u.Account + ":role/aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication"
	return policy.KeyStatement{AWS: "*", Actions: append(cryptography(), "kms:CreateGrant", "kms:DescribeKey"),
		Conditions: map[string]map[string][]string{"ArnEquals": {"aws:PrincipalArn": {role}}}}
}

// logs lets CloudWatch Logs encrypt the account's log groups of the region. The
// groups are not named one by one: their names are chosen after the key exists.
// AWS's example adds kms:Describe*, which this condition never lets through.
// Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
func (u Users) logs() policy.KeyStatement {
	groups := "arn:aws:logs:" + u.Region + ":" + u.Account + ":log-group:*"
	return policy.KeyStatement{Service: "logs." + u.Region + ".amazonaws.com", Actions: cryptography(),
		Conditions: map[string]map[string][]string{"ArnLike": {"kms:EncryptionContext:aws:logs:arn": {groups}}}}
}

// access lets the named roles read and write the region's tables.
func (u Users) access() policy.KeyStatement {
	conditions := through(u.Region)
	conditions["ArnEquals"] = map[string][]string{"aws:PrincipalArn": u.Roles}
	return policy.KeyStatement{AWS: u.root(), Actions: []string{decrypt}, Conditions: conditions}
}

// decrypt is all that DynamoDB asks for on behalf of who reads or writes items:
// a table's data keys are made and kept by DynamoDB itself, under a grant.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html
const decrypt = "kms:Decrypt"

// UseStatement allows reading and writing the tables that are encrypted with
// the key, through DynamoDB of the key's region only. It accompanies whatever
// allows the calls themselves.
func UseStatement(keyARN string) (policy.Statement, error) {
	parts := strings.Split(keyARN, ":")
	if len(parts) < 6 || parts[3] == "" {
		return policy.Statement{}, fmt.Errorf("%q is not the ARN of a key", keyARN)
	}
	return policy.Statement{Actions: []string{decrypt}, Resources: []string{keyARN}, Conditions: through(parts[3])}, nil
}

// cryptography is what a service does that encrypts under a key.
func cryptography() []string {
	return []string{
		decrypt, "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo",
	}
}

// through is the condition that DynamoDB of one of the regions asks.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
func through(regions ...string) map[string]map[string][]string {
	var services []string
	for _, r := range regions {
		services = append(services, "dynamodb."+r+".amazonaws.com")
	}
	return map[string]map[string][]string{"StringEquals": {"kms:ViaService": services}}
}
