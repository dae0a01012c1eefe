package route53

import (
	"context"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// recordID is the provider's ID of a record.
func recordID(z *zone, rec *record) string {
	id := z.id + "_" + rec.name + "_" + rec.kind
	if rec.setID != "" {
		id += "_" + rec.setID
	}
	return id
}

// updateRecord takes the record out and puts the changed one in, all at once,
// as one change batch does.
func (s *Service) updateRecord(_ context.Context, r cloud.Request[recordInputs]) (cloud.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	z, rec, err := s.recordOf(&r.In)
	if err != nil {
		return cloud.State{}, err
	}
	key, others := z.without(&r.Was)
	was := z.sets[key]
	z.sets[key] = others
	if err := z.put(rec, false); err != nil {
		z.sets[key] = was
		return cloud.State{}, err
	}
	return cloud.State{ID: recordID(z, rec), Outputs: map[string]any{"fqdn": rec.name}}, nil
}

// without is the set of a record, and what else is in it.
func (z *zone) without(in *recordInputs) (setKey, []*record) {
	key := setKey{normalize(in.Name), in.Type}
	return key, slices.DeleteFunc(slices.Clone(z.sets[key]), func(r *record) bool { return r.setID == in.SetIdentifier })
}

// deleteRecord refuses a record that another one of the zone is an alias of.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-deleting.html
func (s *Service) deleteRecord(_ context.Context, r cloud.Request[recordInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	z, ok := s.zones[r.In.ZoneID]
	if !ok {
		return cloud.Refuse("NoSuchHostedZone", "No hosted zone found with ID: %s", r.In.ZoneID)
	}
	key, others := z.without(&r.In)
	if len(others) > 0 {
		z.sets[key] = others
		return nil
	}
	for _, set := range z.sets {
		for _, rec := range set {
			if rec.alias != nil && rec.alias.inZone && rec.alias.name == key.name && rec.kind == key.kind {
				return invalidBatch("Tried to delete %s., type %s, but %s. is an alias of it", key.name, key.kind, rec.name)
			}
		}
	}
	delete(z.sets, key)
	return nil
}

// updateCheck changes a check in place: what the probes said stays said.
func (s *Service) updateCheck(_ context.Context, r cloud.Request[checkInputs]) (cloud.State, error) {
	c, err := r.In.parse()
	if err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	was, ok := s.checks[r.ID]
	if !ok {
		return cloud.State{}, noCheck(r.ID)
	}
	if was.named && !c.named {
		return cloud.State{}, invalidInput("the content of element 'Regions' is not complete: a check whose places were named cannot go back to none")
	}
	if err := s.adopt(c, r.In.ChildHealthchecks); err != nil {
		return cloud.State{}, err
	}
	c.id = was.id
	c.up.Store(min(was.up.Load(), int32(len(c.regions))))
	was.end()
	s.begin(c)
	for _, parent := range s.checks {
		for i, child := range parent.children {
			if child == was {
				parent.children = slices.Clone(parent.children)
				parent.children[i] = c
			}
		}
	}
	return cloud.State{}, nil
}

// deleteCheck refuses a check that another one counts. Records that name it
// would stay, and count as healthy: AWS deletes it all the same, this cloud does
// not.
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_DeleteHealthCheck.html
func (s *Service) deleteCheck(_ context.Context, r cloud.Request[checkInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, ok := s.checks[r.ID]
	if !ok {
		return noCheck(r.ID)
	}
	var users []string
	for id, parent := range s.checks {
		if slices.Contains(parent.children, was) {
			users = append(users, id)
		}
	}
	for _, z := range s.zones {
		for _, set := range z.sets {
			for _, rec := range set {
				if rec.check == r.ID {
					users = append(users, recordID(z, rec))
				}
			}
		}
	}
	if len(users) > 0 {
		return cloud.Refuse("HealthCheckInUse", "health check %s is in use by %s", r.ID, strings.Join(users, ", "))
	}
	was.end()
	delete(s.checks, r.ID)
	return nil
}

func noCheck(id string) error {
	return cloud.Refuse("NoSuchHealthCheck", "A health check with id %s does not exist.", id)
}

// Records returns the IDs of all records that were created, sorted.
func (s *Service) Records() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var ids []string
	for _, z := range s.zones {
		for _, set := range z.sets {
			for _, rec := range set {
				ids = append(ids, recordID(z, rec))
			}
		}
	}
	slices.Sort(ids)
	return ids
}
