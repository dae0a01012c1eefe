package apigateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/crossregion/crossregion/local/wafv2"
)

// Quotas on requests, in bytes.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
const (
	maxPayload = 10 << 20
	maxHeaders = 20_480
)

// exchange is one request on its way through the gateway.
type exchange struct {
	w          *answer
	r          *http.Request
	region     string
	at         time.Time
	id         string // request ID
	extendedID string
	target
	resource *resource
	method   *method
	params   map[string]string
	body     []byte
	identity map[string]string // what the authorizer said; nil without one
	signer   *iam.Signer       // who signed, where IAM decides; nil elsewhere
	took     timing
}

// target is the stage that a request is for.
type target struct {
	api   *api
	stage *stage
	route string // escaped path below stage or base path
	path  string // escaped path as functions see it
}

// Handler is the regional edge: it serves the region's APIs to requests for
// one of their custom domains, or for their default endpoint with the stage as
// first segment of the path.
func (s *Service) Handler(region string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &exchange{w: &answer{ResponseWriter: w}, r: r, region: region, at: s.cfg.World.Clock.Now(), id: s.requestID(region)}
		x.took.began = s.cfg.RequestClock.Now()
		defer s.logAccess(x) // a cut response panics
		x.extendedID = cloud.ID(15, x.id) + "="
		w.Header().Set("X-Amzn-Requestid", x.id)
		w.Header().Set("X-Amz-Apigw-Id", x.extendedID)
		for _, step := range []func(*exchange) *refusal{
			s.locate, s.receive, s.inspect, s.match, s.throttle, s.authorize, s.validate, s.integrate,
		} {
			if f := step(x); f != nil {
				x.took.refused = f.kind
				f.write(x)
				return
			}
		}
	})
}

// requestID returns a UUID that no other request has.
func (s *Service) requestID(region string) string {
	h := cloud.ID(32, "request", region, fmt.Sprint(s.requests.Add(1)), s.cfg.World.Clock.Now().String())
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// send writes to the client. A client that has gone away is no fault of ours,
// and nobody is left to tell.
func (x *exchange) send(b []byte) bool {
	_, err := x.w.Write(b)
	return err == nil
}

// locate finds the stage.
func (s *Service) locate(x *exchange) *refusal {
	host, path := normalize(x.r.Host), x.r.URL.EscapedPath()
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, ok := s.byDomain(x.region, host, path)
	if !ok {
		t, ok = s.byEndpoint(x.region, host, path)
	}
	if !ok {
		return forbidden()
	}
	x.target = t
	return nil
}

// inspect asks the firewall, which API Gateway does before it checks anything.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-control-access-aws-waf.html
func (s *Service) inspect(x *exchange) *refusal {
	verdict := s.cfg.Firewall.Inspect(x.api.stageARN(x.stage.name), wafv2.Request{
		IP: x.sourceIP(), Path: x.r.URL.EscapedPath(), Query: x.r.URL.RawQuery, Header: x.r.Header, Body: x.body,
	})
	if !verdict.Blocked {
		return nil
	}
	f := refuse(http.StatusForbidden, "WAF_FILTERED", "Forbidden")
	f.worded = verdict.Response
	return f
}

// match finds the resource and the method.
func (s *Service) match(x *exchange) *refusal {
	missing := refuse(http.StatusForbidden, "MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
	x.resource, x.params = x.stage.document.route(x.route)
	if x.resource == nil {
		return missing
	}
	if x.method = x.resource.methods[x.r.Method]; x.method == nil {
		return missing
	}
	return nil
}

// byEndpoint finds the stage behind a default endpoint.
func (s *Service) byEndpoint(region, host, path string) (target, bool) {
	id, _, _ := strings.Cut(host, ".")
	a := s.apis[id]
	if a == nil || a.region != region || a.host() != host || a.endpointOff {
		return target{}, false
	}
	st, rest := a.firstSegment(path)
	return target{api: a, stage: st, route: rest, path: rest}, st != nil
}

// byDomain finds the stage behind a custom domain: an exact name before a
// wildcard, and the longest base path.
func (s *Service) byDomain(region, host, path string) (target, bool) {
	d := s.domains[domainKey{region, host}]
	if _, parent, ok := strings.Cut(host, "."); ok && d == nil {
		d = s.domains[domainKey{region, "*." + parent}]
	}
	if d == nil {
		return target{}, false
	}
	for base := strings.Trim(path, "/"); ; base = base[:max(strings.LastIndexByte(base, '/'), 0)] {
		if m, ok := d.mappings[base]; ok {
			rest := strings.TrimPrefix(path, "/"+base)
			if base == "" {
				rest = path
			}
			if m.stage != "" {
				return target{api: m.api, stage: m.api.stages[m.stage], route: rest, path: path}, true
			}
			st, rest := m.api.firstSegment(rest)
			return target{api: m.api, stage: st, route: rest, path: path}, st != nil
		}
		if base == "" {
			return target{}, false
		}
	}
}

// firstSegment splits a path into the stage that it names and the rest.
func (a *api) firstSegment(path string) (*stage, string) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return a.stages[name], "/" + rest
}

// receive takes the whole request: REST APIs do not stream them.
func (s *Service) receive(x *exchange) *refusal {
	size := 0
	for name, values := range x.r.Header {
		for _, v := range values {
			size += len(name) + len(v)
		}
	}
	if size > maxHeaders {
		return refuse(http.StatusRequestHeaderFieldsTooLarge, "DEFAULT_4XX", "Request Header Fields Too Large")
	}
	var err error
	x.body, err = io.ReadAll(http.MaxBytesReader(x.w.ResponseWriter, x.r.Body, maxPayload))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return tooLong()
	case err != nil:
		return refuse(http.StatusBadRequest, "DEFAULT_4XX", "Bad Request")
	default:
		return nil
	}
}

func (s *Service) throttle(x *exchange) *refusal {
	if x.stage.admit(x.resource, x.method, x.at) {
		return nil
	}
	return refuse(http.StatusTooManyRequests, "THROTTLED", "Too Many Requests")
}

// validate checks that required parameters are there.
func (s *Service) validate(x *exchange) *refusal {
	var missing []string
	query := x.r.URL.Query()
	for _, p := range x.method.required {
		var found bool
		switch p.In {
		case "header":
			found = x.r.Header.Get(p.Name) != ""
		case "query":
			found = query.Get(p.Name) != ""
		default: // the router has matched every variable of the path
			found = true
		}
		if !found {
			missing = append(missing, p.Name)
		}
	}
	if missing == nil {
		return nil
	}
	slices.Sort(missing)
	return refuse(http.StatusBadRequest, "BAD_REQUEST_PARAMETERS",
		"Missing required request parameters: ["+strings.Join(missing, ", ")+"]")
}

// warn tells the operator of the embedded cloud what a client must not see. A
// client that went away is nothing to tell.
func (s *Service) warn(x *exchange, message string, err error) {
	if x.r.Context().Err() != nil {
		return
	}
	s.cfg.World.Log.Warn("apigateway: "+message, "region", x.region, "api", x.api.id,
		"method", x.method.name, "resource", x.resource.path, "request", x.id, "error", err)
}
