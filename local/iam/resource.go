package iam

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// ResourcePolicy is the parsed policy of a resource: it says who may use it.
type ResourcePolicy struct {
	statements []statement
}

// ParseResourcePolicy parses the policy of a resource as strictly as
// [ParsePolicy] does. Principals are accounts, roles, users and services.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func ParseResourcePolicy(document string) (*ResourcePolicy, error) {
	statements, err := parse(document, grammar{
		elements: []string{"Principal", "Action", "NotAction", "Resource", "NotResource"}, read: readResource,
	})
	if err != nil {
		return nil, err
	}
	return &ResourcePolicy{statements: statements}, nil
}

func readResource(o object, s *statement) error {
	raw, ok := o["Principal"]
	if !ok {
		return errors.New("missing required field Principal")
	}
	if string(raw) == `"*"` {
		s.principals = []string{"*"}
		return readIdentity(o, s)
	}
	principal, err := readObject(raw)
	if err != nil {
		return fmt.Errorf("principal: %w", err)
	}
	if err := principal.only("AWS", "Service"); err != nil {
		return fmt.Errorf("principal: %w", err)
	}
	for kind, into := range map[string]*[]string{"AWS": &s.principals, "Service": &s.services} {
		if _, given := principal[kind]; !given {
			continue
		}
		if *into, err = principal.scalars(kind); err != nil {
			return fmt.Errorf("principal: %w", err)
		}
	}
	for _, service := range s.services {
		if !servicePrincipal.MatchString(service) {
			return fmt.Errorf(`invalid principal in policy: "SERVICE":%q`, service)
		}
	}
	return readIdentity(o, s)
}

// CheckPrincipals refuses a policy that names a role or user who does not
// exist, or another account: AWS resolves names when a policy is set.
func (s *Service) CheckPrincipals(p *ResourcePolicy) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, st := range p.statements {
		for _, name := range st.principals {
			_, err := s.roleByARN(name)
			if err != nil && !slices.Contains(append(accountNames(), "*", operatorARN()), name) {
				return cloud.Refuse("MalformedPolicyDocument", "Policy contains a statement with one or more invalid principals: %q", name)
			}
		}
	}
	return nil
}

// accountNames are the names of the whole account, which hand the decision to
// the account's own policies.
func accountNames() []string { return []string{cloud.ARN("iam", "", "root"), cloud.Account} }

// AllowsService reports whether the policy lets an AWS service, e.g.
// "logs.eu-west-1.amazonaws.com", do what it asks in its own name.
func (p *ResourcePolicy) AllowsService(service string, ask Ask) bool {
	return p.decide(ask, func(st statement) bool { return slices.Contains(st.services, service) }) == Allowed
}

// decide evaluates the statements whose principal is among who is meant.
func (p *ResourcePolicy) decide(ask Ask, meant func(statement) bool) Decision {
	keys := foldKeys(ask.Keys)
	return decide(p.statements, func(st statement) bool {
		return meant(st) && st.actions.match(strings.ToLower(ask.Action)) && st.resources.match(ask.Resource) && st.holds(keys)
	})
}

// AuthorizeResource decides by the resource's policy and by the caller's, as AWS
// does for a key: the key's policy must allow, either the caller itself, or the
// account, and then the caller's own policies must allow as well. A deny in any
// of them wins. A caller whose ARN is that of a service-linked role has no other
// policies. It returns nil or an AccessDeniedException [cloud.APIError].
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
func (s *Service) AuthorizeResource(c cloud.Caller, p *ResourcePolicy, ask Ask) error {
	principal := s.principalARN(c)
	ask.Keys = withPrincipal(ask.Keys, principal, c.Region)
	decideFor := func(names ...string) Decision {
		return p.decide(ask, func(st statement) bool {
			return slices.ContainsFunc(st.principals, func(name string) bool { return slices.Contains(names, name) })
		})
	}
	direct, delegated := decideFor("*", principal, c.ARN), decideFor(accountNames()...)
	reason := fmt.Sprintf("because no resource-based policy allows the %s action", ask.Action)
	switch {
	case direct == Denied || delegated == Denied:
		reason = "with an explicit deny in a resource-based policy"
	case direct == Allowed && s.decide(c, ask) != Denied:
		return nil
	case direct == Allowed || delegated == Allowed:
		return s.Authorize(c, ask.Action, ask.Resource, ask.Keys)
	}
	return &cloud.APIError{Code: "AccessDeniedException", Status: http.StatusForbidden, Message: fmt.Sprintf(
		"User: %s is not authorized to perform: %s on resource: %s %s", c.ARN, ask.Action, ask.Resource, reason)}
}

// principalARN is the ARN of the caller's role, or of the caller itself.
func (s *Service) principalARN(c cloud.Caller) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r, ok := s.roles[strings.ToLower(c.Role)]; ok {
		return r.arn
	}
	return c.ARN
}

// OperatorCaller is the operator, who deploys, in a call to a region.
func OperatorCaller(region string) cloud.Caller {
	return cloud.Caller{ARN: operatorARN(), Region: region}
}
