package invoker_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/apigw"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/crossregion/crossregion/lambda/invoker"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// environment is what contract and Lambda put into a function, with Bedrock and
// DynamoDB at url.
func environment[C contract.Config](t *testing.T, c C, url string) func(string) string {
	t.Helper()
	env, err := contract.Encode(c)
	require.NoError(t, err)
	env["AWS_REGION"], env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = "eu-west-1", "AKIDEXAMPLE", "secret"
	env["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"], env["AWS_ENDPOINT_URL_DYNAMODB"] = url, url
	return func(name string) string { return env[name] }
}

func config() contract.Invoker {
	return contract.Invoker{
		Stack: "eu", Jurisdiction: "eu", Region: "eu-west-1", Regions: []string{"eu-west-1", "eu-central-1"},
		Allowed:       []string{"eu-central-1", "eu-west-1"},
		Conversations: contract.Conversations{Table: "content", Partners: []string{"eu-central-1"}, RetentionDays: 30},
		ControlTable:  "control", UsageRetentionDays: 400,
		Models: []contract.Model{{Name: "claude-sonnet", Base: "anthropic.claude-sonnet-4-6", Targets: []contract.Target{
			{Region: "eu-west-1", ID: "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a", Destinations: []string{"eu-west-1"}},
			{Region: "eu-central-1", ID: "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/b", Destinations: []string{"eu-central-1"}},
		}}},
	}
}

func healthConfig() contract.Health {
	return contract.Health{Stack: "eu", Region: "eu-west-1", Regions: []string{"eu-west-1", "eu-central-1"}, Table: "control"}
}

// bedrock throttles in eu-west-1, with the first frame of a stream, and answers
// in eu-central-1.
func bedrock(t *testing.T) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		assert.NoError(t, err)
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		frame := func(message, header, kind, payload string) {
			m := eventstream.Message{Payload: []byte(payload)}
			m.Headers.Set(":message-type", eventstream.StringValue(message))
			m.Headers.Set(header, eventstream.StringValue(kind))
			m.Headers.Set(":content-type", eventstream.StringValue("application/json"))
			assert.NoError(t, eventstream.NewEncoder().Encode(w, m))
		}
		if strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/bedrock/") {
			frame("exception", ":exception-type", "throttlingException", `{"message":"slow down"}`)
			return
		}
		frame("event", ":event-type", "messageStart", `{"role":"assistant"}`)
		frame("event", ":event-type", "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"Hello"}}`)
		frame("event", ":event-type", "messageStop", `{"stopReason":"end_turn"}`)
		frame("event", ":event-type", "metadata", `{"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":1}}`)
	}))
	t.Cleanup(server.Close)
	return server
}

func TestFunctionAnswersFromAnotherRegion(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	h, err := invoker.New(environment(t, config(), bedrock(t).URL), log)
	require.NoError(t, err)
	for name, want := range map[string]string{"false": `"content":"Hello"`, "true": `"delta":{"content":"Hello"}`} {
		t.Run("stream "+name, func(t *testing.T) {
			resp, err := apigw.Handler(h, log)(t.Context(), events.APIGatewayProxyRequest{
				HTTPMethod: http.MethodPost, Path: "/v1/chat/completions",
				MultiValueHeaders: map[string][]string{"Content-Type": {"application/json"}},
				Body:              `{"model":"claude-sonnet","stream":` + name + `,"messages":[{"role":"user","content":"hello"}]}`,
			})
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Close())
			assert.Equal(t, http.StatusOK, resp.StatusCode, "%s", body)
			assert.Contains(t, string(body), want)
			assert.Equal(t, []string{"eu-central-1"}, resp.MultiValueHeaders[contract.HeaderTarget])
			assert.Equal(t, []string{"2"}, resp.MultiValueHeaders[contract.HeaderAttempts])
		})
	}
}

// TestTheSameZipIsTheHealthFunction, which reads the drain flag with the SDK.
func TestTheSameZipIsTheHealthFunction(t *testing.T) {
	for answer, want := range map[string]int{`{}`: http.StatusOK, `{"Item":{"pk":{"S":"drain#eu-west-1"}}}`: http.StatusServiceUnavailable} {
		table := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			assert.NoError(t, err)
			assert.JSONEq(t, `{"TableName":"control","Key":{"pk":{"S":"drain#eu-west-1"},"sk":{"S":"drain"}}}`, string(body))
			_, err = io.WriteString(w, answer)
			assert.NoError(t, err)
		}))
		defer table.Close()
		h, err := invoker.New(environment(t, healthConfig(), table.URL), slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, contract.HealthPath, nil))
		assert.Equal(t, want, w.Code, answer)
	}
}

func TestStartIsLogged(t *testing.T) {
	for function, getenv := range map[string]func(string) string{
		"invoker": environment(t, config(), ""),
		"health":  environment(t, healthConfig(), ""),
	} {
		var log bytes.Buffer
		_, err := invoker.New(getenv, slog.New(slog.NewTextHandler(&log, nil)))
		require.NoError(t, err)
		assert.Contains(t, log.String(), "level=INFO msg=start function="+function+" stack=eu region=eu-west-1\n")
	}
}

// TestTargetThatLeavesIsNeverCalled, though it is the nearer one and the other
// would answer.
func TestTargetThatLeavesIsNeverCalled(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("somebody was called") }))
	defer server.Close()
	c := config()
	c.Models[0].Targets[0].Destinations = []string{"eu-west-1", "eu-west-2"}
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	h, err := invoker.New(environment(t, c, server.URL), log)
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(out.String(), "level=ERROR msg=residency_violation model=claude-sonnet target=eu-west-1 outside=[eu-west-2] jurisdiction=eu"))

	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(`{"model":"claude-sonnet","messages":[{"role":"user","content":"hello"}]}`))
	r.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(w, r)
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	assert.Contains(t, w.Body.String(), `"code":"residency_violation"`)
	assert.Equal(t, "false", w.Header().Get(contract.HeaderShouldRetry))
	assert.Equal(t, "0", w.Header().Get(contract.HeaderAttempts))
	assert.Contains(t, out.String(), "ResidencyViolations=1")
	assert.Equal(t, 1, strings.Count(out.String(), "level=ERROR"), "logged at start, counted per request")
}

func TestLimitsAreTheConfigured(t *testing.T) {
	c := config()
	assert.Equal(t, failover.Config{Hedge: failover.Hedge{Share: contract.DefaultHedgeShare}}, invoker.Limits(c), "the defaults are failover's")
	three, none := 3, 0
	c.Failover = contract.Failover{
		FirstContentSeconds: 45, IdleSeconds: 1.5, HoldSeconds: 2, KeepAliveSeconds: 3, Retries: &three, BackoffSeconds: 0.25,
		BreakerFailures: 4, BreakerOpenSeconds: 5, HedgeDelaySeconds: 6, HedgeShare: 0.5,
	}
	assert.Equal(t, failover.Config{
		FirstContent: 45 * time.Second, Idle: 1500 * time.Millisecond, Hold: 2 * time.Second, KeepAlive: 3 * time.Second,
		Retries: 3, Backoff: 250 * time.Millisecond, Breaker: failover.Breaker{Failures: 4, Open: 5 * time.Second},
		Hedge: failover.Hedge{Delay: 6 * time.Second, Share: 0.5},
	}, invoker.Limits(c))
	c.Failover = contract.Failover{Retries: &none, ContinueStreams: true}
	assert.Equal(t, -1, invoker.Limits(c).Retries, "none is not the default")
	assert.NotNil(t, invoker.Limits(c).Prefill)
}

func TestNewRejects(t *testing.T) {
	good := environment(t, config(), "")
	health := environment(t, healthConfig(), "")
	without := func(getenv func(string) string, missing string) func(string) string {
		return func(name string) string {
			if name == missing {
				return ""
			}
			return getenv(name)
		}
	}
	foreign := config()
	foreign.Conversations.TieBreaker = "eu-north-1"
	tests := []struct {
		name   string
		getenv func(string) string
		want   string
	}{
		{"a tie breaker that has no replica", environment(t, foreign, ""), `the tie breaker is "eu-north-1"`},
		{"no function", without(good, contract.EnvFunction), `want "invoker" or "health"`},
		{"no configuration of the API", without(good, contract.EnvConfig), contract.EnvConfig},
		{"no configuration of the health function", without(health, contract.EnvConfig), contract.EnvConfig},
		{"no credentials", without(good, "AWS_ACCESS_KEY_ID"), "AWS_ACCESS_KEY_ID is missing"},
		{"no credentials of the health function", without(health, "AWS_ACCESS_KEY_ID"), "AWS_ACCESS_KEY_ID is missing"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := invoker.New(tt.getenv, slog.New(slog.DiscardHandler))
			assert.ErrorContains(t, err, tt.want)
		})
	}
}
