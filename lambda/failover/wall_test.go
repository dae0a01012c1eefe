package failover_test

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// part is an answer that stops after two words of three.
func part(last ...step) []step { return append([]step{say("one "), say("two ")}, last...) }

// whole is that answer without trouble.
func whole() []step { return part(say("three"), end()) }

func onceThenWell(steps ...step) script { return script{steps, whole()} }

// faults is what the first target does in each row of docs/fault-wall.md. A
// fault of the network shows as the classes that package converse gives it.
var faults = map[string]script{
	"429 with Retry-After, once":                 onceThenWell(after("2")),
	"429 for ever":                               always(fail(converse.Throttled)),
	"500 once":                                   onceThenWell(fail(converse.Unavailable)),
	"503 for ever":                               always(fail(converse.Unavailable)),
	"connection reset before headers, once":      onceThenWell(fail(converse.Unavailable).later(50 * ms)),
	"no response at all":                         always(silence()),
	"first token after its limit":                always(say("one ").later(25*second), say("two "), say("three"), end()),
	"cut after 2/3, once":                        onceThenWell(part(fail(converse.Incomplete))...),
	refusing:                                     always(part(fail(converse.Incomplete))...),
	"cut after 2/3 for ever":                     always(part(fail(converse.Incomplete))...),
	"stall after 1/3":                            always(say("one "), silence()),
	"corrupt frame, once":                        onceThenWell(part(fail(converse.Incomplete))...),
	"end of stream without messageStop, once":    onceThenWell(part(fail(converse.Incomplete))...),
	"context length exceeded":                    always(fail(converse.TooLong)),
	"content filter":                             always(say("one "), step{event: converse.Event{End: &converse.End{Reason: converse.StopFilter}}}),
	"throttling as the first frame, once":        onceThenWell(fail(converse.Throttled).later(100 * ms)),
	"internalServerException mid-stream, once":   onceThenWell(part(fail(converse.Unavailable))...),
	"modelStreamErrorException mid-stream, once": onceThenWell(part(fail(converse.ModelFailed))...),
	"validationException mid-stream":             always(part(fail(converse.Invalid))...),
	"access denied":                              always(fail(converse.Denied)),
	deniedEverywhere:                             always(fail(converse.Denied)),
	"profile missing":                            always(fail(converse.NotFound)),
	missingEverywhere:                            always(fail(converse.NotFound)),
	"reply lost after the work was done, once":   onceThenWell(fail(converse.Unavailable).later(5 * second)),
	"slow drip below the limit":                  always(say("one "), say("two ").later(59*second), say("three").later(59*second), end()),
}

// In these rows the second target is not well either: no target continues a
// beginning, or all fail alike.
const (
	refusing          = "cut after 2/3, and a beginning is refused"
	deniedEverywhere  = "access denied by every target"
	missingEverywhere = "profile missing in every target"
)

// TestFaultWall holds every cell of docs/fault-wall.md to what the engine does:
// what the caller gets, and how often each target is called.
func TestFaultWall(t *testing.T) {
	rows := readWall(t)
	assert.Len(t, rows, 2*len(faults), "one row per fault, for one and for two targets")
	for _, row := range rows {
		n := map[string]int{"one": 1, "two": 2}[row[1]]
		require.NotZero(t, n, "%q targets", row[1])
		for i, way := range []string{"not streamed", "streamed", "continued"} {
			bubble(t, strings.Join([]string{row[0], row[1], way}, ", "), func(t *testing.T) {
				fault, ok := faults[row[0]]
				require.True(t, ok, "no fault is called %q", row[0])
				m := &model{regions: map[string]script{"b": {whole()}}, refuses: row[0] == refusing}
				m.set("a", fault)
				if row[0] == deniedEverywhere || row[0] == missingEverywhere {
					m.set("b", fault)
				}
				e := engine(t, m, func(c *failover.Config) {
					if way == "continued" {
						continued(c)
					}
				})
				got := outcome(t, e, n, way == "not streamed")
				assert.Equal(t, row[2+i], got+", "+counts(m, n))
				checkSpacing(t, m)
			})
		}
	}
}

// outcome is what a caller gets: the whole answer, an error, or a part of the
// answer and an error. It takes no longer than the limits allow.
func outcome(t *testing.T, e *failover.Engine, n int, collected bool) string {
	t.Helper()
	started := time.Now()
	var text string
	var err error
	if collected {
		var answer converse.Answer
		answer, _, err = e.Answer(t.Context(), targets[:n], question)
		text = answer.Text()
	} else {
		var s converse.Stream
		if s, _, err = e.Open(t.Context(), targets[:n], question); err == nil {
			text, err = drain(t, s)
		}
	}
	assert.LessOrEqual(t, time.Since(started), 150*second)
	var failed *failover.Error
	switch {
	case err == nil && (text == "one two three" || text == "one "): // the latter filtered
		return "answer"
	case errors.As(err, &failed) && text == "":
		return string(failed.Class)
	case errors.As(err, &failed) && strings.HasPrefix("one two three", text):
		return "part, " + string(failed.Class)
	default:
		return fmt.Sprintf("%q, %v", text, err)
	}
}

// counts are the calls of each of n targets.
func counts(m *model, n int) string {
	if n == 1 {
		return strconv.Itoa(m.count("a"))
	}
	return fmt.Sprintf("%d+%d", m.count("a"), m.count("b"))
}

// checkSpacing has no target called again before it could have recovered.
func checkSpacing(t *testing.T, m *model) {
	t.Helper()
	for _, region := range []string{"a", "b"} {
		at := m.spacing(region)
		for i := 1; i < len(at); i++ {
			assert.GreaterOrEqual(t, at[i]-at[i-1], failover.DefaultBackoff/2)
		}
	}
}

// readWall returns the cells of the table in docs/fault-wall.md.
func readWall(t *testing.T) [][]string {
	t.Helper()
	page, err := os.ReadFile("../../docs/fault-wall.md")
	require.NoError(t, err)
	var rows [][]string
	for line := range strings.Lines(string(page)) {
		if cells := strings.Split(strings.Trim(line, "|\n"), "|"); len(cells) == 5 {
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows = append(rows, cells)
		}
	}
	require.Greater(t, len(rows), 2)
	return rows[2:] // the head, and the line below it
}
