package bedrock

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
)

// systemSince is when AWS made the profiles of the catalogue, roughly.
const systemSince = "2025-09-29T00:00:00Z"

// Shapes of a profile's texts.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateInferenceProfile.html
var (
	nameShape        = regexp.MustCompile(`^([0-9a-zA-Z][ _-]?)+$`)
	descriptionShape = regexp.MustCompile(`^([0-9a-zA-Z:.][ _-]?)+$`)
)

// profile is one application inference profile.
type profile struct {
	target
	id          string
	kind        string // SYSTEM_DEFINED or APPLICATION
	description string
	created     string
}

type profileInputs struct {
	Name        string            `json:"name,omitempty" change:"replace"`
	Description *string           `json:"description,omitempty" change:"replace"`
	ModelSource modelSource       `json:"modelSource" change:"replace"`
	Tags        map[string]string `json:"tags,omitempty"`
	Timeouts    *timeouts         `json:"timeouts,omitempty"`
}

type modelSource struct {
	CopyFrom string `json:"copyFrom"`
}

type timeouts struct {
	Create string `json:"create,omitempty"`
	Update string `json:"update,omitempty"`
	Delete string `json:"delete,omitempty"`
}

func (s *Service) createProfile(_ context.Context, r cloud.Request[profileInputs]) (cloud.State, error) {
	if r.In.Name == "" {
		r.In.Name = r.PhysicalName(64)
	}
	if err := validateProfile(r.In); err != nil {
		return cloud.State{}, err
	}
	t, err := copyFrom(r.Region, r.In.ModelSource.CopyFrom)
	if err != nil {
		return cloud.State{}, err
	}
	p := profile{target: t, id: r.Digits(12, "inference-profile", r.In.Name), kind: "APPLICATION", created: s.now()}
	if r.In.Description != nil {
		p.description = *r.In.Description
	}
	if t.profile {
		p.system = t.arn
	}
	p.arn, p.profile, p.name = cloud.ARN("bedrock", r.Region, "application-inference-profile/"+p.id), true, r.In.Name

	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.profiles[p.arn]; taken {
		return cloud.State{}, cloud.Refuse("ConflictException", "an inference profile named %q exists in %s", p.name, r.Region)
	}
	s.profiles[p.arn] = p
	return cloud.State{ID: p.id, Outputs: map[string]any{
		"arn": p.arn, "name": p.name, "models": p.models(), "status": "ACTIVE", "type": p.kind,
		"createdAt": p.created, "updatedAt": p.created,
	}}, nil
}

// updateProfile changes tags, of which nothing here depends: AWS changes no more.
func (s *Service) updateProfile(context.Context, cloud.Request[profileInputs]) (cloud.State, error) {
	return cloud.State{}, nil
}

func (s *Service) deleteProfile(_ context.Context, r cloud.Request[profileInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.profiles, cloud.ARN("bedrock", r.Region, "application-inference-profile/"+r.ID))
	return nil
}

func validateProfile(in profileInputs) error {
	if len(in.Name) > 64 || !nameShape.MatchString(in.Name) {
		return cloud.Refuse("ValidationException", "name %q: want 1 to 64 letters and digits, each followed by at most one space, _ or -", in.Name)
	}
	if d := in.Description; d != nil && (len(*d) > 200 || !descriptionShape.MatchString(*d)) {
		return cloud.Refuse("ValidationException", "description %q: want 1 to 200 letters, digits, colons and dots, "+
			"each followed by at most one space, _ or -", *d)
	}
	return nil
}

// copyFrom finds the source of a new application profile: a system profile or a
// model that the region serves without one.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-create.html
func copyFrom(region, arn string) (target, error) {
	refuse := func(why string) (target, error) {
		return target{}, cloud.Refuse("ValidationException", "modelSource.copyFrom %q: %s", arn, why)
	}
	prefix := strings.Join([]string{"arn", cloud.Partition, "bedrock", region, ""}, ":")
	resource, ok := strings.CutPrefix(arn, prefix)
	if !ok {
		return refuse("want the ARN of a system profile or a foundation model in " + region)
	}
	if id, ok := strings.CutPrefix(resource, cloud.Account+":inference-profile/"); ok {
		if t, ok := systemProfile(region, id); ok {
			return t, nil
		}
		return target{}, notFound(region, arn)
	}
	id, ok := strings.CutPrefix(resource, ":foundation-model/")
	if !ok {
		return refuse("want an inference profile defined by AWS in this account, or a foundation model")
	}
	t, err := foundationModel(region, id)
	if err == nil && t.model.embeds {
		return refuse("embeddings models have no inference profiles")
	}
	return t, err
}

type getProfileInputs struct {
	InferenceProfileID string `json:"inferenceProfileId"`
}

// getProfile answers as GetInferenceProfile does in the given region.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetInferenceProfile.html
func (s *Service) getProfile(_ context.Context, region string, in getProfileInputs) (map[string]any, error) {
	p, ok := s.lookUp(region, in.InferenceProfileID)
	if !ok {
		return nil, notFound(region, in.InferenceProfileID)
	}
	return map[string]any{
		"id": p.id, "inferenceProfileId": p.id, "inferenceProfileArn": p.arn, "inferenceProfileName": p.name,
		"description": p.description, "models": p.models(), "status": "ACTIVE", "type": p.kind,
		"createdAt": p.created, "updatedAt": p.created,
	}, nil
}

// lookUp finds a profile by the ID or the ARN that it has in region.
func (s *Service) lookUp(region, id string) (profile, bool) {
	if system, ok := systemProfile(region, strings.TrimPrefix(id, cloud.ARN("bedrock", region, "inference-profile/"))); ok {
		_, short, _ := strings.Cut(system.arn, "/")
		where := strings.Join(system.destinations, ", ")
		if system.global {
			where = "any region"
		}
		return profile{target: system, id: short, kind: "SYSTEM_DEFINED", created: systemSince,
			description: "Routes requests to " + system.model.name + " in " + where + "."}, true
	}
	prefix := cloud.ARN("bedrock", region, "application-inference-profile/")
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.profiles[prefix+strings.TrimPrefix(id, prefix)]
	return p, ok
}

func notFound(region, id string) error {
	return cloud.Refuse("ResourceNotFoundException", "the inference profile %q was not found in %s", id, region)
}

func (t target) models() []any {
	var models []any
	for _, region := range t.modelRegions() {
		models = append(models, map[string]any{"modelArn": modelARN(region, t.model.id)})
	}
	return models
}

func (s *Service) now() string { return s.cfg.World.Clock.Now().UTC().Format(time.RFC3339) }
