package residency_test

import (
	"context"
	"errors"
	"testing"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/crossregion/crossregion/lambda/residency"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var errThrottled = &converse.Error{Class: converse.Throttled}

// model throttles every call, and remembers where it was called.
type model struct{ called []string }

func (m *model) Open(_ context.Context, t contract.Target, _ converse.Request) (converse.Stream, error) {
	m.called = append(m.called, t.Region)
	return nil, errThrottled
}

func target(region string, destinations ...string) contract.Target {
	return contract.Target{Region: region, ID: "m", Destinations: destinations}
}

var eu = []string{"eu-central-1", "eu-west-1"}

func TestPlacesOutside(t *testing.T) {
	tests := []struct {
		name    string
		target  contract.Target
		allowed []string
		want    []string
	}{
		{"none of a target that stays", target("eu-west-1", "eu-central-1", "eu-west-1"), eu, []string{}},
		{"a source region", target("us-east-1", "eu-west-1"), eu, []string{"us-east-1"}},
		{"every destination, once and sorted", target("eu-west-1", "us-east-1", "eu-west-2", "us-east-1"), eu, []string{"eu-west-2", "us-east-1"}},
		{"anywhere", target("eu-west-1", contract.AnyRegion), eu, []string{"*"}},
		{"anywhere, though someone allowed it besides regions", target("eu-west-1", contract.AnyRegion), append([]string{"*"}, eu...), []string{"*"}},
		{"destinations that are not known", target("eu-west-1"), eu, []string{"*"}},
		{"all without a jurisdiction", target("eu-west-1", "eu-west-1"), nil, []string{"eu-west-1"}},
		{"none where anywhere is allowed", target("us-east-1", contract.AnyRegion), []string{"*"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, residency.Outside(tt.target, tt.allowed))
		})
	}
}

// TestAvailabilityNeverOverridesResidency: neither before a target that would
// do, nor after one that failed, is a violating target called or passed over.
func TestAvailabilityNeverOverridesResidency(t *testing.T) {
	fine, leaves := target("eu-west-1", "eu-west-1"), target("eu-central-1", "eu-central-1", "us-east-1")
	tests := []struct {
		name    string
		targets []contract.Target
		called  []string
	}{
		{"before a target that would do", []contract.Target{leaves, fine}, nil},
		{"after a target that failed", []contract.Target{fine, leaves, fine}, []string{"eu-west-1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &model{}
			engine, err := failover.New(failover.Config{Model: residency.New(m, eu)})
			require.NoError(t, err)
			_, opened, openErr := engine.Open(t.Context(), tt.targets, converse.Request{})
			_, answered, answerErr := engine.Answer(t.Context(), tt.targets, converse.Request{})
			for _, err := range []error{openErr, answerErr} {
				var none *failover.Error
				require.ErrorAs(t, err, &none)
				assert.Equal(t, converse.Outside, none.Class)
			}
			assert.Equal(t, append(tt.called, tt.called...), m.called)
			for _, report := range []failover.Report{opened, answered} {
				assert.Len(t, report.Attempts, len(tt.called), "a refusal is no call")
				assert.Empty(t, report.Target)
			}
		})
	}
}

func TestTargetInsideIsCalled(t *testing.T) {
	m := &model{}
	_, err := residency.New(m, eu).Open(t.Context(), target("eu-west-1", "eu-central-1"), converse.Request{})
	require.True(t, errors.Is(err, errThrottled), "%v", err)
	assert.Equal(t, []string{"eu-west-1"}, m.called)
}
