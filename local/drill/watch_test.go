package drill

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossregion/crossregion/local/fault"
)

// TestWatchSeesWhatOthersBreak: two watches look at one stack through its front
// door, of which one believes that DNS needs no time.
func TestWatchSeesWhatOthersBreak(t *testing.T) {
	if testing.Short() {
		t.Skip("left out of -short: it watches a stack for half a minute")
	}
	running := deployed(t, fast, nil, nil)
	gone := running.RegionNames[0]
	ctx, stop := context.WithCancel(t.Context())
	type seen struct {
		out    bytes.Buffer
		err    error
		report string
	}
	watches := map[string]*seen{"60s": {}, "1ms": {}}
	var watching sync.WaitGroup
	for w, s := range watches {
		s.report = filepath.Join(t.TempDir(), "report.html")
		watching.Go(func() {
			s.err = Command(ctx, []string{
				"watch", "--endpoint", running.Endpoint + "/v1/", "--key", running.APIKey, "--clients", "3", "--pause", "100ms",
				"--for", "1h", "--timeout", "20s", "--window", w, "--report", s.report,
			}, Streams{&s.out, io.Discard})
		})
	}
	asked := func(n int) { awaitCalls(t, running.Account.Bedrock.Calls, n) }
	asked(30)
	running.Account.Faults.Break("execute-api", gone, fault.Fault{Kind: fault.Drop, Underway: true})
	for n := 0; ; n++ { // until DNS leads elsewhere
		leads, err := running.Account.Resolve(t.Context(), running.Domain)
		require.NoError(t, err)
		own, err := running.Account.Resolve(t.Context(), gone+"."+running.Domain)
		require.NoError(t, err)
		if leads[0] != own[0] {
			break
		}
		require.Less(t, n, 6000)
		sleep(t.Context(), 10*time.Millisecond)
	}
	asked(len(running.Account.Bedrock.Calls()) + 30)
	stop()
	watching.Wait()

	patient, hasty := watches["60s"], watches["1ms"]
	require.NoError(t, patient.err, patient.out.String())
	assert.Contains(t, patient.out.String(), "held")
	page, err := os.ReadFile(patient.report)
	require.NoError(t, err)
	for _, region := range running.RegionNames[:2] {
		assert.Contains(t, string(page), "served by "+region, "as the answers' headers say")
	}
	assert.Contains(t, string(page), `href="#failed"`)
	assert.ErrorContains(t, hasty.err, "promises did not hold in "+running.Endpoint)
	assert.Contains(t, hasty.out.String(), "R2: at ")
}

// awaitCalls waits until n calls were made.
func awaitCalls[C any](t *testing.T, calls func() []C, n int) {
	t.Helper()
	for range 6000 {
		if len(calls()) >= n {
			return
		}
		sleep(t.Context(), 10*time.Millisecond)
	}
	require.FailNow(t, "the stack was not asked", "%d of %d calls", len(calls()), n)
}

// TestWatchCallsTheEndpointOnly, wherever that would lead it.
func TestWatchCallsTheEndpointOnly(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Error("called", r.URL) }))
	defer elsewhere.Close()
	t.Setenv("OPENAI_BASE_URL", elsewhere.URL)
	t.Setenv("HTTP_PROXY", elsewhere.URL)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/models" {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"object": "list", "data": [{"id": "a"}, {"id": "b"}]}`)
			return
		}
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}))
	defer s.Close()
	args := []string{"watch", "--endpoint", s.URL, "--key", "k", "--clients", "1", "--pause", "100ms", "--for", "200ms", "--report", filepath.Join(t.TempDir(), "r.html")}
	var out bytes.Buffer
	err := Command(t.Context(), args, Streams{&out, io.Discard})
	assert.ErrorContains(t, err, "did not hold", "nothing was answered")
	assert.Contains(t, out.String(), "nothing was shown")
	assert.ErrorContains(t, Command(t.Context(), append(args, "--model", "c"), Streams{io.Discard, io.Discard}), `has no model "c"; it has a, b`)
}

// TestAWatchedClientMayNotFailAgainAndAgain: what was answered in between is no
// recovery, until a window has passed without a failure.
func TestAWatchedClientMayNotFailAgainAndAgain(t *testing.T) {
	tests := []struct {
		name  string
		times int
		every time.Duration
		held  bool
	}{
		{"every second request, for half of the window", 29, 4 * time.Second, true},
		{"every second request, for far longer", 100, 4 * time.Second, false},
		{"now and then, with the window in between", 100, window + 10*time.Second, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := played()
			for n := range tt.times {
				at := 20*time.Second + time.Duration(n)*tt.every
				d.ask(at, gone, "", "503", "503")
				d.ask(at+time.Second, gone, gone)
				d.ask(at+2*time.Second, gone, gone)
			}
			assert.Equal(t, tt.held, len(d.observed().Verdict.Broken) == 0)
			assert.Equal(t, 2*time.Second, d.observed().Verdict.Gap)
		})
	}
}
