package openai

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/lambda/converse"
)

// itemDecoder reads the items of a request.
type itemDecoder struct {
	parts int             // of all contents so far
	open  map[string]bool // ids of calls that have no output yet
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
	it := item{Type: itemMessage, ID: value[string](c, "id", "a string")}
	_, hasRole := c.fields["role"]
	if kind := field[string](c, "type", "a string"); kind != nil {
		it.Type = *kind
	} else if !hasRole && it.ID != "" {
		it.Type = itemReference
	}
	if it.Type != itemReference {
		it.ID, it.Status = "", itemStatus(c)
	}
	switch it.Type {
	case itemMessage:
		d.message(c, &it)
	case itemCall:
		d.call(c, &it)
	case itemOutput:
		d.output(c, &it)
	case itemReasoning:
		reasoned(c, &it)
	case itemReference:
		if it.ID == "" {
			c.missing("id")
		}
	default:
		c.set(unsupportedValue(c.path+"type", "This service knows items of the types message, function_call, function_call_output, reasoning and item_reference."))
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
	it.Role = needed(c, "role")
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
func (p itemPart) says() bool { return p.ImageURL != "" || p.FileData != "" || !blank(p.text()) }

// content takes a string or parts of the given kinds.
func (d *itemDecoder) content(c *object, name string, kinds []string) []itemPart {
	raw := c.take(name)
	if raw == nil {
		c.missing(name)
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
	part := itemPart{Type: needed(p, "type")}
	if !slices.Contains(kinds, part.Type) {
		p.set(unsupportedValue(p.path+"type", "Here this service supports content of the types "+strings.Join(kinds, ", ")+" only."))
		return part
	}
	switch part.Type {
	case "input_text":
		part = inputText(needed(p, "text"))
	case "output_text":
		part = outputText(needed(p, "text"))
		p.refuse("annotations", []any{})
		p.refuse("logprobs", []any{})
		p.take(parsedContent)
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
	part := itemPart{Type: "input_image", Detail: detail(p), ImageURL: needed(p, "image_url")}
	imagePart(p, "image_url", part.ImageURL)
	return part
}

func inputFile(p *object) itemPart {
	p.refuse("file_id")
	p.refuse("file_url")
	part := itemPart{Type: "input_file", Detail: detail(p),
		Filename: value[string](p, "filename", "a string"), FileData: needed(p, "file_data")}
	documentPart(p, "file_data", part.FileData, part.Filename)
	return part
}

// call takes a call, whose id must tell it from others that wait for an output.
func (d *itemDecoder) call(c *object, it *item) {
	it.CallID, it.Name = callID(c, "call_id"), functionName(c)
	if d.open[it.CallID] {
		c.invalid("call_id", "another call before has the same, and no output yet")
	}
	if d.open == nil {
		d.open = map[string]bool{}
	}
	d.open[it.CallID] = it.Status != statusIncomplete
	var written string
	if it.Status == statusIncomplete {
		written = needed(c, "arguments")
	} else {
		written = string(arguments(c, "arguments"))
	}
	it.Arguments = &written
	c.take(parsedArguments)
	c.refuse("namespace")
	c.refuse("caller")
	c.refuse("async", false)
}

func (d *itemDecoder) output(c *object, it *item) {
	it.CallID = callID(c, "call_id")
	delete(d.open, it.CallID)
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
		c.set(invalid(c.path+"encrypted_content", "missing_required_parameter",
			"Missing required parameter: '%sencrypted_content'. Without it no model takes its thoughts back.", c.path))
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
