package converse_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryExceptionOfTheStreamIsKnown(t *testing.T) {
	var known []string
	for _, x := range exceptions {
		known = append(known, x.code)
	}
	source := sdk(t, "deserializers.go")
	_, body, found := strings.Cut(source, "func awsRestjson1_deserializeEventStreamExceptionConverseStreamOutput(")
	require.True(t, found)
	body, _, _ = strings.Cut(body, "\n}\n")
	all := matches(body, `EqualFold\("(\w+Exception)"`)
	require.NotEmpty(t, all)
	assert.ElementsMatch(t, all, known)
}

// sdk is a file of the source of the SDK's client for Bedrock, which says what
// else a message may be.
func sdk(t *testing.T, file string) string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/bedrockruntime").Output()
	require.NoError(t, err)
	source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), file))
	require.NoError(t, err)
	return string(source)
}

// matches are the groups that pattern finds in source.
func matches(source, pattern string) (all []string) {
	for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(source, -1) {
		all = append(all, found[1])
	}
	return all
}

// members are the names that a value of an SDK's union may have.
func members(t *testing.T, union string) (all []string) {
	t.Helper()
	for _, name := range matches(sdk(t, filepath.Join("types", "types.go")), `(?m)^type `+union+`Member(\w+) struct`) {
		all = append(all, strings.ToLower(name[:1])+name[1:])
	}
	require.Contains(t, all, "toolUse")
	return all
}

func TestMessagesThatEndAnAnswer(t *testing.T) {
	tests := []struct {
		name          string
		script        func(reply)
		want          converse.Class
		code, message string
	}{
		{"an error with a code", func(r reply) {
			r.send("", ":message-type", "error", ":error-code", "ThrottlingException", ":error-message", "told so")
		}, converse.Throttled, "ThrottlingException", "told so"},
		{"an error with a code that nobody knows yet", func(r reply) {
			r.send("", ":message-type", "error", ":error-code", "InternalFailure", ":error-message", "told so")
		}, converse.Unavailable, "InternalFailure", "told so"},
		{"an error that says nothing", func(r reply) { r.send("", ":message-type", "error") }, converse.Incomplete, "", "the stream broke off"},
		{"an exception that nobody knows yet", func(r reply) { r.frame("exception", "newException", `{"message":"told so"}`) }, converse.Unavailable, "NewException", "told so"},
		{"an exception without words", func(r reply) { r.frame("exception", "throttlingException", "") }, converse.Throttled, "ThrottlingException", ""},
		{"an exception in broken words", func(r reply) { r.frame("exception", "throttlingException", `{"mess`) }, converse.Throttled, "ThrottlingException", ""},
		{"an exception without a name", func(r reply) { r.send(`{"message":"told so"}`, ":message-type", "exception") }, converse.Incomplete, "", "the stream broke off"},
		{"a message of a type that is none", func(r reply) { r.send("{}", ":message-type", "rumour", ":event-type", "messageStop") }, converse.Incomplete, "", "the stream broke off"},
		{"a message without a type", func(r reply) { r.send("{}", ":event-type", "messageStop") }, converse.Incomplete, "", "the stream broke off"},
		{"an event without a name", func(r reply) { r.send("{}", ":message-type", "event") }, converse.Incomplete, "", "the stream broke off"},
		{"text in broken JSON", func(r reply) { r.event("contentBlockDelta", `{"delta":{"text":"hal`) }, converse.Incomplete, "", "the stream broke off"},
		{"text in JSON with more behind it", func(r reply) { r.event("contentBlockDelta", `{"delta":{"text":"more"}}}`) }, converse.Incomplete, "", "the stream broke off"},
		{"an end in broken JSON", func(r reply) { r.event("messageStop", `{"stopReason":"end_turn"`) }, converse.Incomplete, "", "the stream broke off"},
		{"an end without a payload", func(r reply) { r.event("messageStop", "") }, converse.Incomplete, "", "the stream broke off"},
		{"an end without a reason", func(r reply) { r.event("messageStop", "{}"); r.usage() }, converse.Incomplete, "", "the stream ended without messageStop"},
		{"thoughts that are no base64", func(r reply) {
			r.event("contentBlockDelta", `{"delta":{"reasoningContent":{"redactedContent":"?"}}}`)
		}, converse.Incomplete, "", "the stream broke off"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			texts, _, err := read(t, bedrock(t, func(r reply) {
				r.start()
				r.text("half")
				tt.script(r)
			}))
			e := assertClass(t, tt.want, err)
			assert.Equal(t, []string{"half"}, texts)
			assert.Equal(t, tt.code, e.Code)
			assert.Equal(t, tt.message, e.Message)
		})
	}
}

func TestMessagesThatTellNothingOfAnAnswer(t *testing.T) {
	tests := map[string]func(reply){
		"an initial response":            func(r reply) { r.event("initial-response", "{}") },
		"an event that nobody knows yet": func(r reply) { r.event("somethingNew", `{"delta":{"text":"unasked"}}`) },
		"an event without a payload":     func(r reply) { r.event("ping", "") },
		"an event that is no JSON":       func(r reply) { r.event("audio", "\x00\x01") },
		"an event of another kind of payload": func(r reply) {
			r.send("plain", ":message-type", "event", ":event-type", "note", ":content-type", "text/plain")
		},
		"text of no length":                    func(r reply) { r.event("contentBlockDelta", `{"delta":{"text":""}}`) },
		"a piece of nothing":                   func(r reply) { r.event("contentBlockDelta", `{}`) },
		"a usage before the end":               func(r reply) { r.usage() },
		"the end of a block that never began":  func(r reply) { r.event("contentBlockStop", `{"contentBlockIndex":9}`) },
		"a block's beginning that says little": func(r reply) { r.event("contentBlockStart", `{"contentBlockIndex":9}`) },
	}
	for _, value := range []string{`{"text":"unasked","input":"unasked"}`, `[{"text":"unasked"}]`, `{"sourceContent":[{"text":"unasked"}]}`} {
		for _, name := range members(t, "ContentBlockDelta") {
			if name != "text" && name != "toolUse" && name != "reasoningContent" {
				tests["a piece of "+name+" "+value] = func(r reply) { r.event("contentBlockDelta", `{"delta":{"`+name+`":`+value+`}}`) }
			}
		}
		for _, name := range members(t, "ContentBlockStart") {
			if name != "toolUse" {
				tests["a beginning of "+name+" "+value] = func(r reply) {
					r.event("contentBlockStart", `{"start":{"`+name+`":`+value+`}}`)
					r.event("contentBlockStop", `{"contentBlockIndex":1}`)
				}
			}
		}
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			texts, end, err := read(t, bedrock(t, func(r reply) {
				r.start()
				r.text("a")
				script(r)
				r.text("b")
				r.stop("end_turn")
				r.usage()
			}))
			require.NoError(t, err)
			assert.Equal(t, "ab", strings.Join(texts, ""))
			assert.Equal(t, converse.StopEnd, end.Reason)
			assert.Equal(t, 35, end.Usage.Total())
		})
	}
}

func TestNothingAfterMessageStopTakesTheAnswerBack(t *testing.T) {
	tests := []struct {
		name   string
		script func(reply)
		tokens int
	}{
		{"an event that nobody knows yet", func(r reply) { r.event("somethingNew", ""); r.usage() }, 35},
		{"the end of a block", func(r reply) { r.event("contentBlockStop", `{"contentBlockIndex":0}`); r.usage() }, 35},
		{"an exception", func(r reply) { r.frame("exception", "internalServerException", `{"message":"too late"}`); r.usage() }, 0},
		{"an error", func(r reply) { r.send("", ":message-type", "error", ":error-code", "InternalFailure"); r.usage() }, 0},
		{"a usage in broken JSON", func(r reply) { r.event("metadata", `{"usage":{"inputTokens":7`) }, 0},
		{"a usage that is none", func(r reply) { r.event("metadata", `{"metrics":{"latencyMs":9}}`) }, 0},
		{"a frame that is none", func(r reply) { r.write(strings.Repeat("?", 64)) }, 0},
		{"events after the usage", func(r reply) { r.usage(); r.text("unasked"); r.stop("tool_use"); r.usage() }, 35},
		{"an exception after the usage", func(r reply) { r.usage(); r.frame("exception", "throttlingException", "{}") }, 35},
		{"a frame that is none after the usage", func(r reply) { r.usage(); r.write("?") }, 35},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			texts, end, err := read(t, bedrock(t, func(r reply) {
				r.start()
				r.text("whole")
				r.stop("end_turn")
				tt.script(r)
			}))
			require.NoError(t, err)
			assert.Equal(t, []string{"whole"}, texts)
			assert.Equal(t, converse.StopEnd, end.Reason)
			assert.Equal(t, tt.tokens, end.Usage.Total())
		})
	}
}

// Bedrock pads its events with a member of random length, so that nobody on the
// way can tell words by their lengths.
func TestPaddingIsNoPartOfAnAnswer(t *testing.T) {
	texts, end, err := read(t, bedrock(t, func(r reply) {
		r.start()
		r.event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"Hel"},"p":"abcdefghijklmnop"}`)
		r.event("contentBlockDelta", `{"p":"abc","contentBlockIndex":0,"delta":{"text":"lo"}}`)
		r.event("contentBlockStop", `{"contentBlockIndex":0,"p":"abcdefghijklmnopqrstuvwxyzABCDEF"}`)
		r.event("messageStop", `{"p":"abcdefgh","stopReason":"end_turn"}`)
		r.event("metadata", `{"metrics":{"latencyMs":9},"p":"abcdef","usage":{"inputTokens":7,"outputTokens":3,"totalTokens":10}}`)
	}))
	require.NoError(t, err)
	assert.Equal(t, "Hello", strings.Join(texts, ""))
	assert.Equal(t, converse.End{Reason: converse.StopEnd, Usage: converse.Usage{Input: 7, Output: 3}}, *end)
}

func TestTextIsUnescaped(t *testing.T) {
	texts, _, err := read(t, bedrock(t, func(r reply) {
		r.start()
		r.event("contentBlockDelta", `{"delta":{"text":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é😀"}}`)
		r.event("contentBlockDelta", `{"delta":{"text":"\ud83d."}}`)
		r.stop("end_turn")
	}))
	require.NoError(t, err)
	assert.Equal(t, "\"\\/\b\f\n\r\té😀é😀\ufffd.", strings.Join(texts, ""))
}
