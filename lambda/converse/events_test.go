package converse_test

import (
	"encoding/json"
	"errors"
	"io"
	"testing"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (r reply) use(id, name string) {
	r.event("contentBlockStart", `{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"`+id+`","name":"`+name+`"}}}`)
}

func (r reply) argument(piece string) {
	b, err := json.Marshal(piece)
	assert.NoError(r.t, err)
	r.event("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"toolUse":{"input":`+string(b)+`}}}`)
}

func (r reply) endBlock() { r.event("contentBlockStop", `{"contentBlockIndex":1}`) }

// events are those of the answer to in.
func events(t *testing.T, in converse.Request, script func(reply)) []converse.Event {
	t.Helper()
	s, err := bedrock(t, func(r reply) { r.start(); script(r) }).Open(t.Context(), target, in)
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	var all []converse.Event
	for {
		ev, err := s.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, ev)
	}
}

func TestThoughtsAndToolsInTheStream(t *testing.T) {
	got := events(t, to(sonnet45, func(r *converse.Request) { r.Tools = []converse.Tool{weather} }), func(r reply) {
		for _, delta := range []string{`{"text":"hm"}`, `{"text":""}`, `{"text":"m"}`, `{"signature":"sig"}`, `{"redactedContent":"eA=="}`} {
			r.event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":`+delta+`}}`)
		}
		r.endBlock()
		r.text("Let me see.")
		r.endBlock()
		r.use("u1", "weather")
		r.argument("")
		r.argument(`{"city":`)
		r.argument(`"Rome"}`)
		r.endBlock()
		r.use("u2", "time")
		r.endBlock()
		r.event("messageStop", `{"stopReason":"tool_use"}`)
		r.usage()
	})
	usage := converse.Usage{Input: 32, Output: 3, CacheRead: 20, CacheWrite: 5}
	assert.Equal(t, []converse.Event{
		{Reasoning: &converse.Reasoning{Text: "hm"}}, {Reasoning: &converse.Reasoning{Text: "m"}},
		{Reasoning: &converse.Reasoning{Signature: "sig"}}, {Reasoning: &converse.Reasoning{Redacted: []byte("x")}},
		{Text: "Let me see."},
		{Tool: &converse.ToolDelta{ID: "u1", Name: "weather"}}, {Tool: &converse.ToolDelta{Input: `{"city":`}}, {Tool: &converse.ToolDelta{Input: `"Rome"}`}},
		{Tool: &converse.ToolDelta{Index: 1, ID: "u2", Name: "time"}}, {Tool: &converse.ToolDelta{Index: 1, Input: `{}`}},
		{End: &converse.End{Reason: converse.StopTool, Usage: usage}},
	}, got)

	var whole converse.Collector
	for _, ev := range got[:len(got)-1] {
		whole.Add(ev)
	}
	assert.Equal(t, []converse.Part{
		{Reasoning: &converse.Reasoning{Text: "hmm", Signature: "sig"}}, {Reasoning: &converse.Reasoning{Redacted: []byte("x")}},
		{Text: "Let me see."},
		{ToolUse: &converse.ToolUse{ID: "u1", Name: "weather", Input: json.RawMessage(`{"city":"Rome"}`)}},
		{ToolUse: &converse.ToolUse{ID: "u2", Name: "time", Input: json.RawMessage(`{}`)}},
	}, whole.Answer(converse.End{}).Parts)
}

func TestAnswerByAToolIsText(t *testing.T) {
	in := to(novaPro, func(r *converse.Request) { r.Format, r.Tools = schema, []converse.Tool{weather} })
	tests := []struct {
		name   string
		script func(reply)
		text   string
		tools  int
		reason converse.StopReason
	}{
		{"the answer alone, without the words around it", func(r reply) {
			r.text("Here you are:")
			r.use("u1", "answer_in_json")
			r.argument(`{"x":`)
			r.argument(`1}`)
			r.endBlock()
			r.stop("tool_use")
		}, `{"x":1}`, 0, converse.StopEnd},
		{"an empty answer is an object", func(r reply) {
			r.use("u1", "answer_in_json")
			r.endBlock()
			r.stop("tool_use")
		}, `{}`, 0, converse.StopEnd},
		{"another tool is one", func(r reply) {
			r.use("u1", "weather")
			r.argument(`{}`)
			r.endBlock()
			r.stop("tool_use")
		}, ``, 1, converse.StopTool},
		{"an answer that is cut off", func(r reply) {
			r.use("u1", "answer_in_json")
			r.argument(`{"x"`)
			r.stop("max_tokens")
		}, `{"x"`, 0, converse.StopLength},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var whole converse.Collector
			all := events(t, in, tt.script)
			for _, ev := range all {
				whole.Add(ev)
			}
			answer := whole.Answer(*all[len(all)-1].End)
			assert.Equal(t, tt.text, answer.Text())
			assert.Equal(t, tt.reason, answer.Reason)
			tools := 0
			for _, p := range answer.Parts {
				if p.ToolUse != nil {
					tools++
				}
			}
			assert.Equal(t, tt.tools, tools)
		})
	}
}
