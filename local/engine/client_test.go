package engine_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/up"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/require"
)

// clients ask all the time, each near another region, through the official SDK
// with one retry. They hold conversations.
type clients struct {
	cancel context.CancelFunc
	asking sync.WaitGroup

	mu       sync.Mutex
	answered int
	failures []string
}

// near resolves the stack's name as a client near a region does, for each
// request anew, and speaks plain HTTP.
type near struct {
	resolver  *net.Resolver
	transport *http.Transport
}

func newNear(r *up.Running, region string) (*near, error) {
	server, err := r.Account.ServeDNS(region)
	if err != nil {
		return nil, err
	}
	return &near{
		resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, network, server)
		}},
		transport: &http.Transport{DialContext: r.Account.DialContext},
	}, nil
}

// RoundTrip implements http.RoundTripper.
func (n *near) RoundTrip(req *http.Request) (*http.Response, error) {
	addresses, err := n.resolver.LookupHost(req.Context(), req.URL.Hostname()+".")
	if err != nil {
		return nil, err
	}
	out := req.Clone(req.Context())
	out.Host, out.URL.Host = req.URL.Host, addresses[0]
	return n.transport.RoundTrip(out)
}

// ask starts a client near each region; the test's end stops them.
func ask(t *testing.T, r *up.Running, regions ...string) *clients {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c := &clients{cancel: cancel}
	t.Cleanup(func() { cancel(); c.asking.Wait() })
	for _, region := range regions {
		n, err := newNear(r, region)
		require.NoError(t, err)
		sdk := openai.NewClient(option.WithBaseURL("http://"+r.Domain+"/v1"), option.WithAPIKey(r.APIKey), option.WithMaxRetries(1),
			option.WithHTTPClient(&http.Client{Transport: n, Timeout: 30 * time.Second}))
		c.asking.Go(func() {
			defer n.transport.CloseIdleConnections()
			c.converse(ctx, region, sdk)
		})
	}
	return c
}

// pace is how often each client asks: what it costs must not slow the engine.
const pace = 50 * time.Millisecond

// converse asks until ctx ends, five turns to a conversation.
func (c *clients) converse(ctx context.Context, place string, sdk openai.Client) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	previous := ""
	for turn := 1; ctx.Err() == nil; turn++ {
		params := responses.ResponseNewParams{
			Model: "nova-pro", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("Please say 5 words.")},
		}
		if previous != "" {
			params.PreviousResponseID = openai.String(previous)
		}
		answer, err := sdk.Responses.New(ctx, params)
		if ctx.Err() != nil {
			return
		}
		c.mu.Lock()
		if err != nil {
			c.failures = append(c.failures, fmt.Sprintf("near %s, turn %d: %v", place, turn, err))
			previous = ""
		} else {
			c.answered++
			previous = answer.ID
		}
		c.mu.Unlock()
		if turn%5 == 0 {
			previous = ""
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// during runs something, and returns how many requests were answered meanwhile
// and those that were not, retry included.
func (c *clients) during(what func()) (answered int, failures []string) {
	c.mu.Lock()
	before := c.answered
	c.failures = nil
	c.mu.Unlock()
	what()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answered - before, c.failures
}
