package failover_test

import (
	"net/http"
	"testing"
	"time"

	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// after is a throttled answer that says when to come back.
func after(value string) step {
	response := &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {value}}}
	return step{err: &converse.Error{Class: converse.Throttled, Region: "there", Err: &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: response}}}}
}

const (
	ms     = time.Millisecond
	second = time.Second
)

func TestSameTargetIsCalledAgainWhenNoOtherIsLeft(t *testing.T) {
	once := func(s step) script { return script{{s}, good()} }
	twice := func(s step) script { return script{{s}, {s}, good()} }
	tests := []struct {
		name   string
		region script
		want   []time.Duration // when the only target is called
		class  converse.Class  // "" if it answers
	}{
		{"after it was throttled", once(fail(converse.Throttled)), []time.Duration{0, 250 * ms}, ""},
		{"after an outage", once(fail(converse.Unavailable)), []time.Duration{0, 250 * ms}, ""},
		{"after a stream without content", once(fail(converse.Incomplete)), []time.Duration{0, 250 * ms}, ""},
		{"after the model broke down", once(fail(converse.ModelFailed)), []time.Duration{0, 250 * ms}, ""},
		{"later the second time", twice(fail(converse.Throttled)), []time.Duration{0, 250 * ms, 750 * ms}, ""},
		{"but not for ever", always(fail(converse.ModelFailed)), []time.Duration{0, 250 * ms, 750 * ms}, converse.ModelFailed},
		{"not before it wants to be", once(after("3")), []time.Duration{0, 3 * second}, ""},
		{"not earlier than is decent", once(after("0")), []time.Duration{0, 250 * ms}, ""},
		{"whatever nonsense it says", once(after("soon")), []time.Duration{0, 250 * ms}, ""},
		{"unless it wants to be left alone for long", once(after("11")), []time.Duration{0}, converse.Throttled},
		{"unless it refuses", once(fail(converse.Denied)), []time.Duration{0}, converse.Denied},
		{"unless it does not have the model", once(fail(converse.NotFound)), []time.Duration{0}, converse.NotFound},
		{"unless it has had its time", once(fail(converse.Timeout)), []time.Duration{0}, converse.Timeout},
		{"unless the request is wrong", once(fail(converse.Invalid)), []time.Duration{0}, converse.Invalid},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			m := &model{regions: map[string]script{"a": tt.region}}
			e := engine(t, m, func(c *failover.Config) { c.Breaker.Failures = 10 })
			answer, report, err := e.Answer(t.Context(), targets[:1], converse.Request{})
			assert.Equal(t, tt.want, m.spacing("a"))
			assert.Equal(t, len(tt.want)-1, report.Count(failover.ReasonRetry))
			if tt.class != "" {
				assertSum(t, tt.class, err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, "Hello", answer.Text())
		})
	}
}

func TestOtherTargetsComeBeforeTheSameAgain(t *testing.T) {
	bubble(t, "one call each, then again in the order in which they are due", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": {{after("1")}, good()}, "b": always(fail(converse.Throttled).later(100 * ms)), "c": always(fail(converse.Denied))}}
		_, report, err := engine(t, m).Answer(t.Context(), targets, converse.Request{})
		require.NoError(t, err)
		assert.Equal(t, []string{"first a", "failover b", "failover c", "retry b", "retry b", "retry a"}, reasons(report))
		assert.Equal(t, []time.Duration{0, second + 50*ms}, m.spacing("a"), "it starts when b's call is over")
		assert.Equal(t, []time.Duration{0, 350 * ms, 950 * ms}, m.spacing("b"))
	})
	bubble(t, "whichever that is", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": {{fail(converse.Throttled)}, good()}, "b": always(after("1"))}}
		_, report, err := engine(t, m).Answer(t.Context(), targets[:2], converse.Request{})
		require.NoError(t, err)
		assert.Equal(t, []string{"first a", "failover b", "retry a"}, reasons(report))
	})
	bubble(t, "chance spreads the callers that a target turned away", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Throttled))}}
		_, _, err := engine(t, m, func(c *failover.Config) { c.Random = func() float64 { return 0.5 } }).Answer(t.Context(), targets[:1], converse.Request{})
		assertSum(t, converse.Throttled, err)
		assert.Equal(t, []time.Duration{0, 375 * ms, 1125 * ms}, m.spacing("a"))
	})
	bubble(t, "not if that is switched off", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(fail(converse.Throttled))}}
		_, _, err := engine(t, m, once).Answer(t.Context(), targets[:1], converse.Request{})
		assertSum(t, converse.Throttled, err)
		assert.Equal(t, 1, m.count("a"))
	})
}
