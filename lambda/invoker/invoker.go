// Package invoker puts the parts of the invoker's zip together, by the
// environment that a function is given. It decides nothing else.
package invoker

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/awsenv"
	"github.com/crossregion/crossregion/lambda/converse"
	"github.com/crossregion/crossregion/lambda/failover"
	"github.com/crossregion/crossregion/lambda/health"
	"github.com/crossregion/crossregion/lambda/openai"
	"github.com/crossregion/crossregion/lambda/residency"
	"github.com/crossregion/crossregion/lambda/tables"
)

// New returns the handler of the function that [contract.EnvFunction] names:
// the invoker or the one behind /healthz. getenv is os.Getenv outside tests.
// Errors say what is wrong with the environment.
func New(getenv func(string) string, log *slog.Logger) (http.Handler, error) {
	switch name := getenv(contract.EnvFunction); name {
	case contract.FunctionInvoker:
		return newAPI(getenv, log)
	case contract.FunctionHealth:
		return newHealth(getenv, log)
	default:
		return nil, fmt.Errorf("%s is %q, want %q or %q", contract.EnvFunction, name,
			contract.FunctionInvoker, contract.FunctionHealth)
	}
}

func newHealth(getenv func(string) string, log *slog.Logger) (http.Handler, error) {
	cfg, err := contract.Decode[contract.Health](getenv)
	if err != nil {
		return nil, err
	}
	sdk, err := awsenv.Config(getenv)
	if err != nil {
		return nil, err
	}
	log.Info("start", "function", contract.FunctionHealth, "stack", cfg.Stack, "region", cfg.Region)
	drains := health.NewTable(tables.Client(sdk, cfg.Region), cfg.Table)
	return health.New(health.Config{Region: cfg.Region, Regions: cfg.Regions, Drains: drains, Log: log}), nil
}

func newAPI(getenv func(string) string, log *slog.Logger) (http.Handler, error) {
	cfg, err := contract.Decode[contract.Invoker](getenv)
	if err != nil {
		return nil, err
	}
	sdk, err := awsenv.Config(getenv)
	if err != nil {
		return nil, err
	}
	engine, err := failover.New(limits(cfg, residency.New(converse.New(sdk, sources(cfg.Models)), cfg.Allowed)))
	if err != nil {
		return nil, err
	}
	store, err := newStore(cfg, sdk)
	if err != nil {
		return nil, err
	}
	counter, err := newBudget(cfg, sdk, log)
	if err != nil {
		return nil, err
	}
	log.Info("start", "function", contract.FunctionInvoker, "stack", cfg.Stack, "region", cfg.Region)
	logViolations(cfg, log)
	return openai.New(openai.Config{
		Stack: cfg.Stack, Region: cfg.Region, Models: cfg.Models, Engine: engine, Store: store, Budget: counter, Log: log,
		KeepAlive: seconds(cfg.Failover.KeepAliveSeconds),
	})
}

// logViolations says once of each target that it will be refused, and why. The
// others are served, so it does not keep the function from starting.
func logViolations(cfg contract.Invoker, log *slog.Logger) {
	for _, m := range cfg.Models {
		for _, t := range m.Targets {
			if outside := residency.Outside(t, cfg.Allowed); len(outside) > 0 {
				log.Error(contract.CodeResidencyViolation, "model", m.Name, "target", t.Region,
					"outside", outside, "jurisdiction", cfg.Jurisdiction)
			}
		}
	}
}

// limits are those of cfg upon model.
func limits(cfg contract.Invoker, model failover.Model) failover.Config {
	f := cfg.Failover
	c := failover.Config{
		Model:        model,
		FirstContent: seconds(f.FirstContentSeconds),
		Idle:         seconds(f.IdleSeconds),
		Hold:         seconds(f.HoldSeconds),
		KeepAlive:    seconds(f.KeepAliveSeconds),
		Backoff:      seconds(f.BackoffSeconds),
		Breaker:      failover.Breaker{Failures: f.BreakerFailures, Open: seconds(f.BreakerOpenSeconds)},
		Hedge:        failover.Hedge{Delay: seconds(f.HedgeDelaySeconds), Share: cmp.Or(f.HedgeShare, contract.DefaultHedgeShare)},
	}
	if f.Retries != nil {
		c.Retries = cmp.Or(*f.Retries, -1)
	}
	if f.ContinueStreams {
		c.Prefill = failover.AcceptsPrefill
	}
	return c
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

// sources are the regions that some model is called in.
func sources(models []contract.Model) []string {
	regions := map[string]bool{}
	for _, m := range models {
		for _, t := range m.Targets {
			regions[t.Region] = true
		}
	}
	return slices.Sorted(maps.Keys(regions))
}
