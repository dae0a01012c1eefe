package openai

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/apigw"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
)

// record is what the log learns of a request: nothing that the caller wrote,
// and nothing about who it is.
type record struct {
	operation string
	started   time.Time
	status    int
	model     string // a configured name, never the caller's own words
	fault     string // code or type of the error, "" if there was none
	report    failover.Report
	usage     converse.Usage
}

// attempted notes how the engine went about it, and tells the client.
func (rec *record) attempted(h http.Header, report failover.Report) {
	rec.report = report
	h.Set(contract.HeaderAttempts, strconv.Itoa(len(report.Attempts)))
	if report.Target != "" {
		h.Set(contract.HeaderTarget, report.Target)
	}
}

func (rec *record) fail(e *apiError) {
	rec.fault = e.code
	if rec.fault == "" {
		rec.fault = e.kind
	}
}

// attempt is a [failover.Attempt] in the log.
type attempt struct {
	Region  string `json:"region"`
	Outcome string `json:"outcome"`
	Millis  int64  `json:"ms"`
}

func (rec *record) write(ctx context.Context, log *slog.Logger, now time.Time) {
	attempts := make([]attempt, len(rec.report.Attempts))
	for i, a := range rec.report.Attempts {
		attempts[i] = attempt{a.Region, a.Outcome, a.Duration.Milliseconds()}
	}
	log.InfoContext(ctx, "request",
		"requestId", apigw.RequestID(ctx),
		"operation", rec.operation,
		"model", rec.model,
		"status", rec.status,
		"error", rec.fault,
		"target", rec.report.Target,
		"attempts", attempts,
		"ms", now.Sub(rec.started).Milliseconds(),
		"inputTokens", rec.usage.Input,
		"outputTokens", rec.usage.Output,
	)
}
