// Package wafv2 stands in for AWS WAF in front of the stages of API Gateway: it
// keeps regional web ACLs and decides on requests by their rules.
//
// It refuses what WAF would refuse, and what this project has no use for: IP
// sets, regular expressions, labels, CAPTCHA, and managed rules other than AWS's
// core rule set. Of that one it evaluates the rules whose limits AWS publishes,
// sizes and the user agent; the patterns of the others are AWS's secret, and
// never match here.
package wafv2

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"sync"

	"github.com/crossregion/crossregion/local/cloud"
)

// Stages tells which stages exist; local/apigateway implements it.
type Stages interface {
	// HasStage reports whether the ARN is that of a stage of a REST API.
	HasStage(arn string) bool
}

// Request is what WAF sees of a request.
type Request struct {
	IP     string // of the client
	Path   string // escaped, with the stage where the client named one
	Query  string // without question mark
	Header http.Header
	Body   []byte
}

// Verdict is what a web ACL decided.
type Verdict struct {
	Blocked bool
	// Response is what to answer a blocked request. Nil: what the protected
	// resource answers by itself.
	Response *Response
}

// Response is an answer that a web ACL words itself.
type Response struct {
	Status int
	Header http.Header
	Body   string
}

// Service is AWS WAF in every region.
type Service struct {
	clock cloud.Clock

	mu           sync.Mutex
	stages       Stages
	acls         map[string]*webACL // by ARN
	associations map[string]*webACL // by ARN of what they protect
}

// New returns a service without web ACLs, whose rates follow the clock. Nothing
// can be protected before [Service.UseStages].
func New(clock cloud.Clock) *Service {
	return &Service{clock: clock, acls: map[string]*webACL{}, associations: map[string]*webACL{}}
}

// UseStages says what can be protected.
func (s *Service) UseStages(stages Stages) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stages = stages
}

// Resources lists the Pulumi resource types that the service stands in for.
func (s *Service) Resources() []cloud.Resource {
	return []cloud.Resource{
		cloud.DefineResource("aws:wafv2/webAcl:WebAcl", s.createACL, s.updateACL, s.deleteACL),
		cloud.DefineResource("aws:wafv2/webAclAssociation:WebAclAssociation", s.associate, nil, s.disassociate),
	}
}

// Inspect decides on a request for a stage, which without a web ACL passes.
func (s *Service) Inspect(stageARN string, r Request) Verdict {
	s.mu.Lock()
	defer s.mu.Unlock()
	acl, ok := s.associations[stageARN]
	if !ok {
		return Verdict{}
	}
	return acl.decide(r, s.clock.Now())
}

func (s *Service) createACL(_ context.Context, r cloud.Request[aclInputs]) (cloud.State, error) {
	acl, err := r.In.parse()
	if err != nil {
		return cloud.State{}, err
	}
	name := r.In.Name
	if name == "" {
		name = r.PhysicalName(128)
	}
	if !entityName.MatchString(name) {
		return cloud.State{}, invalid("NAME", name, "use 1 to 128 letters, digits, underscores and hyphens")
	}
	id := r.Digits(32, "webacl")
	arn := cloud.ARN("wafv2", r.Region, "regional/webacl/"+name+"/"+id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.acls[arn] != nil {
		return cloud.State{}, cloud.Refuse("WAFDuplicateItemException",
			"AWS WAF couldn't perform the operation because some resource in your request is a duplicate of an existing one: %s", name)
	}
	s.acls[arn] = acl
	return cloud.State{ID: id, Outputs: map[string]any{"arn": arn, "name": name, "capacity": acl.capacity()}}, nil
}

func (s *Service) updateACL(_ context.Context, r cloud.Request[aclInputs]) (cloud.State, error) {
	acl, err := r.In.parse()
	if err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	was, err := s.find(r.Region, r.ID)
	if err != nil {
		return cloud.State{}, err
	}
	*was = *acl // stages that it protects keep it
	return cloud.State{Outputs: map[string]any{"capacity": acl.capacity()}}, nil
}

// deleteACL refuses a web ACL that protects something.
// Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_DeleteWebACL.html
func (s *Service) deleteACL(_ context.Context, r cloud.Request[aclInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, err := s.find(r.Region, r.ID)
	if err != nil {
		return err
	}
	for stage, acl := range s.associations {
		if acl == was {
			return cloud.Refuse("WAFAssociatedItemException", "AWS WAF couldn't perform the operation because your resource "+
				"is being used by another resource or it's associated with another resource: %s", stage)
		}
	}
	maps.DeleteFunc(s.acls, func(_ string, acl *webACL) bool { return acl == was })
	return nil
}

// find returns a web ACL by its ID. The caller holds s.mu.
func (s *Service) find(region, id string) (*webACL, error) {
	for arn, acl := range s.acls {
		if strings.HasPrefix(arn, cloud.ARN("wafv2", region, "")) && strings.HasSuffix(arn, "/"+id) {
			return acl, nil
		}
	}
	return nil, nonexistent(id)
}

type associationInputs struct {
	ResourceARN string `json:"resourceArn"`
	WebACLARN   string `json:"webAclArn"`
}

// associate puts a web ACL in front of a stage.
// Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_AssociateWebACL.html
func (s *Service) associate(_ context.Context, r cloud.Request[associationInputs]) (cloud.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	acl := s.acls[r.In.WebACLARN]
	from, _ := cloud.ParseARN(r.In.WebACLARN)
	to, _ := cloud.ParseARN(r.In.ResourceARN)
	switch {
	case acl == nil:
		return cloud.State{}, nonexistent(r.In.WebACLARN)
	case from.Region != r.Region || to.Region != r.Region:
		return cloud.State{}, invalid("RESOURCE_ARN", r.In.ResourceARN, "web ACL, resource and call belong in one region, here "+r.Region)
	case s.stages == nil || !s.stages.HasStage(r.In.ResourceARN):
		return cloud.State{}, nonexistent(r.In.ResourceARN)
	case s.associations[r.In.ResourceARN] != nil:
		return cloud.State{}, cloud.Refuse("WAFInvalidOperationException",
			"%s has a web ACL already, which AWS would replace without a word: associate one only", r.In.ResourceARN)
	}
	s.associations[r.In.ResourceARN] = acl
	return cloud.State{ID: r.In.WebACLARN + "," + r.In.ResourceARN}, nil
}

func (s *Service) disassociate(_ context.Context, r cloud.Request[associationInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.associations, r.In.ResourceARN)
	return nil
}

func invalid(field, parameter, reason string) error {
	return cloud.Refuse("WAFInvalidParameterException",
		"Error reason: %s, field: %s, parameter: %s", reason, field, parameter)
}

func nonexistent(what string) error {
	return cloud.Refuse("WAFNonexistentItemException",
		"AWS WAF couldn't perform the operation because your resource doesn't exist: %s", what)
}
