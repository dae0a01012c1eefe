package converse

import (
	"cmp"
	"encoding/json"
	"strings"
)

// Collector puts an answer together from its events. Its zero value is an
// empty answer.
type Collector struct {
	parts   []Part
	vectors [][]float32
	// What the last part has so far; its strings are built at its end.
	text, signature strings.Builder
	tool            int // the index of the last part's use, if it is one
}

// Add takes the next event of the answer. One that only waits adds nothing.
func (c *Collector) Add(ev Event) {
	switch {
	case ev.Text != "":
		if last := c.last(); last == nil || last.ToolUse != nil || last.Reasoning != nil {
			c.begin(Part{})
		}
		c.text.WriteString(ev.Text)
	case ev.Reasoning != nil:
		c.reason(*ev.Reasoning)
	case ev.Tool != nil:
		c.use(*ev.Tool)
	case ev.Vector != nil:
		c.vectors = append(c.vectors, ev.Vector)
	}
}

// Answer returns what was collected, ended as end says.
func (c *Collector) Answer(end End) Answer {
	c.finish()
	return Answer{Parts: c.parts, Vectors: c.vectors, End: end}
}

// Len is how many parts the answer has so far; the last may still grow.
func (c *Collector) Len() int { return len(c.parts) }

func (c *Collector) last() *Part {
	if len(c.parts) == 0 {
		return nil
	}
	return &c.parts[len(c.parts)-1]
}

func (c *Collector) begin(p Part) {
	c.finish()
	c.text.Reset()
	c.signature.Reset()
	c.parts = append(c.parts, p)
}

// finish writes into the last part what was built for it.
func (c *Collector) finish() {
	last := c.last()
	switch {
	case last == nil:
	case last.Reasoning != nil:
		last.Reasoning.Text, last.Reasoning.Signature = c.text.String(), c.signature.String()
	case last.ToolUse != nil:
		last.ToolUse.Input = json.RawMessage(cmp.Or(c.text.String(), "{}")) // {}: how a tool without arguments is called
	default:
		last.Text = c.text.String()
	}
}

// reason adds to the thoughts that are being thought; a signature ends them.
func (c *Collector) reason(r Reasoning) {
	last := c.last()
	if last == nil || last.Reasoning == nil || c.signature.Len() > 0 || (last.Reasoning.Redacted == nil) != (r.Redacted == nil) {
		c.begin(Part{Reasoning: &Reasoning{}})
	}
	c.text.WriteString(r.Text)
	c.signature.WriteString(r.Signature)
	c.last().Reasoning.Redacted = append(c.last().Reasoning.Redacted, r.Redacted...)
}

func (c *Collector) use(d ToolDelta) {
	if last := c.last(); last == nil || last.ToolUse == nil || c.tool != d.Index {
		c.begin(Part{ToolUse: &ToolUse{ID: d.ID, Name: d.Name}})
		c.tool = d.Index
	}
	c.text.WriteString(d.Input)
}
