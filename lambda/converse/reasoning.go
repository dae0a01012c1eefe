package converse

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// minBudget is the least that a model thinks in tokens.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
const minBudget = 1024

// budgets are the tokens for thinking by effort, as far as the bound of the
// answer leaves room for it.
var budgets = map[string]int32{"low": 2048, "medium": 8192, "high": 16384}

type (
	thinking struct {
		Type    string `document:"type"`
		Budget  int32  `document:"budget_tokens,omitempty"`
		Display string `document:"display,omitempty"`
	}
	reasoningConfig struct {
		Type   string `document:"type"`
		Effort string `document:"maxReasoningEffort"`
	}
)

// effort is how much the model reasons. It does not reason on what tools
// answered if the thoughts before their use are gone, which models with a budget
// would refuse; callers who keep them lose nothing.
func (t *translation) effort() string {
	last := len(t.Messages) - 1
	if t.Effort == "" || t.model.reason != byBudget || last < 1 || !t.Messages[last].answersTools() {
		return t.Effort
	}
	before := t.Messages[last-1].Parts
	if len(before) == 0 || before[0].Reasoning == nil || !t.takesBack(*before[0].Reasoning) {
		return ""
	}
	return t.Effort
}

func (m Message) answersTools() bool {
	for _, p := range m.Parts {
		if p.ToolResult != nil {
			return true
		}
	}
	return false
}

// takesBack tells whether the model wants its thoughts back: only with the proof
// that they are its own.
func (t *translation) takesBack(r Reasoning) bool {
	return (t.model.reason == byBudget || t.model.reason == adaptive) && (r.Signature != "" || r.Redacted != nil)
}

func thoughts(r Reasoning) types.ReasoningContentBlock {
	if r.Redacted != nil {
		return &types.ReasoningContentBlockMemberRedactedContent{Value: r.Redacted}
	}
	return &types.ReasoningContentBlockMemberReasoningText{Value: types.ReasoningTextBlock{
		Text: aws.String(r.Text), Signature: aws.String(r.Signature),
	}}
}

// budget is what the model may think of the answer's bound: at most half, but
// always the least.
func (t *translation) budget(effort string) int32 {
	b := budgets[effort]
	if t.MaxTokens > 0 {
		b = min(b, max(t.MaxTokens/2, minBudget))
	}
	return b
}

// maxTokens bounds thoughts and answer together. Nova takes no bound at its
// highest effort.
// Source: https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
func (t *translation) maxTokens(effort string) *int32 {
	switch {
	case t.model.reason == byEffort && effort == "high":
		return nil
	case t.MaxTokens > 0:
		return aws.Int32(t.MaxTokens)
	case t.model.reason == byBudget && effort != "":
		return aws.Int32(DefaultMaxTokens + t.budget(effort))
	default:
		return aws.Int32(DefaultMaxTokens)
	}
}

func (t *translation) thinking(effort string) *thinking {
	switch {
	case effort == "":
		return nil
	case t.model.reason == byBudget:
		return &thinking{Type: "enabled", Budget: t.budget(effort)}
	case t.model.fixed: // which keep their thoughts to themselves unless asked
		return &thinking{Type: "adaptive", Display: "summarized"}
	case t.model.reason == adaptive:
		return &thinking{Type: "adaptive"}
	default:
		return nil
	}
}

func (t *translation) reasoningConfig(effort string) *reasoningConfig {
	if effort == "" || t.model.reason != byEffort {
		return nil
	}
	return &reasoningConfig{Type: "enabled", Effort: effort}
}

// outputConfig asks for a schema that the model keeps to, and for the effort of
// one that thinks as it sees fit.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_OutputConfig.html
func (t *translation) outputConfig() *types.OutputConfig {
	config := types.OutputConfig{}
	if t.Effort != "" && t.model.reason == adaptive {
		config.Effort = aws.String(t.Effort)
	}
	if t.model.nativeFormat(t.Request) {
		config.TextFormat = textFormat(*t.Format)
	}
	if config.Effort == nil && config.TextFormat == nil {
		return nil
	}
	return &config
}

func textFormat(f Format) *types.OutputFormat {
	schema := types.JsonSchemaDefinition{Schema: aws.String(string(f.Schema))}
	if f.Name != "" {
		schema.Name = aws.String(f.Name)
	}
	if f.Description != "" {
		schema.Description = aws.String(f.Description)
	}
	return &types.OutputFormat{
		Type:      types.OutputFormatTypeJsonSchema,
		Structure: &types.OutputFormatStructureMemberJsonSchema{Value: schema},
	}
}
