package openai

import (
	"encoding/json"
	"fmt"

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
	system []converse.Part
	turns  []converse.Message
	last   *object // the message of the last turn
	parts  int     // of all contents so far
}

// messages takes the conversation. Converse keeps instructions apart and wants
// roles to alternate, so system and developer messages are collected from
// wherever they stand, and neighbours of one role become one message of several
// parts. The first turn and the last must be the user's: models refuse another
// beginning, and take an assistant's last words for their own, to go on with.
func messages(o *object) (system []converse.Part, turns []converse.Message) {
	raws := field[[]json.RawMessage](o, "messages", "an array of messages")
	if raws == nil {
		o.set(invalid("messages", "missing_required_parameter", "Missing required parameter: 'messages'."))
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
	switch {
	case len(all.turns) == 0:
		o.invalid("messages", "at least one message must be the user's")
	case all.turns[len(all.turns)-1].Role != converse.User:
		all.last.invalid("role", "the last message must be the user's")
	}
	return all.system, all.turns
}

// add takes the message c.
func (all *conversation) add(c *object) {
	role := value[string](c, "role", "a string")
	texts := all.content(c)
	switch role {
	case "system", "developer":
		for _, t := range texts {
			all.system = append(all.system, converse.Part{Text: t})
		}
	case "user", "assistant":
		if len(texts) == 0 {
			c.invalid("content", "it is empty, which models refuse")
		}
		all.say(c, converse.Role(role), texts)
	case "tool", "function":
		c.set(unsupported(c.path+"role", "This service does not support tools."))
	default:
		c.invalid("role", "expected one of system, developer, user and assistant")
	}
	messageExtras(c)
}

// messageExtras refuses what a message may have besides its text. A client that
// sends an answer back as it got it sends most of these, empty.
func messageExtras(c *object) {
	none := []any{}
	c.refuse("name")
	c.refuse("refusal")
	c.refuse("audio")
	c.refuse("function_call")
	c.refuse("tool_calls", none)
	c.refuse("tool_call_id")
	c.refuse("annotations", none)
	c.finish()
}

// say adds the texts of c to the turns, as part of the last if it has the same
// role.
func (all *conversation) say(c *object, role converse.Role, texts []string) {
	if len(all.turns) == 0 && role != converse.User {
		c.invalid("role", "the first message after the instructions must be the user's")
	}
	if len(all.turns) == 0 || all.turns[len(all.turns)-1].Role != role {
		all.turns = append(all.turns, converse.Message{Role: role})
	}
	last := &all.turns[len(all.turns)-1]
	for _, t := range texts {
		last.Parts = append(last.Parts, converse.Part{Text: t})
	}
	all.last = c
}

// content takes the texts of the message c, without empty ones, which say
// nothing and which Converse refuses.
func (all *conversation) content(c *object) []string {
	raw := c.take("content")
	if raw == nil {
		return nil
	}
	var parts []json.RawMessage
	var text string
	isText := json.Unmarshal(raw, &text) == nil
	if !isText && json.Unmarshal(raw, &parts) != nil {
		c.wrongType("content", "a string or an array of parts")
	}
	all.parts += max(len(parts), 1)
	if all.parts > maxParts {
		c.invalid("content", "the messages have more than %d parts in all", maxParts)
	}
	if isText {
		return nonEmpty(text)
	}
	var texts []string
	for i, raw := range parts {
		if c.err != nil {
			return nil
		}
		texts = append(texts, part(c.child(fmt.Sprintf("content[%d]", i), raw))...)
	}
	return texts
}

// part takes the text of one part of a message.
func part(p *object) []string {
	kind := value[string](p, "type", "a string")
	if kind != "text" {
		p.set(unsupported(p.path+"type", "This service supports content of type text only."))
	}
	text := field[string](p, "text", "a string")
	if text == nil {
		p.invalid("text", "it is missing")
		return nil
	}
	p.finish()
	return nonEmpty(*text)
}

func nonEmpty(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}
