package openai

import (
	"errors"
	"strings"
	"testing"

	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNoHistoryIsStuck, whatever was deleted from it and whatever was added at
// once: all histories of up to five items can be answered, by a question or, where
// the last calls wait for them, by outputs first.
func TestNoHistoryIsStuck(t *testing.T) {
	arguments := "{}"
	call := func(id string) item { return item{Type: itemCall, CallID: id, Name: "f", Arguments: &arguments} }
	output := func(id string) item { return item{Type: itemOutput, CallID: id, Output: []byte(`"x"`)} }
	say := func(role string) item {
		return item{Type: itemMessage, Role: role, Content: []itemPart{inputText("a")}}
	}
	kinds := []item{say("user"), say("assistant"), call("a"), call("b"), output("a"), output("b")}
	var extend func(history []item, more int)
	extend = func(history []item, more int) {
		d, err := newDialogue("m", "", history, []item{say("user")})
		if err != nil {
			d, err = newDialogue("m", "", history, append(waiting(history, output), say("user")))
			require.NoError(t, err, "%v", history)
		}
		assertAnswerable(t, d.messages)
		assertUnique(t, d.messages)
		for _, k := range kinds[:len(kinds)*min(more, 1)] {
			extend(append(history[:len(history):len(history)], k), more-1)
		}
	}
	extend(nil, 5)
}

// waiting are outputs of the calls of which a refusal says that they have none.
func waiting(history []item, output func(string) item) []item {
	var outputs []item
	for {
		_, err := newDialogue("m", "", history, append(outputs[:len(outputs):len(outputs)], item{Type: itemMessage, Role: "user", Content: []itemPart{inputText("a")}}))
		var e *apiError
		if !errors.As(err, &e) || len(outputs) == 2 {
			return outputs
		}
		_, id, _ := strings.Cut(strings.TrimSuffix(e.message, "."), "function call ")
		outputs = append(outputs, output(id))
	}
}

// assertUnique checks that no call stands twice, though it may be named as one
// in another turn is.
func assertUnique(t *testing.T, messages []converse.Message) {
	t.Helper()
	for _, m := range messages {
		seen := map[string]bool{}
		for _, p := range m.Parts {
			if p.ToolUse != nil {
				assert.False(t, seen[p.ToolUse.ID], "one message has two calls of one id")
				seen[p.ToolUse.ID] = true
			}
		}
	}
}
