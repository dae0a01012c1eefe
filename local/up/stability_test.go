package up_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/fault"
	"github.com/crossregion/crossregion/local/up"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The stack's probes are ten seconds apart, of a time that runs ten times as
// fast: its clients are to be elsewhere within the window that the preview of
// such a stack prints.
const (
	stableSpeed  = 10
	stableWindow = 118 * time.Second / stableSpeed
)

// stable is a stack that is operated while nothing of AWS can be created,
// changed or described.
type stable struct {
	*up.Running
	t      *testing.T
	ops    string // the operator's command
	home   string // its folder
	last   string // the latest response of a thread that spans the whole test
	lost   string // the region that is lost and drained
	others []string
}

// TestNothingNeedsAControlPlane is R8: while the control plane of every service
// is down, all regions serve, functions start, Bedrock and a whole region fail
// and come back, and an operator drains a region and takes it back.
func TestNothingNeedsAControlPlane(t *testing.T) {
	t.Parallel()
	s := startStable(t)
	s.Account.Faults.BreakControls()
	_, err := s.Account.Create(t.Context(), "aws:sns/topic:Topic", s.lost, "x", nil)
	require.ErrorContains(t, err, "the control plane is down")

	s.step("every region serves", func() {
		for _, region := range s.RegionNames {
			s.servedBy(s.Regions[region], region)
		}
	})
	s.step("functions start", func() {
		s.Account.Lambda.KeepWarm(false)
		s.Account.Lambda.KeepWarm(true)
		for _, region := range s.RegionNames {
			s.servedBy(s.Regions[region], region)
		}
	})
	s.step("a region without Bedrock serves through another", func() {
		s.Account.Faults.Break("bedrock", s.lost, fault.Fault{Kind: fault.Drop})
		s.servedBy(s.Regions[s.lost], s.lost)
		s.Account.Faults.Mend("bedrock", s.lost)
	})
	// Before a region is lost, so that all checks have found by then that none is
	// drained: until a new check knows, an inverted one counts as unhealthy, and DNS
	// would lead elsewhere for a moment that has nothing to do with the loss.
	s.step("an operator drains a region, and takes it back", func() {
		s.operate("drain", s.lost)
		s.led(s.others...)
		s.operate("undrain", s.lost)
		s.led(s.lost)
	})
	s.step("clients of a region that is lost are led elsewhere, and back", func() {
		for _, service := range []string{"execute-api", "bedrock", "dynamodb"} {
			s.Account.Faults.Break(service, s.lost, fault.Fault{Kind: fault.Drop})
		}
		s.led(s.others...)
		for _, service := range []string{"execute-api", "bedrock", "dynamodb"} {
			s.Account.Faults.Mend(service, s.lost)
		}
		s.led(s.lost)
	})
	assert.True(t, s.Account.Faults.ControlsDown())
}

func startStable(t *testing.T) *stable {
	t.Helper()
	settings := map[string]any{
		"healthChecks": map[string]any{"intervalSeconds": 10, "threshold": 3}, "failover": defaultLimits(stableSpeed),
	}
	p, err := startAltered(t, alteration{}, up.Options{Stack: "prod", Speed: stableSpeed, Settings: settings})
	require.NoError(t, err)
	s := &stable{Running: p.Running, t: t, home: t.TempDir(), lost: p.From}
	s.others = slices.DeleteFunc(slices.Clone(p.RegionNames), func(r string) bool { return r == s.lost })
	_, err = s.WriteState(s.home)
	require.NoError(t, err)
	s.ops = filepath.Join(s.home, "ops")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", s.ops, "./ops")
	build.Dir, build.Stderr = "../..", os.Stderr
	require.NoError(t, build.Run())
	return s
}

// step is one thing that the stack does without any control plane.
func (s *stable) step(name string, f func()) {
	s.t.Helper()
	started := time.Now()
	f()
	s.t.Logf("%s: %s of the cloud's time", name, time.Since(started)*stableSpeed)
}

// turn goes on with the thread, and returns the region that answered. As R2
// allows, the client tries again once.
func (s *stable) turn(ctx context.Context, url string) (string, error) {
	p := respond("Please say 3 words.")
	if s.last != "" {
		p.PreviousResponseID = openai.String(s.last)
	}
	var raw *http.Response
	c := client(s.Running, option.WithBaseURL(url+"/v1"), option.WithMaxRetries(1))
	got, err := c.Responses.New(ctx, p, option.WithResponseInto(&raw))
	if err != nil {
		return "", err
	}
	s.last = got.ID
	return raw.Header.Get(contract.HeaderRegion), nil
}

// servedBy expects an answer of a region at its own URL.
func (s *stable) servedBy(url, region string) {
	s.t.Helper()
	got, err := s.turn(s.t.Context(), url)
	require.NoError(s.t, err)
	require.Equal(s.t, region, got)
}

// led waits until DNS leads clients to one of the regions, which must not take
// longer than the window; from then on nothing fails twice.
func (s *stable) led(regions ...string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		addresses, err := s.Account.Resolve(s.t.Context(), s.Domain)
		return err == nil && slices.ContainsFunc(regions, func(region string) bool {
			own, err := s.Account.Resolve(s.t.Context(), region+"."+s.Domain)
			return err == nil && own[0] == addresses[0]
		})
	}, stableWindow, 20*time.Millisecond, "clients are not led to %v", regions)
	for range 5 {
		got, err := s.turn(s.t.Context(), s.Endpoint)
		require.NoError(s.t, err)
		require.Contains(s.t, regions, got)
	}
}

// operate runs a command of the operator's.
func (s *stable) operate(args ...string) {
	s.t.Helper()
	ops := exec.CommandContext(s.t.Context(), s.ops, append(args, "--local")...)
	ops.Dir = s.home
	out, err := ops.CombinedOutput()
	require.NoError(s.t, err, fmt.Sprintf("%v: %s", args, out))
}
