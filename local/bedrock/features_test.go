package bedrock_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	sonnet46 = "anthropic.claude-sonnet-4-6"
	nova2    = "amazon.nova-2-lite-v1:0"
	png      = `{"image":{"format":"png","source":{"bytes":"iVBORw0KGgo="}}}`
	txt      = `{"document":{"format":"txt","name":"%s","source":{"bytes":"YQ=="}}}`
	point    = `{"cachePoint":{"type":"default"}}`
	tool     = `{"toolSpec":{"name":"%s","inputSchema":{"json":{"type":"object","required":["n"],"properties":{"n":{"type":"integer","minimum":3}}}}}}`
	use      = `{"toolUse":{"toolUseId":"%s","name":"f","input":{}}}`
	result   = `{"toolResult":{"toolUseId":"%s","content":[{"text":"rain"}]}}`
	thinking = `"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":1024}}`
	adaptive = `"additionalModelRequestFields":{"thinking":{"type":"adaptive"}}`
)

// user and more make a body of one question.
func user(content string, more ...string) string {
	return conversation(append([]string{content}, ""), more...)
}

// conversation is a body of turns, the user's first; an empty one ends them.
func conversation(turns []string, more ...string) string {
	var messages []string
	for i, content := range turns {
		if content == "" {
			break
		}
		messages = append(messages, fmt.Sprintf(`{"role":%q,"content":[%s]}`, []string{"user", "assistant"}[i%2], content))
	}
	return `{"messages":[` + strings.Join(messages, ",") + `]` + strings.Join(append([]string{""}, more...), ",") + `}`
}

func text(s string) string { return fmt.Sprintf(`{"text":%q}`, s) }

func toolConfig(choice string, tools ...string) string {
	if choice != "" {
		choice = `,"toolChoice":` + choice
	}
	return `"toolConfig":{"tools":[` + strings.Join(tools, ",") + `]` + choice + `}`
}

func named(name string) string { return fmt.Sprintf(tool, name) }

// whole is an answer that is not streamed.
type whole struct {
	Output struct {
		Message struct{ Content []json.RawMessage }
	}
	StopReason string
	Usage      struct{ InputTokens, OutputTokens, TotalTokens, CacheReadInputTokens, CacheWriteInputTokens int }
}

// converse returns the answer of model to body, which must be one.
func (b *bench) converse(t *testing.T, model, body string) whole {
	t.Helper()
	resp, got := b.post(t, "/model/us."+model+"/converse", body)
	require.Equal(t, http.StatusOK, resp.StatusCode, got)
	var w whole
	require.NoError(t, json.Unmarshal([]byte(got), &w))
	return w
}

var madeUp = regexp.MustCompile(`"tooluse_[0-9a-z]{22}"`)

// content is the answer's blocks, with "id" in place of ids that are made up.
func (w whole) content() string {
	var all []string
	for _, b := range w.Output.Message.Content {
		all = append(all, madeUp.ReplaceAllString(string(b), `"id"`))
	}
	return "[" + strings.Join(all, ",") + "]"
}

func TestToolsAreUsed(t *testing.T) {
	called := func(names ...string) string {
		var all []string
		for _, n := range names {
			all = append(all, fmt.Sprintf(`{"toolUse":{"toolUseId":"id","name":%q,"input":{"n":3}}}`, n))
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	two := []string{named("f"), named("g")}
	own := func(choice string) string { return `"additionalModelRequestFields":{"tool_choice":` + choice + `}` }
	tests := []struct{ name, body, want string }{
		{"the first, if asked for one", user(text("please call the tool"), toolConfig("", two...)), called("f")},
		{"the named one", user(text("call the tool g"), toolConfig("", two...)), called("g")},
		{"all, if asked for", user(text("call every tool"), toolConfig(`{"auto":{}}`, two...)), called("f", "g")},
		{"some, if forced to", user(text("hello"), toolConfig(`{"any":{}}`, two...)), called("f")},
		{"a certain one, if forced to", user(text("hello"), toolConfig(`{"tool":{"name":"g"}}`, two...)), called("g")},
		{"one at a time", user(text("call every tool"), toolConfig("", two...), own(`{"type":"auto","disable_parallel_tool_use":true}`)), called("f")},
		{"a certain one, by Anthropic's choice", user(text("hello"), toolConfig("", two...), own(`{"type":"tool","name":"g"}`)), called("g")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := fast(t).converse(t, sonnet, tt.body)
			assert.JSONEq(t, tt.want, got.content())
			assert.Equal(t, "tool_use", got.StopReason)
		})
	}
	for name, body := range map[string]string{
		"unless nobody asks":    user(text("hello"), toolConfig("", two...)),
		"unless none may":       user(text("call the tool"), toolConfig("", two...), own(`{"type":"none"}`)),
		"but once for a result": conversation([]string{text("call the tool"), fmt.Sprintf(use, "u"), fmt.Sprintf(result, "u")}, toolConfig("", two...)),
	} {
		assert.Equal(t, "end_turn", fast(t).converse(t, sonnet, body).StopReason, name)
	}
}

func TestWhatTheModelSees(t *testing.T) {
	b := fast(t)
	got := b.converse(t, sonnet, user(text("look, say 1 words")+","+png+","+fmt.Sprintf(txt, "document 1")))
	assert.JSONEq(t, `[{"text":"Turn 1. You said: \"look, say 1 words\". I see a png image in 8 bytes. I see a txt file named document 1 of 1 bytes. rivers"}]`, got.content())
	got = b.converse(t, sonnet, conversation([]string{text("a"), fmt.Sprintf(use, "u"), fmt.Sprintf(result, "u") + "," + text("say 1 words")}, toolConfig("", named("f"))))
	assert.JSONEq(t, `[{"text":"Turn 2. The tools said: \"rain\". You said: \"say 1 words\". rivers"}]`, got.content())
}

func TestAnswersMatchTheSchema(t *testing.T) {
	object := func(properties string) string {
		return `{"type":"object","additionalProperties":false,` + properties + `}`
	}
	tests := []struct{ name, schema, want string }{
		{"what must be there", object(`"required":["a"],"properties":{"a":{"type":"string"},"b":{}}`), `{"a":"rivers"}`},
		{"all, if nothing must", object(`"properties":{"a":{"type":["boolean","null"]},"b":{"const":5}}`), `{"a":true,"b":5}`},
		{"one of several", object(`"properties":{"a":{"enum":["x","y"]},"b":{"anyOf":[{"type":"string"},{"type":"null"}]}}`), `{"a":"x","b":null}`},
		{"a list", object(`"properties":{"a":{"type":"array","minItems":1,"items":{"type":"number"}}}`), `{"a":[7]}`},
		{"a definition", `{"$defs":{"n":{"type":"integer"}},` + object(`"properties":{"a":{"$ref":"#/$defs/n"}}`)[1:], `{"a":7}`},
		{"a definition whose name is escaped", `{"$defs":{"n/m~1":{"type":"integer"}},` + object(`"properties":{"a":{"$ref":"#/$defs/n~1m~01"}}`)[1:], `{"a":7}`},
		{"definitions that double", `{"$defs":{` + doubling(64) + `"d64":{"type":"integer"}},` + object(`"properties":{"a":{"$ref":"#/$defs/d0"}}`)[1:], `{"a":null}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := fast(t).converse(t, sonnet, user(text("hello"), outputSchema(tt.schema)))
			var answer struct{ Text string }
			require.NoError(t, json.Unmarshal(got.Output.Message.Content[0], &answer))
			assert.JSONEq(t, tt.want, answer.Text)
		})
	}
}

// doubling are definitions d0, d1 and so on, each of which refers twice to the
// next.
func doubling(n int) string {
	var all strings.Builder
	for i := range n {
		fmt.Fprintf(&all, `"d%d":{"anyOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`, i, i+1, i+1)
	}
	return all.String()
}

func outputSchema(schema string) string {
	return fmt.Sprintf(`"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":%q}}}}`, schema)
}

// thoughts returns the first block of an answer, as it goes back.
func (w whole) thoughts() string { return string(w.Output.Message.Content[0]) }

func TestThoughtsHaveAProof(t *testing.T) {
	b := fast(t)
	for _, fields := range []string{thinking, adaptive} {
		first := b.converse(t, sonnet46, user(text("call the tool"), toolConfig("", named("f")), fields))
		require.Contains(t, first.thoughts(), `"text":"The question has 3 words."`)
		back := func(thoughts string) string {
			return conversation([]string{text("call the tool"), thoughts + "," + fmt.Sprintf(use, "u"), fmt.Sprintf(result, "u")}, toolConfig("", named("f")), fields)
		}
		b.converse(t, sonnet46, back(first.thoughts()))
		b.refuses(t, sonnet46, back(strings.Replace(first.thoughts(), "3", "4", 1)), "Invalid `signature`")
	}
	secret := b.converse(t, sonnet46, user(text("think in secret"), adaptive))
	require.Contains(t, secret.thoughts(), "redactedContent")
	b.converse(t, sonnet46, conversation([]string{text("a"), secret.thoughts() + "," + text("b"), text("c")}, adaptive))
	b.refuses(t, sonnet46, conversation([]string{text("a"), `{"reasoningContent":{"redactedContent":"YQ=="}},` + text("b"), text("c")}), "Invalid `data`")
	nova := b.converse(t, nova2, user(text("a"), `"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"high"}}`))
	assert.JSONEq(t, `{"reasoningContent":{"reasoningText":{"text":"[REDACTED]"}}}`, nova.thoughts())
}

func (b *bench) refuses(t *testing.T, model, body, want string) {
	t.Helper()
	resp, got := b.post(t, "/model/us."+model+"/converse", body)
	assert.Equal(t, http.StatusBadRequest, resp.StatusCode, got)
	assert.Equal(t, "ValidationException", resp.Header.Get("X-Amzn-ErrorType"))
	var refusal struct{ Message string }
	require.NoError(t, json.Unmarshal([]byte(got), &refusal))
	assert.Contains(t, refusal.Message, want)
}

func TestStreamSaysTheSame(t *testing.T) {
	b := fast(t)
	in := ask("us."+sonnet, "call the tool")
	body := user(text("call the tool"), toolConfig("", named("f")), thinking)
	_, raw := b.post(t, "/model/us."+sonnet+"/converse-stream", body)
	for _, want := range []string{
		`{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"The question has"}}}`, `"delta":{"reasoningContent":{"signature":"`,
		`{"contentBlockIndex":0}`, `{"contentBlockIndex":1,"start":{"toolUse":{"name":"f","toolUseId":"tooluse_`,
		`{"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"n\":"`, `{"stopReason":"tool_use"}`,
	} {
		assert.Contains(t, raw, want)
	}
	assert.Equal(t, []string{"start assistant"}, stream(patience(t), b.client("us-east-1"), in).events[:1])
}

func TestRepeatedPrefixesAreRead(t *testing.T) {
	clock := cloud.NewManualClock(time.Unix(0, 0))
	b := newBench(t, clock)
	long := text(strings.TrimSpace(strings.Repeat("word ", 1100)))
	usage := func(model, body string) [3]int {
		done := make(chan whole, 1)
		go func() { done <- b.converse(t, model, body) }()
		require.NoError(t, clock.AwaitSleepers(patience(t), 1))
		clock.Advance(time.Second)
		u := (<-done).Usage
		assert.Equal(t, u.TotalTokens, u.InputTokens+u.OutputTokens+u.CacheReadInputTokens+u.CacheWriteInputTokens)
		return [3]int{u.InputTokens, u.CacheReadInputTokens, u.CacheWriteInputTokens}
	}
	kept := user(long + "," + point + "," + text("one two"))
	assert.Equal(t, [3]int{2, 0, 1100}, usage(sonnet, kept), "written")
	assert.Equal(t, [3]int{2, 1100, 0}, usage(sonnet, kept), "read")
	assert.Equal(t, [3]int{0, 1100, 2}, usage(sonnet, user(long+","+point+","+text("one two")+","+point)), "and written from there on")
	assert.Equal(t, [3]int{2, 0, 1100}, usage(novaPro, kept), "each model has its own")
	assert.Equal(t, [3]int{1102, 0, 0}, usage(haiku, kept), "too short for this one")
	assert.Equal(t, [3]int{2, 0, 1100}, usage(sonnet, conversation([]string{strings.Replace(long, "word", "sword", 1) + "," + point + "," + text("one two")})), "changed")
	clock.Advance(6 * time.Minute)
	assert.Equal(t, [3]int{2, 0, 1100}, usage(sonnet, kept), "forgotten")
}
