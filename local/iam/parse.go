package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/crossregion/crossregion/local/cloud"
)

// maxDocument is the longest policy document that IAM's API takes, in bytes.
// Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
const maxDocument = 131072

var (
	sidChars    = regexp.MustCompile(`^[0-9A-Za-z]*$`)
	actionChars = regexp.MustCompile(`^(\*|(\*|[0-9A-Za-z-]+):[0-9A-Za-z*?]+)$`)
)

// ParsePolicy parses an identity-based policy. It is strict: an element,
// effect, version, action, resource or condition operator that it does not know
// is a MalformedPolicyDocument [cloud.APIError]. Beyond AWS it refuses policy
// variables, resources that leave out fields of the ARN, and elements that stand
// twice.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
func ParsePolicy(document string) (*Policy, error) {
	statements, err := parse(document, grammar{
		elements: []string{"Action", "NotAction", "Resource", "NotResource"}, read: readIdentity,
	})
	if err != nil {
		return nil, err
	}
	return &Policy{statements: statements}, nil
}

// grammar is what one kind of policy has beside the elements that all share.
type grammar struct {
	elements []string
	read     func(object, *statement) error
}

func parse(document string, g grammar) ([]statement, error) {
	statements, err := parseDocument(document, g)
	if err != nil {
		return nil, cloud.Refuse("MalformedPolicyDocument", "%v", err)
	}
	return statements, nil
}

func parseDocument(document string, g grammar) ([]statement, error) {
	if len(document) > maxDocument {
		return nil, fmt.Errorf("policy is %d bytes long, at most %d are allowed", len(document), maxDocument)
	}
	if !json.Valid([]byte(document)) {
		return nil, errors.New("syntax errors in policy: it is not JSON")
	}
	o, err := readObject([]byte(document))
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	if err := errors.Join(o.only("Version", "Id", "Statement"), o.checkHead()); err != nil {
		return nil, err
	}
	items, err := o.items("Statement")
	if err != nil {
		return nil, err
	}
	return readStatements(items, g)
}

func readStatements(items []json.RawMessage, g grammar) ([]statement, error) {
	var statements []statement
	seen := map[string]bool{}
	for i, raw := range items {
		s, sid, err := readStatement(raw, g)
		if err != nil {
			return nil, fmt.Errorf("statement %d: %w", i+1, err)
		}
		if sid != "" && seen[sid] {
			return nil, fmt.Errorf("statement IDs (SID) in a single policy must be unique, %q is not", sid)
		}
		seen[sid] = true
		statements = append(statements, s)
	}
	return statements, nil
}

func readStatement(raw json.RawMessage, g grammar) (s statement, sid string, err error) {
	o, err := readObject(raw)
	if err != nil {
		return s, "", err
	}
	if err := o.only(append([]string{"Sid", "Effect", "Condition"}, g.elements...)...); err != nil {
		return s, "", err
	}
	if sid, err = o.text("Sid"); err != nil {
		return s, "", err
	}
	if !sidChars.MatchString(sid) {
		return s, "", fmt.Errorf("statement IDs (SID) must be alpha-numeric, %q is not", sid)
	}
	effect, err := o.text("Effect")
	if err != nil {
		return s, "", err
	}
	if effect != "Allow" && effect != "Deny" {
		return s, "", fmt.Errorf("effect is %q, want Allow or Deny", effect)
	}
	s.deny = effect == "Deny"
	if s.conditions, err = parseConditions(o["Condition"]); err != nil {
		return s, "", err
	}
	return s, sid, g.read(o, &s)
}

func readIdentity(o object, s *statement) error {
	var err error
	if s.actions, err = o.patterns("Action", "NotAction"); err != nil {
		return err
	}
	for i, action := range s.actions.any {
		if !actionChars.MatchString(action) {
			return fmt.Errorf("action %q must be * or a vendor and an operation, e.g. dynamodb:GetItem", action)
		}
		s.actions.any[i] = strings.ToLower(action)
	}
	if s.resources, err = o.patterns("Resource", "NotResource"); err != nil {
		return err
	}
	for _, resource := range s.resources.any {
		if err := checkResource(resource); err != nil {
			return err
		}
	}
	return nil
}

// checkResource refuses a wildcard for the service, as AWS does.
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
func checkResource(resource string) error {
	switch parts := strings.SplitN(resource, ":", arnParts); {
	case resource == "*":
		return nil
	case !isARN(resource):
		return fmt.Errorf(`resource %q must be "*" or an ARN with all its %d fields`, resource, arnParts)
	case !glob(parts[1], cloud.Partition):
		return fmt.Errorf("partition %q is not valid for resource %q", parts[1], resource)
	case parts[2] == "" || strings.ContainsAny(parts[2], "*?"):
		return fmt.Errorf("resource %q must name one service", resource)
	default:
		return refuseVariable(resource)
	}
}

func refuseVariable(s string) error {
	if strings.Contains(s, "${") {
		return fmt.Errorf("policy variables are not known to the embedded cloud: %q", s)
	}
	return nil
}

// object is a JSON object whose names are compared with case, unlike those that
// encoding/json decodes into a struct.
type object map[string]json.RawMessage

// readObject refuses a name that stands twice: one of the two values would be
// lost, and with it perhaps a deny.
func readObject(raw []byte) (object, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return nil, errors.New("not an object")
	}
	o := object{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name := fmt.Sprint(token)
		if _, twice := o[name]; twice {
			return nil, fmt.Errorf("%q stands twice", name)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, err
		}
		o[name] = value
	}
	return o, nil
}

func (o object) only(known ...string) error {
	for name := range o {
		if !slices.Contains(known, name) {
			return fmt.Errorf("unknown element %q: want some of %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

func (o object) checkHead() error {
	version, err := o.text("Version")
	_, idErr := o.text("Id")
	if err := errors.Join(err, idErr); err != nil {
		return err
	}
	if !slices.Contains([]string{"", "2008-10-17", "2012-10-17"}, version) {
		return fmt.Errorf("version %q is not known, want 2012-10-17", version)
	}
	return nil
}

// text is empty when o lacks the element.
func (o object) text(name string) (string, error) {
	var s string
	raw, ok := o[name]
	if !ok {
		return "", nil
	}
	if err := json.Unmarshal(raw, &s); err != nil || raw[0] != '"' {
		return "", fmt.Errorf("%s is not a string", name)
	}
	return s, nil
}

// items reads one value or a list of at least one.
func (o object) items(name string) ([]json.RawMessage, error) {
	raw, ok := o[name]
	if !ok || string(raw) == "null" {
		return nil, fmt.Errorf("%s is missing", name)
	}
	if raw[0] != '[' {
		return []json.RawMessage{raw}, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s is empty", name)
	}
	return list, nil
}

// scalars reads one string, number or boolean, or a list of them, as text.
func (o object) scalars(name string) ([]string, error) {
	items, err := o.items(name)
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(items))
	for i, raw := range items {
		switch raw[0] {
		case '"':
			err = json.Unmarshal(raw, &texts[i])
		case '{', '[', 'n':
			err = errors.New("want a string, a number, a boolean or a list of them")
		default:
			texts[i] = string(raw)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return texts, nil
}

// patterns reads an element or its Not form, exactly one of which must stand.
func (o object) patterns(name, notName string) (patterns, error) {
	_, positive := o[name]
	_, negative := o[notName]
	if positive == negative {
		return patterns{}, fmt.Errorf("want exactly one of %s and %s", name, notName)
	}
	if negative {
		name = notName
	}
	list, err := o.scalars(name)
	return patterns{not: negative, any: list}, err
}
