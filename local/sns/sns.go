// Package sns stands in for Amazon SNS: it keeps topics and who is subscribed
// to them. It delivers nothing.
//
// It refuses FIFO topics, filters, delivery policies and feedback roles.
package sns

import (
	"context"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/kms"
)

// Service is SNS in every region.
type Service struct {
	keys Keys

	mu            sync.Mutex
	topics        map[string]*topic // by ARN
	subscriptions map[string]bool   // by topic, protocol and endpoint
}

// Keys decides who may use a key; local/kms implements it.
type Keys interface {
	// UseBy returns nil if a service may do all that it asks for in its own
	// name, or the refusal.
	UseBy(u kms.Use) error
}

// topic is one that exists. Its key is empty without one.
type topic struct{ arn, key string }

// New returns a service without topics.
func New(keys Keys) *Service {
	return &Service{keys: keys, topics: map[string]*topic{}, subscriptions: map[string]bool{}}
}

// Resources lists the Pulumi resource types that the service stands in for.
func (s *Service) Resources() []cloud.Resource {
	return []cloud.Resource{
		cloud.DefineResource("aws:sns/topic:Topic", s.createTopic, s.updateTopic, s.deleteTopic),
		cloud.DefineResource("aws:sns/topicSubscription:TopicSubscription", s.subscribe, nil, s.unsubscribe),
	}
}

// CanPublish returns nil if a service can publish to a topic, which takes the
// use of its key. AWS finds out when it publishes, and then tells nobody.
// Source: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
func (s *Service) CanPublish(topicARN, service string) error {
	s.mu.Lock()
	t := s.topics[topicARN]
	s.mu.Unlock()
	switch {
	case t == nil:
		return missing()
	case t.key == "":
		return nil
	}
	return s.keys.UseBy(kms.Use{
		Key: t.key, Service: service, Actions: []string{"kms:Decrypt", "kms:GenerateDataKey"},
		Context: map[string]string{"aws:sns:topicArn": t.arn},
	})
}

func missing() error {
	return &cloud.APIError{Code: "NotFound", Message: "Topic does not exist", Status: http.StatusNotFound}
}

type topicInputs struct {
	Name           string            `json:"name,omitempty" change:"replace"`
	DisplayName    string            `json:"displayName,omitempty"`
	KMSMasterKeyID string            `json:"kmsMasterKeyId,omitempty"`
	Tags           map[string]string `json:"tags,omitempty"`
}

// Source: https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
var topicName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

func (in topicInputs) check(region string) error {
	switch {
	case !topicName.MatchString(in.Name):
		return invalid("Topic Name")
	case len(in.DisplayName) > 100:
		return invalid("Attributes Reason: DisplayName is over 100 characters")
	case in.KMSMasterKeyID != "" && !strings.HasPrefix(in.KMSMasterKeyID, cloud.ARN("kms", region, "key/")):
		return invalid("Attributes Reason: KmsMasterKeyId %s is not the ARN of a key of %s, which the embedded cloud asks for", in.KMSMasterKeyID, region)
	}
	return nil
}

func (s *Service) createTopic(_ context.Context, r cloud.Request[topicInputs]) (cloud.State, error) {
	in := r.In
	if in.Name == "" {
		in.Name = r.PhysicalName(256)
	}
	if err := in.check(r.Region); err != nil {
		return cloud.State{}, err
	}
	arn := cloud.ARN("sns", r.Region, in.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.topics[arn] != nil {
		return cloud.State{}, invalid("two resources would own the topic %s", in.Name)
	}
	s.topics[arn] = &topic{arn: arn, key: in.KMSMasterKeyID}
	return cloud.State{ID: arn, Outputs: map[string]any{"arn": arn, "name": in.Name, "owner": cloud.Account}}, nil
}

func (s *Service) updateTopic(_ context.Context, r cloud.Request[topicInputs]) (cloud.State, error) {
	place, _ := cloud.ParseARN(r.ID)
	r.In.Name = place.Resource
	if err := r.In.check(r.Region); err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topics[r.ID]
	if t == nil {
		return cloud.State{}, missing()
	}
	t.key = r.In.KMSMasterKeyID
	return cloud.State{}, nil
}

// deleteTopic also ends what is subscribed to the topic, as AWS does.
func (s *Service) deleteTopic(_ context.Context, r cloud.Request[topicInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.topics, r.ID)
	maps.DeleteFunc(s.subscriptions, func(key string, _ bool) bool { return strings.HasPrefix(key, r.ID+" ") })
	return nil
}

type subscriptionInputs struct {
	Topic    string `json:"topic"`
	Protocol string `json:"protocol"`
	Endpoint string `json:"endpoint"`
}

// endpoints are what each protocol can deliver to.
// Source: https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
var endpoints = map[string]*regexp.Regexp{
	"email":       regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`),
	"email-json":  regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`),
	"http":        regexp.MustCompile(`^http://[^/\s]+`),
	"https":       regexp.MustCompile(`^https://[^/\s]+`),
	"sms":         regexp.MustCompile(`^\+?[0-9]{5,15}$`),
	"lambda":      regexp.MustCompile(`^arn:aws:lambda:[a-z0-9-]+:\d{12}:function:.+$`),
	"sqs":         regexp.MustCompile(`^arn:aws:sqs:[a-z0-9-]+:\d{12}:.+$`),
	"application": regexp.MustCompile(`^arn:aws:sns:[a-z0-9-]+:\d{12}:endpoint/.+$`),
}

func (in subscriptionInputs) check() error {
	pattern, ok := endpoints[in.Protocol]
	switch {
	case !ok:
		return invalid("Protocol %q does not exist or is not supported by the embedded cloud", in.Protocol)
	case !pattern.MatchString(in.Endpoint) && strings.HasPrefix(in.Protocol, "email"):
		return invalid("Email address")
	case !pattern.MatchString(in.Endpoint):
		return invalid("Endpoint %q is none for %s", in.Endpoint, in.Protocol)
	}
	return nil
}

func (s *Service) subscribe(_ context.Context, r cloud.Request[subscriptionInputs]) (cloud.State, error) {
	in := r.In
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !strings.HasPrefix(in.Topic, cloud.ARN("sns", r.Region, "")):
		return cloud.State{}, invalid("TopicArn")
	case s.topics[in.Topic] == nil:
		return cloud.State{}, missing()
	}
	if err := in.check(); err != nil {
		return cloud.State{}, err
	}
	key := in.key()
	if s.subscriptions[key] {
		// AWS answers with the subscription that is there, and two resources
		// would own it.
		return cloud.State{}, invalid("%s is subscribed to the topic already", in.Endpoint)
	}
	s.subscriptions[key] = true
	id := cloud.ID(32, "subscription", key)
	arn := in.Topic + ":" + strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
	return cloud.State{ID: arn, Outputs: map[string]any{
		"arn": arn, "ownerId": cloud.Account, "pendingConfirmation": slices.Contains([]string{"email", "email-json", "http", "https"}, in.Protocol),
	}}, nil
}

func (in subscriptionInputs) key() string {
	return strings.Join([]string{in.Topic, in.Protocol, in.Endpoint}, " ")
}

func (s *Service) unsubscribe(_ context.Context, r cloud.Request[subscriptionInputs]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.subscriptions, r.In.key())
	return nil
}

func invalid(format string, args ...any) *cloud.APIError {
	return cloud.Refuse("InvalidParameter", "Invalid parameter: "+format, args...)
}
