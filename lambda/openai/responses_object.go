package openai

import (
	"encoding/json"
	"time"

	"github.com/crossregion/crossregion/lambda/converse"
)

// response is an answer as callers see it and as a turn keeps it.
// Source: https://platform.openai.com/docs/api-reference/responses/object
type response struct {
	ID                string             `json:"id"`
	Object            string             `json:"object"`
	CreatedAt         int64              `json:"created_at"`
	CompletedAt       *int64             `json:"completed_at"`
	Status            string             `json:"status"`
	Background        bool               `json:"background"` // always false
	Error             *string            `json:"error"`      // always null: what failed is not stored
	IncompleteDetails *incompleteDetails `json:"incomplete_details"`
	Model             string             `json:"model"`
	Output            []item             `json:"output"`
	Conversation      *conversationRef   `json:"conversation"`
	Store             bool               `json:"store"`
	ServiceTier       string             `json:"service_tier"`
	Usage             *responseUsage     `json:"usage"`
	echo
}

// echo is what a response repeats of its request, as it was written there.
type echo struct {
	Instructions       json.RawMessage `json:"instructions"`
	MaxOutputTokens    json.RawMessage `json:"max_output_tokens"`
	Metadata           json.RawMessage `json:"metadata"`
	ParallelToolCalls  json.RawMessage `json:"parallel_tool_calls"`
	PreviousResponseID json.RawMessage `json:"previous_response_id"`
	Reasoning          json.RawMessage `json:"reasoning"`
	Temperature        json.RawMessage `json:"temperature"`
	Text               json.RawMessage `json:"text"`
	ToolChoice         json.RawMessage `json:"tool_choice"`
	Tools              json.RawMessage `json:"tools"`
	TopP               json.RawMessage `json:"top_p"`
	Truncation         json.RawMessage `json:"truncation"`
}

type incompleteDetails struct {
	Reason string `json:"reason"`
}

type conversationRef struct {
	ID string `json:"id"`
}

type responseUsage struct {
	InputTokens         int           `json:"input_tokens"`
	InputTokensDetails  inputDetails  `json:"input_tokens_details"`
	OutputTokens        int           `json:"output_tokens"`
	OutputTokensDetails outputDetails `json:"output_tokens_details"`
	TotalTokens         int           `json:"total_tokens"`
}

type inputDetails struct {
	CachedTokens     int `json:"cached_tokens"`
	CacheWriteTokens int `json:"cache_write_tokens"`
}

type outputDetails struct {
	ReasoningTokens int `json:"reasoning_tokens"` // always 0: Bedrock counts them as output
}

// repeated is the echo of a request of which nothing has been taken yet.
func repeated(o *object) echo {
	or := func(name, otherwise string) json.RawMessage {
		if raw := o.fields[name]; raw != nil && string(raw) != "null" {
			return raw
		}
		return json.RawMessage(otherwise)
	}
	return echo{
		Instructions:       or("instructions", "null"),
		MaxOutputTokens:    or("max_output_tokens", "null"),
		Metadata:           or("metadata", "{}"),
		ParallelToolCalls:  or("parallel_tool_calls", "true"),
		PreviousResponseID: or("previous_response_id", "null"),
		Reasoning:          or("reasoning", `{"effort":null,"summary":null}`),
		Temperature:        or("temperature", "null"),
		Text:               or("text", `{"format":{"type":"text"}}`),
		ToolChoice:         or("tool_choice", `"auto"`),
		Tools:              or("tools", "[]"),
		TopP:               or("top_p", "null"),
		Truncation:         or("truncation", `"disabled"`),
	}
}

// end completes r with how the model's answer ended.
func (r *response) end(end converse.End, now time.Time) {
	r.Usage = &responseUsage{
		InputTokens:        end.Usage.Input,
		InputTokensDetails: inputDetails{CachedTokens: end.Usage.CacheRead, CacheWriteTokens: end.Usage.CacheWrite},
		OutputTokens:       end.Usage.Output, TotalTokens: end.Usage.Total(),
	}
	switch end.Reason {
	case converse.StopLength:
		r.Status, r.IncompleteDetails = statusIncomplete, &incompleteDetails{Reason: "max_output_tokens"}
	case converse.StopFilter:
		r.Status, r.IncompleteDetails = statusIncomplete, &incompleteDetails{Reason: "content_filter"}
	default:
		at := now.Unix()
		r.Status, r.CompletedAt = statusCompleted, &at
	}
}
