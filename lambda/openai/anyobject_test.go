package openai_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/crossregion/crossregion/lambda/openai"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Without a member to give, models use the tool that is their answer without
// arguments, and every answer would be {}.
func TestAnyJSONIsAskedForAsAMember(t *testing.T) {
	var schema struct {
		Properties map[string]struct{ Type string }
		Required   []string
	}
	format := question(t, with(`"response_format":{"type":"json_object"}`)).Format
	require.NoError(t, json.Unmarshal(format.Schema, &schema))
	require.Len(t, schema.Required, 1)
	assert.Equal(t, "object", schema.Properties[schema.Required[0]].Type)
}

func TestAnyJSONIsTakenOutOfItsMember(t *testing.T) {
	tests := []struct{ name, said, want string }{
		{"as it is asked for", `{"json_answer":{"a":1}}`, `{"a":1}`},
		{"with white space", "\n{ \"json_answer\" : {\n \"a\": 1 }\n}\n", "{\n \"a\": 1 }"},
		{"with braces in it", `{"json_answer":{"a":{"b":"}\"}"},"c":"\\"}}`, `{"a":{"b":"}\"}"},"c":"\\"}`},
		{"with more than was asked for", `{"json_answer":{},"note":"x"}`, `{}`},
		{"by itself", `{"json_answers":{"a":1}}`, `{"json_answers":{"a":1}}`},
		{"written as a string", `{"json_answer": "{\"a\":\"\\u00e4\"}"}`, `{"a":"\u00e4"}`},
		{"as a string that is no object", `{"json_answer":"[1]"}`, `{"json_answer":"[1]"}`},
		{"as half a string", `{"json_answer":"{\"a`, `{"json_answer":"{\"a`},
		{"as no object", `{"json_answer":[1]}`, `{"json_answer":[1]}`},
		{"in words", `Here you are`, `Here you are`},
		{"cut off inside", `{"json_answer":{"a":"b`, `{"a":"b`},
		{"cut off before", `{"json_an`, `{"json_an`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for size := 1; size <= len(tt.said); size++ {
				e := hello()
				e.events = nil
				for said := tt.said; said != ""; said = said[min(size, len(said)):] {
					e.events = append(e.events, converse.Event{Text: said[:min(size, len(said))]})
				}
				url, _ := api(t, e)
				assert.Equal(t, tt.want, contentOf(t, url, `"response_format":{"type":"json_object"}`), "whole, in pieces of %d", size)
				assert.Equal(t, tt.want, contentOf(t, url, `"stream":true,"response_format":{"type":"json_object"}`), "streamed, in pieces of %d", size)
			}
		})
	}
}

// slow is an engine whose events come five seconds apart.
type slow struct {
	*engine
	now time.Time
}

type slowStream struct {
	converse.Stream
	of *slow
}

func (s *slow) Open(ctx context.Context, targets []contract.Target, q converse.Request) (converse.Stream, failover.Report, error) {
	answer, report, err := s.engine.Open(ctx, targets, q)
	return slowStream{answer, s}, report, err
}

func (s slowStream) Next() (converse.Event, error) {
	s.of.now = s.of.now.Add(5 * time.Second)
	return s.Stream.Next()
}

// TestAnyJSONThatIsHeldBackShowsThatItIsAlive, as often as a silent stream does.
func TestAnyJSONThatIsHeldBackShowsThatItIsAlive(t *testing.T) {
	for _, tt := range []struct {
		said      string
		keepAlive time.Duration
		comments  int
	}{
		{`{"json_answer":"{\"a\":1}"}`, 0, 3},
		{`{"json_answer":"{\"a\":1}"}`, 20 * time.Second, 2},
		{`{"json_answer":{"a":123456789}}`, 0, 1},
	} {
		e := &slow{engine: hello(), now: time.Unix(1_700_000_000, 0)}
		e.events = nil
		for piece := range slices.Chunk([]byte(tt.said), 3) {
			e.events = append(e.events, converse.Event{Text: string(piece)})
		}
		url, _ := served(t, openai.Config{Engine: e, Store: newMemory(), Budget: &ledger{}, KeepAlive: tt.keepAlive, Now: func() time.Time { return e.now }})
		_, got := post(t, url, with(`"stream":true,"response_format":{"type":"json_object"}`))
		assert.Equal(t, tt.comments, strings.Count(got, ": waiting\n\n"), tt.said)
		assert.Contains(t, got, "data: [DONE]")
	}
}

// contentOf is the text of an answer, whole or streamed.
func contentOf(t *testing.T, url, members string) string {
	t.Helper()
	_, got := post(t, url, with(members))
	var text strings.Builder
	for line := range strings.Lines(got) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "data: "))
		if line == "" || line == "[DONE]" {
			continue
		}
		var answer struct {
			Choices []struct{ Message, Delta struct{ Content string } }
		}
		require.NoError(t, json.Unmarshal([]byte(line), &answer), line)
		text.WriteString(answer.Choices[0].Message.Content + answer.Choices[0].Delta.Content)
	}
	return text.String()
}
