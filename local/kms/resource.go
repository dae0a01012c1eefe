package kms

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
)

// Limits of keys and aliases.
// Sources: https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html
// and https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
const (
	maxPolicyBytes   = 32_768
	maxDescription   = 8192
	minDeletionDays  = 7
	maxDeletionDays  = 30
	minRotationDays  = 90
	maxRotationDays  = 2560
	maxAlias         = 256
	generatedSuffix  = 26 // characters that the AWS provider appends to a prefix
	lockedOutMessage = "The new key policy will not allow you to update the key policy in the future."
)

var aliasShape = regexp.MustCompile(`^alias/[a-zA-Z0-9/_-]+$`)

type keyInputs struct {
	// Policy is required here, unlike in AWS: without one, the whole account
	// may do anything.
	Policy       string            `json:"policy"`
	Description  string            `json:"description,omitempty"`
	Rotation     bool              `json:"enableKeyRotation,omitempty"`
	RotationDays int               `json:"rotationPeriodInDays,omitempty"`
	DeletionDays int               `json:"deletionWindowInDays,omitempty"`
	Tags         map[string]string `json:"tags,omitempty"`
}

func (in keyInputs) validate() error {
	switch {
	case len(in.Policy) > maxPolicyBytes:
		return cloud.Refuse("LimitExceededException", "the key policy is %d bytes long, at most %d are allowed", len(in.Policy), maxPolicyBytes)
	case len([]rune(in.Description)) > maxDescription:
		return invalid("description: want at most %d characters", maxDescription)
	case in.DeletionDays != 0 && (in.DeletionDays < minDeletionDays || in.DeletionDays > maxDeletionDays):
		return invalid("deletionWindowInDays %d: want %d to %d", in.DeletionDays, minDeletionDays, maxDeletionDays)
	case in.RotationDays != 0 && (in.RotationDays < minRotationDays || in.RotationDays > maxRotationDays):
		return invalid("rotationPeriodInDays %d: want %d to %d", in.RotationDays, minRotationDays, maxRotationDays)
	case in.RotationDays != 0 && !in.Rotation:
		return invalid("rotationPeriodInDays %d: rotation is not enabled", in.RotationDays)
	}
	return nil
}

func (s *Service) createKey(_ context.Context, r cloud.Request[keyInputs]) (cloud.State, error) {
	if err := r.In.validate(); err != nil {
		return cloud.State{}, err
	}
	digits := r.Digits(32)
	id := strings.Join([]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]}, "-")
	k := &key{arn: keyARN(r.Region, id), region: r.Region}
	var err error
	if k.policy, err = s.parsePolicy(k, r.In.Policy); err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[k.arn] = k
	return cloud.State{ID: id, Outputs: map[string]any{"arn": k.arn, "keyId": id}}, nil
}

func keyARN(region, id string) string { return cloud.ARN("kms", region, "key/"+id) }

func (s *Service) updateKey(_ context.Context, r cloud.Request[keyInputs]) (cloud.State, error) {
	if err := r.In.validate(); err != nil {
		return cloud.State{}, err
	}
	k, _, err := s.usable(keyARN(r.Region, r.ID))
	if err != nil {
		return cloud.State{}, err
	}
	policy, err := s.parsePolicy(k, r.In.Policy)
	if err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k.policy = policy
	return cloud.State{}, nil
}

// deleteKey schedules the deletion: until it comes nobody can use the key, and
// it could be cancelled.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html
func (s *Service) deleteKey(_ context.Context, r cloud.Request[keyInputs]) error {
	k, err := s.find(keyARN(r.Region, r.ID))
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	k.ending = true
	return nil
}

// Keys returns the ARNs of all keys that are not about to be deleted, sorted.
func (s *Service) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var arns []string
	for arn, k := range s.keys {
		if !k.ending {
			arns = append(arns, arn)
		}
	}
	slices.Sort(arns)
	return arns
}

// parsePolicy refuses a policy that names nobody, or that leaves who creates the
// key unable to change it.
func (s *Service) parsePolicy(k *key, document string) (*iam.ResourcePolicy, error) {
	p, err := iam.ParseResourcePolicy(document)
	if err == nil {
		err = s.iam.CheckPrincipals(p)
	}
	if err != nil {
		return nil, malformed(err)
	}
	ask := iam.Ask{Action: "kms:PutKeyPolicy", Resource: k.arn, Keys: cloud.Keys{"kms:CallerAccount": {cloud.Account}}}
	if err := s.iam.AuthorizeResource(iam.OperatorCaller(k.region), p, ask); err != nil {
		return nil, cloud.Refuse("MalformedPolicyDocumentException", lockedOutMessage)
	}
	return p, nil
}

// malformed gives IAM's refusal of a policy the code that KMS has for it.
func malformed(err error) error {
	var api *cloud.APIError
	if errors.As(err, &api) && api.Code == "MalformedPolicyDocument" {
		return &cloud.APIError{Code: "MalformedPolicyDocumentException", Message: api.Message, Status: api.Status}
	}
	return err
}

type aliasInputs struct {
	Name       string `json:"name,omitempty" change:"replace"`
	NamePrefix string `json:"namePrefix,omitempty" change:"replace"`
	Target     string `json:"targetKeyId"` // ID or ARN
}

func (s *Service) createAlias(_ context.Context, r cloud.Request[aliasInputs]) (cloud.State, error) {
	name := r.In.Name
	switch {
	case name != "" && r.In.NamePrefix != "":
		return cloud.State{}, invalid("name and namePrefix exclude each other: give one of them")
	case r.In.NamePrefix != "":
		name = r.In.NamePrefix + r.Digits(generatedSuffix)
	case name == "":
		name = "alias/" + r.PhysicalName(maxAlias-len("alias/"))
	}
	switch {
	case len(name) > maxAlias || !aliasShape.MatchString(name):
		return cloud.State{}, cloud.Refuse("InvalidAliasNameException",
			"alias %q: want alias/ and letters, digits, slashes, underscores and hyphens, at most %d in all", name, maxAlias)
	case strings.HasPrefix(name, "alias/aws/"):
		return cloud.State{}, cloud.Refuse("NotAuthorizedException", "alias %q: names with alias/aws/ belong to AWS", name)
	}
	return s.addAlias(r.Region, name, r.In.target(r.Region))
}

// target is the ARN of the key.
func (in aliasInputs) target(region string) string {
	if strings.HasPrefix(in.Target, "arn:") {
		return in.Target
	}
	return keyARN(region, in.Target)
}

func (s *Service) updateAlias(_ context.Context, r cloud.Request[aliasInputs]) (cloud.State, error) {
	k, _, err := s.usable(r.In.target(r.Region))
	if err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.aliases[cloud.ARN("kms", r.Region, r.ID)] = k.arn
	return cloud.State{Outputs: map[string]any{"targetKeyArn": k.arn}}, nil
}

func (s *Service) deleteAlias(_ context.Context, r cloud.Request[aliasInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.aliases, cloud.ARN("kms", r.Region, r.ID))
	return nil
}

func (s *Service) addAlias(region, name, target string) (cloud.State, error) {
	k, err := s.find(target)
	if err != nil {
		return cloud.State{}, err
	}
	if k.region != region {
		return cloud.State{}, cloud.Refuse("NotFoundException", "Key '%s' does not exist in %s", target, region)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	arn := cloud.ARN("kms", region, name)
	if _, exists := s.aliases[arn]; exists {
		return cloud.State{}, cloud.Refuse("AlreadyExistsException", "An alias with the name %s already exists", arn)
	}
	s.aliases[arn] = target
	return cloud.State{ID: name, Outputs: map[string]any{"arn": arn, "name": name, "targetKeyArn": target}}, nil
}
