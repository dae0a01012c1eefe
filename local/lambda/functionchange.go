package lambda

import (
	"context"
	"reflect"
	"slices"

	"github.com/crossregion/crossregion/local/cloud"
)

// updateFunction publishes a new version where code or configuration changed.
// What runs goes on as it was, and published versions never change.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html
func (s *Service) updateFunction(_ context.Context, r cloud.Request[functionInputs]) (cloud.State, error) {
	in := r.In
	in.Name = r.ID
	made, err := s.accept(in, r.Region)
	if err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	was, err := s.find(reference{region: r.Region, name: r.ID})
	if err != nil {
		return cloud.State{}, err
	}
	f := was.function
	if err := s.reserve(f, valueOr(in.ReservedConcurrentExecutions, unreserved)); err != nil {
		return cloud.State{}, err
	}
	if reflect.DeepEqual(was.comparable(), made.comparable()) {
		was.in = in
		return cloud.State{}, nil
	}
	return cloud.State{Outputs: f.release(made).outputs(s.cfg.World.Clock.Now())}, nil
}

// comparable is what makes a version another one.
func (s settings) comparable() settings {
	s.in.Code, s.in.Tags, s.in.SourceCodeHash, s.in.ReservedConcurrentExecutions = "", nil, "", nil
	return s
}

// deleteFunction lets what runs end its work.
func (s *Service) deleteFunction(_ context.Context, r cloud.Request[functionInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.find(reference{region: r.Region, name: r.ID})
	if err != nil {
		return err
	}
	for _, each := range v.versions {
		each.retire()
	}
	delete(s.inRegion(r.Region).functions, r.ID)
	return s.reserve(v.function, unreserved)
}

// retire ends the environments of a version, each after its work. The caller
// holds Service.mu.
func (v *version) retire() {
	v.retired = true
	for len(v.idle) > 0 {
		e := v.idle[0]
		e.s.takeIdle(e)
		e.stop()
	}
}

// Functions returns the ARNs of all functions, sorted.
func (s *Service) Functions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var arns []string
	for _, r := range s.regions {
		for _, f := range r.functions {
			arns = append(arns, f.arn)
		}
	}
	slices.Sort(arns)
	return arns
}
