// Package health answers /healthz, which Route 53 probes: whether this region's
// API and functions work, and whether an operator has drained a region. It
// reads the flag of a drained region and nothing else: a check that waited on
// other services would take regions out of DNS for a fault that failover inside
// the invoker already hides.
package health

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/crossregion/crossregion/contract"
)

// Drains knows which regions an operator has drained.
type Drains interface {
	// Drained tells whether the region is drained, or why that is not known. It
	// returns once ctx ends.
	Drained(ctx context.Context, region string) (bool, error)
}

// Config configures [New]. All fields are required.
type Config struct {
	// Region is where the function runs.
	Region string
	// Regions are all regions of the stack.
	Regions []string
	// Drains is asked on each request.
	Drains Drains
	// Log learns of flags that could not be read.
	Log *slog.Logger
}

// flagTimeout bounds the wait for a flag. Health checkers give an answer two
// seconds, a cold start included.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
const flagTimeout = 300 * time.Millisecond

// New returns the handler of every route that [contract.Routes] gives to the
// health function. It answers 200, or 503 while its own region is drained; and
// if the query asks about a region, it says of that one whether it is drained.
// A flag that cannot be read, or not in time, counts as not set: a table that
// is down must not drain its region, or all regions at once.
func New(cfg Config) http.Handler {
	mux := http.NewServeMux()
	for _, r := range contract.Routes {
		if r.Function == contract.FunctionHealth {
			mux.HandleFunc(r.Method+" "+r.Path, cfg.serve)
		}
	}
	return mux
}

func (c Config) serve(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	asked := query.Get(contract.QueryDrained)
	switch {
	case !query.Has(contract.QueryDrained):
		c.answerOwn(w, r)
	case slices.Contains(c.Regions, asked):
		c.answer(w, http.StatusOK, contract.DrainedAnswer(asked, c.drained(r.Context(), asked)))
	default:
		c.answer(w, http.StatusBadRequest, fmt.Sprintf(`{"error":{"message":"'%[1]s' names no region of this stack.",`+
			`"type":"invalid_request_error","param":"%[1]s","code":"invalid_value"}}`, contract.QueryDrained))
	}
}

// answerOwn tells how this region is.
func (c Config) answerOwn(w http.ResponseWriter, r *http.Request) {
	status, word := http.StatusOK, "ok"
	if c.drained(r.Context(), c.Region) {
		status, word = http.StatusServiceUnavailable, contract.HealthDrained
	}
	c.answer(w, status, fmt.Sprintf(`{"status":%q,"region":%q}`, word, c.Region))
}

func (c Config) drained(ctx context.Context, region string) bool {
	ctx, cancel := context.WithTimeout(ctx, flagTimeout)
	defer cancel()
	drained, err := c.Drains.Drained(ctx, region)
	if err != nil {
		c.Log.WarnContext(ctx, "drain flag not read", "of", region, "error", err.Error())
		return false
	}
	return drained
}

func (c Config) answer(w http.ResponseWriter, status int, body string) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set(contract.HeaderRegion, c.Region)
	w.WriteHeader(status)
	// A probe that hung up has no use for an error.
	_, _ = w.Write([]byte(body))
}
