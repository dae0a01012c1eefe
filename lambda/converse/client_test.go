package converse_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRequestOnTheWire(t *testing.T) {
	tests := []struct {
		name string
		in   converse.Request
		want string
	}{
		{
			"the least there is has a bound nevertheless", ask("hello"),
			`{"messages":[{"role":"user","content":[{"text":"hello"}]}],"inferenceConfig":{"maxTokens":4096}}`,
		},
		{
			"all there is",
			converse.Request{
				System: []converse.Part{{Text: "be brief"}, {Text: "be kind"}},
				Messages: []converse.Message{
					{Role: converse.User, Parts: []converse.Part{{Text: "a"}, {Text: "b"}}},
					{Role: converse.Assistant, Parts: []converse.Part{{Text: "c"}}},
					{Role: converse.User, Parts: []converse.Part{{Text: "d"}}},
				},
				MaxTokens: 9, Temperature: aws.Float32(0), TopP: aws.Float32(0.5), Stop: []string{"END"},
			},
			`{"system":[{"text":"be brief"},{"text":"be kind"}],
			  "messages":[{"role":"user","content":[{"text":"a"},{"text":"b"}]},
			              {"role":"assistant","content":[{"text":"c"}]},
			              {"role":"user","content":[{"text":"d"}]}],
			  "inferenceConfig":{"maxTokens":9,"temperature":0,"topP":0.5,"stopSequences":["END"]}}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path, body := wire(t, tt.in)
			assert.Equal(t, "/model/"+url.QueryEscape(target.ID)+"/converse-stream", path)
			assert.JSONEq(t, tt.want, body)
		})
	}
}

// wire returns where in is sent to and in what words.
func wire(t *testing.T, in converse.Request) (path, body string) {
	t.Helper()
	c := bedrock(t, func(r reply) {
		path, body = r.r.URL.EscapedPath(), string(r.body)
		r.start()
		r.stop("end_turn")
	})
	s, err := c.Open(t.Context(), target, in)
	require.NoError(t, err)
	_, err = s.Next()
	require.NoError(t, err)
	require.NoError(t, s.Close())
	return path, body
}

func TestGuardrailChecksBeforeAnythingIsSent(t *testing.T) {
	guarded := target
	guarded.Guardrail = &contract.Guardrail{ID: "g", Version: "7"}
	var body []byte
	s, err := bedrock(t, func(r reply) { body = r.body }).Open(t.Context(), guarded, ask("hello"))
	require.NoError(t, err)
	require.NoError(t, s.Close())
	assert.JSONEq(t, `{"messages":[{"role":"user","content":[{"text":"hello"}]}],"inferenceConfig":{"maxTokens":4096},
		"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"7","streamProcessingMode":"sync"}}`, string(body))
}

func TestEachRegionIsCalledAsItself(t *testing.T) {
	var scopes []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		scopes = append(scopes, strings.Split(scope, "/")[2])
		reply{t: t, w: w, r: r}.refuse(403, "AccessDeniedException", "no")
	}))
	defer server.Close()
	c := converse.New(config(t, server.URL), []string{"eu-west-1", "eu-central-1"})
	for _, r := range []string{"eu-central-1", "eu-west-1"} {
		_, err := c.Open(t.Context(), contract.Target{Region: r, ID: "m"}, ask("hello"))
		assert.ErrorContains(t, err, "converse in "+r+": denied (AccessDeniedException)")
	}
	assert.Equal(t, []string{"eu-central-1", "eu-west-1"}, scopes)
}

func TestRegionThatTheClientWasNotBuiltFor(t *testing.T) {
	c := bedrock(t, func(reply) { t.Error("somebody was called") })
	_, err := c.Open(t.Context(), contract.Target{Region: "us-east-1", ID: "m"}, ask("hello"))
	assert.EqualError(t, err, "converse in us-east-1: unavailable")
}

func TestEndlessAnswerIsCutOff(t *testing.T) {
	ended := make(chan struct{})
	texts, _, err := read(t, bedrock(t, func(r reply) {
		defer close(ended)
		r.start()
		for r.r.Context().Err() == nil {
			if !r.flood(1 << 20) {
				return
			}
		}
	}))
	assertClass(t, converse.Incomplete, err)
	assert.Less(t, len(texts), converse.MaxResponseBytes>>20+1)
	<-ended
}

func TestClassesThatAnotherRegionMayDoBetter(t *testing.T) {
	for _, c := range []converse.Class{
		converse.Throttled, converse.Unavailable, converse.ModelFailed, converse.Incomplete,
		converse.Timeout, converse.Denied, converse.NotFound,
	} {
		assert.True(t, c.Elsewhere(), c)
	}
	for _, c := range []converse.Class{converse.Invalid, converse.TooLong, converse.Canceled, converse.Outside} {
		assert.False(t, c.Elsewhere(), c)
	}
}
