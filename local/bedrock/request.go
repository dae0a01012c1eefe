package bedrock

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/crossregion/crossregion/local/cloud"
)

// MaxStopSequences is how many stop sequences a request may have.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InferenceConfiguration.html
const MaxStopSequences = 2500

// maxMetadata is how many pairs requestMetadata may have, and maxMetadataText
// the length of each key and value.
const (
	maxMetadata     = 16
	maxMetadataText = 256
)

// converseRequest is the body of Converse and ConverseStream.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
type converseRequest struct {
	Messages          []message         `json:"messages"`
	System            []block           `json:"system"`
	InferenceConfig   inferenceConfig   `json:"inferenceConfig"`
	RequestMetadata   map[string]string `json:"requestMetadata"`
	PerformanceConfig *struct {
		Latency string `json:"latency"`
	} `json:"performanceConfig"`
	ServiceTier *struct {
		Type string `json:"type"`
	} `json:"serviceTier"`
	GuardrailConfig   *guardrailConfig `json:"guardrailConfig"`
	ToolConfig        *toolConfig      `json:"toolConfig"`
	OutputConfig      *outputConfig    `json:"outputConfig"`
	AdditionalRequest additional       `json:"additionalModelRequestFields"`

	// What follows is known, and refused: the model cannot act on it.
	PromptVariables     json.RawMessage `json:"promptVariables"`
	AdditionalResponses json.RawMessage `json:"additionalModelResponseFieldPaths"`
}

type inferenceConfig struct {
	MaxTokens     *int     `json:"maxTokens"`
	Temperature   *float64 `json:"temperature"`
	TopP          *float64 `json:"topP"`
	StopSequences []string `json:"stopSequences"`
}

type message struct {
	Role    string  `json:"role"`
	Content []block `json:"content"`
}

// parseRequest decodes and validates a request's body.
func parseRequest(body io.Reader, m model, stream bool) (converseRequest, error) {
	var r converseRequest
	b, err := io.ReadAll(body)
	if err != nil {
		return r, invalid("The request body could not be read: %v", err)
	}
	if err := cloud.DecodeStrict(b, &r); err != nil {
		return r, invalid("Malformed input request: %v, please reformat your input and try again.", err)
	}
	return r, r.validate(m, stream)
}

// validate returns the first fault.
func (r converseRequest) validate(m model, stream bool) error {
	if err := cmp.Or(r.refuseUnsupported(), validateMessages(r.Messages)); err != nil {
		return err // without which nothing else can be checked
	}
	return cmp.Or(
		validateBlocks("system", "system", r.System), r.InferenceConfig.validate(m), validateMetadata(r.RequestMetadata),
		r.validateTools(m, stream), r.OutputConfig.validate(m), r.validateAdditional(m),
		r.validateThoughts(m), r.validateBeginning(m), r.validateAttachments(m), r.validateCache(m),
	)
}

func (r converseRequest) refuseUnsupported() error {
	parts := []struct {
		name  string
		value json.RawMessage
	}{
		{"promptVariables", r.PromptVariables}, {"additionalModelResponseFieldPaths", r.AdditionalResponses},
	}
	for _, p := range parts {
		if p.value != nil {
			return unsupported(p.name)
		}
	}
	if p := r.PerformanceConfig; p != nil && p.Latency != "standard" {
		return unsupported(fmt.Sprintf("performanceConfig.latency %q", p.Latency))
	}
	if t := r.ServiceTier; t != nil && t.Type != "default" {
		return unsupported(fmt.Sprintf("serviceTier.type %q", t.Type))
	}
	return nil
}

func validateMessages(messages []message) error {
	if len(messages) == 0 || messages[0].Role == "assistant" {
		return invalid("A conversation must start with a user message. Try again with a conversation that starts with a user message.")
	}
	for i, m := range messages {
		if m.Role != "user" && m.Role != "assistant" {
			return unsupported(fmt.Sprintf("role %q of messages.%d", m.Role, i))
		}
		if i > 0 && m.Role == messages[i-1].Role {
			return invalid("A conversation must alternate between user and assistant roles. " +
				"Make sure the conversation alternates between user and assistant roles and try again.")
		}
		if len(m.Content) == 0 {
			return invalid("The content field in the Message object at messages.%d is empty. "+
				"Add a ContentBlock object to the content field and try again.", i)
		}
		if err := validateBlocks(fmt.Sprintf("messages.%d.content", i), m.Role, m.Content); err != nil {
			return err
		}
	}
	return nil
}

func (c inferenceConfig) validate(m model) error {
	if c.MaxTokens != nil && *c.MaxTokens < 1 {
		return outOfBounds("inferenceConfig.maxTokens", *c.MaxTokens, "greater than or equal to 1")
	}
	if c.MaxTokens != nil && m.most > 0 && *c.MaxTokens > m.most {
		return invalid("The maximum tokens you requested exceeds the model limit of %d. "+
			"Try again with a maximum tokens value that is lower than %d.", m.most, m.most)
	}
	if t := c.Temperature; t != nil && (*t < 0 || *t > 1) {
		return outOfBounds("inferenceConfig.temperature", *t, "between 0 and 1")
	}
	if p := c.TopP; p != nil && (*p < 0 || *p > 1) {
		return outOfBounds("inferenceConfig.topP", *p, "between 0 and 1")
	}
	if n := len(c.StopSequences); n > MaxStopSequences {
		return outOfBounds("inferenceConfig.stopSequences", n, fmt.Sprintf("at most %d long", MaxStopSequences))
	}
	if slices.Contains(c.StopSequences, "") {
		return outOfBounds("inferenceConfig.stopSequences", "''", "at least 1 character long")
	}
	return nil
}

func validateMetadata(pairs map[string]string) error {
	if len(pairs) > maxMetadata || (pairs != nil && len(pairs) == 0) {
		return outOfBounds("requestMetadata", len(pairs), fmt.Sprintf("1 to %d pairs", maxMetadata))
	}
	for k, v := range pairs {
		if k == "" || utf8.RuneCountInString(k) > maxMetadataText || utf8.RuneCountInString(v) > maxMetadataText {
			return outOfBounds("requestMetadata", k, fmt.Sprintf("a key of 1 to %d characters, and a value of at most as many", maxMetadataText))
		}
	}
	return nil
}

// text is what the message says in words.
func (m message) text() string {
	var texts []string
	for _, b := range m.Content {
		if b.kind == "text" {
			texts = append(texts, b.text)
		}
	}
	return strings.Join(texts, " ")
}

func invalid(format string, args ...any) error {
	return cloud.Refuse("ValidationException", format, args...)
}

func unsupported(what string) error {
	return invalid("%s is not supported by this stand-in for Bedrock.", what)
}

func outOfBounds(path string, value any, want string) error {
	return invalid("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: Member must be %s", value, path, want)
}
