package lambda

import (
	"context"

	"github.com/crossregion/crossregion/local/cloud"
)

type aliasInputs struct {
	FunctionName    string `json:"functionName" change:"replace"`
	FunctionVersion string `json:"functionVersion"`
	Name            string `json:"name,omitempty" change:"replace"`
	Description     string `json:"description,omitempty"`
	// RoutingConfig is left out where one version has all invocations.
	RoutingConfig *routingInputs `json:"routingConfig,omitempty"`
}

// Source: https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html
func (s *Service) createAlias(_ context.Context, r cloud.Request[aliasInputs]) (cloud.State, error) {
	in := r.In
	if in.Name == "" {
		in.Name = r.PhysicalName(128)
	}
	ref, err := parseName(r.Region, in.FunctionName)
	if err != nil {
		return cloud.State{}, err
	}
	if err := in.check(ref); err != nil {
		return cloud.State{}, err
	}
	if err := s.addAlias(ref, in); err != nil {
		return cloud.State{}, err
	}
	arn := ref.arn() + ":" + in.Name
	return cloud.State{ID: arn, Outputs: map[string]any{
		"arn": arn, "invokeArn": invokeARN(r.Region, arn), "name": in.Name,
	}}, nil
}

// updateAlias moves the alias to another version, from one invocation to the
// next.
func (s *Service) updateAlias(_ context.Context, r cloud.Request[aliasInputs]) (cloud.State, error) {
	ref, err := parseARN(r.ID)
	if err != nil {
		return cloud.State{}, err
	}
	if err := checkLength("description", r.In.Description, 256); err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.find(ref)
	if err != nil {
		return cloud.State{}, err
	}
	if v.versions[r.In.FunctionVersion] == nil {
		return cloud.State{}, notFound("Function not found: %s:%s", ref.arn(), r.In.FunctionVersion)
	}
	if err := v.checkWeights(r.In); err != nil {
		return cloud.State{}, err
	}
	v.aliases[ref.qualifier] = r.In.FunctionVersion
	v.weigh(ref.qualifier, r.In.RoutingConfig)
	return cloud.State{}, nil
}

// deleteAlias also drops the alias's policy.
func (s *Service) deleteAlias(_ context.Context, r cloud.Request[aliasInputs]) error {
	ref, err := parseARN(r.ID)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.find(ref)
	if err != nil {
		return err
	}
	delete(v.aliases, ref.qualifier)
	delete(v.shares, ref.qualifier)
	delete(v.permissions, ref.qualifier)
	return nil
}

func (in aliasInputs) check(ref reference) error {
	if err := checkName("name", in.Name, 128); err != nil {
		return err
	}
	if digits.MatchString(in.Name) {
		return validation("name", in.Name, "Member must not be a number, which would name a version")
	}
	if ref.qualifier != "" {
		return validation("functionName", in.FunctionName, "Member must name a function without version or alias")
	}
	return checkLength("description", in.Description, 256)
}

func (s *Service) addAlias(ref reference, in aliasInputs) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.find(ref)
	if err != nil {
		return err
	}
	if v.versions[in.FunctionVersion] == nil {
		return notFound("Function not found: %s:%s", ref.arn(), in.FunctionVersion)
	}
	if _, ok := v.aliases[in.Name]; ok {
		return conflict("Alias already exists: %s:%s", ref.arn(), in.Name)
	}
	if err := v.checkWeights(in); err != nil {
		return err
	}
	v.aliases[in.Name] = in.FunctionVersion
	v.weigh(in.Name, in.RoutingConfig)
	return nil
}
