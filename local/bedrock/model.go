package bedrock

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

const (
	maxQuoted     = 200  // characters of the question that an answer repeats
	maxWords      = 4000 // of filler that a question may ask for
	defaultWords  = 20
	tokensInDelta = 3
)

var (
	tokenShape = regexp.MustCompile(`\s*(?:[\pL\pN]+|[^\s\pL\pN]+)`)
	wordsAsked = regexp.MustCompile(`(?i)\bsay (\d{1,6}) words\b`)
	toolAsked  = regexp.MustCompile(`(?i)\bcall the tool(?: ([a-zA-Z0-9_-]+))?`)
)

// SecretPhrase makes a model that reasons keep its thoughts from the caller.
const SecretPhrase = "think in secret"

// vocabulary is what filler is made of, in this order.
var vocabulary = []string{
	"rivers", "carry", "quiet", "water", "past", "green", "hills", "while", "small", "boats",
	"follow", "the", "current", "toward", "a", "distant", "harbour", "and", "rest", "there",
}

// answer is what the model says.
type answer struct {
	parts      []part
	stopReason string
	usage      usage
}

// part is one block of an answer.
type part struct {
	kind     string   // text, toolUse or reasoningContent
	tokens   []string // with the space before each; of arguments, if it is the use of a tool
	id, name string   // of the use of a tool
	redacted bool     // thoughts that only the model can read
	proven   bool     // thoughts with a signature
}

type usage struct {
	InputTokens  int `json:"inputTokens"`
	OutputTokens int `json:"outputTokens"`
	TotalTokens  int `json:"totalTokens"`
	CacheRead    int `json:"cacheReadInputTokens"`
	CacheWrite   int `json:"cacheWriteInputTokens"`
}

// reply answers a valid request. It depends on the request alone, never on
// region, time or chance.
func reply(r converseRequest) (answer, error) {
	a := answer{parts: r.think(), stopReason: "end_turn"}
	calls, err := r.call()
	if err != nil {
		return a, err
	}
	if len(calls) > 0 {
		a.parts, a.stopReason = append(a.parts, calls...), "tool_use"
		return a.bounded(r.InferenceConfig.MaxTokens), nil
	}
	text, err := r.compose()
	if err != nil {
		return a, err
	}
	if cut, found := cutAtFirst(text, r.InferenceConfig.StopSequences); found {
		text, a.stopReason = cut, "stop_sequence"
	}
	if text != "" {
		a.parts = append(a.parts, part{kind: "text", tokens: tokenize(text)})
	}
	return a.bounded(r.InferenceConfig.MaxTokens), nil
}

// bounded ends a after so many tokens.
func (a answer) bounded(most *int) answer {
	if most == nil {
		return a
	}
	left := *most
	for i, p := range a.parts {
		if len(p.tokens) > left {
			a.parts[i].tokens, a.stopReason = p.tokens[:left], "max_tokens"
			a.parts[i].proven = false // the proof comes last
			a.parts = a.parts[:i+1]
			return a
		}
		left -= len(p.tokens)
	}
	return a
}

// think is what a model that was asked to reason thinks.
func (r converseRequest) think() []part {
	anthropic, nova := r.reasons()
	_, asked := r.asked()
	switch {
	case nova:
		return []part{{kind: "reasoningContent", tokens: []string{"[REDACTED]"}}}
	case anthropic && strings.Contains(asked, SecretPhrase):
		return []part{{kind: "reasoningContent", redacted: true}}
	case anthropic:
		thought := fmt.Sprintf("The question has %d words.", len(strings.Fields(asked)))
		return []part{{kind: "reasoningContent", tokens: tokenize(thought), proven: true}}
	default:
		return nil
	}
}

// call are the uses of tools that r asks for.
func (r converseRequest) call() ([]part, error) {
	turn, asked := r.asked()
	var parts []part
	for i, spec := range r.wanted(asked) {
		arguments, err := exampleOf(spec.InputSchema.JSON)
		if err != nil {
			return nil, fmt.Errorf("make arguments of tool %d: %w", i, err)
		}
		id := "tooluse_" + cloud.ID(22, "tooluse", asked, strconv.Itoa(turn), strconv.Itoa(i))
		parts = append(parts, part{kind: "toolUse", tokens: tokenize(arguments), id: id, name: spec.Name})
	}
	return parts, nil
}

// wanted are the tools that the model uses: what a choice forces, or what the
// question asks for.
func (r converseRequest) wanted(asked string) []toolSpec {
	own := r.AdditionalRequest.ToolChoice
	if r.ToolConfig == nil || own != nil && own.Type == "none" {
		return nil
	}
	specs := r.ToolConfig.specs()
	m := toolAsked.FindStringSubmatch(asked)
	if one := r.ToolConfig.find(r.forcedTool()); one != nil {
		return []toolSpec{*one}
	}
	single := own != nil && own.Single
	switch {
	case strings.Contains(strings.ToLower(asked), "call every tool") && !single:
		return specs
	case m == nil && !r.forced() && !strings.Contains(strings.ToLower(asked), "call every tool"):
		return nil
	case m != nil && r.ToolConfig.find(m[1]) != nil:
		return []toolSpec{*r.ToolConfig.find(m[1])}
	default:
		return specs[:1]
	}
}

// asked is the number of the user's last turn, and its text.
func (r converseRequest) asked() (turn int, text string) {
	for _, m := range r.Messages {
		if m.Role == "user" {
			turn, text = turn+1, m.text()
		}
	}
	return turn, text
}

// compose is the whole text of an answer before any limit cuts it.
func (r converseRequest) compose() (string, error) {
	if s := r.OutputConfig.schemaOf(); s != "" {
		return exampleOf([]byte(s))
	}
	turn, asked := r.asked()
	words := defaultWords
	if m := wordsAsked.FindStringSubmatch(asked); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n <= maxWords {
			words = n
		}
	}
	last := r.question()
	said := []string{fmt.Sprintf("Turn %d.", turn)}
	if results := all(last, "toolResult"); len(results) > 0 {
		said = append(said, fmt.Sprintf("The tools said: %q.", quote(textOf(results))))
	}
	if has(last, "text") {
		said = append(said, fmt.Sprintf("You said: \"%s\".", quote(asked)))
	}
	for _, b := range append(all(last, "image"), all(last, "document")...) {
		said = append(said, "I see "+b.describe()+".")
	}
	text := strings.TrimSpace(strings.Join(append(said, filler(words)), " "))
	if begun := r.beginning(); begun != "" {
		text = goOn(text, begun)
	}
	return text, nil
}

// quote is the beginning of text.
func quote(text string) string {
	quoted := []rune(text)
	return string(quoted[:min(len(quoted), maxQuoted)])
}

func filler(n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = vocabulary[i%len(vocabulary)]
	}
	return strings.Join(words, " ")
}

// cutAtFirst cuts text before the earliest of the sequences.
func cutAtFirst(text string, sequences []string) (string, bool) {
	first := -1
	for _, seq := range sequences {
		if i := strings.Index(text, seq); i >= 0 && (first < 0 || i < first) {
			first = i
		}
	}
	if first < 0 {
		return text, false
	}
	return text[:first], true
}

// tokenize splits text into words and runs of punctuation.
func tokenize(text string) []string { return tokenShape.FindAllString(text, -1) }

// deltas are the pieces in which a stream carries p.
func (p part) deltas() []string {
	var pieces []string
	for chunk := range slices.Chunk(p.tokens, tokensInDelta) {
		pieces = append(pieces, strings.Join(chunk, ""))
	}
	return pieces
}

func (p part) text() string { return strings.Join(p.tokens, "") }

// steps is how many pieces a stream of a has.
func (a answer) steps() int {
	n := 0
	for _, p := range a.parts {
		n += len(p.pieces())
	}
	return n
}

// counted adds what was said to the usage.
func (a answer) counted(u usage) answer {
	for _, p := range a.parts {
		u.OutputTokens += len(p.tokens)
	}
	u.TotalTokens = u.InputTokens + u.CacheRead + u.CacheWrite + u.OutputTokens
	a.usage = u
	return a
}
