package converse

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/crossregion/crossregion/lambda/eventstream"
	"github.com/tidwall/gjson"
)

// lingerTime bounds the wait for the end of a connection's answer once the
// model's is whole. Without that end, HTTP/1.1 gives the connection up.
const lingerTime = 50 * time.Millisecond

// stream reads one ConverseStream answer.
type stream struct {
	ctx     context.Context // of the call, which the stream outlives in no case
	cancel  context.CancelFunc
	region  string
	body    io.ReadCloser
	frames  *eventstream.Reader
	answer  string           // the tool whose arguments are the answer, "" for none
	block   block            // the one that is being read
	tools   int              // uses of tools that have begun, but for that of the answer
	stopped types.StopReason // set by messageStop, the proof of a whole answer
	ahead   *told            // what was read already; nil for nothing
	done    bool
}

// block is what is known of one block of an answer.
type block struct {
	tool   bool // the use of a tool
	answer bool // which is that of the answer
	empty  bool // of which nothing came yet
}

// Next implements [Stream]. Words that have come together are one event: whoever
// takes them is behind.
func (s *stream) Next() (Event, error) {
	ev, err := s.one()
	if ev.End != nil {
		s.linger()
	}
	if err != nil || ev.Text == "" || !s.frames.Ready() {
		return ev, err
	}
	var text strings.Builder
	text.WriteString(ev.Text)
	for s.ahead == nil && s.frames.Ready() {
		next, ok, err := s.step()
		switch {
		case err != nil || ok && next.Text == "":
			s.ahead = &told{next, err}
		case ok:
			text.WriteString(next.Text)
		}
	}
	return Event{Text: text.String()}, nil
}

// told is what a frame told.
type told struct {
	event Event
	err   error
}

// one returns the next event, or why there is none.
func (s *stream) one() (Event, error) {
	if ahead := s.ahead; ahead != nil {
		s.ahead = nil
		return ahead.event, ahead.err
	}
	for !s.done {
		ev, ok, err := s.step()
		if ok || err != nil {
			return ev, err
		}
	}
	return Event{}, io.EOF
}

// step reads a frame, and returns what the answer grew by, and whether it did.
func (s *stream) step() (Event, bool, error) {
	m, err := s.frames.Next()
	if err != nil {
		return s.broken(err)
	}
	p, err := decode(m)
	if err != nil {
		return s.broken(err)
	}
	switch event := string(m.Event); event {
	case eventStop:
		s.stopped = types.StopReason(p.Get("stopReason").String())
		return Event{}, false, nil
	case eventMetadata:
		if s.stopped == "" {
			return Event{}, false, nil
		}
		return s.end(usage(p.Get("usage")))
	default:
		ev, ok, err := s.content(event, p)
		if err != nil {
			return s.broken(err)
		}
		return ev, ok, nil
	}
}

// content returns what the answer grew by, and whether it did.
func (s *stream) content(event string, p gjson.Result) (Event, bool, error) {
	switch event {
	case eventBlockStart:
		if use := p.Get("start.toolUse"); use.Exists() {
			return s.use(use.Get("toolUseId").String(), use.Get("name").String())
		}
	case eventBlockDelta:
		return s.delta(p.Get("delta"))
	case eventBlockStop:
		if s.block.tool && s.block.empty {
			return s.arguments("{}") // no arguments are an object, too
		}
	}
	return Event{}, false, nil
}

// use begins the use of a tool.
func (s *stream) use(id, name string) (Event, bool, error) {
	s.block = block{tool: true, empty: true, answer: s.answer != "" && name == s.answer}
	if s.block.answer {
		return Event{}, false, nil
	}
	s.tools++
	return Event{Tool: &ToolDelta{Index: s.tools - 1, ID: id, Name: name}}, true, nil
}

// delta returns what a block grew by. Kinds of blocks that no Request asks for
// do not come.
func (s *stream) delta(d gjson.Result) (Event, bool, error) {
	if text := d.Get("text"); text.Exists() {
		// Beside an answer in JSON nothing is said.
		return Event{Text: text.String()}, text.String() != "" && s.answer == "", nil
	}
	if use := d.Get("toolUse"); use.Exists() {
		return s.arguments(use.Get("input").String())
	}
	return thought(d.Get("reasoningContent"))
}

func (s *stream) arguments(piece string) (Event, bool, error) {
	if piece == "" {
		return Event{}, false, nil
	}
	s.block.empty = false
	if s.block.answer {
		return Event{Text: piece}, true, nil
	}
	return Event{Tool: &ToolDelta{Index: s.tools - 1, Input: piece}}, true, nil
}

// thought returns what the thoughts grew by, which is one of its members.
func thought(t gjson.Result) (Event, bool, error) {
	r := Reasoning{Text: t.Get("text").String(), Signature: t.Get("signature").String()}
	if redacted := t.Get("redactedContent").String(); redacted != "" {
		var err error
		if r.Redacted, err = base64.StdEncoding.DecodeString(redacted); err != nil {
			return Event{}, false, fmt.Errorf("read redacted thoughts: %w", err)
		}
	}
	return Event{Reasoning: &r}, r.Text != "" || r.Signature != "" || r.Redacted != nil, nil
}

// broken says why the stream ended before its last event, which matters before
// messageStop only: nothing after it can take the answer back, and what got lost
// is its usage.
func (s *stream) broken(err error) (Event, bool, error) {
	if s.stopped != "" {
		return s.end(Usage{})
	}
	if gone := s.ctx.Err(); gone != nil {
		return Event{}, false, newError(s.region, gone)
	}
	if err == io.EOF {
		return Event{}, false, &Error{Class: Incomplete, Region: s.region, Message: "the stream ended without messageStop"}
	}
	if e := newError(s.region, err); e.Code != "" {
		return Event{}, false, e
	}
	return Event{}, false, &Error{Class: Incomplete, Region: s.region, Message: "the stream broke off", Err: err}
}

func (s *stream) end(u Usage) (Event, bool, error) {
	reason, ok := stopReason(s.stopped)
	if !ok {
		return Event{}, false, &Error{
			Class: ModelFailed, Region: s.region, Code: string(s.stopped),
			Message: "the model stopped for a reason that is no end of an answer",
		}
	}
	if reason == StopTool && s.tools == 0 && s.answer != "" {
		reason = StopEnd // the only tool was the answer
	}
	s.done = true
	return Event{End: &End{Reason: reason, Usage: u}}, true, nil
}

// linger waits for the end of the body, which follows the last event at once.
func (s *stream) linger() {
	late := time.AfterFunc(lingerTime, s.cancel)
	defer late.Stop()
	for {
		if _, err := s.frames.Next(); err != nil {
			return
		}
	}
}

// stopReason translates Bedrock's reason; it knows none of those with which a
// model gives up on its own output.
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_MessageStopEvent.html
func stopReason(r types.StopReason) (StopReason, bool) {
	switch r {
	case types.StopReasonEndTurn, types.StopReasonStopSequence:
		return StopEnd, true
	case types.StopReasonMaxTokens, types.StopReasonModelContextWindowExceeded:
		return StopLength, true
	case types.StopReasonGuardrailIntervened, types.StopReasonContentFiltered:
		return StopFilter, true
	case types.StopReasonToolUse:
		return StopTool, true
	default:
		return "", false
	}
}

// usage adds the tokens that the cache saved or took to those read without it,
// which is all that Bedrock counts as input.
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
func usage(u gjson.Result) Usage {
	tokens := func(name string) int { return int(u.Get(name).Int()) }
	read, write := tokens("cacheReadInputTokens"), tokens("cacheWriteInputTokens")
	return Usage{Input: tokens("inputTokens") + read + write, Output: tokens("outputTokens"), CacheRead: read, CacheWrite: write}
}

// Close implements [Stream].
func (s *stream) Close() error {
	s.cancel()
	// How the answer ended is what Next tells.
	_ = s.body.Close()
	return nil
}
