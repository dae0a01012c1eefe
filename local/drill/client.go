package drill

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/conversations"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/talk"
)

// sample is one request of a client, with the retry that it may have had.
type sample struct {
	place    string
	client   int
	turn     bool      // a model answers it
	checked  bool      // it shows whether a turn is known to those after it
	at       time.Time // when it was sent
	took     time.Duration
	first    time.Duration // to the first content; 0 without one
	region   string        // whose API answered, "" if none did
	target   string        // whose model answered
	cut      string        // whose API had begun a stream that broke off
	failures []string      // of the first try, and of the retry if there was one
	wrong    string        // what an answer of either try did not know, or claimed
}

// failed tells whether the request had no answer even at its second try.
func (s sample) failed() bool { return len(s.failures) == 2 }

// answered is when the request was over.
func (s sample) answered() time.Time { return s.at.Add(s.took) }

// client is an application that holds one conversation after another, through
// the official SDK and nothing else.
type client struct {
	place  string
	number int
	sdk    openai.Client
	model  string
	patience
	// thread holds its conversation by the conversation's id, and reads it back
	// after each turn; others go on from one response to the next.
	thread bool
	// words are those that the embedded model is asked for, whose answers tell
	// how much they know; 0 for any other model.
	words  int
	prompt string // what another model is asked, after the number of the question
	most   int64  // tokens of an answer; 0 for the model's own limit

	asked        int    // questions of the conversation so far, whatever came of them
	previous     string // response to go on from, "" for a new conversation
	conversation string // of a thread
	said         []string
	unread       bool // the thread has changed since it was read
}

// patience is how long a client waits, in the machine's time.
type patience struct {
	answer time.Duration // for an answer
	retry  time.Duration // between two tries
	think  time.Duration // between two requests
}

// turnsEach are the turns of one conversation.
const turnsEach = 8

// next does what an application does next, and once more if that failed. It
// never leaves a conversation for a failure: what was said in it must be there
// when a region answers again.
func (c *client) next(ctx context.Context) sample {
	if len(c.said) == 2*turnsEach && !c.unread {
		c.previous, c.conversation, c.said, c.asked = "", "", nil, 0
	}
	try, turn := c.ask, true
	switch {
	case c.thread && c.conversation == "":
		try, turn = c.begin, false
	case c.unread:
		try, turn = c.read, false
	}
	s := sample{place: c.place, client: c.number, turn: turn, at: time.Now()}
	for range 2 {
		if len(s.failures) > 0 {
			sleep(ctx, c.retry)
		}
		limited, cancel := context.WithTimeout(ctx, c.answer)
		err := try(limited, &s)
		cancel()
		if err == nil {
			break
		}
		s.failures = append(s.failures, talk.Short(err))
	}
	s.took = time.Since(s.at)
	return s
}

// begin creates the conversation of a thread.
func (c *client) begin(ctx context.Context, s *sample) error {
	var head *http.Response
	made, err := c.sdk.Conversations.New(ctx, conversations.ConversationNewParams{}, option.WithResponseInto(&head))
	if err != nil {
		return err
	}
	s.region = head.Header.Get(contract.HeaderRegion)
	c.conversation = made.ID
	return nil
}

// ask takes one turn.
func (c *client) ask(ctx context.Context, s *sample) error {
	c.asked++
	question := fmt.Sprintf("Question %d. %s", c.asked, c.prompt)
	if c.words > 0 {
		question = talk.Question(c.asked, c.words)
	}
	p := talk.Ask(c.model, question)
	if c.most > 0 {
		p.MaxOutputTokens = openai.Int(c.most)
	}
	switch {
	case c.thread:
		p.Conversation = responses.ResponseNewParamsConversationUnion{OfString: openai.String(c.conversation)}
	case c.previous != "":
		p.PreviousResponseID = openai.String(c.previous)
	}
	sent := time.Now()
	a, err := talk.Stream(ctx, c.sdk, p)
	if err != nil {
		if a.Text != "" {
			s.cut = a.Head.Get(contract.HeaderRegion)
		}
		if errors.Is(err, talk.ErrNoEnd) {
			s.wrong = err.Error()
		}
		return err
	}
	s.region, s.target = a.Head.Get(contract.HeaderRegion), a.Head.Get(contract.HeaderTarget)
	if !a.First.IsZero() {
		s.first = a.First.Sub(sent)
	}
	s.wrong = cmp.Or(s.wrong, c.check(a.Text, question))
	s.checked = c.words > 0 && !c.thread // the turns of a thread are, once it is read back
	c.previous, c.unread = a.ID, c.thread
	c.said = append(c.said, question, a.Text)
	return nil
}

// check says what is wrong with an answer of the embedded model, "" for nothing.
func (c *client) check(text, question string) string {
	if c.words == 0 {
		return ""
	}
	turn := len(c.said)/2 + 1
	known, least, most := talk.Told(text), turn, turn
	if c.thread {
		most = c.asked // a turn whose end was lost may stand there
	}
	switch {
	case known < least || known > most:
		return fmt.Sprintf("turn %d was answered as %.12q", turn, text)
	case !talk.Whole(text, question, c.words):
		return fmt.Sprintf("an answer to %q ended as if whole: %d bytes", question, len(text))
	default:
		return ""
	}
}

// read holds the conversation against what the client has seen of it.
func (c *client) read(ctx context.Context, s *sample) error {
	var head *http.Response
	texts, err := talk.Texts(ctx, c.sdk, c.conversation, option.WithResponseInto(&head))
	if err != nil {
		return err
	}
	s.region, s.checked = head.Header.Get(contract.HeaderRegion), true
	if !talk.Holds(texts, c.said) {
		s.wrong = fmt.Sprintf("a conversation of %d turns was read back as %d texts", len(c.said)/2, len(texts))
	}
	c.unread = false
	return nil
}

// work keeps c asking until ctx ends. What it has begun, it ends, unless all is
// interrupted: then it tells of it no more.
func (c *client) work(ctx, interruption context.Context, tell func(sample)) {
	for ctx.Err() == nil {
		s := c.next(interruption)
		if interruption.Err() != nil {
			return
		}
		tell(s)
		sleep(ctx, c.think)
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
