package failover

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/crossregion/crossregion/lambda/converse"
)

// transcript is what a caller has seen of an answer, so that another target can
// continue it.
type transcript struct {
	text  strings.Builder
	other bool // more than text was seen, which nothing can continue
	// space is what the caller saw at the end of a broken piece and the next
	// one may begin with, since no model is asked to continue from a space.
	space string
	// prefills are the tokens that each broken piece was given to continue;
	// there is one at least once the answer broke off.
	prefills []int
	prefill  int // that the current piece was given
	prompt   converse.Request
}

// take notes what the caller is about to see, and returns what is new to it, if
// anything is.
func (t *transcript) take(ev converse.Event) (converse.Event, bool) {
	switch {
	case ev.End != nil:
		end := *ev.End
		end.Usage = t.usage(end.Usage)
		return converse.Event{End: &end}, true
	case ev.Text == "":
		t.other = true
		return ev, true
	}
	ev.Text = t.unseen(ev.Text)
	t.text.WriteString(ev.Text)
	return ev, ev.Text != ""
}

// unseen is text without the spaces that the caller saw before the break.
func (t *transcript) unseen(text string) string {
	for t.space != "" && text != "" {
		seen, size := utf8.DecodeRuneInString(t.space)
		if next, _ := utf8.DecodeRuneInString(text); next != seen {
			t.space = ""
			break
		}
		t.space, text = t.space[size:], text[size:]
	}
	return text
}

// breakOff notes that the answer broke off, and tells whether it can be
// continued.
func (t *transcript) breakOff() bool {
	t.prefills = append(t.prefills, t.prefill)
	return !t.other
}

func (t *transcript) broken() bool { return len(t.prefills) > 0 }

// continued is r, or what r continues, with all that was seen as the beginning
// of the answer. Claude refuses a beginning that ends in a space.
// Source: https://docs.anthropic.com/en/docs/build-with-claude/prompt-engineering/prefill-claudes-response
func (t *transcript) continued(r converse.Request) converse.Request {
	if len(t.prefills) == 1 {
		t.prompt = r
	}
	seen := t.text.String()
	beginning := strings.TrimRightFunc(seen, unicode.IsSpace)
	t.space, t.prefill = seen[len(beginning):], tokens(beginning)
	r = t.prompt
	if beginning == "" {
		return r
	}
	r.Messages = append(slices.Clone(r.Messages), converse.Message{Role: converse.Assistant, Parts: []converse.Part{{Text: beginning}}})
	r.MaxTokens = max(1, cmp.Or(r.MaxTokens, converse.DefaultMaxTokens)-int32(t.prefill))
	return r
}

// usage is that of all pieces together, given that of the last. Bedrock counts
// at the end only, so that of broken pieces is estimated by what was seen.
func (t *transcript) usage(last converse.Usage) converse.Usage {
	if !t.broken() || last == (converse.Usage{}) {
		return last
	}
	prompt := max(0, last.Input-t.prefill)
	for _, prefill := range t.prefills {
		last.Input += prompt + prefill
	}
	last.Output += t.prefill
	return last
}

// tokens estimates how many tokens a text has: those of English are four
// letters long on average.
func tokens(text string) int { return (len(text) + 3) / 4 }
