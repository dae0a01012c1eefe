// Package iam stands in for AWS Identity and Access Management and the Security
// Token Service. It keeps roles and their inline policies, issues credentials of
// a role, verifies Signature Version 4 and decides requests, denied by default.
//
// It refuses what AWS refuses, and what it does not evaluate: managed policies,
// permissions boundaries, policy variables and the condition operators that its
// table leaves out are errors, so that no policy ever means less here than in
// AWS.
package iam

import (
	"context"
	"strings"
	"sync"

	"github.com/crossregion/crossregion/local/cloud"
)

// Service is IAM and STS of the embedded cloud's account. It is global: every
// region sees the same roles. Its methods may be called concurrently.
type Service struct {
	clock    cloud.Clock
	operator Credentials

	mu       sync.RWMutex
	roles    map[string]*role   // by lower-case name, since names must differ in more than case
	sessions map[string]session // by access key id
}

var _ cloud.Authorizer = (*Service)(nil)

// New returns a service without roles. The clock is the one that signatures and
// sessions are dated by: it must show the time that the signers see, so a cloud
// that runs faster than its clients passes a clock of normal speed.
func New(clock cloud.Clock) *Service {
	s := &Service{clock: clock, operator: newCredentials("AKIA"), roles: map[string]*role{}, sessions: map[string]session{}}
	s.sessions[s.operator.AccessKeyID] = session{credentials: s.operator, caller: cloud.Caller{ARN: operatorARN()}}
	return s
}

// Resources returns the Pulumi resource types that the service creates.
func (s *Service) Resources() []cloud.Resource {
	return []cloud.Resource{
		cloud.DefineResource("aws:iam/role:Role", s.createRole, s.updateRole, s.deleteRole),
		cloud.DefineResource("aws:iam/rolePolicy:RolePolicy", s.putRolePolicy, s.updateRolePolicy, s.deleteRolePolicy),
	}
}

// Functions returns the Pulumi functions that the service answers.
func (s *Service) Functions() []cloud.Function {
	return []cloud.Function{
		cloud.DefineFunction("aws:index/getCallerIdentity:getCallerIdentity", callerIdentity),
		cloud.DefineFunction("aws:index/getPartition:getPartition", partition),
	}
}

// lookup is the argument that the provider lets a program give, and that can
// only be the id of the answer.
type lookup struct {
	ID string `json:"id,omitempty"`
}

func (l lookup) check(want string) error {
	if l.ID != "" && l.ID != want {
		return invalid("id is %q, the embedded cloud has %q only", l.ID, want)
	}
	return nil
}

func callerIdentity(_ context.Context, _ string, in lookup) (map[string]any, error) {
	return map[string]any{
		"id":        cloud.Account,
		"accountId": cloud.Account,
		"arn":       operatorARN(),
		"userId":    uniqueID("AIDA", operatorARN()),
	}, in.check(cloud.Account)
}

func partition(_ context.Context, _ string, in lookup) (map[string]any, error) {
	return map[string]any{
		"id":               cloud.Partition,
		"partition":        cloud.Partition,
		"dnsSuffix":        "amazonaws.com",
		"reverseDnsPrefix": "com.amazonaws",
	}, in.check(cloud.Partition)
}

// operatorARN is the user who deploys into and operates the embedded cloud.
func operatorARN() string { return cloud.ARN("iam", "", "user/operator") }

// uniqueID is the identifier that IAM never reuses, here the same in every run.
func uniqueID(prefix, arn string) string { return prefix + strings.ToUpper(cloud.ID(17, arn)) }
