package openai

import (
	"encoding/json"
	"slices"

	"github.com/crossregion/crossregion/lambda/converse"
)

// dialogue puts items into the order that models want: instructions apart,
// roles that alternate, and the result of every call right behind it.
type dialogue struct {
	model    string // the foundation model that is going to answer
	system   []converse.Part
	messages []converse.Message
	open     []string // calls that have no output yet, in order
	given    bool     // there is something besides the request's instructions
}

// newDialogue fails if the input is in no order that a model could answer. The
// history is mended instead: its callers could not.
func newDialogue(model, instructions string, history, input []item) (*dialogue, error) {
	d := &dialogue{model: model, given: len(history)+len(input) > 0}
	d.instruct([]itemPart{inputText(instructions)})
	for _, it := range reunited(withoutOrphans(history, input)) {
		if err := d.add(it); err != nil {
			return nil, err
		}
	}
	return d, d.finish()
}

func (d *dialogue) instruct(parts []itemPart) {
	for _, p := range parts {
		if text := p.text(); !blank(text) {
			d.system = append(d.system, converse.Part{Text: text})
		}
	}
}

func (d *dialogue) add(it item) error {
	switch it.Type {
	case itemCall:
		return d.call(it)
	case itemOutput:
		return d.output(it)
	case itemReasoning:
		parts, err := thoughtPart(it, d.model)
		if err != nil {
			return err
		}
		return d.say(converse.Assistant, parts)
	}
	if it.Role == "system" || it.Role == "developer" {
		d.instruct(it.Content)
		return nil
	}
	parts, err := contentParts(it.Content)
	if err != nil {
		return err
	}
	return d.say(converse.Role(it.Role), parts)
}

// call adds a call. One that was cut off was never made, and nobody can have
// answered it.
func (d *dialogue) call(it item) error {
	if it.Status == statusIncomplete {
		return nil
	}
	if slices.Contains(d.open, it.CallID) {
		return invalid("input", "invalid_value", "Invalid 'input': two function calls have the call_id %s, and neither has an output yet.", it.CallID)
	}
	use := &converse.ToolUse{ID: it.CallID, Name: it.Name, Input: json.RawMessage(*it.Arguments)}
	if err := d.say(converse.Assistant, []converse.Part{{ToolUse: use}}); err != nil {
		return err
	}
	d.open = append(d.open, it.CallID)
	return nil
}

func (d *dialogue) output(it item) error {
	for i, id := range d.open {
		if id != it.CallID {
			continue
		}
		parts, err := it.outputParts()
		if err != nil {
			return err
		}
		content, err := contentParts(parts)
		if err != nil {
			return err
		}
		d.open = append(d.open[:i:i], d.open[i+1:]...)
		d.append(converse.User, []converse.Part{{ToolResult: &converse.ToolResult{ID: it.CallID, Parts: content}}})
		return nil
	}
	return invalid("input", "invalid_value", "No tool call found for function call output with call_id %s.", it.CallID)
}

// say adds what somebody said, other than the output of a call, which must not
// be missing by then.
func (d *dialogue) say(role converse.Role, parts []converse.Part) error {
	goesOn := role == converse.Assistant && d.last() == converse.Assistant
	if len(parts) == 0 || goesOn {
		d.append(role, parts)
		return nil
	}
	if err := d.answered(); err != nil {
		return err
	}
	d.append(role, parts)
	return nil
}

func (d *dialogue) answered() error {
	if len(d.open) == 0 {
		return nil
	}
	return invalid("input", "invalid_value", "No tool output found for function call %s.", d.open[0])
}

// append makes neighbours of one role one message.
func (d *dialogue) append(role converse.Role, parts []converse.Part) {
	if len(parts) == 0 {
		return
	}
	if role == converse.User {
		d.dropIdle()
	}
	if d.last() != role {
		d.messages = append(d.messages, converse.Message{Role: role})
	}
	last := &d.messages[len(d.messages)-1]
	last.Parts = append(last.Parts, parts...)
}

// dropIdle leaves out thoughts that led to nothing, which no model takes back
// by themselves.
func (d *dialogue) dropIdle() {
	if d.last() != converse.Assistant {
		return
	}
	for _, p := range d.messages[len(d.messages)-1].Parts {
		if p.Reasoning == nil {
			return
		}
	}
	d.messages = d.messages[:len(d.messages)-1]
}

// last is the role that spoke last, "" if nobody has.
func (d *dialogue) last() converse.Role {
	if len(d.messages) == 0 {
		return ""
	}
	return d.messages[len(d.messages)-1].Role
}

func (d *dialogue) finish() error {
	if err := d.answered(); err != nil {
		return err
	}
	d.dropIdle()
	if len(d.messages)+len(d.system) == 0 || !d.given {
		return invalid("input", "missing_required_parameter", "Missing required parameter: 'input'.")
	}
	d.messages = framed(d.messages)
	return nil
}

// contentParts are what a model is shown of a content, without empty texts,
// which say nothing and which Converse refuses.
func contentParts(content []itemPart) ([]converse.Part, error) {
	o := &object{fault: &fault{}}
	var parts []converse.Part
	for _, p := range content {
		switch {
		case p.ImageURL != "":
			parts = append(parts, imagePart(o, "image_url", p.ImageURL))
		case p.FileData != "":
			parts = append(parts, documentPart(o, "file_data", p.FileData, p.Filename))
		case !blank(p.text()):
			parts = append(parts, converse.Part{Text: p.text()})
		}
	}
	return parts, o.err
}
