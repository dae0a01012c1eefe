// Package converse speaks to models through Bedrock's ConverseStream, in types
// that belong to no model and to no API above it. It makes one call to one
// region: it repeats nothing, picks no region and keeps no state.
//
// Answers that a caller wants whole are streamed too. A stream shows within
// seconds that a region is stuck, where a silent whole answer cannot be told
// from a long one.
package converse

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
	Parts []Part // in order; at least one
}

// Part is one piece of a message.
type Part struct {
	Text string
}

// DefaultMaxTokens bounds an answer whose request names no bound. Without one
// Bedrock would count the model's maximum against the quota.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html
const DefaultMaxTokens = 4096

// Request is one question to a model.
type Request struct {
	// System instructs the model; empty for no instructions.
	System []string
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
	Text string
	End
}

// End is how an answer ended.
type End struct {
	Reason StopReason
	// Usage is zero if the region did not say.
	Usage Usage
}

// Event is one step of an answer: either more text, or its end.
type Event struct {
	// Text is what the answer grew by; never empty unless End is set.
	Text string
	// End is set in the last event and proves that the answer is whole.
	End *End
}

// Stream is an answer while it grows. It belongs to one goroutine.
type Stream interface {
	// Next waits for the next event. After the one with an End it returns
	// io.EOF; any other error is an *[Error], and the answer is not whole.
	Next() (Event, error)
	// Close gives up what is left of the answer. It is safe to repeat.
	Close() error
}
