package openai

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/apigw"
	state "github.com/crossregion/crossregion/lambda/conversation"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/crossregion/crossregion/lambda/metrics"
)

// record is what the log learns of a request: nothing that the caller wrote,
// and nothing about who it is.
type record struct {
	operation  string
	started    time.Time
	status     int
	model      string        // a configured name, never the caller's own words
	fault      string        // code or type of the error, "" if there was none
	cause      []string      // AWS's names of what led to it
	failed     bool          // the service's own fault, though the status may be 200
	firstToken time.Duration // 0 but for a streamed answer
	report     failover.Report
	usage      converse.Usage
	spent      *spending // nil where nothing is reserved
	single     bool      // what was stored stands in fewer regions than it should
	uncounted  bool      // a budget may lack it
	// breakOff ends a stream that has begun with an error; nil before.
	breakOff func(*apiError)
}

// answer tells the caller of an error, in place of an answer or at the end of
// half of one.
func (rec *record) answer(w http.ResponseWriter, e *apiError) {
	rec.fail(e)
	if rec.breakOff != nil {
		rec.breakOff(e)
		return
	}
	rec.status = e.status
	e.write(w)
}

// attempted notes how the engine went about it, and tells the client.
func (rec *record) attempted(h http.Header, report failover.Report) {
	rec.report = report
	h.Set(contract.HeaderAttempts, strconv.Itoa(len(report.Attempts)))
	if report.Target != "" {
		h.Set(contract.HeaderTarget, report.Target)
	}
	list(h, contract.HeaderFailed, report.Failed())
	list(h, contract.HeaderSpared, report.Open)
}

// list sets a header to a list, unless that is empty.
func list(h http.Header, name string, values []string) {
	if len(values) > 0 {
		h.Set(name, strings.Join(values, ", "))
	}
}

// replicated notes in how many regions what was stored stands already, and tells
// the client.
func (rec *record) replicated(h http.Header, stored state.Stored) {
	rec.single = stored.Short
	h.Set(contract.HeaderReplicas, strconv.Itoa(len(stored.Regions)))
}

// closed ends a streamed answer, of which only then all is known that led to it;
// earlier calls were made before. It is over for the client, however its source
// closes.
func (rec *record) closed(answer converse.Stream, earlier []failover.Attempt) {
	_ = answer.Close()
	if final, ok := answer.(failover.Reporter); ok {
		rec.report = final.Report()
		rec.report.Attempts = slices.Concat(earlier, rec.report.Attempts)
	}
}

func (rec *record) fail(e *apiError) {
	rec.failed = e.status >= http.StatusInternalServerError
	rec.fault, rec.cause = e.code, e.cause
	if rec.fault == "" {
		rec.fault = e.kind
	}
}

// attempt is a [failover.Attempt] in the log.
type attempt struct {
	Region  string `json:"region"`
	Reason  string `json:"reason"`
	Outcome string `json:"outcome"`
	Millis  int64  `json:"ms"`
}

// metrics are what the request adds to the metrics of the stack and region that
// s serves.
func (rec *record) metrics(s *server) metrics.Request {
	m := metrics.Request{
		Stack: s.Stack, Region: s.Region, Model: rec.model, Failed: rec.failed, FirstToken: rec.firstToken,
		Failovers:     rec.report.Count(failover.ReasonFailover) + rec.report.Count(failover.ReasonRetry),
		Misconfigured: rec.report.Misconfigured(), Hedges: rec.report.Count(failover.ReasonHedge),
		Continued: rec.report.Count(failover.ReasonContinued), BreakersOpen: len(rec.report.Open),
		InputTokens: rec.usage.Input, OutputTokens: rec.usage.Output,
	}
	for _, a := range rec.report.Attempts {
		if a.Outcome == string(converse.Throttled) {
			m.Throttles++
		}
	}
	if rec.single {
		m.SingleCopies = 1
	}
	if rec.uncounted {
		m.Uncounted = 1
	}
	if rec.fault == contract.CodeResidencyViolation {
		m.ResidencyViolations = 1
	}
	return m
}

// level is that of a warning if a target is not as it was set up to be, which
// failover hides from callers but operators have to mend.
func (rec *record) level() slog.Level {
	if rec.report.Misconfigured() > 0 {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// write adds the request's one line to the log of s, which is a metric document
// as well.
func (rec *record) write(ctx context.Context, s *server) {
	now := s.Now()
	attempts := make([]attempt, len(rec.report.Attempts))
	for i, a := range rec.report.Attempts {
		attempts[i] = attempt{a.Region, string(a.Reason), a.Outcome, a.Duration.Milliseconds()}
	}
	attrs := rec.metrics(s).Attrs(now)
	if len(rec.cause) > 0 {
		attrs = append(attrs, slog.Any("cause", rec.cause))
	}
	if len(rec.report.Open) > 0 {
		attrs = append(attrs, slog.Any("spared", rec.report.Open))
	}
	s.Log.LogAttrs(ctx, rec.level(), "request", append(attrs,
		slog.String("requestId", apigw.RequestID(ctx)),
		slog.String("operation", rec.operation),
		slog.Int("status", rec.status),
		slog.String("error", rec.fault),
		slog.String("target", rec.report.Target),
		slog.Any("attempts", attempts),
		slog.Int64("ms", now.Sub(rec.started).Milliseconds()),
	)...)
}
