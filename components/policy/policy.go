// Package policy writes IAM policy documents. It is pure, so that what a role
// may do is tested without an engine, and it refuses a statement that names no
// action or no resource, or one that names them by wildcard.
package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Statement allows actions on resources. There is no deny: a role that holds
// exactly what its code uses needs none.
type Statement struct {
	// Actions are full names, e.g. "dynamodb:GetItem". Required; no wildcard.
	Actions []string
	// Resources are ARNs. Required; a wildcard is refused but for a log group's
	// streams, which have no names before they exist, and in [Trace].
	Resources []string
	// Conditions by operator and key, e.g. "StringEquals",
	// "aws:RequestedRegion". Default: none.
	Conditions map[string]map[string][]string
}

type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect    string
	Principal map[string]string              `json:",omitempty"`
	Action    []string                       `json:",omitempty"`
	Resource  []string                       `json:",omitempty"`
	Condition map[string]map[string][]string `json:",omitempty"`
}

const version = "2012-10-17"

// Document returns the policy that allows the given statements and nothing
// else. It reports every fault at once.
func Document(statements ...Statement) (string, error) {
	var errs []error
	doc := document{Version: version}
	for i, s := range statements {
		if err := s.validate(); err != nil {
			errs = append(errs, fmt.Errorf("statement %d: %w", i, err))
		}
		doc.Statement = append(doc.Statement, statement{
			Effect: "Allow", Action: s.Actions, Resource: s.Resources, Condition: s.Conditions,
		})
	}
	if len(statements) == 0 {
		errs = append(errs, errors.New("a policy needs a statement"))
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	b, err := json.Marshal(doc)
	return string(b), err
}

func (s Statement) validate() error {
	errs := []error{checkActions(s.Actions)}
	if len(s.Resources) == 0 {
		errs = append(errs, errors.New("no resource"))
	}
	for _, r := range s.Resources {
		everything := r == "*" && len(s.Actions) > 0 && !slices.ContainsFunc(s.Actions, scoped)
		if strings.Contains(strings.TrimSuffix(r, ":log-stream:*"), "*") && !everything {
			errs = append(errs, fmt.Errorf("resource %q: name it in full", r))
		}
	}
	return errors.Join(errs...)
}

func checkActions(actions []string) error {
	var errs []error
	if len(actions) == 0 {
		errs = append(errs, errors.New("no action"))
	}
	for _, a := range actions {
		if strings.Contains(a, "*") {
			errs = append(errs, fmt.Errorf("action %q: name it in full", a))
		}
	}
	return errors.Join(errs...)
}

// Actions by which a function sends its traces.
const (
	putTraceSegments    = "xray:PutTraceSegments"
	putTelemetryRecords = "xray:PutTelemetryRecords"
)

// scoped reports whether AWS offers the action on single resources. Of the
// actions that it offers on all resources or none, only those of [Trace] are
// let through: every other must be asked for here.
func scoped(action string) bool { return action != putTraceSegments && action != putTelemetryRecords }

// Trace returns the statement that lets a function send its traces to X-Ray.
// Both actions only write, and AWS knows no resource for them but "*".
// Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
func Trace() Statement {
	return Statement{Actions: []string{putTraceSegments, putTelemetryRecords}, Resources: []string{"*"}}
}

// Trust returns the policy that lets one AWS service assume a role.
func Trust(service string) string { return trust(service, nil) }

// TrustFor returns the policy that lets one AWS service assume a role on behalf
// of one account, so that nobody else can have the service use it. A service that
// does not say on whose behalf it comes is let through: not all do, and whether
// one does is seldom documented.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func TrustFor(service, account string) string {
	return trust(service, map[string]map[string][]string{"StringEqualsIfExists": {"aws:SourceAccount": {account}}})
}

func trust(service string, conditions map[string]map[string][]string) string {
	b, err := json.Marshal(document{Version: version, Statement: []statement{{
		Effect: "Allow", Principal: map[string]string{"Service": service}, Action: []string{"sts:AssumeRole"}, Condition: conditions,
	}}})
	if err != nil { // strings always marshal
		return ""
	}
	return string(b)
}
