package bedrock

import (
	"encoding/json"
	"slices"
)

// minThinking is the least budget for thoughts, in tokens.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
const minThinking = 1024

// outputConfig is the shape of an answer and the effort behind it.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_OutputConfig.html
type outputConfig struct {
	Effort     *string `json:"effort"`
	TextFormat *struct {
		Type      string `json:"type"`
		Structure struct {
			JSONSchema *struct {
				Schema      string `json:"schema"`
				Name        string `json:"name"`
				Description string `json:"description"`
			} `json:"jsonSchema"`
		} `json:"structure"`
	} `json:"textFormat"`
}

func (c *outputConfig) validate(m model) error {
	if c == nil {
		return nil
	}
	if e := c.Effort; e != nil {
		switch {
		case !m.can("adaptive"):
			return invalid("This model doesn't support the outputConfig.effort field. Remove outputConfig.effort and try again.")
		case !slices.Contains([]string{"low", "medium", "high", "xhigh", "max"}, *e):
			return outOfBounds("outputConfig.effort", *e, "one of low, medium, high, xhigh and max")
		}
	}
	f := c.TextFormat
	switch {
	case f == nil:
		return nil
	case !m.can("schemas"):
		return invalid("This model doesn't support the outputConfig.textFormat field. Remove outputConfig.textFormat and try again.")
	case f.Type != "json_schema" || f.Structure.JSONSchema == nil:
		return outOfBounds("outputConfig.textFormat.type", f.Type, "json_schema, with a structure of jsonSchema")
	}
	text := []byte(f.Structure.JSONSchema.Schema)
	switch {
	case !json.Valid(text):
		return invalid("The value of outputConfig.textFormat.structure.jsonSchema.schema is not valid JSON.")
	case !parseSchema(text).closed():
		return invalid("The model returned the following errors: output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false")
	}
	if err := compilable(text); err != nil {
		return invalid("The model returned the following errors: output_config.format.schema: %s", err)
	}
	return nil
}

// schemaOf is the schema that the answer must match, "" for none.
func (c *outputConfig) schemaOf() string {
	if c == nil || c.TextFormat == nil {
		return ""
	}
	return c.TextFormat.Structure.JSONSchema.Schema
}

// additional are fields of certain models.
type additional struct {
	Thinking *struct {
		Type   string `json:"type"`
		Budget int    `json:"budget_tokens"`
	} `json:"thinking"`
	ToolChoice *struct {
		Type   string `json:"type"`
		Name   string `json:"name"`
		Single bool   `json:"disable_parallel_tool_use"`
	} `json:"tool_choice"`
	Reasoning *struct {
		Type   string `json:"type"`
		Effort string `json:"maxReasoningEffort"`
	} `json:"reasoningConfig"`
}

// validateAdditional refuses fields that are not the model's.
func (r converseRequest) validateAdditional(m model) error {
	a := r.AdditionalRequest
	switch {
	case a.Thinking != nil && !m.can("thinking"):
		return extraneous("thinking")
	case a.ToolChoice != nil && !m.can("own-choice"):
		return extraneous("tool_choice")
	case a.Reasoning != nil && !m.can("reasoning"):
		return extraneous("reasoningConfig")
	}
	for _, check := range []func(model) error{r.validateThinking, r.validateOwnChoice, r.validateReasoning, r.validateSampling} {
		if err := check(m); err != nil {
			return err
		}
	}
	return nil
}

func extraneous(name string) error {
	return invalid("Malformed input request: #: extraneous key [%s] is not permitted, please reformat your input and try again.", name)
}

// validateThinking applies Anthropic's rules of extended thinking.
func (r converseRequest) validateThinking(m model) error {
	t, c := r.AdditionalRequest.Thinking, r.InferenceConfig
	if t == nil || t.Type == "disabled" {
		return nil
	}
	switch {
	case t.Type != "enabled" && t.Type != "adaptive":
		return invalid("thinking.type: Input should be 'disabled', 'enabled' or 'adaptive'")
	case t.Type == "adaptive" && !m.can("adaptive"):
		return invalid("adaptive thinking is not supported on this model")
	case t.Type == "adaptive" && t.Budget != 0:
		return invalid("thinking.adaptive.budget_tokens: Extra inputs are not permitted")
	case t.Type == "enabled" && t.Budget < minThinking:
		return invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to %d", minThinking)
	case t.Type == "enabled" && c.MaxTokens != nil && *c.MaxTokens <= t.Budget:
		return invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")
	case c.Temperature != nil && *c.Temperature != 1:
		return invalid("`temperature` may only be set to 1 when thinking is enabled.")
	case c.TopP != nil && *c.TopP < 0.95:
		return invalid("`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled.")
	case r.forced():
		return invalid("Thinking may not be enabled when tool_choice forces tool use.")
	case t.Type == "enabled" && r.thoughtsAreMissing():
		return invalid("Expected `thinking` or `redacted_thinking`, but found `tool_use`. When `thinking` is enabled, " +
			"a final `assistant` message must start with a thinking block.")
	default:
		return nil
	}
}

// thoughtsAreMissing reports whether the uses of tools that were answered last
// came without the thoughts before them.
func (r converseRequest) thoughtsAreMissing() bool {
	last := len(r.Messages) - 1
	return last > 0 && has(r.Messages[last].Content, "toolResult") && r.Messages[last-1].Content[0].kind != "reasoningContent"
}

// forced reports whether some tool must be used.
func (r converseRequest) forced() bool {
	own := r.AdditionalRequest.ToolChoice
	return own != nil && (own.Type == "any" || own.Type == "tool") ||
		r.ToolConfig != nil && r.ToolConfig.Choice != nil && r.ToolConfig.Choice.Auto == nil
}

func (r converseRequest) validateOwnChoice(model) error {
	own := r.AdditionalRequest.ToolChoice
	switch {
	case own == nil:
		return nil
	case r.ToolConfig == nil:
		return invalid("tool_choice may only be specified while providing tools.")
	case r.ToolConfig.Choice != nil:
		return invalid("The additional field tool_choice conflicts with toolConfig.toolChoice.")
	case !slices.Contains([]string{"auto", "any", "tool", "none"}, own.Type):
		return invalid("tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'")
	case own.Type == "none" && own.Single:
		return invalid("tool_choice.none.disable_parallel_tool_use: Extra inputs are not permitted")
	case own.Type == "tool" && r.ToolConfig.find(own.Name) == nil:
		return invalid("tool_choice.name: Tool '%s' not found in provided tools", own.Name)
	default:
		return nil
	}
}

// validateReasoning applies Nova's rules of reasoning.
// Source: https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
func (r converseRequest) validateReasoning(model) error {
	c, in := r.AdditionalRequest.Reasoning, r.InferenceConfig
	switch {
	case c == nil || c.Type == "disabled":
		return nil
	case c.Type != "enabled":
		return outOfBounds("reasoningConfig.type", c.Type, "enabled or disabled")
	case !slices.Contains([]string{"low", "medium", "high"}, c.Effort):
		return outOfBounds("reasoningConfig.maxReasoningEffort", c.Effort, "low, medium or high")
	case c.Effort == "high" && (in.MaxTokens != nil || in.Temperature != nil || in.TopP != nil):
		return invalid("maxTokens, temperature and topP cannot be used with maxReasoningEffort set to high.")
	case r.forced():
		return invalid("toolConfig.toolChoice cannot force a tool with reasoningConfig enabled.")
	default:
		return nil
	}
}

func (r converseRequest) validateSampling(m model) error {
	c := r.InferenceConfig
	switch {
	case m.can("either") && c.Temperature != nil && c.TopP != nil:
		return invalid("The model returned the following errors: `temperature` and `top_p` cannot both be specified for this model. Please use only one.")
	case len(c.StopSequences) > 0 && !m.can("stop"):
		return invalid("This model doesn't support the stopSequences field. Remove stopSequences and try again.")
	default:
		return nil
	}
}
