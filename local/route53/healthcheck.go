package route53

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
)

// agreement is the share of its checkers that must find an endpoint healthy;
// exactly that many do not suffice.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
const agreement = 0.18

// check is one health check. Only up changes.
type check struct {
	id        string
	url       string        // that an endpoint check probes; empty for calculated ones
	search    string        // that the body must contain; empty: any body
	interval  time.Duration // between probes of one checker
	threshold int           // results in a row that turn a checker
	regions   []string      // each with a checker
	named     bool          // the regions are, by who made it
	inverted  bool
	disabled  bool
	children  []*check
	quorum    int          // of healthy children
	up        atomic.Int32 // checkers that find it healthy
	end       context.CancelFunc
}

type checkInputs struct {
	Type                   string            `json:"type" change:"replace"`
	FQDN                   string            `json:"fqdn,omitempty"`
	Port                   *int              `json:"port,omitempty"`
	ResourcePath           string            `json:"resourcePath,omitempty"`
	RequestInterval        *int              `json:"requestInterval,omitempty" change:"replace"`
	FailureThreshold       *int              `json:"failureThreshold,omitempty"`
	MeasureLatency         bool              `json:"measureLatency,omitempty" change:"replace"`
	Regions                []string          `json:"regions,omitempty"`
	SearchString           string            `json:"searchString,omitempty"`
	InvertHealthcheck      bool              `json:"invertHealthcheck,omitempty"`
	Disabled               bool              `json:"disabled,omitempty"`
	EnableSNI              *bool             `json:"enableSni,omitempty"`
	ChildHealthchecks      []string          `json:"childHealthchecks,omitempty"`
	ChildHealthThreshold   *int              `json:"childHealthThreshold,omitempty"`
	InsufficientDataStatus string            `json:"insufficientDataHealthStatus,omitempty"`
	ReferenceName          string            `json:"referenceName,omitempty" change:"replace"`
	Triggers               map[string]string `json:"triggers,omitempty"`
	Tags                   map[string]string `json:"tags,omitempty"`
}

// CheckerRegions are where Route 53 probes from, all of them by default.
// Source: https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html
func CheckerRegions() []string {
	return []string{
		"ap-northeast-1", "ap-southeast-1", "ap-southeast-2", "eu-west-1", "sa-east-1", "us-east-1", "us-west-1", "us-west-2",
	}
}

func (s *Service) createCheck(_ context.Context, r cloud.Request[checkInputs]) (cloud.State, error) {
	c, err := r.In.parse()
	if err != nil {
		return cloud.State{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.adopt(c, r.In.ChildHealthchecks); err != nil {
		return cloud.State{}, err
	}
	h := r.Digits(32, "healthcheck")
	c.id = strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
	c.up.Store(int32(len(c.regions))) // new checks start healthy
	s.begin(c)
	return cloud.State{ID: c.id, Outputs: map[string]any{
		"arn": "arn:" + cloud.Partition + ":route53:::healthcheck/" + c.id,
	}}, nil
}

// adopt finds the children of a calculated check. The caller holds the lock.
func (s *Service) adopt(c *check, children []string) error {
	for _, id := range children {
		child, ok := s.checks[id]
		if !ok || child.url == "" {
			return invalidInput("child health check %s does not exist, or is itself calculated", id)
		}
		c.children = append(c.children, child)
	}
	return nil
}

// begin puts a check into service. The caller holds the lock.
func (s *Service) begin(c *check) {
	ctx, cancel := context.WithCancel(s.ctx)
	c.end = cancel
	s.checks[c.id] = c
	if c.url != "" && !c.disabled {
		healthy := int(c.up.Load())
		for n := range c.regions {
			s.owned.Go(func() { s.watch(ctx, c, checker{n, n < healthy}) })
		}
	}
}

func (in *checkInputs) parse() (*check, error) {
	switch in.Type {
	case "HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH":
		return in.parseEndpoint()
	case "CALCULATED":
		return in.parseCalculated()
	default:
		return nil, invalidInput("health checks of type %q are not supported by the embedded cloud", in.Type)
	}
}

func (in *checkInputs) parseCalculated() (*check, error) {
	switch {
	case in.endpointOnly():
		return nil, invalidInput("a CALCULATED health check takes no properties of an endpoint")
	case in.ChildHealthThreshold == nil:
		return nil, invalidInput("childHealthThreshold is missing")
	case *in.ChildHealthThreshold < 0 || *in.ChildHealthThreshold > 256:
		return nil, invalidInput("childHealthThreshold is %d, want 0 to 256", *in.ChildHealthThreshold)
	case len(in.ChildHealthchecks) > 256:
		return nil, invalidInput("%d childHealthchecks, over the limit of 256", len(in.ChildHealthchecks))
	case in.InsufficientDataStatus != "":
		return nil, errInsufficientData()
	}
	return &check{quorum: *in.ChildHealthThreshold, inverted: in.InvertHealthcheck, disabled: in.Disabled}, nil
}

func (in *checkInputs) endpointOnly() bool {
	return in.FQDN != "" || in.Port != nil || in.ResourcePath != "" || in.RequestInterval != nil || in.FailureThreshold != nil ||
		in.MeasureLatency || in.Regions != nil || in.SearchString != "" || in.EnableSNI != nil
}

func errInsufficientData() error {
	return invalidInput("insufficientDataHealthStatus belongs to CLOUDWATCH_METRIC health checks")
}

// parseEndpoint checks a health check that monitors an endpoint.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-creating-values.html
func (in *checkInputs) parseEndpoint() (*check, error) {
	scheme, match := strings.CutSuffix(in.Type, "_STR_MATCH")
	interval, threshold := or(in.RequestInterval, 30), or(in.FailureThreshold, 3)
	port := or(in.Port, map[string]int{"HTTP": 80, "HTTPS": 443}[scheme])
	switch {
	case in.FQDN == "" || len(in.FQDN) > 255:
		return nil, invalidInput("fqdn is %d characters, want 1 to 255", len(in.FQDN))
	case port < 1 || port > 65535:
		return nil, invalidInput("port is %d, want 1 to 65535", port)
	case len(in.ResourcePath) > 255:
		return nil, invalidInput("resourcePath is %d characters, over the limit of 255", len(in.ResourcePath))
	case interval != 10 && interval != 30:
		return nil, invalidInput("requestInterval is %d, want 10 or 30", interval)
	case threshold < 1 || threshold > 10:
		return nil, invalidInput("failureThreshold is %d, want 1 to 10", threshold)
	case match != (in.SearchString != "") || len(in.SearchString) > 255:
		return nil, invalidInput("searchString is %d characters: want 1 to 255 for _STR_MATCH, none for other types", len(in.SearchString))
	case in.ChildHealthchecks != nil || in.ChildHealthThreshold != nil:
		return nil, invalidInput("childHealthchecks and childHealthThreshold belong to CALCULATED health checks")
	case in.InsufficientDataStatus != "":
		return nil, errInsufficientData()
	}
	regions, err := in.checkers()
	if err != nil {
		return nil, err
	}
	probe := fmt.Sprintf("%s://%s:%d/%s", strings.ToLower(scheme), in.FQDN, port, strings.TrimPrefix(in.ResourcePath, "/"))
	if _, err := url.Parse(probe); err != nil {
		return nil, invalidInput("fqdn %q and resourcePath %q make no URL: %v", in.FQDN, in.ResourcePath, err)
	}
	return &check{
		url: probe, search: in.SearchString, interval: time.Duration(interval) * time.Second, threshold: threshold,
		regions: regions, named: len(in.Regions) > 0, inverted: in.InvertHealthcheck, disabled: in.Disabled,
	}, nil
}

func (in *checkInputs) checkers() ([]string, error) {
	if len(in.Regions) == 0 {
		return CheckerRegions(), nil
	}
	regions := slices.Compact(slices.Sorted(slices.Values(in.Regions)))
	if len(regions) < 3 {
		return nil, invalidInput("regions names %d places to probe from, want at least 3", len(regions))
	}
	for _, r := range regions {
		if !slices.Contains(CheckerRegions(), r) {
			return nil, invalidInput("Route 53 does not probe from %q, only from %s", r, strings.Join(CheckerRegions(), ", "))
		}
	}
	return regions, nil
}

func or(given *int, fallback int) int {
	if given == nil {
		return fallback
	}
	return *given
}

// healthy is the status that records see.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
func (c *check) healthy() bool {
	if c.disabled {
		return true
	}
	up := float64(c.up.Load()) > agreement*float64(len(c.regions))
	if c.url == "" {
		healthy := 0
		for _, child := range c.children {
			if child.healthy() {
				healthy++
			}
		}
		up = healthy >= c.quorum
	}
	return up != c.inverted
}
