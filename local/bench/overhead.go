package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/crossregion/crossregion/local/bench/inherit"
	"github.com/crossregion/crossregion/local/bench/upstream"
)

// Targets of part overhead.
const (
	timesFloor     = 1.25
	firstWordMore  = 1000 // microseconds
	memoryMegabyte = 48
)

// models of the stack that is measured.
var models = []string{upstream.Instant, upstream.Paced}

// question is what is asked, of the length that people type.
const question = "Our order 4711 was to arrive on Tuesday and has not. Where is it, and what can we do if it is lost? Please answer in two sentences."

// historyTurns is how many turns the conversations have that go on.
const historyTurns = 10

// responseTellings is how often a streamed response tells its text: as it grows,
// and in the ends of the text, the part, the item and the response.
const responseTellings = 5

// tries are those of a request that goes on with a conversation, by the default
// of OpenAI's SDKs.
// Source: https://github.com/openai/openai-python#retries
const tries = 3

var jsonHeader = http.Header{"Content-Type": {"application/json"}}

// message is one of a chat.
type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// ask is the body of a chat completion.
func ask(model string, stream bool, messages ...message) string {
	b, _ := json.Marshal(map[string]any{"model": model, "stream": stream, "messages": messages}) // strings always encode
	return string(b)
}

// collected has the floor put a whole answer together from a stream.
func collected(body string) string { return strings.Replace(body, "{", `{"collect":true,`, 1) }

func wordsOf(model string) int {
	if model == upstream.Paced {
		return upstream.PacedWords
	}
	return upstream.InstantWords
}

// overhead measures requests through the gateway, the floor, and nothing.
func overhead(ctx context.Context, b *bench) (_ []Figure, err error) {
	s, err := b.openStand(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = closing(err, s.close()) }()
	stop, err := inherit.Profile(b.profile("bench"))
	if err != nil {
		return nil, err
	}
	defer func() { err = closing(err, stop()) }()
	for _, l := range []struct {
		name, command string
		args          []string
	}{
		{"floor", "floor", nil},
		{"collector", "floor", nil},
		{"gateway", "gateway", nil},
		{"counted", "gateway", []string{"-tenant", tenant}},
		{"state", "gateway", []string{"-tenant", tenant}},
	} {
		if _, err := s.add(ctx, b, l.name, l.command, []string{inherit.EnvProfile + "=" + b.profile(l.name)}, l.args...); err != nil {
			return nil, err
		}
	}
	s.lanes["direct"] = &lane{name: "direct"}
	s.lanes["counted"].spare, s.lanes["state"].spare = true, true
	thread, err := s.tell(ctx, historyTurns)
	if err != nil {
		return nil, err
	}
	var figures []Figure
	for _, n := range b.scale.flights {
		whole, err := s.whole(ctx, b, n, thread)
		if err != nil {
			return nil, fmt.Errorf("whole, %d in flight: %w", n, err)
		}
		streamed, err := s.streamed(ctx, b, n, thread)
		if err != nil {
			return nil, fmt.Errorf("streamed, %d in flight: %w", n, err)
		}
		figures = append(append(figures, whole...), streamed...)
	}
	function, err := s.bootstrap(ctx, b)
	return append(figures, function...), err
}

// profile is the file for what a process spends its time on, "" for none.
func (b *bench) profile(process string) string {
	if b.Profiles == "" {
		return ""
	}
	return filepath.Join(b.Profiles, process+".pprof")
}

// tell holds a conversation of some turns and returns the id of its last
// response.
func (s *stand) tell(ctx context.Context, turns int) (id string, err error) {
	for range turns {
		body := map[string]any{"model": upstream.Instant, "input": question}
		if id != "" {
			body["previous_response_id"] = id
		}
		b, err := json.Marshal(body)
		if err != nil {
			return "", err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.lanes["state"].call.url+"/v1/responses", strings.NewReader(string(b)))
		if err != nil {
			return "", err
		}
		req.Header = jsonHeader
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return "", err
		}
		var answer struct{ ID string }
		err = closing(json.NewDecoder(resp.Body).Decode(&answer), resp.Body.Close())
		if err != nil || answer.ID == "" {
			return "", fmt.Errorf("tell a conversation: status %d, no id: %w", resp.StatusCode, err)
		}
		id = answer.ID
	}
	return id, nil
}

// prepare points every lane at the same question.
func (s *stand) prepare(model string, stream bool, thread string) {
	set := func(name, path, body string) {
		l := s.lanes[name]
		base, _, _ := strings.Cut(strings.TrimPrefix(l.call.url, "http://"), "/")
		if l.proc == nil {
			base = strings.TrimPrefix(s.url, "http://")
		}
		l.call = call{url: "http://" + base + path, body: body, header: jsonHeader, words: wordsOf(model)}
	}
	chat := ask(model, stream, message{"user", question})
	set("gateway", "/v1/chat/completions", chat)
	set("counted", "/v1/chat/completions", chat)
	bare := ask(profileARN(home, model), stream, message{"user", question})
	set("floor", "/v1/chat/completions", bare)
	set("collector", "/v1/chat/completions", collected(bare))
	set("state", "/v1/responses", fmt.Sprintf(`{"model":%q,"stream":%t,"previous_response_id":%q,"input":%q}`, model, stream, thread, question))
	s.lanes["state"].call.again = tries - 1
	if stream {
		s.lanes["state"].call.words *= responseTellings
	}
	operation := "/converse"
	if stream {
		operation += "-stream"
	}
	set("direct", "/model/"+model+operation, fmt.Sprintf(`{"messages":[{"role":"user","content":[{"text":%q}]}]}`, question))
}

func (s *stand) pick(names ...string) []*lane {
	var lanes []*lane
	for _, n := range names {
		lanes = append(lanes, s.lanes[n])
	}
	return lanes
}

// whole measures answers that come at once.
func (s *stand) whole(ctx context.Context, b *bench, n int, thread string) ([]Figure, error) {
	s.prepare(upstream.Instant, false, thread)
	l := load{rounds: b.scale.rounds, slice: b.scale.slice, inFlight: n}
	if err := l.run(ctx, s.pick("direct", "floor", "collector", "gateway", "counted", "state")); err != nil {
		return nil, err
	}
	direct, floor, collector, gateway := s.lanes["direct"].seen, s.lanes["floor"].seen, s.lanes["collector"].seen, s.lanes["gateway"].seen
	name := func(what string) string { return fmt.Sprintf("whole, %d in flight: %s", n, what) }
	figures := []Figure{
		figure(name("p50"), "µs", gateway.p50()).over(floor.p50()).atMostTimes(timesFloor),
		figure(name("p50, beside a floor that streams too"), "µs", gateway.p50()).over(collector.p50()).atMostTimes(timesFloor),
		figure(name("p50 beyond a direct call"), "µs", gateway.p50()-direct.p50()).over(floor.p50() - direct.p50()),
		figure(name("p99"), "µs", gateway.p99(l)).over(floor.p99(l)),
		figure(name("CPU of a request"), "µs", gateway.cpuEach()).over(floor.cpuEach()).atMostTimes(timesFloor),
		figure(name("CPU, beside a floor that streams too"), "µs", gateway.cpuEach()).over(collector.cpuEach()).atMostTimes(timesFloor),
		figure(name("requests of a core"), "/s", 1e6/gateway.cpuEach()).over(1e6 / floor.cpuEach()),
		figure(name("memory"), "MB", gateway.memory).over(floor.memory).atMost(memoryMegabyte),
	}
	for _, more := range []struct{ lane, name string }{{"counted", "with usage counted"}, {"state", fmt.Sprintf("after %d stored turns", historyTurns)}} {
		t := s.lanes[more.lane].seen
		if err := s.lanes[more.lane].failed; err != nil {
			b.note("overhead: %d at once in one process are too many for the stand-in for DynamoDB on this machine, so the figures %s are left out: %v", n, more.name, err)
			continue
		}
		if again := t.again(); again > 0 {
			b.note("overhead: whole, %d in flight, %s: for %d requests %d were answered 503, since a region's second for an answer was over on this machine, and made again.",
				n, more.name, len(t.samples), again)
		}
		figures = append(figures,
			figure(name("p50 "+more.name), "µs", t.p50()).over(floor.p50()),
			figure(name("p99 "+more.name), "µs", t.p99(l)).over(floor.p99(l)),
			figure(name("CPU "+more.name), "µs", t.cpuEach()).over(floor.cpuEach()),
			figure(name("memory "+more.name), "MB", t.memory).over(floor.memory).atMost(memoryMegabyte))
	}
	return figures, nil
}

// streamed measures answers that come word by word.
func (s *stand) streamed(ctx context.Context, b *bench, n int, thread string) ([]Figure, error) {
	s.prepare(upstream.Paced, true, thread)
	l := words(b.scale.rounds, n)
	if err := l.run(ctx, s.pick("direct", "floor", "gateway", "state")); err != nil {
		return nil, err
	}
	direct, floor, gateway, state := s.lanes["direct"].seen, s.lanes["floor"].seen, s.lanes["gateway"].seen, s.lanes["state"].seen
	name := func(what string) string { return fmt.Sprintf("streamed, %d in flight: %s", n, what) }
	figures := []Figure{
		figure(name("first word p50"), "µs", gateway.p50()).over(direct.p50()).atMostBeyond(firstWordMore),
		figure(name("first word p50 of the floor"), "µs", floor.p50()).over(direct.p50()),
		figure(name("first word p99"), "µs", gateway.p99(l)).over(floor.p99(l)),
		figure(name("between words p50"), "µs", gateway.gap(0.5)).over(floor.gap(0.5)),
		figure(name("between words p99"), "µs", gateway.gap(0.99)).over(floor.gap(0.99)),
		figure(name("CPU of a stream"), "µs", gateway.cpuEach()).over(floor.cpuEach()).atMostTimes(timesFloor),
		figure(name("memory"), "MB", gateway.memory).over(floor.memory).atMost(memoryMegabyte),
	}
	if s.lanes["state"].failed != nil {
		return figures, nil // as it was told of whole answers
	}
	return append(figures,
		figure(name(fmt.Sprintf("first word p50 after %d stored turns", historyTurns)), "µs", state.p50()).over(floor.p50()),
		figure(name(fmt.Sprintf("CPU after %d stored turns", historyTurns)), "µs", state.cpuEach()).over(floor.cpuEach())), nil
}
