package converse

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/crossregion/crossregion/contract"
)

// translation turns one request into Bedrock's terms.
type translation struct {
	Request
	model     abilities
	answer    string // the tool whose arguments are the answer, "" for none
	points    int    // cache points so far
	documents int    // documents so far
	uses      toolIDs
	retold    bool // the uses of tools, in words
}

func translate(r Request) *translation {
	m := abilitiesOf(r.Model)
	t := &translation{Request: r, model: m}
	if m.answersByTool(r) {
		t.answer = answerTool(r.Tools)
	}
	if t.retold = m.retells(r); t.retold {
		t.Messages = retell(r.Messages)
	}
	return t
}

// input is the request as it goes to target. Tools come first, then the
// instructions and the messages, in which order Bedrock counts cache points.
func (t *translation) input(target contract.Target) *bedrockruntime.ConverseStreamInput {
	in := &bedrockruntime.ConverseStreamInput{
		ModelId: aws.String(target.ID), ToolConfig: t.toolConfig(), OutputConfig: t.outputConfig(),
	}
	if g := target.Guardrail; g != nil {
		in.GuardrailConfig = guardrail(*g)
	}
	effort := t.effort()
	in.InferenceConfig = &types.InferenceConfiguration{
		MaxTokens: t.maxTokens(effort), Temperature: t.Temperature, TopP: t.TopP, StopSequences: t.Stop,
	}
	if t.model.fixed { // not even at its own value
		in.InferenceConfig.Temperature, in.InferenceConfig.TopP = nil, nil
	}
	if own := (extras{Thinking: t.thinking(effort), Reasoning: t.reasoningConfig(effort), ToolChoice: t.ownChoice()}); own != (extras{}) {
		in.AdditionalModelRequestFields = document.NewLazyDocument(own)
	}
	for _, p := range t.System {
		if p.Cache && t.keeps(len(in.System)) {
			in.System = append(in.System, &types.SystemContentBlockMemberCachePoint{Value: cachePoint})
		} else if !p.Cache {
			in.System = append(in.System, &types.SystemContentBlockMemberText{Value: p.Text})
		}
	}
	in.Messages = make([]types.Message, len(t.Messages))
	for i, m := range t.Messages {
		in.Messages[i] = types.Message{Role: types.ConversationRole(m.Role), Content: t.blocks(m.Parts)}
	}
	return in
}

// extras are fields of certain models, which Bedrock passes on to them.
type extras struct {
	Thinking   *thinking        `document:"thinking,omitempty"`
	Reasoning  *reasoningConfig `document:"reasoningConfig,omitempty"`
	ToolChoice *ownChoice       `document:"tool_choice,omitempty"`
}

var cachePoint = types.CachePointBlock{Type: types.CachePointTypeDefault}

// keeps tells whether a cache point stands after so many blocks. Those that the
// model does not take, more than Bedrock takes, or with nothing before them are
// left out: the answer is the same without.
func (t *translation) keeps(blocks int) bool {
	if t.model.keep == nowhere || blocks == 0 || t.points == maxCachePoints {
		return false
	}
	t.points++
	return true
}

func (t *translation) blocks(parts []Part) []types.ContentBlock {
	blocks := make([]types.ContentBlock, 0, len(parts))
	for _, p := range worded(parts) {
		switch {
		case p.Cache:
			if t.keeps(len(blocks)) {
				blocks = append(blocks, &types.ContentBlockMemberCachePoint{Value: cachePoint})
			}
		case p.Reasoning != nil:
			if t.takesBack(*p.Reasoning) {
				blocks = append(blocks, &types.ContentBlockMemberReasoningContent{Value: thoughts(*p.Reasoning)})
			}
		default:
			blocks = append(blocks, t.block(p))
		}
	}
	return blocks
}

// worded says a word before files that stand without any, as Converse wants it.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html
func worded(parts []Part) []Part {
	file := false
	for _, p := range parts {
		if p.Text != "" {
			return parts
		}
		file = file || p.Document != nil
	}
	if !file {
		return parts
	}
	results := 0 // which come before anything else
	for results < len(parts) && parts[results].ToolResult != nil {
		results++
	}
	return slices.Insert(slices.Clone(parts), results, Part{Text: "(A file.)"})
}

func (t *translation) block(p Part) types.ContentBlock {
	switch {
	case p.Image != nil:
		return &types.ContentBlockMemberImage{Value: image(*p.Image)}
	case p.Document != nil:
		return &types.ContentBlockMemberDocument{Value: t.document(*p.Document)}
	case p.ToolUse != nil:
		return &types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{
			ToolUseId: aws.String(t.uses.next(p.ToolUse.ID)), Name: aws.String(p.ToolUse.Name), Input: raw(p.ToolUse.Input),
		}}
	case p.ToolResult != nil:
		return &types.ContentBlockMemberToolResult{Value: t.toolResult(*p.ToolResult)}
	default:
		return &types.ContentBlockMemberText{Value: p.Text}
	}
}

func (t *translation) toolResult(r ToolResult) types.ToolResultBlock {
	block := types.ToolResultBlock{ToolUseId: aws.String(t.uses.last(r.ID)), Content: make([]types.ToolResultContentBlock, 0, len(r.Parts))}
	if r.Failed {
		block.Status = types.ToolResultStatusError
	}
	for _, p := range worded(r.Parts) {
		switch {
		case p.Image != nil:
			block.Content = append(block.Content, &types.ToolResultContentBlockMemberImage{Value: image(*p.Image)})
		case p.Document != nil:
			block.Content = append(block.Content, &types.ToolResultContentBlockMemberDocument{Value: t.document(*p.Document)})
		default:
			block.Content = append(block.Content, &types.ToolResultContentBlockMemberText{Value: p.Text})
		}
	}
	return block
}

func image(i Image) types.ImageBlock {
	return types.ImageBlock{Format: types.ImageFormat(i.Format), Source: &types.ImageSourceMemberBytes{Value: i.Bytes}}
}

// document numbers what has no name, so that the next turn names it alike.
func (t *translation) document(d Document) types.DocumentBlock {
	t.documents++
	return types.DocumentBlock{
		Name:   aws.String(cmp.Or(d.Name, "document "+strconv.Itoa(t.documents))),
		Format: types.DocumentFormat(d.Format), Source: &types.DocumentSourceMemberBytes{Value: d.Bytes},
	}
}

// rawDocument is JSON that is sent as it is, since decoding it would cost the
// precision of its numbers and the order of its names. The SDK takes only what
// embeds a document of its own.
type rawDocument struct {
	document.Interface
	json json.RawMessage
}

var sdkDocument = document.NewLazyDocument(nil)

func raw(json json.RawMessage) document.Interface { return rawDocument{sdkDocument, json} }

// MarshalSmithyDocument implements the SDK's interface of documents.
func (d rawDocument) MarshalSmithyDocument() ([]byte, error) { return d.json, nil }
