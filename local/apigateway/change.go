package apigateway

import (
	"context"
	"maps"
	"slices"

	"github.com/crossregion/crossregion/local/cloud"
)

// updateAPI changes what the next deployment takes; those that exist keep what
// they took. Only the default endpoint goes at once.
func (s *Service) updateAPI(_ context.Context, r cloud.Request[apiInputs]) (cloud.State, error) {
	doc, err := r.In.parse()
	if err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.find(r.Region, r.ID)
	if err != nil {
		return cloud.State{}, err
	}
	a.document, a.endpointOff = doc, r.In.DisableExecuteAPIEndpoint
	return cloud.State{}, nil
}

// deleteAPI takes deployments and stages along. A custom domain that still maps
// to the API leads nowhere.
// Source: https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteRestApi.html
func (s *Service) deleteAPI(_ context.Context, r cloud.Request[apiInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.find(r.Region, r.ID); err != nil {
		return err
	}
	delete(s.apis, r.ID)
	return nil
}

// updateDeployment changes the description alone.
func (s *Service) updateDeployment(context.Context, cloud.Request[deploymentInputs]) (cloud.State, error) {
	return cloud.State{}, nil
}

// deleteDeployment refuses one that a stage serves.
func (s *Service) deleteDeployment(_ context.Context, r cloud.Request[deploymentInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.find(r.Region, r.In.RestAPI)
	if err != nil {
		return err
	}
	for _, st := range a.stages {
		if st.deployment == r.ID {
			return badRequest("Active stages pointing to this deployment must be moved or deleted")
		}
	}
	delete(a.deployments, r.ID)
	return nil
}

// updateStage serves another deployment from one request to the next, under the
// settings of methods that were.
func (s *Service) updateStage(_ context.Context, r cloud.Request[stageInputs]) (cloud.State, error) {
	if err := r.In.check(); err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a, was, err := s.findStage(r.Region, r.In.RestAPI, r.In.StageName)
	if err != nil {
		return cloud.State{}, err
	}
	log, err := s.newAccessLog(r.Region, r.In.AccessLogSettings)
	if err != nil {
		return cloud.State{}, err
	}
	doc, ok := a.deployments[r.In.Deployment]
	if !ok {
		return cloud.State{}, badRequest("Deployment id does not exist: API %s has no deployment %q", a.id, r.In.Deployment)
	}
	st := newStage(was.name, doc, r.In.Variables)
	st.deployment, st.log = r.In.Deployment, log
	was.mu.Lock()
	st.throttles = maps.Clone(was.throttles)
	was.mu.Unlock()
	a.stages[st.name] = st
	return cloud.State{}, nil
}

func (s *Service) deleteStage(_ context.Context, r cloud.Request[stageInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, st, err := s.findStage(r.Region, r.In.RestAPI, r.In.StageName)
	if err != nil {
		return err
	}
	for _, d := range s.domains {
		for _, m := range d.mappings {
			if m.api == a && m.stage == st.name {
				return badRequest("Stage %q of API %s is still mapped by the custom domain %s: delete its mapping first", st.name, a.id, d.name)
			}
		}
	}
	delete(a.stages, st.name)
	return nil
}

func (s *Service) deleteMethodSettings(_ context.Context, r cloud.Request[settingsInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, st, err := s.findStage(r.Region, r.In.RestAPI, r.In.StageName)
	if err != nil {
		return err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	delete(st.throttles, r.In.MethodPath)
	clear(st.buckets)
	return nil
}

func (s *Service) updateDomain(_ context.Context, r cloud.Request[domainInputs]) (cloud.State, error) {
	if err := s.accept(r); err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.domains[domainKey{r.Region, r.ID}]
	if d == nil {
		return cloud.State{}, notFound("Invalid domain name identifier specified: %s in %s", r.ID, r.Region)
	}
	d.certificate = r.In.RegionalCertificateARN
	return cloud.State{}, nil
}

func (s *Service) deleteDomain(_ context.Context, r cloud.Request[domainInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.domains, domainKey{r.Region, r.ID})
	return nil
}

// updateMapping moves a path to another API or stage, or to another path.
func (s *Service) updateMapping(_ context.Context, r cloud.Request[mappingInputs]) (cloud.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, to, err := s.parseMapping(r)
	if err != nil {
		return cloud.State{}, err
	}
	if _, taken := d.mappings[r.In.BasePath]; taken && r.In.BasePath != r.Was.BasePath {
		return cloud.State{}, conflict("Base path already exists for this domain name: %q of %s", r.In.BasePath, d.name)
	}
	delete(d.mappings, r.Was.BasePath)
	d.mappings[r.In.BasePath] = to
	return cloud.State{ID: d.name + "/" + r.In.BasePath}, nil
}

func (s *Service) deleteMapping(_ context.Context, r cloud.Request[mappingInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.domains[domainKey{r.Region, r.In.DomainName}]; d != nil {
		delete(d.mappings, r.In.BasePath)
	}
	return nil
}

// UsesCertificate reports whether a custom domain is served with a certificate.
func (s *Service) UsesCertificate(arn string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, d := range s.domains {
		if d.certificate == arn {
			return true
		}
	}
	return false
}

// APIs returns the ARNs of all REST APIs, sorted.
func (s *Service) APIs() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var arns []string
	for id, a := range s.apis {
		arns = append(arns, controlARN(a.region, "/restapis/"+id))
	}
	slices.Sort(arns)
	return arns
}
