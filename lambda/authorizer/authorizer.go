// Package authorizer puts the parts of the authorizer's zip together, by the
// environment that the function is given. It decides nothing else.
package authorizer

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/auth"
	"github.com/crossregion/crossregion/lambda/awsenv"
	"github.com/crossregion/crossregion/lambda/oidc"
	"github.com/crossregion/crossregion/lambda/tables"
)

// New returns the authorizer that the environment describes. getenv is os.Getenv
// outside tests. Errors say what is wrong with the environment.
func New(getenv func(string) string, log *slog.Logger) (*auth.Authorizer, error) {
	cfg, err := contract.Decode[contract.Authorizer](getenv)
	if err != nil {
		return nil, fmt.Errorf("configure: %w", err)
	}
	log.Info("start", "function", contract.FunctionAuthorizer, "stack", cfg.Stack, "region", cfg.Region)
	verifier, err := newVerifier(cfg, getenv)
	if err != nil {
		return nil, fmt.Errorf("configure: %w", err)
	}
	return &auth.Authorizer{Verifier: verifier, Log: log}, nil
}

func newVerifier(cfg contract.Authorizer, getenv func(string) string) (auth.Verifier, error) {
	if cfg.OIDC != nil {
		return oidc.New(oidc.Config{OIDC: *cfg.OIDC})
	}
	sdk, err := awsenv.Config(getenv)
	if err != nil {
		return nil, err
	}
	var replicas auth.Replicas
	for _, region := range append([]string{cfg.Region}, cfg.Partners...) {
		replicas = append(replicas, auth.NewTable(tables.Client(sdk, region), cfg.Table))
	}
	return auth.Keys{Reader: replicas, Now: time.Now}, nil
}
