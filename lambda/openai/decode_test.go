package openai_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// with is a right request with more members.
func with(members string) string {
	return `{"model":"claude-sonnet","messages":[{"role":"user","content":"hello"}],` + members + `}`
}

// saying is a right request but for its messages.
func saying(messages string) string { return `{"model":"claude-sonnet","messages":[` + messages + `]}` }

type refusal struct {
	Error struct {
		Message, Type string
		Param, Code   *string
	}
}

// assertRefused sends body and checks who is blamed for its refusal.
func assertRefused(t *testing.T, body, code, param string) refusal {
	t.Helper()
	url, _ := api(t, hello())
	resp, got := post(t, url, body)
	require.Equal(t, http.StatusBadRequest, resp.StatusCode, got)
	var r refusal
	require.NoError(t, json.Unmarshal([]byte(got), &r))
	assert.Equal(t, "invalid_request_error", r.Error.Type)
	assert.Equal(t, code, aws.ToString(r.Error.Code), r.Error.Message)
	assert.Equal(t, param, aws.ToString(r.Error.Param), r.Error.Message)
	assert.NotEmpty(t, r.Error.Message)
	return r
}

func TestUnsupportedParametersAreRefusedByName(t *testing.T) {
	for param, value := range map[string]string{
		"functions": `[{"name":"f"}]`, "function_call": `{"name":"f"}`,
		"n": `2`, "logprobs": `true`,
		"top_logprobs": `3`, "logit_bias": `{"50256":-100}`, "frequency_penalty": `0.1`, "presence_penalty": `-0.1`,
		"modalities": `["text","audio"]`, "audio": `{"voice":"alloy"}`, "prediction": `{"type":"content"}`,
		"service_tier": `"flex"`, "store": `true`, "seed": `0`, "web_search_options": `{}`,
		"verbosity": `"low"`, "moderation": `{}`, "prompt_cache_retention": `"24h"`, "prompt_cache_options": `{}`,
	} {
		t.Run(param, func(t *testing.T) {
			r := assertRefused(t, with(`"`+param+`":`+value), "unsupported_parameter", param)
			assert.Contains(t, r.Error.Message, param)
		})
	}
}

func TestFaultyParametersAreRefusedByName(t *testing.T) {
	long := strings.Repeat("x", 513)
	tests := []struct{ name, body, code, param string }{
		{"an unknown parameter", with(`"tempreture":1`), "unknown_parameter", "tempreture"},
		{"a name in another case", with(`"Temperature":1`), "unknown_parameter", "Temperature"},
		{"an endless name is cut", with(`"` + strings.Repeat("x", 2000) + `":1`), "unknown_parameter", long[:512]},
		{"no model", `{"messages":[{"role":"user","content":"hello"}]}`, "missing_required_parameter", "model"},
		{"an empty model", `{"model":"","messages":[{"role":"user","content":"hello"}]}`, "missing_required_parameter", "model"},
		{"a model that is no string", `{"model":1,"messages":[{"role":"user","content":"hello"}]}`, "invalid_type", "model"},
		{"an endless model", `{"model":"` + long + `","messages":[{"role":"user","content":"hello"}]}`, "invalid_value", "model"},
		{"a temperature below the range", with(`"temperature":-0.1`), "invalid_value", "temperature"},
		{"a temperature above the range", with(`"temperature":2.1`), "invalid_value", "temperature"},
		{"a temperature in the upper half", with(`"temperature":1.5`), "unsupported_value", "temperature"},
		{"a temperature in words", with(`"temperature":"warm"`), "invalid_type", "temperature"},
		{"a top_p above the range", with(`"top_p":1.1`), "invalid_value", "top_p"},
		{"no tokens at all", with(`"max_tokens":0`), "invalid_value", "max_tokens"},
		{"more tokens than the model can say", with(`"max_tokens":64001`), "unsupported_value", "max_tokens"},
		{"more completion tokens than the model can say", with(`"max_completion_tokens":64001`), "unsupported_value", "max_completion_tokens"},
		{"a number beyond all", with(`"max_tokens":1e400`), "invalid_type", "max_tokens"},
		{"a number in a string", with(`"max_tokens":"100"`), "invalid_type", "max_tokens"},
		{"more tokens than can be counted", with(`"max_completion_tokens":2147483648`), "invalid_value", "max_completion_tokens"},
		{"half a token", with(`"max_tokens":1.5`), "invalid_type", "max_tokens"},
		{"two bounds", with(`"max_tokens":1,"max_completion_tokens":2`), "invalid_value", "max_tokens"},
		{"five stops", with(`"stop":["a","b","c","d","e"]`), "invalid_value", "stop"},
		{"an empty stop", with(`"stop":["a",""]`), "invalid_value", "stop"},
		{"a stop that is a number", with(`"stop":1`), "invalid_type", "stop"},
		{"stream as a string", with(`"stream":"yes"`), "invalid_type", "stream"},
		{"stream options without a stream", with(`"stream_options":{"include_usage":true}`), "invalid_value", "stream_options"},
		{"an unknown stream option", with(`"stream":true,"stream_options":{"x":1}`), "unknown_parameter", "stream_options.x"},
		{"an obfuscated stream", with(`"stream":true,"stream_options":{"include_obfuscation":true}`), "unsupported_parameter", "stream_options.include_obfuscation"},
		{"stream options that are none", with(`"stream":true,"stream_options":[]`), "invalid_type", "stream_options"},
		{"an endless user", with(`"user":"` + long + `"`), "invalid_value", "user"},
		{"metadata with a number", with(`"metadata":{"a":1}`), "invalid_type", "metadata"},
		{"metadata with null", with(`"metadata":{"a":null}`), "invalid_type", "metadata"},
		{"an empty effort", with(`"reasoning_effort":""`), "invalid_value", "reasoning_effort"},
		{"an endless value in metadata", with(`"metadata":{"a":"` + long + `"}`), "invalid_value", "metadata"},
		{"too many pairs of metadata", with(`"metadata":{` + strings.Repeat(`"%":"",`, 17) + `"z":""}`), "invalid_value", "metadata"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := tt.body
			for i := 'a'; strings.Contains(body, "%"); i++ {
				body = strings.Replace(body, "%", string(i), 1)
			}
			assertRefused(t, body, tt.code, tt.param)
		})
	}
}

func TestFaultyMessagesAreRefusedByName(t *testing.T) {
	tests := []struct{ name, body, code, param string }{
		{"no messages", `{"model":"claude-sonnet"}`, "missing_required_parameter", "messages"},
		{"an empty list", saying(``), "invalid_value", "messages"},
		{"messages that are no list", `{"model":"claude-sonnet","messages":"hello"}`, "invalid_type", "messages"},
		{"nothing said", saying(`{"role":"system","content":""}`), "invalid_value", "messages"},
		{"a message that is none", saying(`"hello"`), "invalid_type", "messages[0]"},
		{"a null message", saying(`null`), "invalid_type", "messages[0]"},
		{"an unknown role", saying(`{"role":"robot","content":"hello"}`), "invalid_value", "messages[0].role"},
		{"no role", saying(`{"content":"hello"}`), "missing_required_parameter", "messages[0].role"},
		{"an empty role", saying(`{"role":"","content":"hello"}`), "invalid_value", "messages[0].role"},
		{"a name of two words", saying(`{"role":"user","content":"hello","name":"jane doe"}`), "invalid_value", "messages[0].name"},
		{"an empty name", saying(`{"role":"user","content":"hello","name":""}`), "invalid_value", "messages[0].name"},
		{"an unknown member", saying(`{"role":"user","content":"hello","mood":"good"}`), "unknown_parameter", "messages[0].mood"},
		{"no content", saying(`{"role":"user"}`), "invalid_value", "messages[0].content"},
		{"empty content", saying(`{"role":"user","content":""}`), "invalid_value", "messages[0].content"},
		{"only empty parts", saying(`{"role":"user","content":[{"type":"text","text":""}]}`), "invalid_value", "messages[0].content"},
		{"content that is a number", saying(`{"role":"user","content":1}`), "invalid_type", "messages[0].content"},
		{"a part of an unknown type", saying(`{"role":"user","content":[{"type":"smell"}]}`), "invalid_value", "messages[0].content[0].type"},
		{"audio", saying(`{"role":"user","content":[{"type":"input_audio","input_audio":{}}]}`), "unsupported_value", "messages[0].content[0].type"},
		{"the result of a function", saying(`{"role":"function","name":"f","content":"1"}`), "unsupported_value", "messages[0].role"},
		{"a part without text", saying(`{"role":"user","content":[{"type":"text","text":"a"},{"type":"text"}]}`), "missing_required_parameter", "messages[0].content[1].text"},
		{"a part without a type", saying(`{"role":"user","content":[{"text":"a"}]}`), "missing_required_parameter", "messages[0].content[0].type"},
		{"a part that is none", saying(`{"role":"user","content":["a"]}`), "invalid_type", "messages[0].content[0]"},
		{"more messages than 2,048", saying(repeated(`{"role":"user","content":"a"}`, 2049)), "invalid_value", "messages"},
		{"more parts than 2,048 in one message", saying(`{"role":"user","content":[` + repeated(`{"type":"text","text":"a"}`, 2049) + `]}`), "invalid_value", "messages[0].content"},
		{"more parts than 2,048 in all", saying(`{"role":"system","content":"a"},{"role":"user","content":[` + repeated(`{"type":"text","text":"a"}`, 2048) + `]}`), "invalid_value", "messages[1].content"},
		{"an unknown member of a part", saying(`{"role":"user","content":[{"type":"text","text":"a","x":1}]}`), "unknown_parameter", "messages[0].content[0].x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assertRefused(t, tt.body, tt.code, tt.param) })
	}
}

// repeated are n elements of an array.
func repeated(element string, n int) string {
	return strings.TrimSuffix(strings.Repeat(element+",", n), ",")
}

func TestLongConversationsAreAccepted(t *testing.T) {
	for name, messages := range map[string]string{
		"2,048 messages": repeated(`{"role":"user","content":"a"}`, 2048),
		"2,048 parts":    `{"role":"user","content":[` + repeated(`{"type":"text","text":"a"}`, 2048) + `]}`,
	} {
		t.Run(name, func(t *testing.T) {
			e := hello()
			url, _ := api(t, e)
			resp, body := post(t, url, saying(messages))
			require.Equal(t, http.StatusOK, resp.StatusCode, body)
			assert.Len(t, e.question.Messages[0].Parts, 2048)
		})
	}
}

func TestNeutralValuesAreAccepted(t *testing.T) {
	for _, member := range []string{
		`"n":1`, `"frequency_penalty":0`, `"presence_penalty":0.0`, `"logprobs":false`, `"top_logprobs":0`, `"logit_bias":{}`,
		`"tools":[]`, `"functions":[]`, `"tool_choice":"none"`, `"function_call":"auto"`, `"parallel_tool_calls":true`,
		`"store":false`, `"response_format":{"type":"text"}`, `"modalities":["text"]`, `"service_tier":"auto"`,
		`"service_tier":"default"`, `"stop":[]`, `"top_p":1`, `"stream":false`,
		`"stream":true,"stream_options":{"include_obfuscation":false}`,
		`"verbosity":"medium"`, `"prompt_cache_retention":"in_memory"`, `"n":1.0`, `"user":"\ud83d\ude00 \u00e9 \\ud800"`,
		`"user":"jane"`, `"safety_identifier":"x"`, `"prompt_cache_key":"x"`, `"metadata":{"a":"b"}`,
		`"temperature":null,"seed":null,"tools":null,"max_tokens":null,"stop":null,"stream_options":null,"audio":null,"user":null`,
	} {
		t.Run(member, func(t *testing.T) {
			e := hello()
			url, _ := api(t, e)
			resp, body := post(t, url, with(member))
			require.Equal(t, http.StatusOK, resp.StatusCode, body)
			assert.Equal(t, converse.Request{
				Model:    models[0].Base,
				Messages: []converse.Message{{Role: converse.User, Parts: []converse.Part{{Text: "hello"}}}},
			}, e.question)
		})
	}
}

func TestQuestionToTheModel(t *testing.T) {
	e := hello()
	url, _ := api(t, e)
	resp, body := post(t, url, `{"model":"nova-lite","max_tokens":5.0,"max_completion_tokens":0.5e1,"temperature":1,"top_p":0.5,"stop":"END",
		"messages":[
			{"role":"system","content":"one"},
			{"role":"user","content":"a"},
			{"role":"user","content":[{"type":"text","text":"b"},{"type":"text","text":""}]},
			{"role":"developer","content":[{"type":"text","text":"two"}]},
			{"role":"assistant","content":"c","refusal":null,"annotations":[],"tool_calls":[],"audio":null,"function_call":null},
			{"role":"system","content":""},
			{"role":"user","content":"d"}]}`)
	require.Equal(t, http.StatusOK, resp.StatusCode, body)
	assert.Equal(t, converse.Request{
		Model:  models[2].Base,
		System: []converse.Part{{Text: "one"}, {Text: "two"}, {Cache: true}},
		Messages: []converse.Message{
			{Role: converse.User, Parts: []converse.Part{{Text: "a"}, {Text: "b"}, {Cache: true}}},
			{Role: converse.Assistant, Parts: []converse.Part{{Text: "c"}}},
			{Role: converse.User, Parts: []converse.Part{{Text: "d"}, {Cache: true}}},
		},
		MaxTokens: 5, Temperature: aws.Float32(1), TopP: aws.Float32(0.5), Stop: []string{"END"},
	}, e.question)
}

func TestMalformedBodies(t *testing.T) {
	tests := []struct{ name, body, text string }{
		{"nothing", ``, "unexpected end of JSON input, at byte 0"},
		{"no JSON", `{"model":"m",}`, "at byte 14"},
		{"something after it", with(`"n":1`) + `{}`, "at byte"},
		{"no object", `[1]`, "must be a JSON object"},
		{"null", `null`, "must be a JSON object"},
		{"invalid UTF-8", "{\"model\":\"\xff\"}", "not valid UTF-8"},
		{"half a character", with(`"user":"\ud800"`), "half a character, a \\u escape of a surrogate alone, at byte 80"},
		{"the other half of a character", with(`"user":"a\udc00"`), "half a character"},
		{"two first halves of characters", with(`"user":"\ud83d\ud83d"`), "half a character"},
		{"half a character and another escape", with(`"user":"\ud83d\n"`), "half a character"},
		{"half a character at the end", with(`"user":"\ud83d\\"`), "half a character"},
		{"half a character in a name", with(`"\ud800":1`), "half a character"},
		{"a name twice", with(`"n":1,"n":2`), "A name stands twice"},
		{"a name twice, once in other letters", with(`"n":1,"\u006e":2`), "A name stands twice"},
		{"a name twice behind a quote in quotes", with(`"x":"\\\"}","n":[{"a":{},"b":[1,null]}],"y":{"a":1 , "a" :2}`), "A name stands twice"},
		{"a name twice further down", saying(`{"role":"user","role":"system","content":"a"}`), "A name stands twice"},
		{"nesting without end", with(`"x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64)), "nests deeper than 32 levels"},
		{"nesting without any end", strings.Repeat(`{"a":`, 100_000), "not valid JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := assertRefused(t, tt.body, "invalid_json", "")
			assert.Contains(t, r.Error.Message, tt.text)
		})
	}
}

func TestBodyThatIsNotEvenRead(t *testing.T) {
	url, _ := api(t, hello())
	const path = "/v1/chat/completions"
	for _, contentType := range []string{"", "text/plain", "application/json; =", "application/x-www-form-urlencoded", "application/json; charset=iso-8859-1"} {
		resp, body := do(t, http.MethodPost, url+path, contentType, with(`"n":1`))
		assert.Equal(t, http.StatusUnsupportedMediaType, resp.StatusCode, contentType)
		assert.Contains(t, body, `"code":"unsupported_content_type"`)
	}
	resp, _ := do(t, http.MethodPost, url+path, "Application/JSON; charset=utf-8", with(`"n":1`))
	assert.Equal(t, http.StatusOK, resp.StatusCode)

	for encoding, want := range map[string]int{"gzip": http.StatusUnsupportedMediaType, "identity": http.StatusOK} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, strings.NewReader(with(`"n":1`)))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Content-Encoding", encoding)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		assert.Equal(t, want, resp.StatusCode, encoding)
	}

	fill := func(size int) string {
		return with(`"n":1`) + strings.Repeat(" ", size-len(with(`"n":1`)))
	}
	resp, _ = post(t, url, fill(contract.MaxBodyBytes))
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	resp, body := post(t, url, fill(contract.MaxBodyBytes+1))
	assert.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
	assert.Contains(t, body, `"code":"request_too_large"`)
	assert.Contains(t, body, "2883584 bytes")
}

func TestUnknownModel(t *testing.T) {
	url, _ := api(t, hello())
	resp, body := post(t, url, `{"model":"gpt-9","messages":[{"role":"user","content":"hello"}]}`)
	assert.Equal(t, http.StatusNotFound, resp.StatusCode)
	assert.Equal(t, `{"error":{"message":"The model `+"`gpt-9`"+` does not exist or you do not have access to it.","type":"invalid_request_error","param":"model","code":"model_not_found"}}`, body)
}
