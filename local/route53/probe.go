package route53

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Limits on one probe, in real time: they guard deployed binaries.
// Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
const (
	connectTimeout  = 4 * time.Second
	responseTimeout = 2 * time.Second // for the status, and again for the body
	maxSearched     = 5120            // bytes of the body
)

// checker is one of those that probe an endpoint.
type checker struct {
	n  int  // of the check's regions
	up bool // its opinion to begin with
}

// watch has a checker probe an endpoint until ctx ends, with the check or the
// service. Checkers do not wait for each other; they begin one after the other,
// so that they stay apart.
func (s *Service) watch(ctx context.Context, c *check, who checker) {
	up, streak := who.up, 0 // the checker's opinion, and the results in a row against it
	wait := c.interval * time.Duration(who.n+1) / time.Duration(len(c.regions))
	for s.cfg.World.Clock.Sleep(ctx, wait) == nil {
		wait = c.interval
		err := s.probe(ctx, c, c.regions[who.n])
		if ctx.Err() != nil {
			return
		}
		if up == (err == nil) {
			streak = 0
			continue
		}
		if streak++; streak >= c.threshold {
			up, streak = !up, 0
			s.turn(c, c.regions[who.n], up, err)
		}
	}
}

// turn counts the new opinion of a checker.
func (s *Service) turn(c *check, checker string, up bool, err error) {
	before := c.healthy()
	if up {
		c.up.Add(1)
	} else {
		c.up.Add(-1)
	}
	if after := c.healthy(); after != before {
		s.cfg.World.Log.Info("route53: endpoint changed", "check", c.id, "url", c.url, "healthy", after, "checker", checker, "error", err)
	}
}

// probe returns nil if the endpoint answers a checker as the check wants. A name
// with a routing policy is probed wherever it leads from there.
func (s *Service) probe(ctx context.Context, c *check, checker string) error {
	request := s.cfg.Probe
	if request == nil {
		request = s.get
	}
	status, body, err := request(ctx, c.url, checker)
	switch {
	case err != nil:
		return err
	case status < 200 || status > 399:
		return fmt.Errorf("status %d", status)
	case !strings.Contains(body[:min(len(body), maxSearched)], c.search):
		return fmt.Errorf("the first %d bytes of the body do not contain %q", maxSearched, c.search)
	default:
		return nil
	}
}

// get makes the request of a probe from a checker's region.
func (s *Service) get(ctx context.Context, rawURL, checker string) (status int, body string, err error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return 0, "", err
	}
	ip, err := s.address(ctx, u.Hostname(), checker)
	if err != nil {
		return 0, "", err
	}
	at := net.JoinHostPort(ip, u.Port())
	u.Scheme, u.Host = "http", u.Hostname() // the embedded cloud has no TLS
	client := &http.Client{
		Timeout:       connectTimeout + 2*responseTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DisableKeepAlives: true, ResponseHeaderTimeout: responseTimeout,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				ctx, cancel := context.WithTimeout(ctx, connectTimeout)
				defer cancel()
				return s.cfg.World.Network.DialFrom(ctx, checker, at)
			},
		},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("User-Agent", "Amazon-Route53-Health-Check-Service (ref 00000000-0000-0000-0000-000000000000; report http://amzn.to/1vsZADi)")
	res, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, maxSearched))
	return res.StatusCode, string(b), errors.Join(err, res.Body.Close())
}

// address resolves the host of a probe: a name of our zones, or one of AWS's.
func (s *Service) address(ctx context.Context, host, viewer string) (string, error) {
	s.mu.RLock()
	inZone, targets := s.zoneOf(normalize(host)) != nil, s.targets
	s.mu.RUnlock()
	if inZone {
		ips, err := s.Resolve(ctx, host, viewer)
		if err != nil {
			return "", err
		}
		return ips[0], nil
	}
	if targets != nil {
		if ip, ok := targets.Lookup(host); ok {
			return ip, nil
		}
	}
	return "", fmt.Errorf("resolve %s: no such host in the embedded cloud", host)
}
