package failover_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// strict asks for an answer in a schema that has to be compiled.
func strict(schema string) converse.Request {
	return converse.Request{
		Model:  "anthropic.claude-sonnet-4-5-20250929-v1:0",
		Format: &converse.Format{Strict: true, Schema: json.RawMessage(fmt.Sprintf(`{"title":%q}`, schema))},
	}
}

// TestASchemaThatIsCompiled: a target that has not answered with a schema yet is
// waited for, while others are asked, one at a time.
func TestASchemaThatIsCompiled(t *testing.T) {
	hello := func(d time.Duration, text string) script { return always(say(text).later(d), end()) }
	tests := []struct {
		name    string
		regions map[string]script
		want    []string
		took    time.Duration
	}{
		{"in time", map[string]script{"a": hello(19*second, "A")}, []string{"a ok"}, 19 * second},
		{"by the first", map[string]script{"a": hello(60*second, "A"), "b": hello(60*second, "B"), "c": hello(60*second, "C")},
			[]string{"a ok", "b late", "c late"}, 60 * second},
		{"and was already by the second", map[string]script{"a": hello(60*second, "A"), "b": hello(second, "B")}, []string{"a late", "b ok"}, 21 * second},
		{"where the second fails", map[string]script{"a": hello(60*second, "A"), "b": always(fail(converse.Throttled)), "c": hello(second, "C")},
			[]string{"a late", "b throttled", "c ok"}, 21 * second},
		{"where the second fails once", map[string]script{"a": {{silence()}}, "b": {{fail(converse.Throttled)}, good()}, "c": {{silence()}}},
			[]string{"a late", "b throttled", "c late", "b ok"}, 40 * second},
		{"where all others fail", map[string]script{"a": hello(60*second, "A"), "b": always(fail(converse.Denied)), "c": always(fail(converse.NotFound))},
			[]string{"a ok", "b denied", "c not_found"}, 60 * second},
		{"where the first fails", map[string]script{"a": always(fail(converse.Unavailable).later(second)), "b": hello(30*second, "B"), "c": hello(60*second, "C")},
			[]string{"a unavailable", "b ok", "c late"}, 31 * second},
		{"by nobody but the last", map[string]script{"a": {{silence()}}, "b": {{silence()}}, "c": hello(second, "C")},
			[]string{"a late", "b late", "c ok"}, 41 * second},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			started := time.Now()
			_, report, err := engine(t, &model{regions: tt.regions}).Answer(t.Context(), targets, strict("s"))
			require.NoError(t, err)
			assert.Equal(t, tt.took, time.Since(started))
			assert.Equal(t, tt.want, outcomes(report))
		})
	}
	bubble(t, "by one of two, which is throttled first", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": {{silence()}}, "b": {{fail(converse.Throttled)}, good()}}}
		started := time.Now()
		_, report, err := engine(t, m).Answer(t.Context(), targets[:2], strict("s"))
		require.NoError(t, err)
		assert.Equal(t, []string{"a late", "b throttled", "b ok"}, outcomes(report))
		assert.Less(t, time.Since(started), 21*second)
	})
	bubble(t, "is hedged as any other", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": hello(15*second, "A"), "b": {good()}}}
		_, report, err := engine(t, m, hedged).Answer(t.Context(), targets, strict("s"))
		require.NoError(t, err)
		assert.Equal(t, []string{"first a", "hedge b"}, reasons(report))
	})
	bubble(t, "ends all the same", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": {{silence()}}, "b": {{silence()}}, "c": {{silence()}}}}
		started := time.Now()
		_, _, err := engine(t, m).Answer(t.Context(), targets, strict("s"))
		assertSum(t, converse.Timeout, err)
		assert.LessOrEqual(t, time.Since(started), failover.DefaultWhole)
	})
	bubble(t, "and then refused is not asked for again", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": {{silence()}}, "b": always(fail(converse.Invalid)), "c": {good()}}}
		_, report, err := engine(t, m).Answer(t.Context(), targets, strict("s"))
		assertSum(t, converse.Invalid, err)
		assert.Equal(t, []string{"a timeout", "b invalid"}, outcomes(report))
	})
}

// TestBlameForSilenceOverASchema: a target that may have compiled is not blamed,
// but where one that was asked after its time was quicker.
func TestBlameForSilenceOverASchema(t *testing.T) {
	answer := func(t *testing.T, e *failover.Engine, r converse.Request) failover.Report {
		t.Helper()
		_, report, err := e.Answer(t.Context(), targets[:2], r)
		require.NoError(t, err)
		return report
	}
	bubble(t, "a target that hangs is spared in the end", func(t *testing.T) {
		e := engine(t, &model{regions: map[string]script{"a": {{silence()}}, "b": {good()}}})
		for range failover.DefaultFailures {
			assert.Equal(t, []string{"a late", "b ok"}, outcomes(answer(t, e, strict("s"))))
		}
		assert.Equal(t, []string{"first b"}, reasons(answer(t, e, strict("s"))))
	})
	bubble(t, "so are two", func(t *testing.T) {
		e := engine(t, &model{regions: map[string]script{"a": {{silence()}}, "b": {{silence()}}, "c": {good()}}})
		for range failover.DefaultFailures {
			_, _, err := e.Answer(t.Context(), targets, strict("s"))
			require.NoError(t, err)
		}
		_, report, err := e.Answer(t.Context(), targets, strict("s"))
		require.NoError(t, err)
		assert.Equal(t, []string{"c ok"}, outcomes(report))
	})
	bubble(t, "those that compile are not", func(t *testing.T) {
		slow := script{{say("A").later(30 * second), end()}}
		e := engine(t, &model{regions: map[string]script{"a": slow, "b": slow}})
		for i := range 2 * failover.DefaultFailures {
			assert.Equal(t, []string{"a ok", "b late"}, outcomes(answer(t, e, strict(fmt.Sprint(i)))))
		}
	})
	bubble(t, "what has answered with the schema has no excuse", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": {good()}, "b": {good()}}}
		e := engine(t, m)
		answer(t, e, strict("s"))
		m.set("a", script{{silence()}})
		assert.Equal(t, []string{"a timeout", "b ok"}, outcomes(answer(t, e, strict("s"))))
	})
}
