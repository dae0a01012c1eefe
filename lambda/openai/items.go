package openai

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"

	state "github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/lambda/converse"
)

// Types of items.
const (
	itemMessage   = "message"
	itemCall      = "function_call"
	itemOutput    = "function_call_output"
	itemReasoning = "reasoning"
	itemReference = "item_reference"
)

// Values of the status of an item and of a response.
const (
	statusInProgress = "in_progress"
	statusCompleted  = "completed"
	statusIncomplete = "incomplete"
)

// item is one piece of what was said, as callers see it and as a turn keeps it.
// A member belongs to the types that are named behind it.
// Source: https://platform.openai.com/docs/api-reference/conversations/list-items-object
type item struct {
	ID        string          `json:"id,omitempty"`
	Type      string          `json:"type"`
	Status    string          `json:"status,omitempty"`
	Role      string          `json:"role,omitempty"`              // message
	Content   []itemPart      `json:"content,omitzero"`            // message
	CallID    string          `json:"call_id,omitempty"`           // function_call, function_call_output
	Name      string          `json:"name,omitempty"`              // function_call
	Arguments *string         `json:"arguments,omitempty"`         // function_call
	Output    json.RawMessage `json:"output,omitempty"`            // function_call_output: a string or parts
	Summary   []itemPart      `json:"summary,omitzero"`            // reasoning
	Encrypted string          `json:"encrypted_content,omitempty"` // reasoning: a [thought]
}

// itemPart is a piece of an item's content.
type itemPart struct {
	Type        string     `json:"type"`
	Text        *string    `json:"text,omitempty"`
	Annotations []struct{} `json:"annotations,omitzero"` // always empty
	Logprobs    []struct{} `json:"logprobs,omitzero"`    // always empty: Bedrock has none
	Refusal     string     `json:"refusal,omitempty"`
	ImageURL    string     `json:"image_url,omitempty"`
	Detail      string     `json:"detail,omitempty"`
	Filename    string     `json:"filename,omitempty"`
	FileData    string     `json:"file_data,omitempty"`
}

func inputText(text string) itemPart { return itemPart{Type: "input_text", Text: &text} }

func outputText(text string) itemPart {
	return itemPart{Type: "output_text", Text: &text, Annotations: []struct{}{}, Logprobs: []struct{}{}}
}

func summaryText(text string) itemPart { return itemPart{Type: "summary_text", Text: &text} }

// text is that of a part, in whatever member it stands.
func (p itemPart) text() string {
	if p.Text != nil {
		return *p.Text
	}
	return p.Refusal
}

// name gives the item its id: its number in a turn says where to find it.
func (it *item) name(turn state.TurnID, number int) {
	prefix := prefixMessage
	switch it.Type {
	case itemCall:
		prefix = prefixCall
	case itemOutput:
		prefix = prefixOutput
	case itemReasoning:
		prefix = prefixReasoning
	}
	it.ID = prefix + state.ItemID{TurnID: turn, Number: number}.String()
}

// outputItem is what callers see of a part of a model's answer. Thoughts are
// summed up only if summary says so.
func outputItem(p converse.Part, model string, summary bool) (item, error) {
	it := item{Status: statusCompleted}
	switch {
	case p.ToolUse != nil:
		arguments := string(p.ToolUse.Input)
		it.Type, it.CallID, it.Name, it.Arguments = itemCall, p.ToolUse.ID, p.ToolUse.Name, &arguments
	case p.Reasoning != nil:
		it.Type, it.Summary = itemReasoning, []itemPart{}
		if summary && p.Reasoning.Text != "" {
			it.Summary = append(it.Summary, summaryText(p.Reasoning.Text))
		}
		var err error
		it.Encrypted, err = thought{Model: model, Text: p.Reasoning.Text, Signature: p.Reasoning.Signature, Redacted: p.Reasoning.Redacted}.encode()
		return it, err
	default:
		it.Type, it.Role, it.Content = itemMessage, string(converse.Assistant), []itemPart{outputText(p.Text)}
	}
	return it, nil
}

// thought is what a model needs to take its thoughts back. It is encoded, not
// encrypted: the model's own signature shows whether it was altered.
type thought struct {
	Model     string `json:"m"` // the foundation model: no other can verify it
	Text      string `json:"t,omitempty"`
	Signature string `json:"s,omitempty"`
	Redacted  []byte `json:"r,omitempty"`
}

func (t thought) encode() (string, error) {
	b, err := json.Marshal(t)
	return base64.StdEncoding.EncodeToString(b), err
}

func decodeThought(s string) (thought, error) {
	var t thought
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return t, fmt.Errorf("decode a thought: %w", err)
	}
	if err := json.Unmarshal(b, &t); err != nil {
		return t, fmt.Errorf("decode a thought: %w", err)
	}
	return t, nil
}

// turnBody is what a turn keeps. Items that were added to a conversation by
// themselves have no response.
type turnBody struct {
	Input    []item    `json:"input"`
	Response *response `json:"response,omitempty"`
}

// items are the input, then the output, as they are numbered.
func (b turnBody) items() []item {
	if b.Response == nil {
		return b.Input
	}
	return slices.Concat(b.Input, b.Response.Output)
}

func readTurn(t state.Turn) (turnBody, error) {
	var b turnBody
	if err := json.Unmarshal(t.Body, &b); err != nil {
		return b, fmt.Errorf("read a stored turn: %w", err)
	}
	return b, nil
}

// visibleItems are those of turns that were not deleted one by one.
func visibleItems(turns []state.Turn) ([]item, error) {
	var all []item
	for _, t := range turns {
		b, err := readTurn(t)
		if err != nil {
			return nil, err
		}
		all = append(all, b.visible(t.Deleted)...)
	}
	return all, nil
}

// visible are the items but those of the given numbers.
func (b turnBody) visible(deleted []int) []item {
	var items []item
	for number, it := range b.items() {
		if !slices.Contains(deleted, number) {
			items = append(items, it)
		}
	}
	return items
}

// outputParts reads the output of a function, which is a string or parts.
func (it item) outputParts() ([]itemPart, error) {
	var text string
	if json.Unmarshal(it.Output, &text) == nil {
		return []itemPart{inputText(text)}, nil
	}
	var parts []itemPart
	if err := json.Unmarshal(it.Output, &parts); err != nil {
		return nil, fmt.Errorf("read a function's output: %w", err)
	}
	return parts, nil
}
