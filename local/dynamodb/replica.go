package dynamodb

import (
	"context"

	"github.com/crossregion/crossregion/local/cloud"
)

type replicaInputs struct {
	GlobalTableARN     string            `json:"globalTableArn" change:"replace"`
	Recovery           bool              `json:"pointInTimeRecovery,omitempty"`
	KmsKeyARN          string            `json:"kmsKeyArn,omitempty" change:"replace"`
	DeletionProtection bool              `json:"deletionProtectionEnabled,omitempty"`
	TableClassOverride string            `json:"tableClassOverride,omitempty"`
	Tags               map[string]string `json:"tags,omitempty"`
}

// createReplica adds a replica in the region of the request's provider. It
// starts with a copy of the table, as in AWS.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
func (s *Service) createReplica(_ context.Context, r cloud.Request[replicaInputs]) (cloud.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.globalTable(r.In.GlobalTableARN)
	if err != nil {
		return cloud.State{}, err
	}
	if err := s.checkReplica(t, r.Region, r.In); err != nil {
		return cloud.State{}, err
	}
	if err := s.connect(t, r.Region, r.In.KmsKeyARN); err != nil {
		return cloud.State{}, err
	}
	t.replicas[r.Region] = t.replicas[t.home].clone(r.Region, r.In.KmsKeyARN)
	t.replicas[r.Region].tags, t.replicas[r.Region].protected = r.In.Tags, r.In.DeletionProtection
	t.copied = s.world.Clock.Now()
	s.tables[place{r.Region, t.name}] = t
	return cloud.State{ID: t.name + ":" + t.home, Outputs: map[string]any{"arn": tableARN(r.Region, t.name)}}, nil
}

func (s *Service) globalTable(arn string) (*table, error) {
	for at, t := range s.tables {
		if tableARN(at.region, at.name) == arn && at.region == t.home {
			return t, nil
		}
	}
	return nil, cloud.Refuse("ResourceNotFoundException", "globalTableArn %q is not the ARN of a table", arn)
}

func (s *Service) checkReplica(t *table, region string, in replicaInputs) error {
	switch {
	case region == t.home:
		return invalid("Cannot add, delete, or update the local region through ReplicaUpdates: table %s is in %s itself", t.name, region)
	case s.tables[place{region, t.name}] != nil:
		return invalid("Failed to create a replica: a table named %s exists in %s", t.name, region)
	case !t.streams:
		return invalid("table %s needs streams with NEW_AND_OLD_IMAGES to have replicas", t.name)
	case (t.replicas[t.home].key != "") != (in.KmsKeyARN != ""):
		return invalid("kmsKeyArn %q: all replicas of %s must use the same type of key; "+
			"give each a customer managed key of its own region, or none", in.KmsKeyARN, t.name)
	}
	return validateCommon(region, in.KmsKeyARN, in.TableClassOverride)
}
