package soak

import (
	"bytes"
	"io"
	"net/http"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/lambda"
	"github.com/crossregion/crossregion/local/talk"
	"github.com/crossregion/crossregion/local/up"
)

func TestSoak(t *testing.T) {
	// With this seed every kind of fault has its turn in 22 s. More in flight would
	// need more functions than a slow machine can start in that time.
	o := Options{Root: "../..", Stack: "prod", For: 28 * time.Second, InFlight: 24, Seed: 959, Tell: func(what string) { t.Log(what) }}
	if testing.Short() {
		o.For = 16 * time.Second
	}
	before := runtime.NumGoroutine()
	r, err := Run(t.Context(), o)
	require.NoError(t, err)
	assert.Empty(t, r.Broken, "seed %d", o.Seed)
	for _, a := range actions() {
		assert.Positive(t, r.Requests[a.name], a.name)
	}
	if !testing.Short() {
		assert.Len(t, r.Faults, len(kinds()), "all that can break has broken")
	}
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, 30*time.Second, 10*time.Millisecond,
		"the embedded cloud has left goroutines: %d before", before)
}

// fixture is a stack that nothing has broken, and two clients of it.
func fixture(t *testing.T) (*soak, *client, *client) {
	running, err := up.Start(t.Context(), up.Options{Root: "../..", Stack: "eu", Listen: "127.0.0.1:0", Speed: Speed, Settings: settings("eu")})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, running.Close()) })
	s, err := newSoak(t.Context(), Options{InFlight: 6, Tell: func(string) {}}, running)
	require.NoError(t, err)
	one, other := s.clients[0], s.clients[1]
	require.NotEqual(t, one.tenant, other.tenant)
	return s, one, other
}

// TestASoakFailsWhereAPromiseIsBroken: each check is given something that it must
// not let pass.
func TestASoakFailsWhereAPromiseIsBroken(t *testing.T) {
	s, one, other := fixture(t)
	do := func(c *client, name string) outcome {
		for _, a := range actions() {
			if a.name == name {
				return c.request(t.Context(), a)
			}
		}
		require.FailNow(t, "no such action", name)
		return outcome{}
	}
	for _, a := range actions() {
		assert.Equal(t, outcome{}, do(one, a.name), "%s: all is well", a.name)
	}

	t.Run("a turn is lost", func(t *testing.T) {
		one.chain = []talk.Answer{}
		require.Equal(t, outcome{}, do(one, "response"))
		one.chain = append(one.chain, one.chain[0])
		assert.Contains(t, do(one, "response").broken, "R3: turn 3 was answered as")
		require.Equal(t, outcome{}, do(one, "conversation turn"))
		one.thread.said = append(one.thread.said, "what was never said")
		assert.Contains(t, do(one, "conversation read").broken, "R3: a conversation of")
		one.thread.said = append(one.thread.said, "nor answered")
		assert.Contains(t, do(one, "conversation turn").broken, "R3: turn")
		one.thread = thread{}
	})
	t.Run("a deleted response is there", func(t *testing.T) {
		one.chain = nil
		require.Equal(t, outcome{}, do(one, "response"))
		one.sdk = one.with(one.key, option.WithMiddleware(func(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
			if r.Method == http.MethodDelete {
				return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("{}")), Request: r,
					Header: http.Header{"Content-Type": {"application/json"}}}, nil
			}
			return next(r)
		}))
		assert.Contains(t, do(one, "delete").broken, "R3: a deleted response was gone on from")
		require.Equal(t, outcome{}, do(one, "conversation turn"))
		assert.Contains(t, do(one, "delete").broken, "R3: a deleted conversation was read")
		one.sdk = one.with(one.key)
	})
	t.Run("an embedding changes", func(t *testing.T) {
		for n := range texts {
			s.vectors[talk.Question(n, 0)] = []float64{1}
		}
		assert.Contains(t, do(one, "embedding").broken, "has another vector than before")
	})
	t.Run("another tenant's id opens something", func(t *testing.T) {
		other.chain = nil
		require.Equal(t, outcome{}, do(other, "response"))
		s.ids = []id{{tenant: other.tenant, response: other.chain[0].ID}}
		assert.Equal(t, outcome{}, do(one, trespassing))
		one.sdk = one.with(other.key)
		assert.Contains(t, do(one, trespassing).broken, "R6: "+one.tenant+" could use what is "+other.tenant+"'s")
		one.sdk = one.with(one.key)
	})
	t.Run("no region has a model", func(t *testing.T) {
		for _, region := range s.running.RegionNames {
			s.running.Account.Bedrock.SetFault(region, &bedrock.Fault{Code: "ServiceUnavailableException"})
		}
		assert.Contains(t, do(one, "chat").broken, "R2: chat of "+one.tenant+" in eu-central-1 failed twice: 503")
		for _, region := range s.running.RegionNames {
			s.running.Account.Bedrock.SetFault(region, nil)
		}
	})
	t.Run("only the clients of a lost region are excused", func(t *testing.T) {
		lost := kinds()[len(kinds())-1]
		require.True(t, lost.lost)
		s.chaos.enter(lost, one.region)
		_, excused := s.chaos.during(time.Now(), time.Now(), one.region)
		assert.True(t, excused)
		what, excused := s.chaos.during(time.Now(), time.Now(), "eu-west-1")
		assert.False(t, excused)
		assert.Equal(t, "the region is lost in eu-central-1", what)
		_, excused = s.chaos.during(time.Now().Add(window), time.Now().Add(window), one.region)
		assert.False(t, excused, "after the window")
		s.chaos.leave()
		what, _ = s.chaos.during(time.Now().Add(time.Second), time.Now().Add(time.Second), one.region)
		assert.Empty(t, what)
	})
}

// still are processes that stay as they are.
type still []lambda.Process

func (s still) Processes() []lambda.Process { return s }

func TestLeaksAreFound(t *testing.T) {
	if !hasProc {
		t.Skip("left out: it reads /proc")
	}
	cmd := exec.CommandContext(t.Context(), "sleep", "600")
	require.NoError(t, cmd.Start())
	pid := cmd.Process.Pid
	s := &sampler{service: still{{ID: pid}}}
	s.read()
	q := s.settle(t.Context())
	assert.Zero(t, q.stuck)
	assert.Positive(t, q.files)
	l := s.leaks(q)
	assert.Equal(t, []int{1, 1, 1}, []int{l.Processes, l.Peak, l.Orphans})
	assert.Positive(t, l.Memory)
	assert.Len(t, l.faults(), 1)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	assert.Zero(t, s.leaks(q).Orphans)

	at := time.Unix(0, 0)
	s = &sampler{seen: map[int][]reading{}, from: at, to: at.Add(30 * time.Second)}
	for n := range 31 {
		s.seen[-1] = append(s.seen[-1], reading{at: at.Add(time.Duration(n) * time.Second), served: n, memory: n << 20})
		s.seen[-2] = append(s.seen[-2], reading{at: at.Add(time.Duration(n) * time.Second), served: 1, memory: n << 30})
	}
	l = s.leaks(quiet{stuck: 1, files: maxFiles + 1})
	assert.Equal(t, 1, l.Measured, "one has served too little to tell")
	assert.Equal(t, 10<<20, l.Growth)
	assert.Len(t, l.faults(), 3)
	assert.Empty(t, Leaks{Growth: maxGrowth, Files: maxFiles}.faults())
}

func TestCommandRefuses(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--inflight", "0"}, "inflight 0 is out of range"},
		{[]string{"--for", "-1s"}, "for -1s is too short"},
		{[]string{"--nonsense"}, "see go run ./local soak -h"},
		{[]string{"now"}, `soak takes no argument "now"`},
		{[]string{"--stack", "qa"}, `stack "qa": give one of [eu prod]`},
	} {
		assert.ErrorContains(t, Command(t.Context(), tt.args, Streams{io.Discard, io.Discard}), tt.want)
	}
	var help bytes.Buffer
	require.NoError(t, Command(t.Context(), []string{"--help"}, Streams{&help, io.Discard}))
	assert.Contains(t, help.String(), "-seed")
}

func TestASoakThatDidNothingFails(t *testing.T) {
	some := func() Result {
		return Result{Requests: map[string]int{"chat": 1}, Faults: map[string]int{"tables hang": 1}}
	}
	measured := Leaks{Measured: 1}
	assert.Empty(t, some().with(measured).Broken)
	for _, tt := range []struct {
		name  string
		lacks func(*Result, *Leaks)
		want  string
	}{
		{"no request", func(r *Result, _ *Leaks) { r.Requests = nil }, "nothing was asked"},
		{"no fault", func(r *Result, _ *Leaks) { r.Faults = nil }, "nothing was broken"},
		{"no measurement", func(_ *Result, l *Leaks) { l.Measured = 0 }, "no leak could show"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.name == "no measurement" && !hasProc {
				t.Skip("left out: no memory is measured here")
			}
			r, l := some(), measured
			tt.lacks(&r, &l)
			broken := r.with(l).Broken
			require.Len(t, broken, 1)
			assert.Contains(t, broken[0], tt.want)
		})
	}
}

func TestAResultTellsWhatBroke(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, Result{Requests: map[string]int{"chat": 2, "response": 1}, Faults: map[string]int{"tables hang": 1}}.print(&out))
	assert.Contains(t, out.String(), "3  requests")
	assert.Contains(t, out.String(), "1  times tables hang\n")
	assert.Contains(t, out.String(), "0  times the region is lost\n", "what was left out is told")
	assert.Contains(t, out.String(), "All promises held.")
	out.Reset()
	require.NoError(t, Result{Interrupted: true}.with(Leaks{}).print(&out))
	assert.Contains(t, out.String(), "Interrupted. All promises held until then")
	assert.NotContains(t, out.String(), "All promises held.", "nothing was shown of the rest")
	out.Reset()
	require.NoError(t, Result{Interrupted: true, Broken: []string{"R2: it failed"}}.with(Leaks{}).print(&out))
	assert.Contains(t, out.String(), "R2: it failed")
	assert.NotContains(t, out.String(), "held", "whoever interrupts sees what broke")
	out.Reset()
	require.NoError(t, Result{Broken: []string{"R2: it failed"}}.print(&out))
	assert.Contains(t, out.String(), "R2: it failed")
	assert.NotContains(t, out.String(), "held")
}
