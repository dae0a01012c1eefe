package iam

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

var servicePrincipal = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com$`)

// parseTrust parses the policy that says who may assume a role. Services are
// the only principals that the embedded cloud knows.
func parseTrust(document string) ([]statement, error) {
	return parse(document, grammar{elements: []string{"Principal", "Action"}, read: readTrust})
}

func readTrust(o object, s *statement) error {
	raw, ok := o["Principal"]
	if !ok {
		return errors.New("missing required field Principal")
	}
	principal, err := readObject(raw)
	if err != nil {
		return fmt.Errorf("principal: %w", err)
	}
	if err := principal.only("Service"); err != nil {
		return fmt.Errorf("principal: %w", err)
	}
	if s.services, err = principal.scalars("Service"); err != nil {
		return fmt.Errorf("principal: %w", err)
	}
	for _, service := range s.services {
		if !servicePrincipal.MatchString(service) {
			return fmt.Errorf(`invalid principal in policy: "SERVICE":%q`, service)
		}
	}
	return readTrustActions(o, s)
}

func readTrustActions(o object, s *statement) error {
	actions, err := o.scalars("Action")
	if err != nil {
		return err
	}
	for i, action := range actions {
		actions[i] = strings.ToLower(action)
		if !strings.HasPrefix(actions[i], "sts:") || !actionChars.MatchString(action) {
			return fmt.Errorf("a trust policy may only specify STS AssumeRole actions, not %q", action)
		}
	}
	s.actions = patterns{any: actions}
	return nil
}

// CheckTrust says whether the role's trust policy lets the service principal,
// e.g. "lambda.amazonaws.com", assume it for the embedded cloud's account. It
// returns nil, a NoSuchEntity or an AccessDenied [cloud.APIError].
func (s *Service) CheckTrust(roleARN, principal string) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, err := s.roleByARN(roleARN)
	if err != nil {
		return err
	}
	keys := foldKeys(cloud.Keys{"aws:SourceAccount": {cloud.Account}})
	decision := decide(r.trust, func(st statement) bool {
		return slices.Contains(st.services, principal) && st.actions.match("sts:assumerole") && st.holds(keys)
	})
	if decision == Allowed {
		return nil
	}
	return &cloud.APIError{Code: "AccessDenied", Status: http.StatusForbidden, Message: fmt.Sprintf(
		"User: %s is not authorized to perform: sts:AssumeRole on resource: %s because its trust policy does not allow it",
		principal, roleARN)}
}

// roleByARN needs s.mu.
func (s *Service) roleByARN(arn string) (*role, error) {
	name := arn[strings.LastIndex(arn, "/")+1:]
	r, ok := s.roles[strings.ToLower(name)]
	if !ok || r.arn != arn {
		return nil, notFound("The role with ARN %s cannot be found", arn)
	}
	return r, nil
}
