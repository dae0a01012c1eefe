package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/crossregion/crossregion/local/place"
	"github.com/crossregion/crossregion/local/talk"
)

// Models of a soaked stack, by the names of callers.
const (
	chatModel      = "claude-sonnet"
	embeddingModel = "embed"
)

// How long a client waits for an answer, long enough for a machine that is busy
// with other things, and between two tries.
const (
	patience = 30 * time.Second
	pause    = 100 * time.Millisecond
)

// stand is where a client stands and who it is.
type stand struct{ region, dns, tenant, key string }

// client asks one thing after another, and knows what it has been told.
type client struct {
	*soak
	stand
	sdk    openai.Client
	random *rand.Rand

	chain  []talk.Answer // a conversation by its responses
	thread thread
}

// thread is a conversation by its id.
type thread struct {
	id    string
	said  []string // questions and answers whose ends were told
	asked int      // questions, whatever came of them
}

func newClient(s *soak, number int, at stand) *client {
	c := &client{soak: s, stand: at, random: rand.New(rand.NewPCG(s.Seed, uint64(number)+1))}
	c.sdk = c.with(at.key)
	return c
}

// with is the SDK where c stands, with an API key, and further options of a test.
func (c *client) with(key string, opts ...option.RequestOption) openai.Client {
	resolver := place.New(place.Config{Place: c.region, DNS: c.dns, Speed: Speed, Dial: c.running.Account.DialContext})
	return openai.NewClient(append([]option.RequestOption{
		option.WithBaseURL("http://" + c.running.Domain + "/v1"), option.WithAPIKey(key), option.WithMaxRetries(0),
		option.WithHTTPClient(resolver.Client()),
	}, opts...)...)
}

// outcome is what came of one request.
type outcome struct {
	retried bool
	excused bool
	unknown bool
	broken  string // the promise that was broken, "" for none
}

// wrongAnswer is an answer that breaks a promise, which no retry makes right.
type wrongAnswer struct{ what string }

func (w wrongAnswer) Error() string { return w.what }

func wrong(format string, args ...any) error { return wrongAnswer{fmt.Sprintf(format, args...)} }

// action is something that a client asks.
type action struct {
	name  string
	share int // of a hundred
	do    func(c *client, ctx context.Context) error
}

// trespassing may come to nothing while something is broken, but never to a
// success.
const trespassing = "another tenant's id"

// actions are the mixed load.
func actions() []action {
	return []action{
		{"chat", 12, (*client).chat},
		{"chat stream", 16, (*client).chatStream},
		{"response", 28, (*client).respond},
		{"conversation turn", 16, (*client).turn},
		{"conversation read", 8, (*client).readBack},
		{"embedding", 8, (*client).embed},
		{"delete", 4, (*client).remove},
		{trespassing, 8, (*client).trespass},
	}
}

// work asks until ctx ends. What it has begun, it ends.
func (c *client) work(ctx context.Context) {
	for ctx.Err() == nil {
		n := c.random.IntN(100)
		for _, a := range actions() {
			if n -= a.share; n < 0 {
				c.count(a.name, c.request(context.WithoutCancel(ctx), a))
				break
			}
		}
	}
}

// request asks, and once more if that failed.
func (c *client) request(ctx context.Context, a action) outcome {
	began := time.Now()
	var failures []string
	for len(failures) < 2 {
		if len(failures) > 0 {
			wait(ctx, pause)
		}
		limited, cancel := context.WithTimeout(ctx, patience)
		err := a.do(c, limited)
		cancel()
		var w wrongAnswer
		switch {
		case err == nil:
			return outcome{retried: len(failures) > 0}
		case errors.As(err, &w):
			return outcome{broken: fmt.Sprintf("%s of %s in %s: %s%s", a.name, c.tenant, c.region, w.what, c.circumstances(began))}
		}
		failures = append(failures, talk.Short(err))
	}
	what, excused := c.chaos.during(began, time.Now(), c.region)
	switch {
	case excused:
		return outcome{excused: true}
	case a.name == trespassing && what != "":
		return outcome{unknown: true}
	}
	return outcome{broken: fmt.Sprintf("R2: %s of %s in %s failed twice: %s; %s%s", a.name, c.tenant, c.region, failures[0], failures[1], c.circumstances(began))}
}

// circumstances say what was broken meanwhile.
func (c *client) circumstances(began time.Time) string {
	if what, _ := c.chaos.during(began, time.Now(), c.region); what != "" {
		return " (while " + what + ")"
	}
	return ""
}
