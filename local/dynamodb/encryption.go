package dynamodb

import (
	"errors"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/crossregion/crossregion/local/kms"
)

// find returns the table at a place, or nil, and the key of its replica there.
func (s *Service) find(at place) (t *table, key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t = s.tables[at]; t == nil {
		return nil, ""
	}
	return t, t.replicas[at.region].key
}

// use is what DynamoDB of a region asks of a table's key.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html
func use(key, table, region string, actions ...string) kms.Use {
	return kms.Use{
		Key: key, Service: "dynamodb." + region + ".amazonaws.com", Actions: actions,
		Context: map[string]string{"aws:dynamodb:tableName": table, "aws:dynamodb:subscriberId": cloud.Account},
	}
}

// unlock asks for a table's data key on behalf of who reads or writes items.
// DynamoDB does so after five idle minutes of a connection, this stand-in with
// every call. What DynamoDB makes of a refusal by KMS is not documented: its
// caller gets that refusal here.
func (s *Service) unlock(c cloud.Caller, table, key string) error {
	if key == "" {
		return nil
	}
	return s.kms.UseFor(c, use(key, table, c.Region, "kms:Decrypt"))
}

// protect asks whether who deploys may choose a key for a table, by DynamoDB of
// each of the regions.
func (s *Service) protect(table, key string, regions ...string) error {
	if key == "" {
		return nil
	}
	for _, region := range regions {
		if err := s.kms.UseFor(iam.OperatorCaller(region), use(key, table, region, allActions()...)); err != nil {
			return err
		}
	}
	return nil
}

// connect asks whether a replica with its key can be made, and receive and send
// items. A replica is made by a call to the table's home; which of the two
// regions then asks KMS, and what replication asks for, is not documented, so
// everything must be allowed. AWS would find out later that replication has no
// access, and after 20 hours part the replica from its table.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables-security.html
func (s *Service) connect(t *table, region, key string) error {
	if err := s.protect(t.name, key, t.home, region); err != nil || key == "" {
		return err
	}
	home := use(t.replicas[t.home].key, t.name, t.home, allActions()...)
	return errors.Join(s.kms.UseFor(replication(t.home), home),
		s.kms.UseFor(replication(region), use(key, t.name, region, allActions()...)))
}

// replication is the service-linked role that copies items.
func replication(region string) cloud.Caller {
	return cloud.Caller{
		ARN:    cloud.ARN("iam", "", "role/aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication"),
		Region: region,
	}
}

// allActions are what DynamoDB demands of who chooses a key.
func allActions() []string {
	return []string{
		"kms:DescribeKey", "kms:CreateGrant", "kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo",
		"kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
	}
}
