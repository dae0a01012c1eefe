package apigateway

import (
	"context"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
)

// Throttle of a method whose settings name none.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const (
	defaultRate  = 10_000
	defaultBurst = 5_000
)

// maxVerdicts bounds what a stage remembers of its authorizers.
const maxVerdicts = 10_000

// stage serves one deployment. What mu does not guard never changes: another
// deployment takes another stage of the same name.
type stage struct {
	name       string
	deployment string // its ID
	document   *document
	variables  map[string]string
	log        *accessLog // nil without one

	mu        sync.Mutex
	throttles map[string]throttle // by method path, "*/*" for all
	buckets   map[*method]*bucket
	verdicts  map[verdictKey]*verdict
}

type throttle struct{ rate, burst float64 }

// bucket is a token bucket.
type bucket struct {
	tokens float64
	at     time.Time
}

type verdictKey struct {
	authorizer *authorizer
	token      string
}

// verdict is what an authorizer said about a token.
type verdict struct {
	policy  *iam.Policy
	context map[string]string // as the integration gets it
	until   time.Time
}

func newStage(name string, doc *document, variables map[string]string) *stage {
	return &stage{
		name: name, document: doc, variables: variables, throttles: map[string]throttle{},
		buckets: map[*method]*bucket{}, verdicts: map[verdictKey]*verdict{},
	}
}

// admit takes a token from the method's bucket. Settings of the stage apply to
// each of its methods by itself.
// Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
func (st *stage) admit(r *resource, m *method, now time.Time) bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	limit, ok := st.throttles[strings.TrimPrefix(r.path, "/")+"/"+m.name]
	if !ok {
		limit, ok = st.throttles["*/*"]
	}
	if !ok {
		limit = throttle{rate: defaultRate, burst: defaultBurst}
	}
	b, ok := st.buckets[m]
	if !ok {
		b = &bucket{tokens: limit.burst, at: now}
		st.buckets[m] = b
	}
	b.tokens = math.Min(limit.burst, b.tokens+limit.rate*now.Sub(b.at).Seconds())
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

func (st *stage) recall(key verdictKey, now time.Time) *verdict {
	st.mu.Lock()
	defer st.mu.Unlock()
	v := st.verdicts[key]
	if v == nil || !now.Before(v.until) {
		return nil
	}
	return v
}

func (st *stage) remember(key verdictKey, v *verdict, now time.Time) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if len(st.verdicts) >= maxVerdicts {
		for k, old := range st.verdicts {
			if !now.Before(old.until) {
				delete(st.verdicts, k)
			}
		}
	}
	if len(st.verdicts) < maxVerdicts {
		st.verdicts[key] = v
	}
}

type settingsInputs struct {
	RestAPI    string `json:"restApi" change:"replace"`
	StageName  string `json:"stageName" change:"replace"`
	MethodPath string `json:"methodPath" change:"replace"`
	Settings   struct {
		Rate      *float64 `json:"throttlingRateLimit,omitempty"`
		Burst     *float64 `json:"throttlingBurstLimit,omitempty"`
		Metrics   bool     `json:"metricsEnabled,omitempty"`
		Logging   string   `json:"loggingLevel,omitempty"`
		DataTrace bool     `json:"dataTraceEnabled,omitempty"`
	} `json:"settings"`
}

func (in *settingsInputs) throttle() (throttle, error) {
	if in.Settings.DataTrace || (in.Settings.Logging != "" && in.Settings.Logging != "OFF") {
		return throttle{}, badRequest("execution logs are not supported by the embedded cloud: set loggingLevel OFF and no data trace")
	}
	limit := throttle{rate: defaultRate, burst: defaultBurst}
	// The provider sends -1 for "not set".
	if rate := in.Settings.Rate; rate != nil && *rate != -1 {
		limit.rate = *rate
	}
	if burst := in.Settings.Burst; burst != nil && *burst != -1 {
		limit.burst = *burst
	}
	if limit.rate < 0 || limit.burst < 0 || limit.burst != math.Trunc(limit.burst) {
		return throttle{}, badRequest("Invalid throttling settings: rate %v, burst %v", limit.rate, limit.burst)
	}
	return limit, nil
}

func (s *Service) createMethodSettings(_ context.Context, r cloud.Request[settingsInputs]) (cloud.State, error) {
	limit, err := r.In.throttle()
	if err != nil {
		return cloud.State{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	a, st, err := s.findStage(r.Region, r.In.RestAPI, r.In.StageName)
	if err != nil {
		return cloud.State{}, err
	}
	if r.In.MethodPath != "*/*" && !st.document.has(r.In.MethodPath) {
		return cloud.State{}, badRequest("Invalid method setting path: %q is neither */* nor PATH/METHOD of the deployment, "+
			"without a leading slash", r.In.MethodPath)
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.throttles[r.In.MethodPath] = limit
	clear(st.buckets)
	return cloud.State{ID: a.id + "-" + st.name + "-" + r.In.MethodPath}, nil
}

// has reports whether the document has a method, named as method settings do.
func (d *document) has(methodPath string) bool {
	for _, r := range d.resources {
		for name := range r.methods {
			if strings.TrimPrefix(r.path, "/")+"/"+name == methodPath {
				return true
			}
		}
	}
	return false
}
