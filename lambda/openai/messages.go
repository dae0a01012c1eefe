package openai

import (
	"encoding/json"
	"fmt"

	"github.com/crossregion/crossregion/lambda/converse"
)

// messages takes the conversation. Converse keeps instructions apart and wants
// roles to alternate, so system and developer messages are collected from
// wherever they stand, and neighbours of one role become one message of several
// parts.
func messages(o *object) (system []string, turns []converse.Message) {
	raws := field[[]json.RawMessage](o, "messages", "an array of messages")
	if raws == nil {
		o.set(invalid("messages", "missing_required_parameter", "Missing required parameter: 'messages'."))
		return nil, nil
	}
	for i, raw := range *raws {
		c := o.child(fmt.Sprintf("messages[%d]", i), raw)
		role := value[string](c, "role", "a string")
		texts := content(c)
		switch role {
		case "system", "developer":
			system = append(system, texts...)
		case "user", "assistant":
			if len(texts) == 0 {
				c.invalid("content", "it is empty, which models refuse")
			}
			turns = say(turns, converse.Role(role), texts)
		case "tool", "function":
			c.set(unsupported(c.path+"role", "This service does not support tools."))
		default:
			c.invalid("role", "expected one of system, developer, user and assistant")
		}
		messageExtras(c)
	}
	if len(turns) == 0 {
		o.invalid("messages", "at least one message must be the user's")
	}
	return system, turns
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

// say adds texts to the turns, as part of the last if it has the same role.
func say(turns []converse.Message, role converse.Role, texts []string) []converse.Message {
	if len(turns) == 0 || turns[len(turns)-1].Role != role {
		turns = append(turns, converse.Message{Role: role})
	}
	last := &turns[len(turns)-1]
	for _, t := range texts {
		last.Parts = append(last.Parts, converse.Part{Text: t})
	}
	return turns
}

// content takes the texts of a message, without empty ones, which say nothing
// and which Converse refuses.
func content(c *object) []string {
	raw := c.take("content")
	if raw == nil {
		return nil
	}
	var parts []json.RawMessage
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return nonEmpty(text)
	}
	if json.Unmarshal(raw, &parts) != nil {
		c.wrongType("content", "a string or an array of parts")
	}
	var texts []string
	for i, raw := range parts {
		p := c.child(fmt.Sprintf("content[%d]", i), raw)
		kind := value[string](p, "type", "a string")
		if kind != "text" {
			p.set(unsupported(p.path+"type", "This service supports content of type text only."))
		}
		text := field[string](p, "text", "a string")
		if text == nil {
			p.invalid("text", "it is missing")
			continue
		}
		texts = append(texts, nonEmpty(*text)...)
		p.finish()
	}
	return texts
}

func nonEmpty(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}
