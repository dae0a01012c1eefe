package converse

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// anyObject is the schema of a JSON object of which nothing more is known.
const anyObject = `{"type":"object"}`

// answersByTool tells whether the answer has to be asked for as the arguments of
// a tool: how models answer in JSON that do not keep to a schema by themselves,
// or that keep only to schemas that close every object. An answer that must be
// the use of another tool has no format.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
func (m abilities) answersByTool(r Request) bool {
	forced := r.ToolChoice.Mode == ToolAny || r.ToolChoice.Mode == ToolOne
	return r.Format != nil && !forced && !m.nativeFormat(r)
}

func (m abilities) nativeFormat(r Request) bool {
	return m.schemas && r.Format != nil && r.Format.Strict && r.Format.Schema != nil
}

// answerTool returns a name that none of the tools has.
func answerTool(tools []Tool) string {
	name := "answer_in_json"
	for slices.ContainsFunc(tools, func(t Tool) bool { return t.Name == name }) {
		name += "_"
	}
	return name
}

func (r Request) withoutTools() bool { return len(r.Tools) == 0 || r.ToolChoice.Mode == ToolNone }

// toolsUsed are the names of the tools in the history, in order.
func toolsUsed(messages []Message) []string {
	var names []string
	for _, m := range messages {
		for _, p := range m.Parts {
			if p.ToolUse != nil && !slices.Contains(names, p.ToolUse.Name) {
				names = append(names, p.ToolUse.Name)
			}
		}
	}
	return names
}

// sendsTools tells whether there is something to use, or was: a history with tools
// cannot do without, even if the model is to use none any more, unless they are
// retold.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use.html
func (m abilities) sendsTools(r Request) bool {
	if !r.withoutTools() || m.answersByTool(r) {
		return true
	}
	return len(toolsUsed(r.Messages)) > 0 && !m.retells(r)
}

// toolConfig is nil if no tools are sent. Those that are retold are not in the
// messages any more.
func (t *translation) toolConfig() *types.ToolConfiguration {
	if !t.model.sendsTools(t.Request) {
		return nil
	}
	config := &types.ToolConfiguration{}
	for _, tool := range t.Tools {
		config.Tools = append(config.Tools, t.specification(tool))
		if tool.Cache && t.model.keep == everywhere && t.keeps(len(config.Tools)) {
			config.Tools = append(config.Tools, &types.ToolMemberCachePoint{Value: cachePoint})
		}
	}
	if len(t.Tools) == 0 {
		for _, name := range toolsUsed(t.Messages) {
			config.Tools = append(config.Tools, t.specification(Tool{Name: name, Schema: []byte(anyObject)}))
		}
	}
	if t.answer != "" {
		config.Tools = append(config.Tools, t.specification(t.answerSpecification()))
	}
	if t.ownChoice() == nil {
		config.ToolChoice = t.choice()
	}
	return config
}

func (t *translation) answerSpecification() Tool {
	return Tool{
		Name:        t.answer,
		Description: cmp.Or(t.Format.Description, "Gives the answer. Nobody reads any other."),
		Schema:      json.RawMessage(cmp.Or(string(t.Format.Schema), anyObject)),
	}
}

func (t *translation) specification(tool Tool) types.Tool {
	schema := tool.Schema
	if t.model.flat {
		schema, _ = inlined(schema) // what cannot be is refused before
	}
	spec := types.ToolSpecification{
		Name: aws.String(tool.Name), InputSchema: &types.ToolInputSchemaMemberJson{Value: raw(schema)},
	}
	if tool.Description != "" {
		spec.Description = aws.String(tool.Description)
	}
	if tool.Strict && t.model.strict {
		spec.Strict = aws.Bool(true)
	}
	return &types.ToolMemberToolSpec{Value: spec}
}

// choice leaves "auto" out, which is the default and all that some models know.
func (t *translation) choice() types.ToolChoice {
	switch {
	case t.answer != "" && t.withoutTools():
		return &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: aws.String(t.answer)}}
	case t.answer != "" || t.ToolChoice.Mode == ToolAny:
		return &types.ToolChoiceMemberAny{}
	case t.ToolChoice.Mode == ToolOne:
		return &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: aws.String(t.ToolChoice.Name)}}
	default:
		return nil
	}
}

// ownChoice is Anthropic's tool_choice. It says what Bedrock's cannot, and two
// choices in one request are refused.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-tool-use.html
type ownChoice struct {
	Type   string `document:"type"`
	Name   string `document:"name,omitempty"`
	Single bool   `document:"disable_parallel_tool_use,omitempty"`
}

// ownChoice returns nil if Bedrock's own choice says it all.
func (t *translation) ownChoice() *ownChoice {
	switch {
	case t.retold || t.answer != "" && t.withoutTools():
		return nil
	case t.withoutTools() && len(toolsUsed(t.Messages)) > 0:
		return &ownChoice{Type: "none"}
	case !t.ToolChoice.Single:
		return nil
	case t.ToolChoice.Mode == ToolOne:
		return &ownChoice{Type: "tool", Name: t.ToolChoice.Name, Single: true}
	case t.ToolChoice.Mode == ToolAny || t.answer != "":
		return &ownChoice{Type: "any", Single: true}
	default:
		return &ownChoice{Type: "auto", Single: true}
	}
}
