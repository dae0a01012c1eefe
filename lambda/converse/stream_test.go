package converse_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWholeAnswer(t *testing.T) {
	texts, end, err := read(t, bedrock(t, func(r reply) {
		r.start()
		r.text("Hel")
		r.text("")
		r.event("somethingNew", `{}`)
		r.text("lo")
		r.stop("end_turn")
		r.usage()
	}))
	require.NoError(t, err)
	assert.Equal(t, "Hello", strings.Join(texts, ""))
	assert.Equal(t, converse.StopEnd, end.Reason)
	assert.Equal(t, converse.Usage{Input: 32, Output: 3, CacheRead: 20, CacheWrite: 5}, end.Usage)
	assert.Equal(t, 35, end.Usage.Total())
}

func TestStopReasons(t *testing.T) {
	tests := map[string]converse.StopReason{
		"end_turn": converse.StopEnd, "stop_sequence": converse.StopEnd,
		"max_tokens": converse.StopLength, "model_context_window_exceeded": converse.StopLength,
		"guardrail_intervened": converse.StopFilter, "content_filtered": converse.StopFilter,
		"tool_use": converse.StopTool,
	}
	for reason, want := range tests {
		t.Run(reason, func(t *testing.T) {
			_, end, err := read(t, bedrock(t, func(r reply) {
				r.start()
				r.stop(reason)
				r.usage()
			}))
			require.NoError(t, err)
			assert.Equal(t, want, end.Reason)
		})
	}
}

func TestOnlyMessageStopProvesAnAnswerWhole(t *testing.T) {
	tests := []struct {
		name   string
		script func(reply)
		want   converse.Class // "" for a whole answer
	}{
		{"a lost usage takes nothing back", func(r reply) { r.stop("end_turn") }, ""},
		{"a cut after messageStop takes nothing back", func(r reply) { r.stop("end_turn"); r.cut() }, ""},
		{"a connection cut in the middle", func(r reply) { r.cut() }, converse.Incomplete},
		{"a clean end without messageStop", func(reply) {}, converse.Incomplete},
		{"a clean end after the usage", func(r reply) { r.usage() }, converse.Incomplete},
		{"a frame that is none", func(r reply) { _, _ = r.w.Write(bytes.Repeat([]byte("?"), 64)) }, converse.Incomplete},
		{"a malformed output", func(r reply) { r.stop("malformed_model_output") }, converse.ModelFailed},
		{"a malformed tool call", func(r reply) { r.stop("malformed_tool_use"); r.usage() }, converse.ModelFailed},
		{"a reason that nobody knows yet", func(r reply) { r.stop("taken_aback") }, converse.ModelFailed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			texts, end, err := read(t, bedrock(t, func(r reply) {
				r.start()
				r.text("half")
				tt.script(r)
			}))
			assert.Equal(t, []string{"half"}, texts)
			if tt.want == "" {
				require.NoError(t, err)
				assert.Equal(t, converse.Usage{}, end.Usage)
				return
			}
			assertClass(t, tt.want, err)
		})
	}
}

// exceptions are those of both the HTTP answer and the stream.
var exceptions = []struct {
	code   string
	status int
	want   converse.Class
}{
	{"throttlingException", 429, converse.Throttled},
	{"serviceUnavailableException", 503, converse.Unavailable},
	{"internalServerException", 500, converse.Unavailable},
	{"modelStreamErrorException", 424, converse.ModelFailed},
	{"validationException", 400, converse.Invalid},
}

func TestExceptionsInTheStream(t *testing.T) {
	for _, x := range exceptions {
		for name, before := range map[string]func(reply){
			"as first frame": func(r reply) { r.w.Header().Set("Content-Type", "application/vnd.amazon.eventstream") },
			"in the middle":  func(r reply) { r.start(); r.text("half") },
		} {
			t.Run(x.code+" "+name, func(t *testing.T) {
				_, _, err := read(t, bedrock(t, func(r reply) {
					before(r)
					r.frame("exception", x.code, `{"message":"told so"}`)
				}))
				e := assertClass(t, x.want, err)
				assert.Equal(t, strings.ToUpper(x.code[:1])+x.code[1:], e.Code)
				assert.Equal(t, "told so", e.Message)
			})
		}
	}
}

func TestExceptionsInsteadOfAStream(t *testing.T) {
	tests := []struct {
		code   string
		status int
		want   converse.Class
	}{
		{"ThrottlingException", 429, converse.Throttled},
		{"ModelNotReadyException", 429, converse.Throttled},
		{"ServiceUnavailableException", 503, converse.Unavailable},
		{"InternalServerException", 500, converse.Unavailable},
		{"ModelTimeoutException", 408, converse.Timeout},
		{"ModelErrorException", 424, converse.ModelFailed},
		{"ValidationException", 400, converse.Invalid},
		{"AccessDeniedException", 403, converse.Denied},
		{"ResourceNotFoundException", 404, converse.NotFound},
		{"ServiceQuotaExceededException", 400, converse.Throttled},
		{"ExpiredTokenException", 403, converse.Denied},
		{"FTUFormNotFilled", 404, converse.NotFound},
		{"SomethingNewException", 429, converse.Throttled},
		{"SomethingNewException", 408, converse.Timeout},
		{"SomethingNewException", 424, converse.ModelFailed},
		{"SomethingNewException", 400, converse.Invalid},
		{"SomethingNewException", 502, converse.Unavailable},
	}
	for _, tt := range tests {
		t.Run(tt.code+" "+http.StatusText(tt.status), func(t *testing.T) {
			calls := 0
			_, _, err := read(t, bedrock(t, func(r reply) {
				calls++
				r.refuse(tt.status, tt.code, "told so")
			}))
			e := assertClass(t, tt.want, err)
			assert.Equal(t, tt.code, e.Code)
			assert.Equal(t, "told so", e.Message)
			assert.NotContains(t, e.Error(), "told so", "an error can be logged")
			assert.Equal(t, 1, calls, "a call is never repeated here")
		})
	}
}

func TestKindOfInvalidRequestIsRecognizedByItsWords(t *testing.T) {
	tests := map[string]converse.Class{
		"Input is too long for requested model.":                                      converse.TooLong,
		"prompt is too long: 204881 tokens > 200000 maximum":                          converse.TooLong,
		"This model's maximum context length is 131072 tokens.":                       converse.TooLong,
		"The provided model identifier is invalid.":                                   converse.NotFound,
		"The guardrail identifier or version provided in the request does not exist.": converse.NotFound,
		"The maximum tokens you requested exceeds the model limit of 64000.":          converse.Invalid,
		"Malformed input request: #/messages/0: required key [role] missing.":         converse.Invalid,
	}
	for message, want := range tests {
		t.Run(message, func(t *testing.T) {
			_, _, err := read(t, bedrock(t, func(r reply) { r.refuse(400, "ValidationException", message) }))
			assertClass(t, want, err)
		})
	}
}

func TestUnreachableRegionIsUnavailable(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	_, _, err := read(t, converse.New(config(t, server.URL), []string{region}))
	assertClass(t, converse.Unavailable, err)
}

func TestEndOfContextEndsTheCall(t *testing.T) {
	t.Run("while it waits for the first frame", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := bedrock(t, func(r reply) {
			cancel()
			<-r.r.Context().Done()
		}).Open(ctx, target, ask("hello"))
		assertClass(t, converse.Canceled, err)
	})
	t.Run("while it waits for more", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s, err := bedrock(t, func(r reply) {
			r.start()
			r.text("half")
			<-r.r.Context().Done()
		}).Open(ctx, target, ask("hello"))
		require.NoError(t, err)
		_, err = s.Next()
		require.NoError(t, err)
		cancel()
		_, err = s.Next()
		assertClass(t, converse.Canceled, err)
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
	})
}

func assertClass(t *testing.T, want converse.Class, err error) *converse.Error {
	t.Helper()
	var e *converse.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, want, e.Class, "%v", err)
	assert.Equal(t, region, e.Region)
	return e
}
