package converse

import (
	"context"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// stream reads one ConverseStream answer.
type stream struct {
	ctx     context.Context // of the call, which the stream outlives in no case
	region  string
	source  *bedrockruntime.ConverseStreamEventStream
	answer  string           // the tool whose arguments are the answer, "" for none
	block   block            // the one that is being read
	tools   int              // uses of tools that have begun, but for that of the answer
	stopped types.StopReason // set by messageStop, the proof of a whole answer
	done    bool
}

// block is what is known of one block of an answer.
type block struct {
	tool   bool // the use of a tool
	answer bool // which is that of the answer
	empty  bool // of which nothing came yet
}

// Next implements [Stream].
func (s *stream) Next() (Event, error) {
	if s.done {
		return Event{}, io.EOF
	}
	for raw := range s.source.Events() {
		switch ev := raw.(type) {
		case *types.ConverseStreamOutputMemberMessageStop:
			s.stopped = ev.Value.StopReason
		case *types.ConverseStreamOutputMemberMetadata:
			if s.stopped != "" {
				return s.end(usage(ev.Value.Usage))
			}
		default:
			if event, ok := s.content(raw); ok {
				return event, nil
			}
		}
	}
	if s.stopped != "" {
		// Nothing after messageStop can take the answer back: what got lost is
		// its usage.
		return s.end(Usage{})
	}
	return Event{}, s.broken()
}

// content returns what the answer grew by, and whether it did.
func (s *stream) content(raw types.ConverseStreamOutput) (Event, bool) {
	switch ev := raw.(type) {
	case *types.ConverseStreamOutputMemberContentBlockStart:
		if use, ok := ev.Value.Start.(*types.ContentBlockStartMemberToolUse); ok {
			return s.use(use.Value)
		}
	case *types.ConverseStreamOutputMemberContentBlockDelta:
		return s.delta(ev.Value.Delta)
	case *types.ConverseStreamOutputMemberContentBlockStop:
		if s.block.tool && s.block.empty {
			return s.arguments("{}") // no arguments are an object, too
		}
	}
	return Event{}, false
}

// use begins the use of a tool.
func (s *stream) use(start types.ToolUseBlockStart) (Event, bool) {
	s.block = block{tool: true, empty: true, answer: s.answer != "" && aws.ToString(start.Name) == s.answer}
	if s.block.answer {
		return Event{}, false
	}
	s.tools++
	return Event{Tool: &ToolDelta{Index: s.tools - 1, ID: aws.ToString(start.ToolUseId), Name: aws.ToString(start.Name)}}, true
}

// delta returns what a block grew by. Kinds of blocks that no Request asks for
// do not come.
func (s *stream) delta(delta types.ContentBlockDelta) (Event, bool) {
	switch d := delta.(type) {
	case *types.ContentBlockDeltaMemberText:
		// Beside an answer in JSON nothing is said.
		return Event{Text: d.Value}, d.Value != "" && s.answer == ""
	case *types.ContentBlockDeltaMemberToolUse:
		return s.arguments(aws.ToString(d.Value.Input))
	case *types.ContentBlockDeltaMemberReasoningContent:
		return thought(d.Value)
	default:
		return Event{}, false
	}
}

func (s *stream) arguments(piece string) (Event, bool) {
	if piece == "" {
		return Event{}, false
	}
	s.block.empty = false
	if s.block.answer {
		return Event{Text: piece}, true
	}
	return Event{Tool: &ToolDelta{Index: s.tools - 1, Input: piece}}, true
}

func thought(delta types.ReasoningContentBlockDelta) (Event, bool) {
	switch d := delta.(type) {
	case *types.ReasoningContentBlockDeltaMemberText:
		return Event{Reasoning: &Reasoning{Text: d.Value}}, d.Value != ""
	case *types.ReasoningContentBlockDeltaMemberSignature:
		return Event{Reasoning: &Reasoning{Signature: d.Value}}, d.Value != ""
	case *types.ReasoningContentBlockDeltaMemberRedactedContent:
		return Event{Reasoning: &Reasoning{Redacted: d.Value}}, len(d.Value) > 0
	default:
		return Event{}, false
	}
}

// broken says why the stream ended before messageStop. The SDK reports neither
// a cut connection nor a clean early end as an error.
func (s *stream) broken() *Error {
	if err := s.ctx.Err(); err != nil {
		return newError(s.region, err)
	}
	err := s.source.Err()
	if err == nil {
		return &Error{Class: Incomplete, Region: s.region, Message: "the stream ended without messageStop"}
	}
	if e := newError(s.region, err); e.Code != "" {
		return e
	}
	return &Error{Class: Incomplete, Region: s.region, Message: "the stream broke off", Err: err}
}

func (s *stream) end(u Usage) (Event, error) {
	reason, ok := stopReason(s.stopped)
	if !ok {
		return Event{}, &Error{
			Class: ModelFailed, Region: s.region, Code: string(s.stopped),
			Message: "the model stopped for a reason that is no end of an answer",
		}
	}
	if reason == StopTool && s.tools == 0 && s.answer != "" {
		reason = StopEnd // the only tool was the answer
	}
	s.done = true
	return Event{End: &End{Reason: reason, Usage: u}}, nil
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
func usage(u *types.TokenUsage) Usage {
	if u == nil {
		return Usage{}
	}
	read, write := int(aws.ToInt32(u.CacheReadInputTokens)), int(aws.ToInt32(u.CacheWriteInputTokens))
	return Usage{
		Input:      int(aws.ToInt32(u.InputTokens)) + read + write,
		Output:     int(aws.ToInt32(u.OutputTokens)),
		CacheRead:  read,
		CacheWrite: write,
	}
}

// Close implements [Stream].
func (s *stream) Close() error {
	// What Close of the SDK returns is how the stream ended, which Next tells.
	_ = s.source.Close()
	return nil
}
