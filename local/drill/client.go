package drill

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/cloud"
)

// sample is one request of a client, with the retry that it may have had.
type sample struct {
	place    string
	client   int
	at       time.Time // when it was sent
	took     time.Duration
	first    time.Duration // to the first content; 0 without one
	region   string        // whose API answered, "" if none did
	target   string        // whose model answered
	failures []string      // of the first try, and of the retry if there was one
	lost     string        // what the answer did not know of the conversation
}

// failed tells whether the request had no answer even at its second try.
func (s sample) failed() bool { return len(s.failures) == 2 }

// client is an application that holds one conversation after another, through
// the official SDK and nothing else.
type client struct {
	place  string
	number int
	sdk    openai.Client
	model  string
	now    func() time.Time

	previous string // response to continue, "" for a new conversation
	turns    int    // of the conversation
	counts   bool   // whether answers tell how many turns they know of
}

// Turns of one conversation, and how long a client waits for an answer in real
// time, and between two tries.
const (
	turnsEach  = 8
	tryTimeout = 4 * time.Second
	retryPause = 100 * time.Millisecond
)

// request asks once, and once more if that failed.
func (c *client) request(ctx context.Context) sample {
	s := sample{place: c.place, client: c.number, at: c.now()}
	for range 2 {
		if len(s.failures) > 0 {
			sleep(ctx, retryPause)
		}
		err := c.try(ctx, &s)
		if err == nil {
			break
		}
		s.failures = append(s.failures, err.Error())
	}
	s.took = c.now().Sub(s.at)
	if s.failed() || c.turns == turnsEach {
		c.previous, c.turns = "", 0
	}
	return s
}

// try streams one answer to its end.
func (c *client) try(ctx context.Context, s *sample) error {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	params := responses.ResponseNewParams{
		Model: c.model, Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("Please say 8 words.")},
	}
	if c.previous != "" {
		params.PreviousResponseID = openai.String(c.previous)
	}
	var http *http.Response
	sent := c.now()
	stream := c.sdk.Responses.NewStreaming(ctx, params, option.WithResponseInto(&http))
	defer stream.Close()
	var text strings.Builder
	id := ""
	for stream.Next() {
		switch ev := stream.Current().AsAny().(type) {
		case responses.ResponseTextDeltaEvent:
			if text.Len() == 0 {
				s.first = c.now().Sub(sent)
			}
			text.WriteString(ev.Delta)
		case responses.ResponseCompletedEvent:
			id = ev.Response.ID
		}
	}
	if err := stream.Err(); err != nil {
		return brief(err)
	}
	if id == "" {
		return errors.New("the stream ended without an end")
	}
	s.region, s.target = http.Header.Get(contract.HeaderRegion), http.Header.Get(contract.HeaderTarget)
	c.previous, c.turns = id, c.turns+1
	if want := fmt.Sprintf("Turn %d.", c.turns); c.counts && !strings.Contains(text.String(), want) {
		s.lost = fmt.Sprintf("turn %d was answered as %.12q", c.turns, text.String())
	}
	return nil
}

// brief is an error without what differs from one time to the next.
func brief(err error) error {
	var api *openai.Error
	switch {
	case errors.As(err, &api):
		return fmt.Errorf("%d %s", api.StatusCode, api.Code)
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer in time")
	default:
		return errors.New("connection failed")
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

// resolver is a client's: it asks the DNS server of its place, and remembers an
// answer for as long as it may.
type resolver struct {
	server  string
	speed   float64 // by which a TTL is shorter
	forever bool    // remembers the first answer for good, as some clients do

	mu    sync.Mutex
	known map[string]answer
}

type answer struct {
	ip    string
	until time.Time
}

func (r *resolver) lookup(ctx context.Context, host string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a, ok := r.known[host]; ok && (r.forever || time.Now().Before(a.until)) {
		return a.ip, nil
	}
	m := new(dns.Msg).SetQuestion(dns.Fqdn(host), dns.TypeA)
	reply, _, err := new(dns.Client).ExchangeContext(ctx, m, r.server)
	if err != nil {
		return "", fmt.Errorf("resolve %s: %w", host, err)
	}
	for _, rr := range reply.Answer {
		if a, ok := rr.(*dns.A); ok {
			ttl := time.Duration(float64(time.Duration(a.Hdr.Ttl)*time.Second) / r.speed)
			r.known[host] = answer{a.A.String(), time.Now().Add(ttl)}
			return a.A.String(), nil
		}
	}
	return "", fmt.Errorf("resolve %s: %s", host, dns.RcodeToString[reply.Rcode])
}

// transport connects to where the resolver says, and takes as long for it as the
// way between place and region does.
func (r *resolver) transport(place string, speed float64, dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Transport {
	regions := map[string]string{} // by address
	for _, region := range cloud.Regions() {
		if ip, err := cloud.RegionIP(region); err == nil {
			regions[ip] = region
		}
	}
	return &http.Transport{
		DisableKeepAlives: true, // so that each request goes where DNS leads now
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			ip, err := r.lookup(ctx, host)
			if err != nil {
				return nil, err
			}
			sleep(ctx, time.Duration(float64(cloud.Latency(place, regions[ip]))/speed))
			return dial(ctx, network, net.JoinHostPort(ip, port))
		},
	}
}
