package converse

import "strings"

// abilities are what a model can do in ConverseStream. The zero value reads and
// writes text, and no more.
type abilities struct {
	tools     bool // may ask for tools, in a stream
	force     bool // can be made to use some tool, or a certain one
	choose    bool // takes Anthropic's tool_choice, with "none" and one tool at a time
	schemas   bool // keeps exactly to a schema in answers
	strict    bool // and in arguments
	flat      bool // takes no definitions in the schemas of tools
	images    bool
	documents bool
	stop      bool  // stop sequences
	either    bool  // temperature or top_p, not both
	fixed     bool  // neither temperature nor top_p
	most      int32 // tokens in an answer, 0 if only Bedrock knows
	reason    reasoning
	keep      keeping
}

// reasoning is how a model is asked to think first.
type reasoning int

const (
	never    reasoning = iota
	byBudget           // Anthropic's thinking, with a budget of tokens
	adaptive           // Anthropic's thinking as it sees fit, within an effort
	byEffort           // Nova's reasoningConfig
)

// keeping is where a model takes cache points.
type keeping int

const (
	nowhere    keeping = iota
	inMessages         // and in the instructions
	everywhere         // after tools, too
)

// Families of models.
var (
	claude = abilities{tools: true, force: true, choose: true, images: true, documents: true, stop: true}
	nova   = abilities{tools: true, force: true, images: true, documents: true, stop: true, flat: true, keep: inMessages}

	claude4  = claude.with(func(a *abilities) { a.reason, a.keep = byBudget, everywhere })
	claude45 = claude4.with(func(a *abilities) { a.schemas, a.strict, a.either, a.most = true, true, true, 64_000 })
	claude46 = claude45.with(func(a *abilities) { a.reason, a.most = adaptive, 128_000 })
	claude47 = claude46.with(func(a *abilities) { a.fixed, a.schemas, a.strict = true, false, false })
	// None of these can be forced to use a tool, so that a schema is the only way
	// to hold them to JSON.
	claude55 = claude47.with(func(a *abilities) { a.force, a.schemas = false, true })
)

func (a abilities) with(change func(*abilities)) abilities {
	change(&a)
	return a
}

// known are the abilities by the beginning of a foundation model's ID, the more
// special first, as of November 2026. Llama uses tools in whole answers only.
// Bedrock's model cards say which keep to schemas; of newer ones it has refused
// the fields, and a tool does for the format, if it can be forced.
// Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html,
// https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html,
// https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html,
// https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html,
// https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html,
// https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html,
// https://docs.aws.amazon.com/nova/latest/userguide/tool-choice.html and
// https://platform.claude.com/docs/en/about-claude/models/overview; that newer
// ones have their own temperature and always think is said in
// https://platform.claude.com/docs/en/about-claude/models/migration-guide, and
// what was refused in https://github.com/vercel/ai/issues/14773,
// https://github.com/lobehub/lobehub/issues/19876 and
// https://github.com/ax-llm/ax/issues/667
var known = []struct {
	prefix string
	abilities
}{
	{"anthropic.claude-sonnet-5-5", claude55},
	{"anthropic.claude-opus-5-5", claude55},
	{"anthropic.claude-fable-5-1", claude55},
	{"anthropic.claude-sonnet-5", claude47},
	{"anthropic.claude-opus-5", claude47},
	{"anthropic.claude-haiku-5", claude47},
	{"anthropic.claude-fable-5", claude47},
	{"anthropic.claude-opus-4-8", claude47},
	{"anthropic.claude-opus-4-7", claude47},
	{"anthropic.claude-sonnet-4-6", claude46},
	{"anthropic.claude-opus-4-6", claude46},
	{"anthropic.claude-sonnet-4-5", claude45},
	{"anthropic.claude-haiku-4-5", claude45},
	{"anthropic.claude-opus-4-5", claude45},
	{"anthropic.claude-opus-4-1", claude4.with(func(a *abilities) { a.either, a.most = true, 32_000 })},
	{"anthropic.claude-sonnet-4-2", claude4.with(func(a *abilities) { a.most = 64_000 })}, // 4, by its date
	{"anthropic.claude-opus-4-2", claude4.with(func(a *abilities) { a.most = 32_000 })},
	{"anthropic.claude-3-7-sonnet", claude4},
	{"anthropic.claude-", claude},
	{"amazon.nova-2-", nova.with(func(a *abilities) { a.reason = byEffort })},
	{"amazon.nova-micro", nova.with(func(a *abilities) { a.images, a.documents = false, false })},
	{"amazon.nova-", nova},
	{"meta.llama4-", abilities{images: true, documents: true}},
	{"meta.llama3-", abilities{documents: true}},
	{"mistral.mistral-large", abilities{tools: true, documents: true, stop: true}},
}

// abilitiesOf returns what the foundation model with that ID can do. Of one that
// nobody described the least is expected.
func abilitiesOf(model string) abilities {
	for _, k := range known {
		if strings.HasPrefix(model, k.prefix) {
			return k.abilities
		}
	}
	return abilities{}
}
