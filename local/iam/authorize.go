package iam

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// Authorize decides by the inline policies of the caller's role and denies by
// default; a caller without a role is an administrator if it is the operator,
// and nobody otherwise. To keys it adds aws:RequestedRegion,
// aws:PrincipalAccount and aws:PrincipalArn, unless the service gave its own,
// as Bedrock does for global inference profiles. It returns nil or an
// AccessDeniedException [cloud.APIError].
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func (s *Service) Authorize(c cloud.Caller, action, resource string, keys cloud.Keys) error {
	if c.Role == "" && c.ARN == operatorARN() {
		return nil
	}
	reason := fmt.Sprintf("because no identity-based policy allows the %s action", action)
	switch s.decide(c, Ask{Action: action, Resource: resource, Keys: keys}) {
	case Allowed:
		return nil
	case Denied:
		reason = "with an explicit deny in an identity-based policy"
	}
	return &cloud.APIError{Code: "AccessDeniedException", Status: http.StatusForbidden, Message: fmt.Sprintf(
		"User: %s is not authorized to perform: %s on resource: %s %s", c.ARN, action, resource, reason)}
}

// decide combines all policies of the caller's role: a deny in any of them wins.
func (s *Service) decide(c cloud.Caller, ask Ask) Decision {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.roles[strings.ToLower(c.Role)]
	if !ok {
		return Neutral
	}
	ask.Keys = withPrincipal(ask.Keys, r.arn, c.Region)
	decision := Neutral
	for _, p := range r.inline {
		decision = max(decision, p.policy.Decide(ask))
	}
	return decision
}

// withPrincipal adds the keys that every request has.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func withPrincipal(keys cloud.Keys, principal, region string) cloud.Keys {
	all := foldKeys(keys)
	for name, value := range map[string]string{
		"aws:requestedregion":  region,
		"aws:principalaccount": cloud.Account,
		"aws:principalarn":     principal,
	} {
		if _, given := all[name]; !given && value != "" {
			all[name] = []string{value}
		}
	}
	return all
}
