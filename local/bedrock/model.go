package bedrock

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
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
)

// vocabulary is what filler is made of, in this order.
var vocabulary = []string{
	"rivers", "carry", "quiet", "water", "past", "green", "hills", "while", "small", "boats",
	"follow", "the", "current", "toward", "a", "distant", "harbour", "and", "rest", "there",
}

// answer is what the model says.
type answer struct {
	tokens     []string // with the space before each
	stopReason string
	usage      usage
}

type usage struct {
	InputTokens  int `json:"inputTokens"`
	OutputTokens int `json:"outputTokens"`
	TotalTokens  int `json:"totalTokens"`
}

// reply answers a valid request. It depends on the messages and the inference
// configuration alone, never on region, time or chance.
func reply(r converseRequest) answer {
	text, stop := compose(r.Messages), "end_turn"
	if cut, found := cutAtFirst(text, r.InferenceConfig.StopSequences); found {
		text, stop = cut, "stop_sequence"
	}
	a := answer{tokens: tokenize(text), stopReason: stop}
	if m := r.InferenceConfig.MaxTokens; m != nil && len(a.tokens) > *m {
		a.tokens, a.stopReason = a.tokens[:*m], "max_tokens"
	}
	input := 0
	for _, b := range r.System {
		input += len(tokenize(b.text))
	}
	for _, m := range r.Messages {
		input += len(tokenize(m.text()))
	}
	a.usage = usage{InputTokens: input, OutputTokens: len(a.tokens), TotalTokens: input + len(a.tokens)}
	return a
}

// compose is the whole answer before any limit cuts it.
func compose(messages []message) string {
	turn, asked := 0, ""
	for _, m := range messages {
		if m.Role == "user" {
			turn, asked = turn+1, m.text()
		}
	}
	words := defaultWords
	if m := wordsAsked.FindStringSubmatch(asked); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n <= maxWords {
			words = n
		}
	}
	quoted := []rune(asked)
	quoted = quoted[:min(len(quoted), maxQuoted)]
	return strings.TrimSpace(fmt.Sprintf("Turn %d. You said: \"%s\". %s", turn, string(quoted), filler(words)))
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

// deltas are the pieces in which a stream carries the answer.
func (a answer) deltas() []string {
	var pieces []string
	for chunk := range slices.Chunk(a.tokens, tokensInDelta) {
		pieces = append(pieces, strings.Join(chunk, ""))
	}
	return pieces
}

func (a answer) text() string { return strings.Join(a.tokens, "") }
