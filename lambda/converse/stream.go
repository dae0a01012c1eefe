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
	stopped types.StopReason // set by messageStop, the proof of a whole answer
	done    bool
}

// Next implements [Stream].
func (s *stream) Next() (Event, error) {
	if s.done {
		return Event{}, io.EOF
	}
	for raw := range s.source.Events() {
		switch ev := raw.(type) {
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			// Deltas other than text answer to settings that no Request has.
			if text, ok := ev.Value.Delta.(*types.ContentBlockDeltaMemberText); ok && text.Value != "" {
				return Event{Text: text.Value}, nil
			}
		case *types.ConverseStreamOutputMemberMessageStop:
			s.stopped = ev.Value.StopReason
		case *types.ConverseStreamOutputMemberMetadata:
			if s.stopped != "" {
				return s.end(usage(ev.Value.Usage))
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
