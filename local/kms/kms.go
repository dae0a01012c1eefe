// Package kms stands in for AWS Key Management Service in every region of the
// embedded cloud: symmetric keys with their policies, and aliases. It decides
// who may use a key and encrypts nothing. It refuses what KMS refuses, and every
// property beyond those that this program uses. It answers no signed calls: the
// services that keep data ask it on behalf of their callers.
package kms

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
)

// IAM is what KMS asks of the embedded IAM.
type IAM interface {
	// CheckPrincipals refuses a policy that names who does not exist.
	CheckPrincipals(p *iam.ResourcePolicy) error
	// AuthorizeResource decides by the policies of the key and of the caller.
	AuthorizeResource(c cloud.Caller, p *iam.ResourcePolicy, ask iam.Ask) error
}

// Service is KMS in all regions. It is safe for concurrent use.
type Service struct {
	iam IAM

	mu      sync.Mutex
	keys    map[string]*key   // by ARN
	aliases map[string]string // ARN of the alias -> ARN of its key
	refused map[string]int    // uses of disabled keys, by their region; no entry where keys are enabled
}

type key struct {
	arn    string
	region string
	policy *iam.ResourcePolicy // guarded by Service.mu
	ending bool                // its deletion is scheduled; guarded by Service.mu
}

// New returns a service without keys.
func New(iam IAM) *Service {
	return &Service{iam: iam, keys: map[string]*key{}, aliases: map[string]string{}, refused: map[string]int{}}
}

// Resources are the Pulumi resource types that the service stands in for.
func (s *Service) Resources() []cloud.Resource {
	return []cloud.Resource{
		cloud.DefineResource("aws:kms/key:Key", s.createKey, s.updateKey, s.deleteKey),
		cloud.DefineResource("aws:kms/alias:Alias", s.createAlias, s.updateAlias, s.deleteAlias),
	}
}

// Use is what a service asks for. All fields are required.
type Use struct {
	// Key is the ARN of the key.
	Key string
	// Service is who asks, e.g. "dynamodb.eu-west-1.amazonaws.com".
	Service string
	// Context is the encryption context.
	Context map[string]string
	// Actions are all asked for, e.g. "kms:Decrypt".
	Actions []string
}

// conditionKeys are what policies can ask of the use.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
func (u Use) conditionKeys() cloud.Keys {
	keys := cloud.Keys{"kms:CallerAccount": {cloud.Account}, "kms:EncryptionContextKeys": slices.Sorted(maps.Keys(u.Context))}
	for name, value := range u.Context {
		keys["kms:EncryptionContext:"+name] = []string{value}
	}
	return keys
}

// UseFor returns nil if the caller may do all that a service asks for on its
// behalf, or the refusal of KMS.
func (s *Service) UseFor(c cloud.Caller, u Use) error {
	k, policy, err := s.usable(u.Key)
	if err != nil {
		return err
	}
	keys := u.conditionKeys()
	keys["kms:ViaService"], keys["aws:ViaAWSService"] = []string{u.Service}, []string{"true"}
	c.Region = k.region
	for _, action := range u.Actions {
		asked := keys
		if action == "kms:CreateGrant" {
			asked = maps.Clone(keys)
			asked["kms:GrantIsForAWSResource"] = []string{"true"}
		}
		if err := s.iam.AuthorizeResource(c, policy, iam.Ask{Action: action, Resource: k.arn, Keys: asked}); err != nil {
			return err
		}
	}
	return nil
}

// Disable disables every key of a region, until [Service.Enable].
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
func (s *Service) Disable(region string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused[region] = 0
}

// Enable makes the keys of a region usable again, and returns how many uses were
// refused in the meantime.
func (s *Service) Enable(region string) (refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer delete(s.refused, region)
	return s.refused[region]
}

// UseBy returns nil if a service may do all that it asks for in its own name,
// or the refusal of KMS.
func (s *Service) UseBy(u Use) error {
	k, policy, err := s.usable(u.Key)
	if err != nil {
		return err
	}
	for _, action := range u.Actions {
		if !policy.AllowsService(u.Service, iam.Ask{Action: action, Resource: k.arn, Keys: u.conditionKeys()}) {
			return &cloud.APIError{Code: "AccessDeniedException", Status: http.StatusForbidden, Message: fmt.Sprintf(
				"User: %s is not authorized to perform: %s on resource: %s because no resource-based policy allows the %s action",
				u.Service, action, u.Key, action)}
		}
	}
	return nil
}

func (s *Service) find(arn string) (*key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, ok := s.keys[arn]
	if !ok {
		return nil, cloud.Refuse("NotFoundException", "Key '%s' does not exist", arn)
	}
	return k, nil
}

// usable returns a key that can be used, with its policy.
func (s *Service) usable(arn string) (*key, *iam.ResourcePolicy, error) {
	k, err := s.find(arn)
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, disabled := s.refused[k.region]; disabled {
		s.refused[k.region]++
		return nil, nil, cloud.Refuse("DisabledException", "%s is disabled.", arn)
	}
	if k.ending {
		return nil, nil, cloud.Refuse("KMSInvalidStateException", "%s is pending deletion.", arn)
	}
	return k, k.policy, nil
}

func invalid(format string, args ...any) error {
	return cloud.Refuse("ValidationException", format, args...)
}
