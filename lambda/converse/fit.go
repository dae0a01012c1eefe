package converse

import (
	"cmp"
	"encoding/json"
	"fmt"
)

// Feature is a part of a [Request] that not every model can act on.
type Feature string

// Features, each named after what asks for it.
const (
	FeatureTools       Feature = "tools"
	FeatureToolChoice  Feature = "tool choice"
	FeatureSingle      Feature = "single tools"
	FeatureFormat      Feature = "format"
	FeatureEffort      Feature = "effort"
	FeatureMaxTokens   Feature = "max tokens"
	FeatureTemperature Feature = "temperature"
	FeatureTopP        Feature = "top p"
	FeatureStop        Feature = "stop"
	FeatureMessages    Feature = "messages" // images and documents in them
)

// Unfit is what a model cannot do of a request.
type Unfit struct {
	Feature Feature
	Reason  string // a sentence for the caller; it quotes nothing
	Crowded bool   // fewer messages would do
}

func unfit(f Feature, reason string) *Unfit { return &Unfit{Feature: f, Reason: reason} }

// crowded is for too many of something in all messages together.
func crowded(what string, most int) *Unfit {
	return &Unfit{Feature: FeatureMessages, Crowded: true,
		Reason: fmt.Sprintf("There are more than %d %s, those of earlier turns included.", most, what)}
}

// Error implements error.
func (u *Unfit) Error() string { return fmt.Sprintf("%s: %s", u.Feature, u.Reason) }

// Limits of one request.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html
const (
	MaxImages        = 20
	MaxImageBytes    = 3_750_000
	MaxDocuments     = 5
	MaxDocumentBytes = 4_500_000
)

// Check finds what the model of r cannot do, before anybody is asked: Bedrock
// would refuse it too, later and in words that name no parameter of the caller,
// or ignore it. The error is an *[Unfit].
func Check(r Request) error {
	m := abilitiesOf(r.Model)
	if u := cmp.Or(m.fitTools(r), m.fitFormat(r), m.fitReasoning(r), m.fitSampling(r), m.fitContent(r)); u != nil {
		return u
	}
	return nil
}

func (m abilities) fitTools(r Request) *Unfit {
	used := len(toolsUsed(r.Messages)) > 0 && !m.retells(r)
	forced := r.ToolChoice.Mode == ToolAny || r.ToolChoice.Mode == ToolOne
	switch {
	case !m.tools && (len(r.Tools) > 0 || used):
		return unfit(FeatureTools, "This model does not use tools.")
	case forced && !m.force:
		return unfit(FeatureToolChoice, "This model cannot be made to use a tool.")
	case forced && r.Effort != "":
		return unfit(FeatureToolChoice, "A model that reasons cannot be made to use a tool.")
	case r.ToolChoice.Single && !m.choose:
		return unfit(FeatureSingle, "This model cannot be kept from using several tools at once.")
	}
	return m.fitSchemas(r.Tools)
}

func (m abilities) fitSchemas(tools []Tool) *Unfit {
	for _, t := range tools {
		switch {
		case t.Strict && m.strict && !closed(t.Schema):
			return unfit(FeatureTools, openSchema)
		case m.tangled(t.Schema):
			return unfit(FeatureTools, tangledSchema)
		}
	}
	return nil
}

func (m abilities) tangled(schema json.RawMessage) bool {
	if !m.flat {
		return false
	}
	_, ok := inlined(schema)
	return !ok
}

func (m abilities) fitFormat(r Request) *Unfit {
	switch {
	case m.nativeFormat(r) && !closed(r.Format.Schema):
		return unfit(FeatureFormat, openSchema)
	case !m.answersByTool(r):
		return nil
	case !m.force && m.schemas:
		return unfit(FeatureFormat, "This model can be held only to a strict JSON schema that neither limits values nor contains itself.")
	case !m.force:
		return unfit(FeatureFormat, "This model cannot be held to JSON.")
	case m.tangled(r.Format.Schema):
		return unfit(FeatureFormat, tangledSchema)
	case r.Effort != "" && m.schemas:
		return unfit(FeatureFormat, "This model reasons only if the format is text, or a strict JSON schema that neither limits values nor contains itself.")
	case r.Effort != "":
		return unfit(FeatureFormat, "This model cannot both reason and be held to JSON.")
	default:
		return nil
	}
}

// minTopP is the least that Anthropic's models take beside their thinking.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html
const minTopP = 0.95

func (m abilities) fitReasoning(r Request) *Unfit {
	claude := m.reason == byBudget || m.reason == adaptive
	unbounded := m.reason == byEffort && r.Effort == "high"
	switch {
	case r.Effort == "":
		return nil
	case m.reason == never:
		return unfit(FeatureEffort, "This model does not reason.")
	case claude && r.Temperature != nil && *r.Temperature != 1, unbounded && r.Temperature != nil:
		return unfit(FeatureTemperature, "This model reasons at its own temperature only.")
	case claude && r.TopP != nil && *r.TopP < minTopP, unbounded && r.TopP != nil:
		return unfit(FeatureTopP, "This model does not reason with this value.")
	case m.reason == byBudget && r.MaxTokens > 0 && r.MaxTokens <= minBudget:
		return unfit(FeatureMaxTokens, fmt.Sprintf("To reason, this model needs more than %d tokens.", minBudget))
	case unbounded && r.MaxTokens > 0:
		return unfit(FeatureMaxTokens, "This model cannot be bounded at its highest effort.")
	default:
		return nil
	}
}

func (m abilities) fitSampling(r Request) *Unfit {
	switch {
	case m.most > 0 && r.MaxTokens > m.most:
		return unfit(FeatureMaxTokens, fmt.Sprintf("An answer of this model has at most %d tokens.", m.most))
	case m.fixed && r.Temperature != nil && *r.Temperature != 1:
		return unfit(FeatureTemperature, "This model has a temperature of its own.")
	case m.fixed && r.TopP != nil && *r.TopP != 1:
		return unfit(FeatureTopP, "This model samples in its own way.")
	case m.either && !m.fixed && r.Temperature != nil && r.TopP != nil:
		return unfit(FeatureTopP, "This model takes a temperature or this, not both.")
	case len(r.Stop) > 0 && !m.stop:
		return unfit(FeatureStop, "This model does not stop at sequences.")
	default:
		return nil
	}
}

func (m abilities) fitContent(r Request) *Unfit {
	var all content
	for _, message := range r.Messages {
		if u := all.add(message.Parts); u != nil {
			return u
		}
	}
	switch {
	case all.images > 0 && !m.images:
		return unfit(FeatureMessages, "This model does not look at images.")
	case all.documents > 0 && !m.documents:
		return unfit(FeatureMessages, "This model does not read files.")
	case all.images > MaxImages:
		return crowded("images", MaxImages)
	case all.documents > MaxDocuments:
		return crowded("files", MaxDocuments)
	default:
		return nil
	}
}

// content counts what is not text.
type content struct{ images, documents int }

// add faults what is too large.
func (all *content) add(parts []Part) *Unfit {
	for _, p := range parts {
		switch {
		case p.Image != nil:
			all.images++
			if len(p.Image.Bytes) > MaxImageBytes {
				return unfit(FeatureMessages, fmt.Sprintf("An image is larger than %d bytes.", MaxImageBytes))
			}
		case p.Document != nil:
			all.documents++
			if len(p.Document.Bytes) > MaxDocumentBytes {
				return unfit(FeatureMessages, fmt.Sprintf("A file is larger than %d bytes.", MaxDocumentBytes))
			}
		case p.ToolResult != nil:
			if u := all.add(p.ToolResult.Parts); u != nil {
				return u
			}
		}
	}
	return nil
}
