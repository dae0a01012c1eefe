// Package contract holds what the infrastructure program, the handlers and the
// operator's commands must agree on: environments, table keys, headers and
// routes. It imports the standard library only and decides nothing.
package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Environment variables of every function of a stack.
const (
	// EnvFunction says which function of a shared zip a process is: one of
	// the Function constants.
	EnvFunction = "CROSSREGION_FUNCTION"
	// EnvConfig holds the function's configuration as one JSON object.
	EnvConfig = "CROSSREGION_CONFIG"
)

// Functions of a stack, as [EnvFunction] names them.
const (
	FunctionInvoker    = "invoker"
	FunctionHealth     = "health"
	FunctionAuthorizer = "authorizer"
)

// MaxEnvironmentBytes is Lambda's limit on the sum of all names and values.
// Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const MaxEnvironmentBytes = 4096

// Invoker configures the function that serves the API.
type Invoker struct {
	// Stack is the name of the Pulumi stack.
	Stack string `json:"stack"`
	// Jurisdiction names the set of regions below.
	Jurisdiction string `json:"jurisdiction"`
	// Region is where the function runs.
	Region string `json:"region"`
	// Regions are all regions of the stack, in the order of its settings.
	Regions []string `json:"regions"`
	// Allowed are the regions of the jurisdiction, outside which nothing may be
	// processed, or [AnyRegion] alone.
	Allowed []string `json:"allowed"`
	// Models are what callers may put into "model".
	Models []Model `json:"models"`
	// Conversations says where history is kept.
	Conversations Conversations `json:"conversations"`
	// ControlTable is the name of the control table, the same in every replica.
	ControlTable string `json:"controlTable"`
	// UsageRetentionDays is how long records of usage are kept; at least 1.
	UsageRetentionDays int `json:"usageRetentionDays"`
	// Failover bounds the search for an answer.
	Failover Failover `json:"failover,omitzero"`
}

// Conversations configures where and how long history is kept.
type Conversations struct {
	// Table is the name of the content table, the same in every replica.
	Table string `json:"table"`
	// Partners are the other regions with a replica, in the order in which they
	// are tried; the first gets a copy of each turn at once.
	Partners []string `json:"partners"`
	// RetentionDays is how long a thread lasts from its beginning; at least 1.
	RetentionDays int `json:"retentionDays"`
	// Unpaired leaves copies to replication: a turn may be lost with its region
	// until it has arrived elsewhere.
	Unpaired bool `json:"unpaired,omitempty"`
	// TieBreaker is the region whose copy alone will do for a turn of a
	// conversation, in a stack of two regions; of no effect in others.
	TieBreaker string `json:"tieBreaker,omitempty"`
}

// Model is one name that callers use, and where it can be invoked.
type Model struct {
	// Name is what callers put into "model".
	Name string `json:"name"`
	// Base is the ID of the foundation model behind all targets, by which its
	// abilities are known.
	Base string `json:"base"`
	// Targets are tried in order; the first is the function's own region.
	Targets []Target `json:"targets"`
}

// Target is one way to reach a model.
type Target struct {
	// Region is the source region: the one whose Bedrock endpoint is called.
	Region string `json:"region"`
	// ID is the ARN of the application inference profile in that region.
	ID string `json:"id"`
	// Destinations are the regions that may process what the target is asked,
	// those of its guardrail included; [AnyRegion] stands for all.
	Destinations []string `json:"destinations"`
	// Guardrail checks what is asked and answered; nil for none.
	Guardrail *Guardrail `json:"guardrail,omitempty"`
}

// Guardrail is a Bedrock guardrail in the source region of a [Target].
type Guardrail struct {
	// ID of the guardrail.
	ID string `json:"id"`
	// Version is a number, or "DRAFT".
	Version string `json:"version"`
}

// AnyRegion stands for every region that AWS has, or will have.
const AnyRegion = "*"

// Health configures the function behind /healthz.
type Health struct {
	// Stack is the name of the Pulumi stack.
	Stack string `json:"stack"`
	// Region is where the function runs.
	Region string `json:"region"`
	// Regions are all regions of the stack, in the order of its settings. The
	// function tells of each whether it is drained.
	Regions []string `json:"regions"`
	// Table is the name of the control table, the same in every replica.
	Table string `json:"table"`
}

// Authorizer configures the function that turns a credential into a tenant.
type Authorizer struct {
	// Stack is the name of the Pulumi stack.
	Stack string `json:"stack"`
	// Region is where the function runs.
	Region string `json:"region"`
	// Partners are the regions whose replica is read for API keys, in that order,
	// when the function's own does not answer; one at least.
	Partners []string `json:"partners,omitempty"`
	// Table is the name of the control table that holds API keys, the same in
	// every replica.
	Table string `json:"table,omitempty"`
	// OIDC says whose tokens are taken, in place of Partners and Table; nil for
	// API keys.
	OIDC *OIDC `json:"oidc,omitempty"`
}

// Config is one function's configuration.
type Config interface {
	Invoker | Health | Authorizer
	// Validate reports every fault at once.
	Validate() error
}

// Encode returns the environment in which a function finds c again with
// [Decode]. It refuses an invalid c and one that Lambda would find too large.
func Encode[C Config](c C) (map[string]string, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	b, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", EnvConfig, err)
	}
	env := map[string]string{EnvFunction: functionOf(c), EnvConfig: string(b)}
	size := 0
	for k, v := range env {
		size += len(k) + len(v)
	}
	if size > MaxEnvironmentBytes {
		return nil, fmt.Errorf("environment of the %s function is %d bytes, over Lambda's limit of %d: "+
			"use fewer models or regions, or shorter names", functionOf(c), size, MaxEnvironmentBytes)
	}
	return env, nil
}

// Decode reads what [Encode] wrote. getenv is os.Getenv outside tests.
func Decode[C Config](getenv func(string) string) (C, error) {
	var c C
	if got := getenv(EnvFunction); got != functionOf(c) {
		return c, fmt.Errorf("%s is %q, want %q", EnvFunction, got, functionOf(c))
	}
	dec := json.NewDecoder(strings.NewReader(getenv(EnvConfig)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&c); err != nil {
		return c, fmt.Errorf("decode %s: %w", EnvConfig, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return c, fmt.Errorf("decode %s: something follows its JSON object", EnvConfig)
	}
	if err := c.Validate(); err != nil {
		return c, fmt.Errorf("%s: %w", EnvConfig, err)
	}
	return c, nil
}

func functionOf[C Config](c C) string {
	switch any(c).(type) {
	case Health:
		return FunctionHealth
	case Authorizer:
		return FunctionAuthorizer
	default:
		return FunctionInvoker
	}
}

// Validate reports every fault of c at once.
func (c Invoker) Validate() error {
	errs := []error{
		required("stack", c.Stack), required("jurisdiction", c.Jurisdiction), required("region", c.Region),
	}
	if len(c.Regions) == 0 {
		errs = append(errs, errors.New("regions is empty"))
	}
	if len(c.Models) == 0 {
		errs = append(errs, errors.New("models is empty"))
	}
	errs = append(errs, c.Failover.validate())
	if len(c.Allowed) == 0 {
		errs = append(errs, errors.New("allowed is empty"))
	}
	if len(c.Allowed) > 1 && slices.Contains(c.Allowed, AnyRegion) {
		errs = append(errs, fmt.Errorf("allowed is %q: %q stands alone", c.Allowed, AnyRegion))
	}
	errs = append(errs, required("conversations.table", c.Conversations.Table), required("controlTable", c.ControlTable))
	if len(c.Conversations.Partners) == 0 || slices.Contains(c.Conversations.Partners, c.Region) {
		errs = append(errs, fmt.Errorf("conversations.partners are %q: name other regions than %q, one at least",
			c.Conversations.Partners, c.Region))
	}
	if min(c.Conversations.RetentionDays, c.UsageRetentionDays) < 1 {
		errs = append(errs, fmt.Errorf("conversations.retentionDays is %d and usageRetentionDays %d: set 1 at least",
			c.Conversations.RetentionDays, c.UsageRetentionDays))
	}
	for i, m := range c.Models {
		errs = append(errs, required(fmt.Sprintf("models[%d].name", i), m.Name), required(fmt.Sprintf("models[%d].base", i), m.Base))
		if len(m.Targets) == 0 {
			errs = append(errs, fmt.Errorf("models[%d].targets is empty", i))
		}
		for j, t := range m.Targets {
			errs = append(errs, t.validate(fmt.Sprintf("models[%d].targets[%d]", i, j)))
		}
	}
	return errors.Join(errs...)
}

func (t Target) validate(path string) error {
	errs := []error{required(path+".region", t.Region), required(path+".id", t.ID)}
	if len(t.Destinations) == 0 {
		errs = append(errs, fmt.Errorf("%s.destinations is empty", path))
	}
	if g := t.Guardrail; g != nil {
		errs = append(errs, required(path+".guardrail.id", g.ID), required(path+".guardrail.version", g.Version))
	}
	return errors.Join(errs...)
}

// Validate reports every fault of c at once.
func (c Health) Validate() error {
	errs := []error{required("stack", c.Stack), required("region", c.Region), required("table", c.Table)}
	if !slices.Contains(c.Regions, c.Region) {
		errs = append(errs, fmt.Errorf("regions %q do not contain the function's own, %q", c.Regions, c.Region))
	}
	return errors.Join(errs...)
}

// Validate reports every fault of c at once.
func (c Authorizer) Validate() error {
	errs := []error{required("stack", c.Stack), required("region", c.Region)}
	if c.OIDC != nil {
		return errors.Join(append(errs, c.OIDC.validate())...)
	}
	errs = append(errs, required("table", c.Table))
	if len(c.Partners) == 0 || slices.Contains(c.Partners, c.Region) {
		errs = append(errs, fmt.Errorf("partners are %q: name other regions than %q, one at least", c.Partners, c.Region))
	}
	return errors.Join(errs...)
}

func (o OIDC) validate() error {
	errs := []error{required("oidc.issuer", o.Issuer), required("oidc.audience", o.Audience), required("oidc.tenantClaim", o.TenantClaim)}
	if len(o.Algorithms) == 0 {
		errs = append(errs, errors.New("oidc.algorithms is empty"))
	}
	return errors.Join(errs...)
}

func required(path, value string) error {
	if value == "" {
		return fmt.Errorf("%s is missing", path)
	}
	return nil
}
