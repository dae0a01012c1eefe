package lambda_test

import (
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
		{"an end at the start", order{"do": "answer"}, nil, "quit", "Runtime.ExitError", `Runtime exited without providing a reason$`, 0},
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
		{"when time is up", []string{"one", "wait"}, "Task timed out after 60.00 seconds"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, g := newWorld(t), newGate(t)
			arn := w.function(nil)
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
			if tt.chunks[1] == "wait" {
				w.TimeIsUp()
			} else {
				g.pass()
			}
			rest, err := io.ReadAll(r.Body)
			assert.ErrorContains(t, err, tt.want)
			assert.Empty(t, rest)
			require.NoError(t, r.Body.Close())
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
