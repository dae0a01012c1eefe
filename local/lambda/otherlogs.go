package lambda

import (
	"slices"

	"github.com/crossregion/crossregion/local/cloud"
)

// LogGroups returns the ARNs of all log groups, sorted.
func (s *Service) LogGroups() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var arns []string
	for region, r := range s.regions {
		for name := range r.groups {
			arns = append(arns, groupARN(region, name))
		}
	}
	slices.Sort(arns)
	return arns
}

// HasLogGroup reports whether the ARN is that of a log group.
func (s *Service) HasLogGroup(arn string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.groupByARN(arn) != nil
}

// WriteLog adds a line that another service of AWS writes to a log group, and
// returns a ResourceNotFoundException if there is none of that ARN. The other
// service has asked IAM.
func (s *Service) WriteLog(groupARN, line string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	group := s.groupByARN(groupARN)
	if group == nil {
		return cloud.Refuse("ResourceNotFoundException", "The specified log group does not exist: %s", groupARN)
	}
	s.sequence++
	group.add(logLine{sequence: s.sequence, text: line})
	return nil
}

// groupByARN returns nil for an unknown log group. The caller holds s.mu.
func (s *Service) groupByARN(arn string) *logGroup {
	for region, r := range s.regions {
		for name, g := range r.groups {
			if groupARN(region, name) == arn {
				return g
			}
		}
	}
	return nil
}
