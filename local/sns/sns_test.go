package sns_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/kms"
	"github.com/crossregion/crossregion/local/sns"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type object = map[string]any

const (
	topic        = "aws:sns/topic:Topic"
	subscription = "aws:sns/topicSubscription:TopicSubscription"
)

// keys lets CloudWatch use one key.
type keys string

func (k keys) UseBy(u kms.Use) error {
	if u.Key != string(k) || u.Service != "cloudwatch.amazonaws.com" || !slices.Equal(u.Actions, []string{"kms:Decrypt", "kms:GenerateDataKey"}) {
		return errors.New("AccessDeniedException")
	}
	return nil
}

const key = "arn:aws:kms:eu-west-1:123456789012:key/k"

func create(t *testing.T, s *sns.Service, token, name string, inputs object) (cloud.State, error) {
	t.Helper()
	for _, r := range s.Resources() {
		if r.Token == token {
			return r.Create(t.Context(), "eu-west-1", name, inputs)
		}
	}
	t.Fatalf("no resource type %s", token)
	return cloud.State{}, nil
}

func newTopic(t *testing.T, s *sns.Service) string {
	t.Helper()
	state, err := create(t, s, topic, "alarms", object{})
	require.NoError(t, err)
	return state.ID
}

func TestTopic(t *testing.T) {
	s := sns.New(keys(key))
	arn := newTopic(t, s)
	assert.Regexp(t, `^arn:aws:sns:eu-west-1:123456789012:alarms-[0-9a-f]{7}$`, arn)
	assert.NoError(t, s.CanPublish(arn, "cloudwatch.amazonaws.com"))
	assert.ErrorContains(t, s.CanPublish("arn:aws:sns:eu-west-1:123456789012:other", "cloudwatch.amazonaws.com"), "Topic does not exist")
}

// TestWhoPublishesNeedsTheTopicsKey or nobody is told anything.
func TestWhoPublishesNeedsTheTopicsKey(t *testing.T) {
	s := sns.New(keys(key))
	state, err := create(t, s, topic, "alarms", object{"kmsMasterKeyId": key})
	require.NoError(t, err)
	assert.NoError(t, s.CanPublish(state.ID, "cloudwatch.amazonaws.com"))
	assert.ErrorContains(t, s.CanPublish(state.ID, "events.amazonaws.com"), "AccessDeniedException")
	other, err := create(t, s, topic, "others", object{"kmsMasterKeyId": key + "2"})
	require.NoError(t, err)
	assert.ErrorContains(t, s.CanPublish(other.ID, "cloudwatch.amazonaws.com"), "AccessDeniedException")
}

func TestTopicRefuses(t *testing.T) {
	tests := []struct {
		name   string
		inputs object
		want   string
	}{
		{"a name with a dot", object{"name": "alarms.fifo"}, "InvalidParameter: Invalid parameter: Topic Name"},
		{"a name that is too long", object{"name": strings.Repeat("a", 257)}, "Topic Name"},
		{"a long display name", object{"displayName": strings.Repeat("a", 101)}, "DisplayName"},
		{"a key of another region", object{"kmsMasterKeyId": "arn:aws:kms:eu-central-1:123456789012:key/k"}, "not the ARN of a key of eu-west-1"},
		{"the key of SNS, which lets nobody publish", object{"kmsMasterKeyId": "alias/aws/sns"}, "not the ARN of a key"},
		{"a FIFO topic", object{"fifoTopic": true}, `does not know property "fifoTopic"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := create(t, sns.New(keys(key)), topic, "alarms", tt.inputs)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestTwoTopicsNeedTwoNames(t *testing.T) {
	s := sns.New(keys(key))
	_, err := create(t, s, topic, "a", object{"name": "alarms"})
	require.NoError(t, err)
	_, err = create(t, s, topic, "b", object{"name": "alarms"})
	assert.ErrorContains(t, err, "two resources would own the topic alarms")
}

func TestSubscription(t *testing.T) {
	s := sns.New(keys(key))
	arn := newTopic(t, s)
	tests := []struct {
		protocol, endpoint string
		pending            bool
	}{
		{"email", "oncall@example.com", true},
		{"https", "https://example.com/hook", true},
		{"lambda", "arn:aws:lambda:eu-west-1:123456789012:function:f", false},
	}
	for _, tt := range tests {
		t.Run(tt.protocol, func(t *testing.T) {
			state, err := create(t, s, subscription, tt.protocol, object{"topic": arn, "protocol": tt.protocol, "endpoint": tt.endpoint})
			require.NoError(t, err)
			assert.Equal(t, tt.pending, state.Outputs["pendingConfirmation"], "somebody must agree to mail, nobody to a function")
			assert.True(t, strings.HasPrefix(state.ID, arn+":"))
		})
	}
}

func TestSubscriptionRefuses(t *testing.T) {
	tests := []struct {
		name string
		edit object
		want string
	}{
		{"a topic of another region", object{"topic": "arn:aws:sns:eu-central-1:123456789012:alarms"}, "Invalid parameter: TopicArn"},
		{"a topic that does not exist", object{"topic": "arn:aws:sns:eu-west-1:123456789012:alarms"}, "NotFound: Topic does not exist"},
		{"an unknown protocol", object{"protocol": "pager"}, `Protocol "pager" does not exist`},
		{"a protocol that is not supported", object{"protocol": "firehose"}, "not supported by the embedded cloud"},
		{"an address without a host", object{"endpoint": "oncall@"}, "Invalid parameter: Email address"},
		{"a hook without TLS", object{"protocol": "https", "endpoint": "http://example.com"}, "none for https"},
		{"a function by name", object{"protocol": "lambda", "endpoint": "pager"}, "none for lambda"},
		{"no endpoint", object{"endpoint": nil}, `missing required property "endpoint"`},
		{"a filter", object{"filterPolicy": "{}"}, `does not know property "filterPolicy"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := sns.New(keys(key))
			inputs := object{"topic": newTopic(t, s), "protocol": "email", "endpoint": "oncall@example.com"}
			for k, v := range tt.edit {
				inputs[k] = v
			}
			_, err := create(t, s, subscription, "mail", inputs)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestNobodyIsSubscribedTwice(t *testing.T) {
	s := sns.New(keys(key))
	inputs := object{"topic": newTopic(t, s), "protocol": "email", "endpoint": "oncall@example.com"}
	_, err := create(t, s, subscription, "a", inputs)
	require.NoError(t, err)
	_, err = create(t, s, subscription, "b", inputs)
	assert.ErrorContains(t, err, "subscribed to the topic already")
}
