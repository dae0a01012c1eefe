package openai

import (
	"bytes"
	"encoding/json"
	"net/http"

	"github.com/crossregion/crossregion/lambda/converse"
)

// completionHead is what a whole answer and every chunk of a streamed one share.
// Source: https://platform.openai.com/docs/api-reference/chat/object
type completionHead struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	Model   string `json:"model"`
}

type completion struct {
	completionHead
	Choices []choice `json:"choices"`
	Usage   usage    `json:"usage"`
}

type choice struct {
	Index        int     `json:"index"`
	Message      message `json:"message"`
	Logprobs     *string `json:"logprobs"` // always null: Bedrock has none
	FinishReason string  `json:"finish_reason"`
}

type message struct {
	Role    string  `json:"role"`
	Content *string `json:"content"` // null if all the answer is calls of tools
	// Reasoning is what the model thought. OpenAI has no such member; it is where
	// other services put thoughts, and clients look for them.
	Reasoning   string        `json:"reasoning_content,omitempty"`
	ToolCalls   []toolCallOut `json:"tool_calls,omitempty"`
	Refusal     *string       `json:"refusal"` // always null: models refuse in words
	Annotations []string      `json:"annotations"`
}

// toolCallOut is one call of a tool, or a piece of one in a chunk.
type toolCallOut struct {
	Index    *int        `json:"index,omitempty"` // in chunks only
	ID       string      `json:"id,omitempty"`
	Type     string      `json:"type,omitempty"`
	Function functionOut `json:"function"`
}

type functionOut struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

type usage struct {
	PromptTokens            int               `json:"prompt_tokens"`
	CompletionTokens        int               `json:"completion_tokens"`
	TotalTokens             int               `json:"total_tokens"`
	PromptTokensDetails     promptDetails     `json:"prompt_tokens_details"`
	CompletionTokensDetails completionDetails `json:"completion_tokens_details"`
}

type promptDetails struct {
	CachedTokens int `json:"cached_tokens"`
	AudioTokens  int `json:"audio_tokens"`
}

type completionDetails struct {
	ReasoningTokens          int `json:"reasoning_tokens"`
	AudioTokens              int `json:"audio_tokens"`
	AcceptedPredictionTokens int `json:"accepted_prediction_tokens"`
	RejectedPredictionTokens int `json:"rejected_prediction_tokens"`
}

func newUsage(u converse.Usage) usage {
	return usage{
		PromptTokens: u.Input, CompletionTokens: u.Output, TotalTokens: u.Total(),
		PromptTokensDetails: promptDetails{CachedTokens: u.CacheRead},
	}
}

func newCompletion(head completionHead, a converse.Answer) completion {
	head.Object = "chat.completion"
	return completion{
		completionHead: head,
		Choices:        []choice{{Message: newMessage(a), FinishReason: finishReason(a.Reason)}},
		Usage:          newUsage(a.Usage),
	}
}

func newMessage(a converse.Answer) message {
	m := message{Role: "assistant", Annotations: []string{}}
	for _, p := range a.Parts {
		switch {
		case p.Reasoning != nil:
			m.Reasoning += p.Reasoning.Text
		case p.ToolUse != nil:
			m.ToolCalls = append(m.ToolCalls, toolCallOut{
				ID: p.ToolUse.ID, Type: "function", Function: functionOut{p.ToolUse.Name, string(p.ToolUse.Input)},
			})
		}
	}
	if text := a.Text(); text != "" || len(m.ToolCalls) == 0 {
		m.Content = &text
	}
	return m
}

func finishReason(r converse.StopReason) string {
	switch r {
	case converse.StopLength:
		return "length"
	case converse.StopFilter:
		return "content_filter"
	case converse.StopTool:
		return "tool_calls"
	default:
		return "stop"
	}
}

// writeJSON answers with v.
func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := encode(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":{"message":"The answer could not be encoded.","type":"server_error","param":null,"code":null}}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	// A client that hung up has no use for an error.
	_, _ = w.Write(b)
}

// encode leaves <, > and & as they are, as OpenAI does.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}
