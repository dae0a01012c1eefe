// Package apigateway stands in for the REST APIs of Amazon API Gateway: it
// keeps regional APIs, their deployments, stages and custom domains, and serves
// them as the regional edge does, by way of Lambda proxy integrations.
//
// It refuses what API Gateway would refuse, and every feature that this
// project has no use for: edge-optimized and private APIs, integrations other
// than aws_proxy, mapping templates, models, API keys and execution logs.
package apigateway

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/lambda"
	"github.com/crossregion/crossregion/local/wafv2"
)

// Lambda invokes functions; local/lambda implements it.
type Lambda interface {
	Invoke(ctx context.Context, in lambda.Invocation) (*lambda.Result, error)
}

// Certificates tells which certificates can be served; local/acm implements it.
type Certificates interface {
	// Issued returns an error unless the certificate exists in the region, is
	// issued, and covers the domain.
	Issued(arn, region, domain string) error
}

// Roles tells what a role may do: the one that API Gateway writes logs with, or
// the one that signs a request; local/iam implements it.
type Roles interface {
	// CheckTrust returns an error unless the service may assume the role.
	CheckTrust(roleARN, principal string) error
	cloud.Authorizer
}

// Logs are where access logs go; local/lambda implements it.
type Logs interface {
	// HasLogGroup reports whether the ARN is that of a log group.
	HasLogGroup(arn string) bool
	// WriteLog adds a line to a log group, and returns an error if there is none
	// of that ARN.
	WriteLog(groupARN, line string) error
}

// Firewall decides on requests before all else; local/wafv2 implements it.
type Firewall interface {
	Inspect(stageARN string, r wafv2.Request) wafv2.Verdict
}

// Config says what a [Service] stands on.
type Config struct {
	World        cloud.World  // required
	Lambda       Lambda       // required
	Certificates Certificates // required
	Roles        Roles        // required
	Signers      Signers      // required
	Logs         Logs         // required
	Firewall     Firewall     // required
	// RequestClock measures integration and idle timeouts. They guard deployed
	// binaries, which keep real time, so nil means the machine's clock.
	RequestClock cloud.Clock
}

// Service is API Gateway in every region.
type Service struct {
	cfg      Config
	requests atomic.Uint64

	mu       sync.RWMutex
	apis     map[string]*api // by ID, unique over all regions
	domains  map[domainKey]*domain
	logRoles map[string]string // ARN of the account's role for logs, by region
}

// api is one REST API. Its fields are guarded by the service's lock, except
// for what never changes after creation.
type api struct {
	id, region  string
	endpointOff bool
	document    *document
	deployments map[string]*document
	stages      map[string]*stage
}

// New returns a service without APIs.
func New(cfg Config) *Service {
	if cfg.RequestClock == nil {
		cfg.RequestClock = cloud.RealClock(1)
	}
	return &Service{cfg: cfg, apis: map[string]*api{}, domains: map[domainKey]*domain{}, logRoles: map[string]string{}}
}

// Resources lists the Pulumi resource types that the service stands in for.
func (s *Service) Resources() []cloud.Resource {
	return []cloud.Resource{
		cloud.DefineResource("aws:apigateway/account:Account", s.createAccount, s.updateAccount, s.deleteAccount),
		cloud.DefineResource("aws:apigateway/restApi:RestApi", s.createAPI, s.updateAPI, s.deleteAPI),
		cloud.DefineResource("aws:apigateway/deployment:Deployment", s.createDeployment, s.updateDeployment, s.deleteDeployment),
		cloud.DefineResource("aws:apigateway/stage:Stage", s.createStage, s.updateStage, s.deleteStage),
		cloud.DefineResource("aws:apigateway/methodSettings:MethodSettings", s.createMethodSettings, s.createMethodSettings, s.deleteMethodSettings),
		cloud.DefineResource("aws:apigateway/domainName:DomainName", s.createDomain, s.updateDomain, s.deleteDomain),
		cloud.DefineResource("aws:apigateway/basePathMapping:BasePathMapping", s.createMapping, s.updateMapping, s.deleteMapping),
	}
}

// find returns an API of the region. The caller holds the lock.
func (s *Service) find(region, id string) (*api, error) {
	a, ok := s.apis[id]
	if !ok || a.region != region {
		return nil, notFound("Invalid API identifier specified %s:%s in %s", cloud.Account, id, region)
	}
	return a, nil
}

// findStage returns a stage of an API of the region. The caller holds the lock.
func (s *Service) findStage(region, id, name string) (*api, *stage, error) {
	a, err := s.find(region, id)
	if err != nil {
		return nil, nil, err
	}
	st, ok := a.stages[name]
	if !ok {
		return nil, nil, notFound("Invalid stage identifier specified: API %s has no stage %q", id, name)
	}
	return a, st, nil
}

func (a *api) executionARN() string { return cloud.ARN("execute-api", a.region, a.id) }

func (a *api) stageARN(name string) string {
	return controlARN(a.region, "/restapis/"+a.id+"/stages/"+name)
}

// HasStage reports whether the ARN is that of a stage.
func (s *Service) HasStage(arn string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, a := range s.apis {
		for name := range a.stages {
			if a.stageARN(name) == arn {
				return true
			}
		}
	}
	return false
}

func (a *api) host() string { return a.id + ".execute-api." + a.region + ".amazonaws.com" }

func badRequest(format string, args ...any) *cloud.APIError {
	return cloud.Refuse("BadRequestException", format, args...)
}

func notFound(format string, args ...any) *cloud.APIError {
	e := cloud.Refuse("NotFoundException", format, args...)
	e.Status = 404
	return e
}

func conflict(format string, args ...any) *cloud.APIError {
	e := cloud.Refuse("ConflictException", format, args...)
	e.Status = 409
	return e
}

// controlARN names a resource of the control plane, whose ARNs carry no account.
func controlARN(region, path string) string {
	return strings.Join([]string{"arn", cloud.Partition, "apigateway", region, "", path}, ":")
}
