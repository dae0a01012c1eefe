package lambda_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFunctionErrors(t *testing.T) {
	tests := []struct {
		name        string
		order       order
		settings    props
		start       string
		kind        string
		message     string
		environment int
	}{
		{"an error of the handler", order{"do": "fail", "text": "no such table"}, nil, "", "errorString", `^no such table$`, 1},
		{"an exit", order{"do": "exit"}, nil, "", "Runtime.ExitError", `^RequestId: \S+ Error: Runtime exited with error: exit status 3$`, 0},
		{"a timeout", order{"do": "hang"}, props{"timeout": 1.0}, "", "Sandbox.Timedout", `Task timed out after 1\.00 seconds$`, 0},
		{"too large a response", order{"do": "large", "size": 6<<20 + 100}, nil, "", "Function.ResponseSizeTooLarge", `\(6291556 bytes\)`, 0},
		{"an exit at the start", order{"do": "answer"}, nil, "exit", "Runtime.ExitError", `exit status 1$`, 0},
		{"a reported error at the start", order{"do": "answer"}, nil, "error", "Config.Missing", `^no table$`, 0},
		{"no start in time", order{"do": "answer"}, nil, "hang", "Sandbox.Timedout", `Init phase timed out after 0\.10 seconds$`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			if tt.start == "hang" {
				w.SetLimits(100*time.Millisecond, time.Second)
			}
			arn := w.function(merge(props{"environment": props{"variables": props{"START": tt.start}}}, tt.settings))
			for _, stream := range []bool{false, true} {
				r, err := w.Invoke(t.Context(), invocation(arn, tt.order, stream))
				require.NoError(t, err)
				if stream && tt.kind == "Function.ResponseSizeTooLarge" {
					require.NoError(t, r.Body.Close())
					continue // 200 MB may be streamed
				}
				assert.Equal(t, "Unhandled", r.FunctionError)
				assert.Equal(t, "application/json", r.ContentType)
				got := decode(t, w.read(r))
				assert.Equal(t, tt.kind, got["errorType"])
				assert.Regexp(t, tt.message, got["errorMessage"])
			}
			if tt.kind != "Function.ResponseSizeTooLarge" {
				assert.Equal(t, tt.environment, w.Environments())
			}
		})
	}
}

func TestLargestResponseIsReturned(t *testing.T) {
	w := newWorld(t)
	body, r := w.call(w.function(nil), order{"do": "large", "size": 6<<20 + 98}) // and two quotes
	assert.Empty(t, r.FunctionError)
	assert.Len(t, body, 6<<20+100)
}

func TestStreamBreaksOff(t *testing.T) {
	tests := []struct {
		name   string
		chunks []string
		want   string
	}{
		{"when the function reports an error", []string{"one", "break"}, "model went away"},
		{"when the process exits", []string{"one", "exit"}, "exit status 3"},
		{"when time is up", []string{"one", "wait"}, "Task timed out after 1.00 seconds"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, g := newWorld(t), newGate(t)
			arn := w.function(props{"timeout": map[bool]float64{true: 1, false: 60}[tt.chunks[1] == "wait"]})
			go func() {
				g.await()
				g.pass()
			}()
			r, err := w.Invoke(t.Context(), invocation(arn, order{"do": "stream", "gate": g.url, "chunks": tt.chunks, "text": "model went away"}, true))
			require.NoError(t, err)
			assert.Empty(t, r.FunctionError)
			var got strings.Builder
			for !strings.HasSuffix(got.String(), "one") {
				got.WriteString(read(t, r.Body, 1))
			}
			assert.Equal(t, tt.chunks[1], g.await())
			if tt.chunks[1] != "wait" {
				g.pass()
			}
			rest, err := io.ReadAll(r.Body)
			assert.ErrorContains(t, err, tt.want)
			assert.Empty(t, rest)
			require.NoError(t, r.Body.Close())
		})
	}
}

func TestLogsHoldWhatTheFunctionWrites(t *testing.T) {
	w := newWorld(t)
	w.must("aws:cloudwatch/logGroup:LogGroup", "logs", props{"name": "/aws/lambda/f"})
	arn := w.function(nil)
	w.call(arn, order{"do": "answer", "text": "hello"})
	w.call(arn, order{"do": "exit"})
	w.close()
	lines := w.Logs("/aws/lambda/f")
	all := strings.Join(lines, "\n")
	assert.Regexp(t, `^START RequestId: \S+ Version: \$LATEST$`, lines[0])
	assert.Contains(t, lines, "says hello")
	assert.Regexp(t, `REPORT RequestId: \S+\tDuration: \S+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tInit Duration: \S+ ms\n`, all)
	assert.Regexp(t, `RequestId: \S+ Error: Runtime exited with error: exit status 3\nEND RequestId: \S+\nREPORT .*\tStatus: error\tError Type: Runtime.ExitError$`, all)
	assert.Equal(t, lines, w.Logs("arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/f"))
	assert.Empty(t, w.Logs("arn:aws:logs:eu-west-2:123456789012:log-group:/aws/lambda/f"))
}

func TestLastLineWithoutAnEndIsLogged(t *testing.T) {
	w := newWorld(t)
	w.call(w.function(props{"environment": props{"variables": props{"START": "exit"}}}), order{"do": "answer"})
	assert.Contains(t, w.Logs("/aws/lambda/f"), "not today")
}

func TestLogsAreThoseOfTheRole(t *testing.T) {
	tests := []struct {
		name    string
		denied  string
		group   bool
		dropped bool
	}{
		{"a permitted role writes", "", true, false},
		{"a group that exists need not be created", "logs:CreateLogGroup", true, false},
		{"a role that may creates the group", "", false, false},
		{"no group is created without permission", "logs:CreateLogGroup", false, true},
		{"no stream is created without permission", "logs:CreateLogStream", true, true},
		{"no event is written without permission", "logs:PutLogEvents", true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.iam.denied = []string{tt.denied}
			if tt.group {
				w.must("aws:cloudwatch/logGroup:LogGroup", "logs", props{"name": "custom"})
			}
			arn := w.function(props{"loggingConfig": props{"logFormat": "Text", "logGroup": "custom"}})
			w.call(arn, order{"do": "exit"})
			w.call(arn, order{"do": "exit"})
			w.close()
			assert.Equal(t, tt.dropped, len(w.Logs("custom")) == 0)
			assert.Equal(t, map[bool]int{true: 1}[tt.dropped], strings.Count(w.log.String(), "logs of a function are dropped"))
			assert.Equal(t, "arn:aws:sts::123456789012:assumed-role/invoker/f", w.iam.caller.ARN)
			assert.Equal(t, "invoker", w.iam.caller.Role)
			if !tt.dropped {
				assert.Regexp(t, `^arn:aws:logs:eu-west-1:123456789012:log-group:custom:log-stream:2026/03/01/\[\$LATEST\]\w{32}$`, w.iam.asked[len(w.iam.asked)-1])
			}
		})
	}
}

func TestJSONLogs(t *testing.T) {
	tests := []struct {
		level string
		want  []string
	}{
		{"INFO", []string{"platform.start success", "platform.report success", "platform.start success", "platform.report error"}},
		{"WARN", []string{"platform.report error"}},
	}
	for _, tt := range tests {
		t.Run(tt.level, func(t *testing.T) {
			w := newWorld(t)
			arn := w.function(props{"loggingConfig": props{"logFormat": "JSON", "systemLogLevel": tt.level}})
			w.call(arn, order{"do": "context"})
			w.call(arn, order{"do": "exit"})
			var got []string
			for _, line := range w.Logs("/aws/lambda/f") {
				var e struct {
					Time   time.Time
					Type   string
					Record struct {
						RequestID string `json:"requestId"`
						Status    string
						Metrics   map[string]float64
					}
				}
				require.NoError(t, json.Unmarshal([]byte(line), &e), line)
				assert.NotEmpty(t, e.Record.RequestID)
				if e.Type == "platform.report" {
					assert.InDelta(t, 128, e.Record.Metrics["memorySizeMB"], 0)
				} else {
					e.Record.Status = "success"
				}
				got = append(got, e.Type+" "+e.Record.Status)
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func merge(a, b props) props {
	out := props{}
	for _, m := range []props{a, b} {
		for k, v := range m {
			out[k] = v
		}
	}
	return out
}
