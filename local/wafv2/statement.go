package wafv2

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Limits of rate-based rules.
// Source: https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based-high-level-settings.html
const (
	minRateLimit  = 10
	maxRateLimit  = 2_000_000_000
	defaultWindow = 300 // seconds
)

type statementInputs struct {
	Or        *orInputs        `json:"orStatement,omitempty"`
	ByteMatch *byteMatchInputs `json:"byteMatchStatement,omitempty"`
	Rate      *rateInputs      `json:"rateBasedStatement,omitempty"`
	Managed   *managedInputs   `json:"managedRuleGroupStatement,omitempty"`
}

type orInputs struct {
	Statements []statementInputs `json:"statements"`
}

type byteMatchInputs struct {
	Field           fieldInputs       `json:"fieldToMatch"`
	Constraint      string            `json:"positionalConstraint"`
	SearchString    string            `json:"searchString"`
	Transformations []transformInputs `json:"textTransformations"`
}

type fieldInputs struct {
	URIPath *emptyInputs `json:"uriPath,omitempty"`
}

type transformInputs struct {
	Priority int    `json:"priority"`
	Type     string `json:"type"`
}

type rateInputs struct {
	AggregateKeyType string           `json:"aggregateKeyType,omitempty"`
	Window           int              `json:"evaluationWindowSec,omitempty"`
	Limit            int              `json:"limit"`
	Scope            *statementInputs `json:"scopeDownStatement,omitempty"`
}

// statement says which requests a rule is about.
type statement interface {
	match(r Request, now time.Time) bool
	capacity() int // in WAF's units
}

// kinds counts the kinds of statement that are given, of which one is right.
func (in statementInputs) kinds() int {
	given := 0
	for _, set := range []bool{in.Or != nil, in.ByteMatch != nil, in.Rate != nil, in.Managed != nil} {
		if set {
			given++
		}
	}
	return given
}

func oneKind(given int) error {
	return invalid("STATEMENT", fmt.Sprint(given), "a statement is exactly one kind of statement")
}

// parse refuses rates and rule groups inside of other statements, as WAF does.
func (in statementInputs) parse(top bool) (statement, error) {
	switch kinds := in.kinds(); {
	case kinds != 1:
		return nil, oneKind(kinds)
	case in.ByteMatch != nil:
		return in.ByteMatch.parse()
	case in.Or != nil:
		return in.Or.parse()
	case in.Rate != nil && top:
		return in.Rate.parse()
	default:
		return nil, invalid("STATEMENT", "nested", "a rate-based or managed rule group statement cannot be nested")
	}
}

// or matches when one of its statements does.
type or []statement

func (in *orInputs) parse() (statement, error) {
	if len(in.Statements) < 2 {
		return nil, invalid("OR_STATEMENT", fmt.Sprint(len(in.Statements)), "give at least two statements")
	}
	var all or
	for _, s := range in.Statements {
		st, err := s.parse(false)
		if err != nil {
			return nil, err
		}
		all = append(all, st)
	}
	return all, nil
}

func (o or) match(r Request, now time.Time) bool {
	return slices.ContainsFunc(o, func(s statement) bool { return s.match(r, now) })
}

func (o or) capacity() int {
	units := 0
	for _, s := range o {
		units += s.capacity()
	}
	return units
}

// pathMatch compares the path of a request.
type pathMatch struct {
	compare func(path, search string) bool
	search  string
	lower   bool
}

func (in *byteMatchInputs) parse() (statement, error) {
	m := &pathMatch{search: in.SearchString}
	switch in.Constraint {
	case "EXACTLY":
		m.compare = func(path, search string) bool { return path == search }
	case "STARTS_WITH":
		m.compare = strings.HasPrefix
	case "ENDS_WITH":
		m.compare = strings.HasSuffix
	case "CONTAINS":
		m.compare = strings.Contains
	default:
		return nil, invalid("POSITIONAL_CONSTRAINT", in.Constraint, "use EXACTLY, STARTS_WITH, ENDS_WITH or CONTAINS")
	}
	if in.Field.URIPath == nil {
		return nil, invalid("FIELD_TO_MATCH", "", "the embedded cloud compares uriPath only")
	}
	if len(in.SearchString) < 1 || len(in.SearchString) > 200 {
		return nil, invalid("SEARCH_STRING", in.SearchString, "give 1 to 200 bytes")
	}
	if len(in.Transformations) == 0 {
		return nil, invalid("TEXT_TRANSFORMATION", "", "give at least one, NONE if need be")
	}
	for _, t := range in.Transformations {
		if !slices.Contains([]string{"NONE", "LOWERCASE"}, t.Type) {
			return nil, invalid("TEXT_TRANSFORMATION", t.Type, "the embedded cloud has NONE and LOWERCASE only")
		}
		m.lower = m.lower || t.Type == "LOWERCASE"
	}
	return m, nil
}

func (m *pathMatch) match(r Request, _ time.Time) bool {
	path := r.Path
	if m.lower {
		path = strings.ToLower(path)
	}
	return m.compare(path, m.search)
}

func (m *pathMatch) capacity() int { return 2 }

// rate matches the requests of an address beyond its limit. Those outside of its
// scope neither count nor match.
type rate struct {
	scope  statement // nil: all requests
	limit  int
	window time.Duration
	seen   map[string][]time.Time // by address, within the window
}

func (in *rateInputs) parse() (statement, error) {
	window := in.Window
	if window == 0 {
		window = defaultWindow
	}
	switch {
	case in.Limit < minRateLimit || in.Limit > maxRateLimit:
		return nil, invalid("RATE_LIMIT", fmt.Sprint(in.Limit), fmt.Sprintf("want %d to %d", minRateLimit, maxRateLimit))
	case !slices.Contains([]int{60, 120, 300, 600}, window):
		return nil, invalid("EVALUATION_WINDOW_SEC", fmt.Sprint(window), "want 60, 120, 300 or 600")
	case in.AggregateKeyType != "" && in.AggregateKeyType != "IP":
		return nil, invalid("AGGREGATE_KEY_TYPE", in.AggregateKeyType, "the embedded cloud counts by IP only")
	}
	r := &rate{limit: in.Limit, window: time.Duration(window) * time.Second, seen: map[string][]time.Time{}}
	if in.Scope == nil {
		return r, nil
	}
	var err error
	r.scope, err = in.Scope.parse(false)
	return r, err
}

// match counts the request too. AWS counts with some delay.
func (l *rate) match(r Request, now time.Time) bool {
	if l.scope != nil && !l.scope.match(r, now) {
		return false
	}
	for ip, times := range l.seen {
		times = slices.DeleteFunc(times, func(t time.Time) bool { return now.Sub(t) >= l.window })
		if l.seen[ip] = times; len(times) == 0 {
			delete(l.seen, ip)
		}
	}
	l.seen[r.IP] = append(l.seen[r.IP], now)
	return len(l.seen[r.IP]) > l.limit
}

func (l *rate) capacity() int {
	if l.scope == nil {
		return 2
	}
	return 2 + l.scope.capacity()
}
