package lambda

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// usage is what an invocation took.
type usage struct {
	run  time.Duration
	init time.Duration // 0 when the environment was there before
}

// billed is in whole milliseconds, as Lambda rounds.
func (u usage) billed() float64 { return math.Ceil(ms(u.run + u.init)) }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (e *environment) usageOf(inv *invocation) usage {
	e.mu.Lock()
	defer e.mu.Unlock()
	u := usage{init: e.initTook}
	e.initTook = 0
	if !inv.begun.IsZero() {
		u.run = time.Since(inv.begun)
	}
	return u
}

// logStart writes Lambda's own line before an invocation.
func (e *environment) logStart(inv *invocation) {
	if e.v.in.jsonLogs() {
		e.logEvent("platform.start", nil, map[string]any{"requestId": inv.id, "version": e.v.number})
		return
	}
	e.log.line("START RequestId: %s Version: %s", inv.id, e.v.number)
}

// logEnd writes Lambda's own lines after an invocation; cause is nil when the
// function responded. The memory that a process used is not measured.
func (e *environment) logEnd(inv *invocation, cause *failure) {
	u := e.usageOf(inv)
	if e.v.in.jsonLogs() {
		e.logReport(inv, u, cause)
		return
	}
	var more string
	if u.init > 0 {
		more = fmt.Sprintf("\tInit Duration: %.2f ms", ms(u.init))
	}
	if cause != nil {
		e.log.line("%s", cause.message)
		more += "\tStatus: error\tError Type: " + cause.kind
	}
	e.log.line("END RequestId: %s", inv.id)
	e.log.line("REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %.0f ms\tMemory Size: %d MB%s",
		inv.id, ms(u.run), u.billed(), e.v.memory, more)
}

func (e *environment) logReport(inv *invocation, u usage, cause *failure) {
	metrics := map[string]float64{"durationMs": ms(u.run), "billedDurationMs": u.billed(), "memorySizeMB": float64(e.v.memory)}
	if u.init > 0 {
		metrics["initDurationMs"] = ms(u.init)
	}
	record := map[string]any{"requestId": inv.id, "metrics": metrics, "status": "success"}
	if cause != nil {
		record["status"], record["errorType"] = "error", cause.kind
	}
	e.logEvent("platform.report", cause, record)
}

// logEvent writes a line in the JSON format. At system log level WARN only
// failures are written.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
func (e *environment) logEvent(kind string, cause *failure, record map[string]any) {
	if cause == nil && e.v.in.LoggingConfig.SystemLogLevel == "WARN" {
		return
	}
	b, err := json.Marshal(map[string]any{
		"time": e.s.cfg.World.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"), "type": kind, "record": record,
	})
	if err != nil {
		e.s.cfg.World.Log.Error("encode log event", "function", e.v.arn, "type", kind, "err", err)
		return
	}
	e.log.line("%s", b)
}
