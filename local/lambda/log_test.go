package lambda_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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

func TestLongLinesAreCut(t *testing.T) {
	w := newWorld(t)
	w.call(w.function(nil), order{"do": "print", "size": 256 << 10, "text": "tail"})
	w.close()
	lines := w.Logs("/aws/lambda/f")
	assert.Contains(t, lines, strings.Repeat("x", 256<<10))
	assert.Contains(t, lines, "tail")
}

func TestOldLinesAreForgotten(t *testing.T) {
	w := newWorld(t)
	arn := w.function(nil)
	w.call(arn, order{"do": "answer", "text": "first"})
	w.call(arn, order{"do": "print", "size": 5 << 20})
	w.call(arn, order{"do": "print", "text": "last"})
	w.close()
	lines := w.Logs("/aws/lambda/f")
	assert.NotContains(t, lines, "says first")
	assert.Contains(t, lines, "last")
	assert.LessOrEqual(t, len(strings.Join(lines, "")), 4<<20)
}
