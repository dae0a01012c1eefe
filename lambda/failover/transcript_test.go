package failover_test

import (
	"testing"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// continued lets every broken answer be continued.
func continued(c *failover.Config) { c.Prefill = func(converse.Request) bool { return true } }

var question = converse.Request{
	Messages:  []converse.Message{{Role: converse.User, Parts: []converse.Part{{Text: "Say hello."}}}},
	MaxTokens: 100,
}

// answerOf is an answer with the given usage.
func answerOf(text string, input, output int) []step {
	return []step{say(text), {event: converse.Event{End: &converse.End{Reason: converse.StopEnd, Usage: converse.Usage{Input: input, Output: output}}}}}
}

func TestBrokenAnswerIsContinued(t *testing.T) {
	tests := []struct {
		name    string
		seen    []string // before the cut
		prefill string
		rest    []string // from the next target
		want    string
	}{
		{"in the middle of a word", []string{"Hel"}, "Hel", []string{"lo"}, "Hello"},
		{"after a space that the next begins with too", []string{"Hello "}, "Hello", []string{" world"}, "Hello world"},
		{"after a space that the next leaves out", []string{"Hello "}, "Hello", []string{"world"}, "Hello world"},
		{"after one of two line ends", []string{"Hello\n"}, "Hello", []string{"\n\nworld"}, "Hello\n\nworld"},
		{"after more spaces than the next begins with", []string{"Hello\n\n"}, "Hello", []string{"\n    world"}, "Hello\n\n    world"},
		{"after spaces that the next does not repeat later", []string{"Hello\n\n"}, "Hello", []string{"\n    world", "\n!"}, "Hello\n\n    world\n!"},
		{"with spaces in pieces", []string{"Hello", " ", "\n"}, "Hello", []string{" ", "\n", "world", " "}, "Hello \nworld "},
		{"after a space of several bytes", []string{"10\u00a0"}, "10", []string{"\u00a0£"}, "10\u00a0£"},
		{"before a letter that begins with the same byte", []string{"10\u00a0"}, "10", []string{"£"}, "10\u00a0£"},
		{"from the beginning if only spaces were seen", []string{"\n"}, "", []string{"\nHello"}, "\nHello"},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			var first, rest []step
			for _, text := range tt.seen {
				first = append(first, say(text))
			}
			for _, text := range tt.rest {
				rest = append(rest, say(text))
			}
			m := &model{regions: map[string]script{"a": always(append(first, fail(converse.Incomplete))...), "b": always(append(rest, end())...)}}
			s, _, err := engine(t, m, continued).Open(t.Context(), targets, question)
			require.NoError(t, err)
			text, err := drain(t, s)
			require.NoError(t, err)
			assert.Equal(t, tt.want, text)
			assert.Equal(t, []string{"first a", "continued b"}, reasons(final(s)))
			assert.Equal(t, []string{"a incomplete", "b ok"}, outcomes(final(s)))
			messages := m.last().Messages
			if tt.prefill == "" {
				assert.Equal(t, question.Messages, messages)
				return
			}
			require.Len(t, messages, 2)
			assert.Equal(t, converse.Message{Role: converse.Assistant, Parts: []converse.Part{{Text: tt.prefill}}}, messages[1])
			assert.Len(t, question.Messages, 1, "the caller's request stays as it is")
		})
	}
}

// told is what a stream says up to its end, and which usage.
func told(t *testing.T, s converse.Stream) (text string, usage converse.Usage) {
	t.Helper()
	for {
		ev, err := s.Next()
		require.NoError(t, err)
		if ev.End != nil {
			require.NoError(t, s.Close())
			return text, ev.End.Usage
		}
		text += ev.Text
	}
}

func TestPiecesOfAnAnswerAreOne(t *testing.T) {
	bubble(t, "however many there are", func(t *testing.T) {
		m := &model{regions: map[string]script{
			"a": always(say("1234"), fail(converse.Unavailable)),
			"b": always(say("5678"), silence()),
			"c": {answerOf("9", 12, 1)},
		}}
		s, _, err := engine(t, m, continued).Open(t.Context(), targets, question)
		require.NoError(t, err)
		text, usage := told(t, s)
		assert.Equal(t, "123456789", text)
		// The prompt's 10 tokens were read three times, the last two with 1 and 2
		// tokens of the answer behind them.
		assert.Equal(t, converse.Usage{Input: 10 + 11 + 12, Output: 3}, usage)
		assert.Equal(t, []int32{100, 99, 98}, []int32{m.calls[0].request.MaxTokens, m.calls[1].request.MaxTokens, m.calls[2].request.MaxTokens})
		assert.Len(t, m.last().Messages, 2, "one beginning, not two")
		assert.Equal(t, "12345678", m.last().Messages[1].Parts[0].Text)
	})
	bubble(t, "of unknown usage if the last tells none", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(say("Hel"), fail(converse.Incomplete)), "b": {answerOf("lo", 0, 0)}}}
		s, _, err := engine(t, m, continued).Open(t.Context(), targets, question)
		require.NoError(t, err)
		text, usage := told(t, s)
		assert.Equal(t, "Hello", text)
		assert.Zero(t, usage)
	})
	bubble(t, "whatever a target in between does before it says anything", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(say("Hel"), fail(converse.Incomplete)), "b": always(fail(converse.Throttled)), "c": {answerOf("lo", 5, 1)}}}
		s, _, err := engine(t, m, continued).Open(t.Context(), targets, question)
		require.NoError(t, err)
		text, err := drain(t, s)
		require.NoError(t, err)
		assert.Equal(t, "Hello", text)
	})
	bubble(t, "whose pauses count from what was not new too", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": always(say("Hello "), fail(converse.Incomplete)), "b": always(say(" "), say("world").later(59*second), end())}}
		s, _, err := engine(t, m, continued).Open(t.Context(), targets, question)
		require.NoError(t, err)
		text, err := drain(t, s)
		require.NoError(t, err)
		assert.Equal(t, "Hello world", text)
	})
	bubble(t, "by the same target if there is no other", func(t *testing.T) {
		m := &model{regions: map[string]script{"a": {{say("Hel"), fail(converse.Incomplete)}, answerOf("lo", 5, 1)}}}
		s, _, err := engine(t, m, continued).Open(t.Context(), targets[:1], question)
		require.NoError(t, err)
		text, err := drain(t, s)
		require.NoError(t, err)
		assert.Equal(t, "Hello", text)
		assert.Equal(t, []string{"first a", "continued a"}, reasons(final(s)))
	})
}

func TestAcceptsPrefill(t *testing.T) {
	for id, want := range map[string]bool{
		"anthropic.claude-3-haiku-20240307-v1:0": true, "anthropic.claude-sonnet-4-20250514-v1:0": true,
		"anthropic.claude-sonnet-4-5-20250929-v1:0": true, "anthropic.claude-opus-4-6-v1": false, "anthropic.claude-sonnet-4-6": false,
		"anthropic.claude-opus-5": false, "amazon.nova-pro-v1:0": false, "": false,
	} {
		assert.Equal(t, want, failover.AcceptsPrefill(converse.Request{Model: id}), id)
		assert.False(t, failover.AcceptsPrefill(converse.Request{Model: id, Effort: "low"}), "%s thinks first", id)
		assert.False(t, failover.AcceptsPrefill(converse.Request{Model: id, Format: &converse.Format{}}), "%s is held to a format", id)
	}
}

func TestBrokenAnswerThatIsNotContinued(t *testing.T) {
	thought := step{event: converse.Event{Reasoning: &converse.Reasoning{Text: "hm"}}}
	tool := step{event: converse.Event{Tool: &converse.ToolDelta{ID: "1", Name: "clock"}}}
	tests := []struct {
		name   string
		first  []step
		change func(*failover.Config)
		called int
		class  converse.Class
	}{
		{"by default", []step{say("Hel"), fail(converse.Incomplete)}, func(*failover.Config) {}, 1, converse.Incomplete},
		{"by a model that cannot", []step{say("Hel"), fail(converse.Incomplete)}, func(c *failover.Config) {
			c.Prefill = func(r converse.Request) bool { return r.Model == "other" }
		}, 1, converse.Incomplete},
		{"after a thought", []step{thought, say("Hel"), fail(converse.Incomplete)}, continued, 1, converse.Incomplete},
		{"after a tool use", []step{say("Hel"), tool, fail(converse.Incomplete)}, continued, 1, converse.Incomplete},
		{"if the request is to blame", []step{say("Hel"), fail(converse.Invalid)}, continued, 1, converse.Invalid},
		{"if the next refuses the beginning", []step{say("Hel"), fail(converse.Incomplete)}, continued, 2, converse.Incomplete},
	}
	for _, tt := range tests {
		bubble(t, tt.name, func(t *testing.T) {
			m := &model{regions: map[string]script{"a": always(tt.first...), "b": always(fail(converse.Invalid)), "c": {good()}}}
			s, _, err := engine(t, m, tt.change).Open(t.Context(), targets, question)
			require.NoError(t, err)
			_, err = drain(t, s)
			assertSum(t, tt.class, err)
			assert.Len(t, m.called(), tt.called)
		})
	}
}
