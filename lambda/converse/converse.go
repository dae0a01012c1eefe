// Package converse speaks to models through Bedrock's ConverseStream, and to
// those that make embeddings through InvokeModel, in types that belong to no
// model and to no API above it. It makes one call to one
// region: it repeats nothing, picks no region and keeps no state.
//
// Answers that a caller wants whole are streamed too. A stream shows within
// seconds that a region is stuck, where a silent whole answer cannot be told
// from a long one.
package converse

import (
	"encoding/json"
	"strings"
)

// Role is who said a message.
type Role string

// Roles that alternate in a conversation; instructions stand apart, in
// [Request.System].
const (
	User      Role = "user"
	Assistant Role = "assistant"
)

// Message is one turn of a conversation.
type Message struct {
	Role  Role
	Parts []Part // in order; at least one that is no cache point
}

// Part is one piece of a message or of an answer: exactly one member is set.
type Part struct {
	Text       string
	Image      *Image      // the user's
	Document   *Document   // the user's
	ToolUse    *ToolUse    // the assistant's
	ToolResult *ToolResult // the user's
	Reasoning  *Reasoning  // the assistant's
	// Cache marks the end of a prefix that is worth keeping for later requests.
	Cache bool
}

// Image is a picture to look at.
type Image struct {
	Format string // png, jpeg, gif or webp
	Bytes  []byte
}

// Document is a file to read.
type Document struct {
	// Name is shown to the model; Bedrock wants it neutral, and unique in a
	// request. "" is a number.
	Name   string
	Format string // pdf, csv, doc, docx, xls, xlsx, html, txt or md
	Bytes  []byte
}

// ToolUse is the model's wish to have a tool called.
type ToolUse struct {
	ID    string // chosen by the model; the [ToolResult] repeats it, and so may the use of a tool in another turn
	Name  string
	Input json.RawMessage // a JSON object
}

// ToolResult is what a tool answered.
type ToolResult struct {
	ID     string // of the [ToolUse]
	Parts  []Part // text, images and documents; may be empty
	Failed bool
}

// Reasoning is what a model thought before it answered. A model that gets its
// thoughts back wants them unchanged, with the signature that proves it.
type Reasoning struct {
	Text      string
	Signature string // "" if the model gave none
	Redacted  []byte // thoughts that only the model can read, in place of Text
}

// Tool is a function that the model may ask to be called.
type Tool struct {
	Name        string
	Description string          // "" for none
	Schema      json.RawMessage // of its arguments: a JSON schema of an object
	Strict      bool            // arguments match the schema exactly, if the model keeps to one
	Cache       bool            // the tools up to this one are worth keeping
}

// ToolMode says whether the model may, must or must not use tools.
type ToolMode string

// Modes of [ToolChoice].
const (
	ToolAuto ToolMode = "auto" // as it sees fit
	ToolAny  ToolMode = "any"  // one at least
	ToolOne  ToolMode = "one"  // the named one
	ToolNone ToolMode = "none" // none, though earlier turns may have
)

// ToolChoice bounds the use of [Request.Tools]. Its zero value is [ToolAuto].
type ToolChoice struct {
	Mode ToolMode
	Name string // of the tool, for [ToolOne]
	// Single allows one tool at a time only.
	Single bool
}

// Format is the shape that an answer must have.
type Format struct {
	// Schema is a JSON schema; nil asks for any JSON object.
	Schema      json.RawMessage
	Name        string // "" for none
	Description string // "" for none
	Strict      bool   // the answer matches the schema exactly, if the model keeps to one
}

// DefaultMaxTokens bounds an answer whose request names no bound. Without one
// Bedrock would count the model's maximum against the quota.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html
const DefaultMaxTokens = 4096

// Request is one question to a model.
type Request struct {
	// Model is the ID of the foundation model behind the targets, by which its
	// abilities are known, e.g. "amazon.nova-pro-v1:0". "" is a model of which
	// only the least is expected.
	Model string
	// System instructs the model, in text and cache points; empty for no
	// instructions.
	System []Part
	// Messages alternate between roles, beginning and ending with the user's.
	Messages []Message
	// MaxTokens bounds the answer; 0 means [DefaultMaxTokens].
	MaxTokens int32
	// Temperature is 0 to 1; nil leaves it to the model.
	Temperature *float32
	// TopP is 0 to 1; nil leaves it to the model.
	TopP *float32
	// Stop ends the answer where one of these would stand.
	Stop []string
	// Tools that the model may ask for; empty for none.
	Tools []Tool
	// ToolChoice bounds their use.
	ToolChoice ToolChoice
	// Format of the answer; nil is text.
	Format *Format
	// Effort is how much the model should reason: "low", "medium" or "high";
	// "" leaves it to the model.
	Effort string
	// Embed asks for vectors of texts, in place of all above but Model; nil for
	// an answer to Messages.
	Embed *Embed
}

// StopReason says why an answer ended where it did.
type StopReason string

// Reasons that a model has to stop.
const (
	StopEnd    StopReason = "end"    // it had said all, or reached a stop sequence
	StopLength StopReason = "length" // no room: Request.MaxTokens or the context window
	StopFilter StopReason = "filter" // a guardrail or the model's own filter cut in
	StopTool   StopReason = "tool"   // it waits for the result of a tool
)

// Usage counts the tokens of one answer.
type Usage struct {
	Input      int // read by the model, from the cache or not
	Output     int
	CacheRead  int // the part of Input that the cache held
	CacheWrite int // the part of Input that the cache now holds
}

// Total is what the answer counts for in all.
func (u Usage) Total() int { return u.Input + u.Output }

// Answer is a whole answer.
type Answer struct {
	// Parts are reasoning, text and tool uses, in order.
	Parts []Part
	// Vectors are those of the texts of [Request.Embed], in their order.
	Vectors [][]float32
	End
}

// Text is all of the answer's text.
func (a Answer) Text() string {
	var text strings.Builder
	for _, p := range a.Parts {
		text.WriteString(p.Text)
	}
	return text.String()
}

// End is how an answer ended.
type End struct {
	Reason StopReason
	// Usage is zero if the region did not say.
	Usage Usage
}

// Event is one step of an answer: exactly one member is set.
type Event struct {
	// Text is what the answer grew by.
	Text string
	// Reasoning is what the model's thoughts grew by: text, or what ends a run
	// of them, its signature or the redacted whole.
	Reasoning *Reasoning
	// Tool is what the use of a tool grew by.
	Tool *ToolDelta
	// Vector is that of the next text of [Request.Embed].
	Vector []float32
	// Wait says that nothing has come for a while, and that the answer goes on.
	// A [Client] never sends it.
	Wait bool
	// End is set in the last event and proves that the answer is whole.
	End *End
}

// ToolDelta is a piece of the use of a tool.
type ToolDelta struct {
	// Index tells the uses of one answer apart: 0 for the first.
	Index int
	// ID and Name stand in the first piece of each use only, which has no Input.
	ID, Name string
	// Input is a piece of the arguments' JSON, in no way whole. Together the
	// pieces of a use are a JSON object.
	Input string
}

// Stream is an answer while it grows. It belongs to one goroutine.
type Stream interface {
	// Next waits for the next event. After the one with an End it returns
	// io.EOF; any other error is an *[Error], and the answer is not whole.
	Next() (Event, error)
	// Close gives up what is left of the answer. It is safe to repeat.
	Close() error
}
