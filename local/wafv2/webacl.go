package wafv2

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	entityName = regexp.MustCompile(`^[\w-]{1,128}$`)
	metricName = regexp.MustCompile(`^[\w-]{1,128}$`)
)

// Capacity of a web ACL, in units, beyond which AWS refuses it.
// Source: https://docs.aws.amazon.com/waf/latest/developerguide/limits.html
const maxCapacity = 5000

// statusCodes are those that a custom response may have.
// Source: https://docs.aws.amazon.com/waf/latest/developerguide/customizing-the-response-status-codes.html
var statusCodes = []int{
	200, 201, 202, 204, 206, 300, 301, 302, 303, 304, 307, 308,
	400, 401, 403, 404, 405, 408, 409, 411, 412, 413, 414, 415, 416, 421, 429, 500, 501, 502, 503, 504, 505,
}

type aclInputs struct {
	Name          string            `json:"name,omitempty" change:"replace"`
	Description   string            `json:"description,omitempty"`
	Scope         string            `json:"scope" change:"replace"`
	DefaultAction actionInputs      `json:"defaultAction"`
	Rules         []ruleInputs      `json:"rules,omitempty"`
	Bodies        []bodyInputs      `json:"customResponseBodies,omitempty"`
	Visibility    visibilityInputs  `json:"visibilityConfig"`
	Tags          map[string]string `json:"tags,omitempty"`
}

type emptyInputs struct{}

type actionInputs struct {
	Allow *emptyInputs `json:"allow,omitempty"`
	Block *blockInputs `json:"block,omitempty"`
	Count *emptyInputs `json:"count,omitempty"`
}

type blockInputs struct {
	Response *responseInputs `json:"customResponse,omitempty"`
}

type responseInputs struct {
	Code    int           `json:"responseCode"`
	BodyKey string        `json:"customResponseBodyKey,omitempty"`
	Headers []headerInput `json:"responseHeaders,omitempty"`
}

type headerInput struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type bodyInputs struct {
	Key         string `json:"key"`
	Content     string `json:"content"`
	ContentType string `json:"contentType"`
}

type visibilityInputs struct {
	MetricName string `json:"metricName"`
	Metrics    bool   `json:"cloudwatchMetricsEnabled"`
	Samples    bool   `json:"sampledRequestsEnabled"`
}

func (in visibilityInputs) check() error {
	if !metricName.MatchString(in.MetricName) {
		return invalid("METRIC_NAME", in.MetricName, "use 1 to 128 letters, digits, underscores and hyphens")
	}
	// Source: https://docs.aws.amazon.com/waf/latest/APIReference/API_VisibilityConfig.html
	if in.MetricName == "All" || in.MetricName == "Default_Action" {
		return invalid("METRIC_NAME", in.MetricName, "AWS WAF keeps this name for itself")
	}
	return nil
}

// action is what happens to a request that a rule matches.
type action struct {
	kind     string // "allow", "block" or "count"
	response *Response
}

func (in actionInputs) parse(bodies []bodyInputs) (action, error) {
	var found []action
	if in.Allow != nil {
		found = append(found, action{kind: "allow"})
	}
	if in.Count != nil {
		found = append(found, action{kind: "count"})
	}
	if in.Block != nil {
		response, err := in.Block.Response.parse(bodies)
		if err != nil {
			return action{}, err
		}
		found = append(found, action{"block", response})
	}
	if len(found) != 1 {
		return action{}, invalid("ACTION", fmt.Sprint(len(found)), "give exactly one of allow, block and count")
	}
	return found[0], nil
}

func (in *responseInputs) parse(bodies []bodyInputs) (*Response, error) {
	if in == nil {
		return nil, nil
	}
	if !slices.Contains(statusCodes, in.Code) {
		return nil, invalid("CUSTOM_RESPONSE", fmt.Sprint(in.Code), "the status code is not supported in a custom response")
	}
	r := &Response{Status: in.Code, Header: http.Header{}}
	for _, h := range in.Headers {
		if strings.EqualFold(h.Name, "Content-Type") {
			return nil, invalid("CUSTOM_RESPONSE_HEADER", h.Name, "the content type is the body's")
		}
		r.Header.Set(h.Name, h.Value)
	}
	if in.BodyKey == "" {
		return r, nil
	}
	types := map[string]string{"APPLICATION_JSON": "application/json", "TEXT_PLAIN": "text/plain", "TEXT_HTML": "text/html"}
	i := slices.IndexFunc(bodies, func(b bodyInputs) bool { return b.Key == in.BodyKey })
	if i < 0 || types[bodies[i].ContentType] == "" {
		return nil, invalid("CUSTOM_RESPONSE_BODY_KEY", in.BodyKey, "no body of that key, or its content type is not known")
	}
	r.Body = bodies[i].Content
	r.Header.Set("Content-Type", types[bodies[i].ContentType])
	return r, nil
}

// webACL is rules in order and what happens to requests that pass them all.
// Service.mu guards it.
type webACL struct {
	rules    []*rule
	fallback action
}

func (in aclInputs) parse() (*webACL, error) {
	if in.Scope != "REGIONAL" {
		return nil, invalid("SCOPE_VALUE", in.Scope, "the embedded cloud has the scope REGIONAL only")
	}
	fallback, err := in.DefaultAction.parse(in.Bodies)
	if err == nil && fallback.kind == "count" {
		err = invalid("DEFAULT_ACTION", "count", "the default action is allow or block")
	}
	errs := []error{err, in.Visibility.check()}
	acl := &webACL{fallback: fallback}
	names, priorities := map[string]bool{}, map[int]bool{}
	for _, r := range in.Rules {
		if names[r.Name] || priorities[r.Priority] {
			errs = append(errs, invalid("RULE", r.Name, "rules have names and priorities of their own"))
		}
		names[r.Name], priorities[r.Priority] = true, true
		parsed, err := r.parse(in.Bodies)
		errs = append(errs, err)
		acl.rules = append(acl.rules, parsed)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if acl.capacity() > maxCapacity {
		return nil, invalid("WEB_ACL", fmt.Sprint(acl.capacity()), "the rules take more capacity than a web ACL has")
	}
	slices.SortFunc(acl.rules, func(a, b *rule) int { return cmp.Compare(a.priority, b.priority) })
	return acl, nil
}

func (a *webACL) capacity() int {
	units := 0
	for _, r := range a.rules {
		units += r.capacity()
	}
	return units
}

// decide asks the rules in order, until one allows or blocks.
func (a *webACL) decide(r Request, now time.Time) Verdict {
	act := a.fallback
	for _, rule := range a.rules {
		if found := rule.decide(r, now); found.kind == "allow" || found.kind == "block" {
			act = found
			break
		}
	}
	return Verdict{Blocked: act.kind == "block", Response: act.response}
}
