package openai

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/crossregion/crossregion/lambda/converse"
)

// Limits of one request: its messages, and the parts of all their contents
// together, a string being one part.
const (
	maxMessages = 2048
	maxParts    = 2048
)

// conversation collects the messages of a request.
type conversation struct {
	system  []converse.Part
	turns   []converse.Message
	parts   int      // of all contents so far
	pending []string // ids of the assistant's calls that have no result yet
}

// messages takes the conversation. Converse keeps instructions apart and wants
// roles to alternate, so system and developer messages are collected from
// wherever they stand, and neighbours of one role become one message of several
// parts; what tools answered is the user's.
func messages(o *object) (system []converse.Part, turns []converse.Message) {
	raws := field[[]json.RawMessage](o, "messages", "an array of messages")
	if raws == nil {
		o.missing("messages")
		return nil, nil
	}
	if len(*raws) > maxMessages {
		o.invalid("messages", "%d messages are more than %d", len(*raws), maxMessages)
	}
	var all conversation
	for i, raw := range *raws {
		if o.err != nil {
			return nil, nil
		}
		all.add(o.child(fmt.Sprintf("messages[%d]", i), raw))
	}
	all.end(o, "messages")
	return all.system, framed(all.turns)
}

// What stands for the user where the assistant speaks first, with a greeting, say,
// or since what it answered was deleted, and where it speaks last.
const (
	opening = "(The assistant speaks first.)"
	closing = "(Please go on.)"
)

// framed begins and ends with the user, as models want it: they take an
// assistant's last words for their own, to go on within them.
func framed(turns []converse.Message) []converse.Message {
	user := func(text string) converse.Message {
		return converse.Message{Role: converse.User, Parts: []converse.Part{{Text: text}}}
	}
	if len(turns) == 0 || turns[0].Role != converse.User {
		turns = append([]converse.Message{user(opening)}, turns...)
	}
	if turns[len(turns)-1].Role != converse.User {
		turns = append(turns, user(closing))
	}
	return turns
}

// end faults a conversation that no model could go on with; name is that of the
// list in o.
func (all *conversation) end(o *object, name string) {
	switch {
	case len(all.turns)+len(all.system) == 0:
		o.invalid(name, "nothing is said in it")
	case len(all.pending) > 0:
		o.invalid(name, "the last calls of tools have no results")
	}
}

// add takes the message c.
func (all *conversation) add(c *object) {
	name := speaker(c)
	switch role := needed(c, "role"); role {
	case "system", "developer":
		all.system = append(all.system, spokenBy(name, all.content(c, textPart))...)
	case "user":
		all.say(c, converse.User, spokenBy(name, all.notEmpty(c, all.content(c, userPart))))
	case "assistant":
		all.assistant(c)
	case "tool":
		all.tool(c)
	case "function":
		c.set(unsupportedValue(c.path+"role", "Functions are deprecated: use tools."))
	default:
		c.invalid("role", "expected one of system, developer, user, assistant and tool")
	}
	messageExtras(c)
}

// speakerName is what OpenAI lets names of participants be.
var speakerName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[^\s<|\\/>]{1,64}$`) })

// speaker takes the name of who speaks, "" for none.
func speaker(c *object) string {
	name := field[string](c, "name", "a string")
	if name == nil {
		return ""
	}
	if !speakerName().MatchString(*name) {
		c.invalid("name", `it must have 1 to 64 characters, no space and none of <|\/>`)
	}
	return *name
}

// spokenBy puts the speaker's name before what was said, since Converse has no
// other place for it. That of an assistant or a tool is left out: models would
// take it for the way to answer, or know it from the call.
func spokenBy(name string, parts []converse.Part) []converse.Part {
	if name == "" || len(parts) == 0 {
		return parts
	}
	return append([]converse.Part{{Text: name + ":"}}, parts...)
}

// Where OpenAI's SDKs leave what they have read out of an answer's JSON. They send
// it back with the answer, which says the same.
const (
	parsedContent   = "parsed"
	parsedArguments = "parsed_arguments"
)

// messageExtras refuses what a message may have besides its content. A client
// that sends an answer back as it got it sends most of these, empty.
func messageExtras(c *object) {
	none := []any{}
	c.refuse("refusal")
	c.refuse("audio")
	c.refuse("function_call")
	c.refuse("tool_calls", none)
	c.refuse("tool_call_id")
	c.refuse("annotations", none)
	c.finish()
}

// assistant takes what a model said and called. Its thoughts are left out: only
// with a proof that chat completions do not carry would a model take them back,
// and it does without.
func (all *conversation) assistant(c *object) {
	parts := all.content(c, assistantPart)
	parts = append(parts, text(value[string](c, "refusal", "a string"))...)
	value[string](c, "reasoning_content", "a string")
	c.take(parsedContent)
	calls := value[[]json.RawMessage](c, "tool_calls", "an array of calls")
	if all.parts += len(calls); all.parts > maxParts {
		c.invalid("tool_calls", "the messages have more than %d parts in all", maxParts)
	}
	var ids []string
	for i, raw := range calls {
		if c.err != nil {
			return
		}
		call := c.child(fmt.Sprintf("tool_calls[%d]", i), raw)
		use := toolCall(call)
		if slices.Contains(all.pending, use.ID) || slices.Contains(ids, use.ID) {
			call.invalid("id", "another call before has the same, and no result yet")
		}
		ids, parts = append(ids, use.ID), append(parts, converse.Part{ToolUse: use})
	}
	if len(parts) > 0 { // a model that said nothing is not quoted
		all.say(c, converse.Assistant, parts)
	}
	all.pending = append(all.pending, ids...)
}

// toolCall takes one of the assistant's calls.
func toolCall(o *object) *converse.ToolUse {
	id := callID(o, "id")
	o.take("index") // of who puts a call together from its chunks
	f := nested.function(o)
	use := &converse.ToolUse{ID: id, Name: functionName(f), Input: arguments(f, "arguments")}
	f.take(parsedArguments)
	f.finish()
	return use
}

// callID takes the id of a call.
func callID(o *object, name string) string {
	id := needed(o, name)
	if !toolID().MatchString(id) {
		o.invalid(name, "it must have 1 to 64 letters, digits, underscores, hyphens, dots and colons")
	}
	return id
}

// arguments takes the JSON object that a function was called with, which is
// written as a string.
func arguments(o *object, name string) json.RawMessage {
	written := value[string](o, name, "a string")
	if blank(written) {
		return json.RawMessage("{}")
	}
	if _, err := parse([]byte(written)); err != nil {
		o.invalid(name, "it must be a JSON object in a string")
	}
	return json.RawMessage(written)
}

// tool takes what a tool answered.
func (all *conversation) tool(c *object) {
	result := &converse.ToolResult{ID: callID(c, "tool_call_id"), Parts: all.content(c, textPart)}
	all.result(c, "tool_call_id", result)
}

// result adds what a tool answered to one of the assistant's last calls; name is
// that of the call's id in c.
func (all *conversation) result(c *object, name string, r *converse.ToolResult) {
	at := slices.Index(all.pending, r.ID)
	if at < 0 {
		c.invalid(name, "it answers none of the calls right before")
		return
	}
	all.pending = slices.Delete(all.pending, at, at+1)
	all.append(converse.User, []converse.Part{{ToolResult: r}})
}

func (all *conversation) notEmpty(c *object, parts []converse.Part) []converse.Part {
	if len(parts) == 0 {
		c.invalid("content", "it is empty, which models refuse")
	}
	return parts
}

// say adds the parts of c to the turns, as part of the last if it has the same
// role.
func (all *conversation) say(c *object, role converse.Role, parts []converse.Part) {
	sameTurn := len(all.turns) > 0 && all.turns[len(all.turns)-1].Role == role
	if len(all.pending) > 0 && (role == converse.User || !sameTurn) {
		c.invalid("role", "calls of tools before have no results yet")
	}
	all.append(role, parts)
}

func (all *conversation) append(role converse.Role, parts []converse.Part) {
	if len(all.turns) == 0 || all.turns[len(all.turns)-1].Role != role {
		all.turns = append(all.turns, converse.Message{Role: role})
	}
	last := &all.turns[len(all.turns)-1]
	last.Parts = append(last.Parts, parts...)
}
