package dynamodb

import (
	"context"
	"slices"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
)

// sourceKept is how long a table cannot be deleted after a replica was copied
// from it.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/V2globaltables_HowItWorks.html
const sourceKept = 24 * time.Hour

// updateTable changes what UpdateTable and its companions change in place.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
func (s *Service) updateTable(_ context.Context, r cloud.Request[tableInputs]) (cloud.State, error) {
	r.In.Name = r.ID
	if err := r.In.validate(r.Region); err != nil {
		return cloud.State{}, err
	}
	if key := r.In.Encryption.KmsKeyARN; key != r.Was.Encryption.KmsKeyARN {
		if err := s.protect(r.ID, key, r.Region); err != nil {
			return cloud.State{}, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[place{r.Region, r.ID}]
	switch {
	case t == nil:
		return cloud.State{}, missing(r.ID)
	case r.In.attribute(r.In.HashKey) != t.hash || t.sort != nil && r.In.attribute(r.In.RangeKey) != *t.sort:
		return cloud.State{}, invalid("attributes: the types of key attributes never change")
	case len(t.replicas) > 1 && r.In.StreamViewType != "NEW_AND_OLD_IMAGES":
		return cloud.State{}, invalid("streamViewType %q: replicas need NEW_AND_OLD_IMAGES", r.In.StreamViewType)
	case len(t.replicas) > 1 && (r.In.Encryption.KmsKeyARN == "") != (t.replicas[t.home].key == ""):
		return cloud.State{}, invalid("serverSideEncryption: all replicas of %s must use the same type of key", t.name)
	}
	t.streams = r.In.StreamViewType == "NEW_AND_OLD_IMAGES"
	home := t.replicas[t.home]
	home.key, home.tags, home.protected = r.In.Encryption.KmsKeyARN, r.In.Tags, r.In.DeletionProtection
	return cloud.State{}, nil
}

// deleteTable refuses a protected table, one that has replicas, which go first,
// and one that a replica was lately copied from.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DeleteTable.html
func (s *Service) deleteTable(_ context.Context, r cloud.Request[tableInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tables[place{r.Region, r.ID}]
	switch {
	case t == nil:
		return missing(r.ID)
	case t.replicas[t.home].protected:
		return protected(r.ID)
	case len(t.replicas) > 1:
		return invalid("Table %s has replicas in other regions: delete them first", r.ID)
	case !t.copied.IsZero() && s.world.Clock.Now().Before(t.copied.Add(sourceKept)):
		return invalid("Replica cannot be deleted because it has acted as a source region for new replica(s) being added to the table in the last 24 hours.")
	}
	delete(s.tables, place{r.Region, r.ID})
	return nil
}

func (s *Service) updateReplica(_ context.Context, r cloud.Request[replicaInputs]) (cloud.State, error) {
	if err := validateCommon(r.Region, r.In.KmsKeyARN, r.In.TableClassOverride); err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, at, err := s.findReplica(r)
	if err != nil {
		return cloud.State{}, err
	}
	at.tags, at.protected = r.In.Tags, r.In.DeletionProtection
	return cloud.State{}, nil
}

// deleteReplica drops what had arrived nowhere else.
func (s *Service) deleteReplica(_ context.Context, r cloud.Request[replicaInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, at, err := s.findReplica(r)
	if err != nil {
		return err
	}
	if at.protected {
		return protected(t.name)
	}
	delete(t.replicas, r.Region)
	delete(s.tables, place{r.Region, t.name})
	return nil
}

// findReplica returns the replica that a request is about. The caller holds s.mu.
func (s *Service) findReplica(r cloud.Request[replicaInputs]) (*table, *replica, error) {
	t, err := s.globalTable(r.In.GlobalTableARN)
	if err != nil {
		return nil, nil, err
	}
	at := t.replicas[r.Region]
	if at == nil {
		return nil, nil, missing(t.name)
	}
	return t, at, nil
}

func missing(name string) error {
	return cloud.Refuse("ResourceNotFoundException", "Requested resource not found: Table: %s not found", name)
}

func protected(name string) error {
	return invalid("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first. (table %s)", name)
}

// Tables returns the ARNs of all tables and replicas, sorted.
func (s *Service) Tables() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var arns []string
	for at := range s.tables {
		arns = append(arns, tableARN(at.region, at.name))
	}
	slices.Sort(arns)
	return arns
}
