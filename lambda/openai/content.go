package openai

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/crossregion/crossregion/lambda/converse"
)

// content takes the content of the message c, each part by read, without texts
// that are blank: they say nothing, and Converse refuses them.
func (all *conversation) content(c *object, read func(p *object, kind string) []converse.Part) []converse.Part {
	raw := c.take("content")
	if raw == nil {
		return nil
	}
	var raws []json.RawMessage
	var whole string
	isText := json.Unmarshal(raw, &whole) == nil
	if !isText && json.Unmarshal(raw, &raws) != nil {
		c.wrongType("content", "a string or an array of parts")
	}
	all.parts += max(len(raws), 1)
	if all.parts > maxParts {
		c.invalid("content", "the messages have more than %d parts in all", maxParts)
	}
	if isText {
		return text(whole)
	}
	var parts []converse.Part
	for i, raw := range raws {
		if c.err != nil {
			return nil
		}
		p := c.child(fmt.Sprintf("content[%d]", i), raw)
		parts = append(parts, read(p, needed(p, "type"))...)
		p.finish()
	}
	return parts
}

// blank tells whether a text says nothing: models refuse one of white space too.
func blank(s string) bool { return strings.TrimSpace(s) == "" }

// text is a part of its own unless it is blank.
func text(s string) []converse.Part {
	if blank(s) {
		return nil
	}
	return []converse.Part{{Text: s}}
}

// textPart takes a part of a message that has texts only.
func textPart(p *object, kind string) []converse.Part {
	if kind != "text" {
		p.set(unsupportedValue(p.path+"type", "This service supports content of type text only here."))
	}
	return textIn(p, "text")
}

func textIn(p *object, name string) []converse.Part {
	return text(needed(p, name))
}

// assistantPart takes a part of what a model said. Clients that make one of a
// whole message leave that one's other members in it.
func assistantPart(p *object, kind string) []converse.Part {
	p.refuse("role", "assistant")
	p.refuse("annotations", []any{})
	if kind == "refusal" {
		return textIn(p, "refusal")
	}
	p.refuse("refusal")
	return textPart(p, kind)
}

// userPart takes a part of what a user said.
func userPart(p *object, kind string) []converse.Part {
	switch kind {
	case "text":
		return textIn(p, "text")
	case "image_url":
		return imageURL(p.child(kind, p.take(kind)))
	case "file":
		return file(p.child(kind, p.take(kind)))
	case "input_audio":
		p.set(unsupportedValue(p.path+"type", "No model of this service listens to audio."))
	default:
		p.invalid("type", "expected one of text, image_url and file")
	}
	return nil
}

func imageURL(o *object) []converse.Part {
	detail(o)
	image := imagePart(o, "url", needed(o, "url"))
	o.finish()
	return []converse.Part{image}
}

func file(o *object) []converse.Part {
	if o.take("file_id") != nil {
		o.set(unsupported(o.path+"file_id", "This service stores no files: send 'file_data'."))
	}
	filename := value[string](o, "filename", "a string")
	document := documentPart(o, "file_data", needed(o, "file_data"), filename)
	o.finish()
	return []converse.Part{document}
}
