package iam

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/crossregion/crossregion/local/cloud"
)

// Limits of roles.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxRoleName       = 64
	maxPolicyName     = 128
	maxDescription    = 1000
	maxPath           = 512
	maxTrustPolicy    = 2048  // characters without white space
	maxInlinePolicies = 10240 // likewise, all policies of one role together
	minSession        = time.Hour
	maxSession        = 12 * time.Hour
)

// generatedSuffix is how much the AWS provider appends to a name prefix.
const generatedSuffix = 26

var (
	nameChars   = regexp.MustCompile(`^[\w+=,.@-]+$`)
	pathChars   = regexp.MustCompile(`^/([\x21-\x7e]+/)?$`)
	textChars   = regexp.MustCompile(`^[\t\n\r\x20-\x7e\x{a1}-\x{ff}]*$`)
	boundaryARN = regexp.MustCompile(`^arn:aws:iam::(\d{12}|aws):policy/[\x21-\x7e]+$`)
)

type role struct {
	name, arn string
	trust     []statement
	inline    map[string]inlinePolicy // by name
}

type inlinePolicy struct {
	policy *Policy
	size   int
}

type roleInputs struct {
	AssumeRolePolicy    string            `json:"assumeRolePolicy"`
	Name                string            `json:"name,omitempty" change:"replace"`
	NamePrefix          string            `json:"namePrefix,omitempty" change:"replace"`
	Description         string            `json:"description,omitempty"`
	Path                string            `json:"path,omitempty" change:"replace"`
	PermissionsBoundary string            `json:"permissionsBoundary,omitempty"`
	MaxSessionDuration  int               `json:"maxSessionDuration,omitempty"` // seconds
	Tags                map[string]string `json:"tags,omitempty"`
	ForceDetachPolicies bool              `json:"forceDetachPolicies,omitempty"`
}

type rolePolicyInputs struct {
	Role   string `json:"role" change:"replace"`
	Policy string `json:"policy"`
	Name   string `json:"name,omitempty" change:"replace"`
}

func (s *Service) createRole(_ context.Context, r cloud.Request[roleInputs]) (cloud.State, error) {
	name, nameErr := roleName(r)
	trust, trustErr := parseTrust(r.In.AssumeRolePolicy)
	if err := errors.Join(nameErr, trustErr, r.In.validate()); err != nil {
		return cloud.State{}, err
	}
	path := r.In.Path
	if path == "" {
		path = "/"
	}
	made := &role{name: name, arn: cloud.ARN("iam", "", "role"+path+name), trust: trust, inline: map[string]inlinePolicy{}}
	if err := s.addRole(made); err != nil {
		return cloud.State{}, err
	}
	return cloud.State{ID: name, Outputs: map[string]any{
		"arn":        made.arn,
		"name":       name,
		"uniqueId":   uniqueID("AROA", made.arn),
		"createDate": s.clock.Now().UTC().Format(time.RFC3339),
	}}, nil
}

func (s *Service) addRole(r *role) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(r.name)
	if _, exists := s.roles[key]; exists {
		return &cloud.APIError{Code: "EntityAlreadyExists", Status: http.StatusConflict,
			Message: fmt.Sprintf("Role with name %s already exists: IAM is global, so regions share its names", r.name)}
	}
	s.roles[key] = r
	return nil
}

func roleName(r cloud.Request[roleInputs]) (string, error) {
	name, prefix := r.In.Name, r.In.NamePrefix
	switch {
	case name != "" && prefix != "":
		return "", invalid(`"name" conflicts with "namePrefix": give one of them`)
	case prefix != "":
		name = prefix + r.Digits(generatedSuffix)
	case name == "":
		name = r.PhysicalName(maxRoleName)
	}
	return name, checkName("roleName", name, maxRoleName)
}

func checkName(what, name string, limit int) error {
	if len(name) > limit || !nameChars.MatchString(name) {
		return invalid("%s %q must have 1 to %d characters out of letters, digits and _+=,.@-", what, name, limit)
	}
	return nil
}

func (in roleInputs) validate() error {
	var errs []error
	if textSize(in.AssumeRolePolicy) > maxTrustPolicy {
		errs = append(errs, limitExceeded("Cannot exceed quota for ACLSizePerRole: %d", maxTrustPolicy))
	}
	if len(in.Path) > maxPath || in.Path != "" && !pathChars.MatchString(in.Path) {
		errs = append(errs, invalid("path %q must begin and end with / and have at most %d characters", in.Path, maxPath))
	}
	if len([]rune(in.Description)) > maxDescription || !textChars.MatchString(in.Description) {
		errs = append(errs, invalid("description must have at most %d characters of Latin-1", maxDescription))
	}
	d := time.Duration(in.MaxSessionDuration) * time.Second
	if d != 0 && (d < minSession || d > maxSession) {
		errs = append(errs, invalid("maxSessionDuration is %s, want %s to %s", d, minSession, maxSession))
	}
	return errors.Join(append(errs, checkBoundary(in.PermissionsBoundary))...)
}

// checkBoundary refuses every boundary: the embedded cloud has no managed
// policies, so none can be found.
func checkBoundary(arn string) error {
	switch {
	case arn == "":
		return nil
	case !boundaryARN.MatchString(arn):
		return invalid("permissionsBoundary %q is not the ARN of a managed policy", arn)
	default:
		return notFound("Scope ARN: %s does not exist or is not attachable: the embedded cloud has no managed policies", arn)
	}
}

// putRolePolicy replaces a policy of the same name, as PutRolePolicy does.
func (s *Service) putRolePolicy(_ context.Context, r cloud.Request[rolePolicyInputs]) (cloud.State, error) {
	name := r.In.Name
	if name == "" {
		name = r.PhysicalName(maxPolicyName)
	}
	policy, err := ParsePolicy(r.In.Policy)
	if err := errors.Join(err, checkName("policyName", name, maxPolicyName)); err != nil {
		return cloud.State{}, err
	}
	if err := s.setInline(r.In.Role, name, inlinePolicy{policy: policy, size: textSize(r.In.Policy)}); err != nil {
		return cloud.State{}, err
	}
	return cloud.State{ID: r.In.Role + ":" + name, Outputs: map[string]any{"name": name}}, nil
}

func (s *Service) setInline(roleName, name string, p inlinePolicy) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	owner, ok := s.roles[strings.ToLower(roleName)]
	if !ok {
		return notFound("The role with name %s cannot be found: a role policy wants the name of an existing role, not its ARN", roleName)
	}
	total := p.size
	for other, q := range owner.inline {
		if other != name {
			total += q.size
		}
	}
	if total > maxInlinePolicies {
		return limitExceeded("Maximum policy size of %d bytes exceeded for role %s: its inline policies have %d without white space",
			maxInlinePolicies, owner.name, total)
	}
	owner.inline[name] = p
	return nil
}

// textSize counts characters as IAM's quotas do, without white space.
func textSize(document string) int {
	n := 0
	for _, r := range document {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

func invalid(format string, args ...any) error {
	return cloud.Refuse("ValidationError", format, args...)
}

func limitExceeded(format string, args ...any) error {
	return &cloud.APIError{Code: "LimitExceeded", Status: http.StatusConflict, Message: fmt.Sprintf(format, args...)}
}

func notFound(format string, args ...any) error {
	return &cloud.APIError{Code: "NoSuchEntity", Status: http.StatusNotFound, Message: fmt.Sprintf(format, args...)}
}
