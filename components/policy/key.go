package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// KeyStatement allows principals actions on the KMS key in whose policy it
// stands. Exactly one of AWS and Service is required.
type KeyStatement struct {
	// AWS is the ARN of an account's root, which lets that account's IAM
	// policies decide, or "*" for everybody that the conditions leave.
	AWS string
	// Service is an AWS service, e.g. "logs.eu-west-1.amazonaws.com".
	Service string
	// Actions are full names, e.g. "kms:Decrypt". Required; no wildcard.
	Actions []string
	// Conditions by operator and key. Required for "*", on aws:PrincipalArn.
	// Default: none.
	Conditions map[string]map[string][]string
}

// KeyDocument returns the key policy that allows the given statements and
// nothing else. It reports every fault at once. The resource of each statement
// is "*", which in a key policy means the key itself.
// Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
func KeyDocument(statements ...KeyStatement) (string, error) {
	var errs []error
	doc := document{Version: version}
	for i, s := range statements {
		if err := s.validate(); err != nil {
			errs = append(errs, fmt.Errorf("statement %d: %w", i, err))
		}
		doc.Statement = append(doc.Statement, statement{
			Effect: "Allow", Principal: s.principal(), Action: s.Actions, Resource: []string{"*"}, Condition: s.Conditions,
		})
	}
	if len(statements) == 0 {
		errs = append(errs, errors.New("a key policy needs a statement"))
	}
	if err := errors.Join(errs...); err != nil {
		return "", err
	}
	b, err := json.Marshal(doc)
	return string(b), err
}

func (s KeyStatement) principal() map[string]string {
	if s.Service != "" {
		return map[string]string{"Service": s.Service}
	}
	return map[string]string{"AWS": s.AWS}
}

func (s KeyStatement) validate() error {
	errs := []error{checkActions(s.Actions)}
	if (s.AWS == "") == (s.Service == "") {
		errs = append(errs, errors.New("want exactly one of AWS and Service"))
	}
	if s.AWS == "*" && !s.namesPrincipals() {
		errs = append(errs, errors.New(`principal "*": a condition on aws:PrincipalArn must name who is meant`))
	}
	return errors.Join(errs...)
}

// namesPrincipals reports whether a condition leaves named principals only. An
// operator that is negated, or that a missing key satisfies, names nobody.
func (s KeyStatement) namesPrincipals() bool {
	for _, operator := range []string{"ArnEquals", "ArnLike", "StringEquals"} {
		named := s.Conditions[operator]["aws:PrincipalArn"]
		if len(named) > 0 && !strings.Contains(strings.Join(named, ""), "*") {
			return true
		}
	}
	return false
}
