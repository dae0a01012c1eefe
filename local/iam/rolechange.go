package iam

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// updateRole changes who may assume the role. Sessions that exist go on.
func (s *Service) updateRole(_ context.Context, r cloud.Request[roleInputs]) (cloud.State, error) {
	trust, err := parseTrust(r.In.AssumeRolePolicy)
	if err := errors.Join(err, r.In.validate()); err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	owner, err := s.find(r.ID)
	if err != nil {
		return cloud.State{}, err
	}
	owner.trust = trust
	return cloud.State{}, nil
}

// deleteRole refuses a role with policies: they are resources of their own.
// Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html
func (s *Service) deleteRole(_ context.Context, r cloud.Request[roleInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	owner, err := s.find(r.ID)
	if err != nil {
		return err
	}
	if len(owner.inline) > 0 && !r.In.ForceDetachPolicies {
		return &cloud.APIError{Code: "DeleteConflict", Status: http.StatusConflict, Message: "Cannot delete entity, must delete policies first."}
	}
	delete(s.roles, strings.ToLower(r.ID))
	return nil
}

func (s *Service) updateRolePolicy(_ context.Context, r cloud.Request[rolePolicyInputs]) (cloud.State, error) {
	policy, err := ParsePolicy(r.In.Policy)
	if err != nil {
		return cloud.State{}, err
	}
	return cloud.State{}, s.setInline(r.In.Role, policyOf(r.ID), inlinePolicy{policy: policy, size: textSize(r.In.Policy)})
}

func (s *Service) deleteRolePolicy(_ context.Context, r cloud.Request[rolePolicyInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	owner, err := s.find(r.In.Role)
	if err != nil {
		return err
	}
	delete(owner.inline, policyOf(r.ID))
	return nil
}

// policyOf is the policy's part of the ID of a role policy.
func policyOf(id string) string { return id[strings.Index(id, ":")+1:] }

// find returns a role. The caller holds s.mu.
func (s *Service) find(name string) (*role, error) {
	owner, ok := s.roles[strings.ToLower(name)]
	if !ok {
		return nil, notFound("The role with name %s cannot be found.", name)
	}
	return owner, nil
}
