package apigateway

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
)

// maxDocumentBytes is the quota on an OpenAPI body.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const maxDocumentBytes = 6 << 20

type endpointInputs struct {
	Types         string `json:"types"`
	IPAddressType string `json:"ipAddressType,omitempty"`
}

func (e *endpointInputs) check() error {
	switch {
	case e == nil:
		return badRequest("endpointConfiguration is missing: the default, EDGE, is not supported by the embedded cloud; use REGIONAL")
	case e.Types != "REGIONAL":
		return badRequest("endpoint type %q is not supported by the embedded cloud: use REGIONAL", e.Types)
	case !slices.Contains([]string{"", "ipv4", "dualstack"}, e.IPAddressType):
		return badRequest("ipAddressType %q is neither ipv4 nor dualstack", e.IPAddressType)
	default:
		return nil
	}
}

type apiInputs struct {
	Name                      string            `json:"name,omitempty"`
	Body                      string            `json:"body,omitempty"`
	EndpointConfiguration     *endpointInputs   `json:"endpointConfiguration,omitempty"`
	DisableExecuteAPIEndpoint bool              `json:"disableExecuteApiEndpoint,omitempty"`
	Description               string            `json:"description,omitempty"`
	FailOnWarnings            bool              `json:"failOnWarnings,omitempty"`
	PutRestAPIMode            string            `json:"putRestApiMode,omitempty"`
	MinimumCompressionSize    string            `json:"minimumCompressionSize,omitempty"`
	BinaryMediaTypes          []string          `json:"binaryMediaTypes,omitempty"`
	APIKeySource              string            `json:"apiKeySource,omitempty"`
	Policy                    string            `json:"policy,omitempty"`
	Tags                      map[string]string `json:"tags,omitempty"`
}

func (in *apiInputs) check() error {
	switch {
	case !slices.Contains([]string{"", "overwrite", "merge"}, in.PutRestAPIMode):
		return badRequest("putRestApiMode %q is neither overwrite nor merge", in.PutRestAPIMode)
	case !slices.Contains([]string{"", "HEADER", "AUTHORIZER"}, in.APIKeySource):
		return badRequest("apiKeySource %q is neither HEADER nor AUTHORIZER", in.APIKeySource)
	case in.Policy != "":
		return badRequest("resource policies are not supported by the embedded cloud: leave policy out")
	case in.MinimumCompressionSize != "" && in.MinimumCompressionSize != "-1":
		return badRequest("compression is not supported by the embedded cloud, and by API Gateway not for streams: " +
			"leave minimumCompressionSize out")
	case len(in.Body) > maxDocumentBytes:
		return badRequest("body is %d bytes, over the limit of %d", len(in.Body), maxDocumentBytes)
	default:
		return in.EndpointConfiguration.check()
	}
}

// parse refuses what API Gateway would refuse, and reads the document.
func (in *apiInputs) parse() (*document, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	doc := &document{}
	if in.Body != "" {
		var err error
		if doc, err = parse(in.Body); err != nil {
			return nil, badRequest("invalid OpenAPI document: %v", err)
		}
	}
	doc.binary = append(doc.binary, in.BinaryMediaTypes...)
	return doc, nil
}

func (s *Service) createAPI(_ context.Context, r cloud.Request[apiInputs]) (cloud.State, error) {
	doc, err := r.In.parse()
	if err != nil {
		return cloud.State{}, err
	}
	name := r.In.Name
	if name == "" {
		name = r.PhysicalName(255)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &api{
		id: r.Digits(10, "restapi"), region: r.Region, endpointOff: r.In.DisableExecuteAPIEndpoint,
		document: doc, deployments: map[string]*document{}, stages: map[string]*stage{},
	}
	s.apis[a.id] = a
	return cloud.State{ID: a.id, Outputs: map[string]any{
		"name": name, "arn": controlARN(a.region, "/restapis/"+a.id), "executionArn": a.executionARN(),
		"rootResourceId": cloud.ID(10, "resource", a.id, "/"), "createdDate": s.timestamp(),
	}}, nil
}

func (s *Service) timestamp() string { return s.cfg.World.Clock.Now().UTC().Format(time.RFC3339) }

type deploymentInputs struct {
	RestAPI     string            `json:"restApi" change:"replace"`
	Triggers    map[string]string `json:"triggers,omitempty" change:"replace"`
	Description string            `json:"description,omitempty"`
	StageName   string            `json:"stageName,omitempty" change:"replace"`
}

func (s *Service) createDeployment(_ context.Context, r cloud.Request[deploymentInputs]) (cloud.State, error) {
	if r.In.StageName != "" {
		return cloud.State{}, badRequest("stageName of a deployment is deprecated: create a Stage of its own")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.find(r.Region, r.In.RestAPI)
	if err != nil {
		return cloud.State{}, err
	}
	if err := a.document.deployable(); err != nil {
		return cloud.State{}, err
	}
	id := r.Digits(6, "deployment", a.id)
	snapshot := *a.document
	snapshot.deployment = id
	a.deployments[id] = &snapshot
	return cloud.State{ID: id, Outputs: map[string]any{"createdDate": s.timestamp()}}, nil
}

type stageInputs struct {
	RestAPI             string            `json:"restApi" change:"replace"`
	Deployment          string            `json:"deployment"`
	StageName           string            `json:"stageName" change:"replace"`
	AccessLogSettings   *accessLogInputs  `json:"accessLogSettings,omitempty"`
	Description         string            `json:"description,omitempty"`
	Tags                map[string]string `json:"tags,omitempty"`
	Variables           map[string]string `json:"variables,omitempty"`
	XrayTracingEnabled  bool              `json:"xrayTracingEnabled,omitempty"`
	CacheClusterEnabled bool              `json:"cacheClusterEnabled,omitempty"`
}

var stageName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,128}$`)

func (in *stageInputs) check() error {
	switch {
	case in.CacheClusterEnabled:
		return badRequest("cache clusters are not supported by the embedded cloud, and by API Gateway not for streams")
	case !stageName.MatchString(in.StageName):
		return badRequest("Stage name only allows a-zA-Z0-9_- and at most 128 characters, not %q", in.StageName)
	default:
		return nil
	}
}

func (s *Service) createStage(_ context.Context, r cloud.Request[stageInputs]) (cloud.State, error) {
	if err := r.In.check(); err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	log, err := s.newAccessLog(r.Region, r.In.AccessLogSettings)
	if err != nil {
		return cloud.State{}, err
	}
	a, err := s.find(r.Region, r.In.RestAPI)
	if err != nil {
		return cloud.State{}, err
	}
	doc, ok := a.deployments[r.In.Deployment]
	if !ok {
		return cloud.State{}, badRequest("Deployment id does not exist: API %s has no deployment %q", a.id, r.In.Deployment)
	}
	name := r.In.StageName
	if a.stages[name] != nil {
		return cloud.State{}, conflict("Stage already exists: API %s has a stage %q", a.id, name)
	}
	st := newStage(name, doc, r.In.Variables)
	st.deployment, st.log = r.In.Deployment, log
	a.stages[name] = st
	return cloud.State{ID: fmt.Sprintf("ags-%s-%s", a.id, name), Outputs: map[string]any{
		"arn":          a.stageARN(name),
		"executionArn": a.executionARN() + "/" + name, "invokeUrl": "https://" + a.host() + "/" + name,
	}}, nil
}
