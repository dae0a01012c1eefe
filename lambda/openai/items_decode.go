package openai

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/crossregion/crossregion/lambda/converse"
)

// itemDecoder reads the items of a request.
type itemDecoder struct {
	parts int // of all contents so far
}

// items takes an array of items, at most limit.
func (d *itemDecoder) items(o *object, name string, raws []json.RawMessage, limit int) []item {
	if len(raws) > limit {
		o.invalid(name, "%d items are more than %d", len(raws), limit)
	}
	items := make([]item, 0, min(len(raws), limit))
	for i, raw := range raws {
		if o.err != nil {
			return nil
		}
		items = append(items, d.item(o.child(fmt.Sprintf("%s[%d]", name, i), raw)))
	}
	return items
}

// item takes one. The id of a whole item is not needed: it gets a new one in
// the turn that it now belongs to.
func (d *itemDecoder) item(c *object) item {
	it := item{Type: value[string](c, "type", "a string"), ID: value[string](c, "id", "a string")}
	if it.Type == "" {
		it.Type = itemMessage
		if _, hasRole := c.fields["role"]; !hasRole && it.ID != "" {
			it.Type = itemReference
		}
	}
	if it.Type != itemReference {
		it.ID, it.Status = "", itemStatus(c)
	}
	switch it.Type {
	case itemMessage:
		d.message(c, &it)
	case itemCall:
		calledFunction(c, &it)
	case itemOutput:
		d.output(c, &it)
	case itemReasoning:
		reasoned(c, &it)
	case itemReference:
	default:
		c.set(unsupported(c.path+"type", "This service knows items of the types message, function_call, function_call_output, reasoning and item_reference."))
	}
	c.finish()
	return it
}

// itemStatus takes whether an item was cut off; nothing is in progress any more.
func itemStatus(c *object) string {
	if oneOf(c, "status", statusInProgress, statusCompleted, statusIncomplete) == statusIncomplete {
		return statusIncomplete
	}
	return statusCompleted
}

// message takes a message. Contents become parts, as OpenAI stores them.
func (d *itemDecoder) message(c *object, it *item) {
	it.Role = value[string](c, "role", "a string")
	var kinds []string
	switch it.Role {
	case "user":
		kinds = []string{"input_text", "input_image", "input_file"}
	case "system", "developer":
		kinds = []string{"input_text"}
	case "assistant":
		kinds = []string{"output_text", "refusal"}
	default:
		c.invalid("role", "expected one of system, developer, user and assistant")
		return
	}
	it.Content = d.content(c, "content", kinds)
	if it.Role == "user" && !slices.ContainsFunc(it.Content, itemPart.says) {
		c.invalid("content", "it is empty, which models refuse")
	}
	c.refuse("phase")
}

// says tells whether a part says anything.
func (p itemPart) says() bool { return p.ImageURL != "" || p.FileData != "" || p.text() != "" }

// content takes a string or parts of the given kinds.
func (d *itemDecoder) content(c *object, name string, kinds []string) []itemPart {
	raw := c.take(name)
	if raw == nil {
		c.invalid(name, "it is missing")
		return nil
	}
	var text string
	var raws []json.RawMessage
	isText := json.Unmarshal(raw, &text) == nil
	if !isText && json.Unmarshal(raw, &raws) != nil {
		c.wrongType(name, "a string or an array of parts")
	}
	d.parts += max(len(raws), 1)
	if d.parts > maxParts {
		c.invalid(name, "the items have more than %d parts in all", maxParts)
	}
	switch {
	case isText && kinds[0] == "output_text":
		return []itemPart{outputText(text)}
	case isText:
		return []itemPart{inputText(text)}
	}
	parts := []itemPart{}
	for i, raw := range raws {
		if c.err != nil {
			return nil
		}
		parts = append(parts, contentPart(c.child(fmt.Sprintf("%s[%d]", name, i), raw), kinds))
	}
	return parts
}

// contentPart takes one part of the given kinds.
func contentPart(p *object, kinds []string) itemPart {
	part := itemPart{Type: value[string](p, "type", "a string")}
	if !slices.Contains(kinds, part.Type) {
		p.set(unsupported(p.path+"type", fmt.Sprintf("Here this service supports content of the types %q only.", kinds)))
		return part
	}
	switch part.Type {
	case "input_text":
		part = inputText(needed(p, "text"))
	case "output_text":
		part = outputText(needed(p, "text"))
		p.refuse("annotations", []any{})
		p.refuse("logprobs", []any{})
	case "refusal":
		part.Refusal = needed(p, "refusal")
	case "input_image":
		part = inputImage(p)
	case "input_file":
		part = inputFile(p)
	}
	p.finish()
	return part
}

func inputImage(p *object) itemPart {
	p.refuse("file_id")
	part := itemPart{Type: "input_image", Detail: value[string](p, "detail", "a string"), ImageURL: needed(p, "image_url")}
	imagePart(p, "image_url", part.ImageURL)
	return part
}

func inputFile(p *object) itemPart {
	p.refuse("file_id")
	p.refuse("file_url")
	part := itemPart{Type: "input_file", Detail: value[string](p, "detail", "a string"),
		Filename: value[string](p, "filename", "a string"), FileData: needed(p, "file_data")}
	documentPart(p, "file_data", part.FileData, part.Filename)
	return part
}

// needed takes a string that must be there.
func needed(o *object, name string) string {
	s := field[string](o, name, "a string")
	if s == nil {
		o.invalid(name, "it is missing")
		return ""
	}
	return *s
}

func calledFunction(c *object, it *item) {
	it.CallID, it.Name = callID(c, "call_id"), functionName(c)
	var written string
	if it.Status == statusIncomplete {
		written = needed(c, "arguments")
	} else {
		written = string(arguments(c, "arguments"))
	}
	it.Arguments = &written
	c.refuse("namespace")
	c.refuse("caller")
	c.refuse("async", false)
}

func (d *itemDecoder) output(c *object, it *item) {
	it.CallID = callID(c, "call_id")
	var isText string
	raw := c.fields["output"]
	parts := d.content(c, "output", []string{"input_text", "input_image", "input_file"})
	it.Output = raw
	if json.Unmarshal(raw, &isText) != nil {
		var err error
		if it.Output, err = json.Marshal(parts); err != nil {
			c.wrongType("output", "a string or an array of parts")
		}
	}
	c.refuse("name")
	c.refuse("namespace")
	c.refuse("caller")
}

func reasoned(c *object, it *item) {
	it.Summary = []itemPart{}
	for i, raw := range value[[]json.RawMessage](c, "summary", "an array of parts") {
		s := c.child(fmt.Sprintf("summary[%d]", i), raw)
		s.refuse("type", "summary_text")
		it.Summary = append(it.Summary, summaryText(needed(s, "text")))
		s.finish()
	}
	it.Encrypted = value[string](c, "encrypted_content", "a string")
	if it.Encrypted == "" {
		c.invalid("encrypted_content", "it is missing; without it no model takes its thoughts back")
	} else if _, err := decodeThought(it.Encrypted); err != nil {
		c.invalid("encrypted_content", "it is not what this service gave")
	}
	it.Status = ""
	c.refuse("content", []any{})
}

// thoughtPart is what a model is shown of a reasoning item: nothing of another
// model's, whose thoughts it could not verify.
func thoughtPart(it item, model string) ([]converse.Part, error) {
	t, err := decodeThought(it.Encrypted)
	if err != nil || t.Model != model {
		return nil, err
	}
	return []converse.Part{{Reasoning: &converse.Reasoning{Text: t.Text, Signature: t.Signature, Redacted: t.Redacted}}}, nil
}
