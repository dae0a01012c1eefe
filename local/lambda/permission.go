package lambda

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

type permissionInputs struct {
	Action        string `json:"action"`
	Function      string `json:"function"`
	Principal     string `json:"principal"`
	SourceARN     string `json:"sourceArn,omitempty"`
	StatementID   string `json:"statementId,omitempty"`
	Qualifier     string `json:"qualifier,omitempty"`
	SourceAccount string `json:"sourceAccount,omitempty"`
}

// permission is one statement of the policy of a function, version or alias.
type permission struct{ permissionInputs }

// Source: https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
func (s *Service) createPermission(_ context.Context, r cloud.Request[permissionInputs]) (cloud.State, error) {
	in := r.In
	if in.StatementID == "" {
		in.StatementID = r.PhysicalName(100)
	}
	if err := in.check(); err != nil {
		return cloud.State{}, err
	}
	ref, err := in.subject(r.Region)
	if err != nil {
		return cloud.State{}, err
	}
	if err := s.addPermission(ref, in); err != nil {
		return cloud.State{}, err
	}
	return cloud.State{ID: in.StatementID, Outputs: map[string]any{"statementId": in.StatementID}}, nil
}

func (in permissionInputs) check() error {
	if err := checkName("statementId", in.StatementID, 100); err != nil {
		return err
	}
	if !actionPattern.MatchString(in.Action) {
		return validation("action", in.Action, "Member must satisfy regular expression pattern: "+actionPattern.String())
	}
	if !strings.HasSuffix(in.Principal, ".amazonaws.com") {
		return invalid("principal %q is not supported by the embedded cloud: name a service, "+
			"e.g. apigateway.amazonaws.com", in.Principal)
	}
	if in.SourceARN != "" && !sourcePattern.MatchString(in.SourceARN) {
		return validation("sourceArn", in.SourceARN, "Member must satisfy regular expression pattern: "+sourcePattern.String())
	}
	if in.SourceAccount != "" && (len(in.SourceAccount) != 12 || !digits.MatchString(in.SourceAccount)) {
		return validation("sourceAccount", in.SourceAccount, `Member must satisfy regular expression pattern: \d{12}`)
	}
	return nil
}

// subject is what the permission is for.
func (in permissionInputs) subject(region string) (reference, error) {
	ref, err := parseName(region, in.Function)
	switch {
	case err != nil:
		return ref, err
	case ref.qualifier != "" && in.Qualifier != "" && ref.qualifier != in.Qualifier:
		return ref, invalid("The derived qualifier from the function name does not match the specified qualifier.")
	case in.Qualifier != "":
		ref.qualifier = in.Qualifier
	}
	if ref.qualifier == latest {
		return ref, invalid("We currently do not support adding policies for $LATEST.")
	}
	return ref, nil
}

// deletePermission finds nothing to do where the alias and its policy are gone.
func (s *Service) deletePermission(_ context.Context, r cloud.Request[permissionInputs]) error {
	ref, err := r.In.subject(r.Region)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.find(ref)
	if err != nil {
		return err
	}
	v.permissions[ref.qualifier] = slices.DeleteFunc(v.permissions[ref.qualifier], func(p permission) bool { return p.StatementID == r.ID })
	return nil
}

func (s *Service) addPermission(ref reference, in permissionInputs) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.find(ref)
	if err != nil {
		return err
	}
	statements := v.permissions[ref.qualifier]
	if slices.ContainsFunc(statements, func(p permission) bool { return p.StatementID == in.StatementID }) {
		return conflict("The statement id (%s) provided already exists. Please provide a new statement id, "+
			"or remove the existing statement.", in.StatementID)
	}
	v.permissions[ref.qualifier] = append(statements, permission{in})
	return nil
}

// authorize asks the policy of exactly what the invocation names: a function,
// its versions and its aliases have one each. The caller holds s.mu.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/access-control-resource-based.html
func (f *function) authorize(in Invocation, qualifier string) error {
	if slices.ContainsFunc(f.permissions[qualifier], func(p permission) bool { return p.allows(in) }) {
		return nil
	}
	return refuse(http.StatusForbidden, "AccessDeniedException",
		"User: %s is not authorized to perform: lambda:InvokeFunction on resource: %s "+
			"because no resource-based policy allows the lambda:InvokeFunction action", in.Principal, in.FunctionARN)
}

func (p permission) allows(in Invocation) bool {
	return slices.Contains([]string{"*", "lambda:*", "lambda:InvokeFunction"}, p.Action) &&
		p.Principal == in.Principal &&
		(p.SourceARN == "" || arnLike(p.SourceARN, in.SourceARN)) &&
		(p.SourceAccount == "" || p.SourceAccount == accountOf(in.SourceARN))
}

func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

// arnLike matches as IAM's ArnLike does: each of the six parts of an ARN on its
// own.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func arnLike(pattern, arn string) bool {
	return slices.EqualFunc(strings.SplitN(pattern, ":", 6), strings.SplitN(arn, ":", 6), like)
}

// like matches * with any characters and ? with one. After a mismatch it lets
// the last * take one character more.
func like(pattern, s string) bool {
	p, i := 0, 0
	star, taken := -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, taken = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			taken++
			p, i = star+1, taken
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
