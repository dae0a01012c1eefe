// Package bedrock stands in for Amazon Bedrock in every region of the embedded
// cloud: inference profiles, and the Converse and ConverseStream calls, answered
// by a deterministic model, and InvokeModel for embeddings. It knows a fixed catalogue of models and profiles,
// and refuses all that Bedrock would refuse; it also refuses, saying so, what its
// model cannot act on, and never ignores a part of a request.
//
// The model understands a few phrases in the last question:
//
//   - "say 30 words" makes the answer that long;
//   - "call the tool", or "call the tool NAME", uses one tool, the first if no
//     name is known, and "call every tool" all of them at once. A choice that
//     forces a tool needs no phrase. Arguments satisfy the tool's schema;
//   - "think in secret" has thoughts encrypted, if the model reasons at all.
//
// Otherwise it repeats the question and what tools answered, tells format and
// size of images and files, and goes on with filler; or it gives the JSON that a
// schema asks for. Prefixes before cache points count as read when they come
// again within five minutes.
package bedrock

import (
	"sync"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
)

// Pace of the model when a [Config] does not set one.
const (
	DefaultFirstToken = 120 * time.Millisecond
	DefaultPerDelta   = 15 * time.Millisecond
)

// Config says what a [Service] stands on.
type Config struct {
	World cloud.World      // required
	IAM   cloud.Authorizer // required
	// FirstToken is the time to the first token, by the cloud's clock; zero
	// means [DefaultFirstToken].
	FirstToken time.Duration
	// PerDelta is the time that each piece of text takes, by the cloud's
	// clock; zero means [DefaultPerDelta].
	PerDelta time.Duration
	// Readings choose how to read what AWS does not document; the zero value is
	// the stricter.
	Readings Readings
}

// Readings are answers to what AWS's documentation leaves open about calls of an
// application profile that was copied from a system one. A role that is to work
// on AWS must work with each.
type Readings struct {
	// SystemProfileNotNeeded: the caller needs no permission on the system
	// profile. Default: it does.
	SystemProfileNotNeeded bool
	// ConditionIsSystemProfile: bedrock:InferenceProfileArn is the ARN of the
	// system profile. Default: that of the application profile.
	ConditionIsSystemProfile bool
}

// Service is Bedrock in all regions. It is safe for concurrent use.
type Service struct {
	cfg Config

	mu         sync.Mutex
	profiles   map[string]profile     // application profiles by ARN
	faults     map[string][]*Fault    // by source region
	guardrails map[guardrail][]string // ARNs of their profiles
	served     journal                // calls that reached a destination
	arrived    journal                // calls that Bedrock accepts
	routed     map[string]int         // calls routed so far, by the ARN that was named
	requests   uint64                 // received so far, for their ids
	prefixes   map[prefix]time.Time   // what is cached, by when it was used last
}

// New returns a service without application profiles.
func New(cfg Config) *Service {
	if cfg.FirstToken == 0 {
		cfg.FirstToken = DefaultFirstToken
	}
	if cfg.PerDelta == 0 {
		cfg.PerDelta = DefaultPerDelta
	}
	return &Service{
		cfg:        cfg,
		profiles:   map[string]profile{},
		faults:     map[string][]*Fault{},
		guardrails: map[guardrail][]string{},
		routed:     map[string]int{},
		prefixes:   map[prefix]time.Time{},
	}
}

// Resources are the Pulumi resource types that the service stands in for.
func (s *Service) Resources() []cloud.Resource {
	return []cloud.Resource{
		cloud.DefineResource("aws:bedrock/inferenceProfile:InferenceProfile", s.createProfile, s.updateProfile, s.deleteProfile),
	}
}

// Functions are the Pulumi functions that the service stands in for.
func (s *Service) Functions() []cloud.Function {
	return []cloud.Function{
		cloud.DefineFunction("aws:bedrock/getInferenceProfile:getInferenceProfile", s.getProfile),
		cloud.DefineFunction("aws:bedrockfoundation/getModel:getModel", getModel),
	}
}

// SigningName is "bedrock": the runtime's endpoint has another name, but signs
// with this one.
func (s *Service) SigningName() string { return "bedrock" }
