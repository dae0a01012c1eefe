package up_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/bedrock"
	"github.com/crossregion/crossregion/local/up"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	primary, partner = wallTwo, wallOne
	sparedSpeed      = 2
	sparedClients    = 4
)

// served is what one request of a steady load came to.
type served struct {
	client         int
	at             time.Time
	target, spared string
	failed         error
}

// load is clients that ask one after the other until it is ended.
type load struct {
	mu      sync.Mutex
	served  []served
	end     context.CancelFunc
	clients sync.WaitGroup
}

func startLoad(t *testing.T, r *up.Running, clients int) *load {
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{end: cancel}
	for n := range clients {
		l.clients.Go(func() {
			think := time.NewTicker(50 * time.Millisecond)
			defer think.Stop()
			for ctx.Err() == nil {
				l.add(askOnce(t.Context(), r, n))
				<-think.C
			}
		})
	}
	t.Cleanup(l.stop)
	return l
}

func (l *load) stop() {
	l.end()
	l.clients.Wait()
}

func (l *load) add(s served) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.served = append(l.served, s)
}

func askOnce(ctx context.Context, r *up.Running, n int) served {
	s := served{client: n, at: time.Now()}
	var raw *http.Response
	c := client(r)
	_, s.failed = c.Chat.Completions.New(ctx, ask("Please say 5 words."), option.WithResponseInto(&raw))
	if raw != nil {
		s.target, s.spared = raw.Header.Get(contract.HeaderTarget), raw.Header.Get(contract.HeaderSpared)
	}
	return s
}

// since are the requests that began after a time.
func (l *load) since(t time.Time) []served {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.served), func(s served) bool { return s.at.Before(t) })
}

// backAt is when the last client got back to a target, if all have since a time.
func (l *load) backAt(target string, since time.Time) (time.Time, bool) {
	first := map[int]time.Time{}
	var last time.Time
	for _, s := range l.since(since) {
		if _, known := first[s.client]; !known && s.target == target {
			first[s.client], last = s.at, s.at
		}
	}
	return last, len(first) == sparedClients
}

// await waits until every client was served by a target since a time, and
// returns when the last one first was.
func (l *load) await(t *testing.T, target string, since time.Time) time.Time {
	t.Helper()
	var at time.Time
	require.Eventually(t, func() (all bool) {
		at, all = l.backAt(target, since)
		return all
	}, time.Minute, 10*time.Millisecond, "nobody asks %s", target)
	return at
}

// TestAPrimaryThatIsDownIsSparedAndComesBack: Bedrock of the first target is
// down for a minute of the cloud's under a steady load. Nobody notices; each
// environment of the function calls it three times, and then no more than once
// in ten seconds; and it serves again within thirty seconds of being well.
func TestAPrimaryThatIsDownIsSparedAndComesBack(t *testing.T) {
	t.Parallel()
	p, err := startAltered(t, alteration{}, pairOptions(sparedSpeed, defaultLimits(sparedSpeed)))
	require.NoError(t, err)
	l := startLoad(t, p.Running, sparedClients)
	l.await(t, primary, time.Time{})

	p.Account.Bedrock.SetFault(primary, &bedrock.Fault{Code: "ServiceUnavailableException"})
	down, outage := time.Now(), time.NewTimer(time.Minute/sparedSpeed)
	before := len(p.Account.Bedrock.Arrivals())
	l.await(t, partner, down)
	<-outage.C
	during := l.since(down)
	arrived := p.Account.Bedrock.Arrivals()[before:]
	p.Account.Bedrock.SetFault(primary, nil)
	mended := time.Now()
	back := l.await(t, primary, mended)
	l.stop()

	for _, s := range l.since(time.Time{}) {
		assert.NoError(t, s.failed)
	}
	assert.True(t, slices.ContainsFunc(during, func(s served) bool { return s.spared == primary }), "clients are told")
	called := slices.DeleteFunc(slices.Clone(arrived), func(c bedrock.Call) bool { return c.Source != primary })
	const opening, probes = 3, 60/10 + 1
	assert.LessOrEqual(t, len(called), p.Account.Lambda.Environments()*(opening+probes))
	assert.Less(t, len(called), len(during), "most requests do not try it")
	assert.LessOrEqual(t, back.Sub(mended), 30*time.Second/sparedSpeed)
	t.Logf("%d requests during the outage, %d calls of the primary by at most %d environments, back %s after it was mended, by the cloud's clock",
		len(during), len(called), p.Account.Lambda.Environments(), back.Sub(mended)*sparedSpeed)
	assert.Contains(t, strings.Join(p.functionLog(contract.FunctionInvoker), "\n"), `"BreakersOpen":1`, "so are operators")
}

// TestATargetThatRefusesTheRole is hidden from clients by the next, which is
// asked at once, and from then on first; a metric tells, for which an alarm
// waits.
func TestATargetThatRefusesTheRole(t *testing.T) {
	t.Parallel()
	const own = "arn:aws:bedrock:" + primary + ":123456789012:application-inference-profile/"
	var mu sync.Mutex
	var alarms []map[string]any
	p, err := startAltered(t, alteration{resource: func(r *registration) {
		mu.Lock()
		defer mu.Unlock()
		switch policy, _ := r.inputs["policy"].(string); {
		case r.token == policyToken && strings.HasPrefix(r.name, primary+"-invoker"):
			r.inputs["policy"] = strings.ReplaceAll(policy, own, own+"another-")
		case r.inputs["metricName"] == contract.MetricMisconfigured && r.region == primary:
			alarms = append(alarms, r.inputs)
		}
	}}, pairOptions(1, nil))
	require.NoError(t, err)

	var raw *http.Response
	c := client(p.Running)
	_, err = c.Chat.Completions.New(t.Context(), ask("hello"), option.WithResponseInto(&raw))
	require.NoError(t, err)
	assert.Equal(t, partner, raw.Header.Get(contract.HeaderTarget))
	assert.Equal(t, "2", raw.Header.Get(contract.HeaderAttempts))
	assert.Equal(t, primary+";denied", raw.Header.Get(contract.HeaderFailed))
	next := askOnce(t.Context(), p.Running, 0)
	require.NoError(t, next.failed)
	assert.Equal(t, primary, next.spared)

	line := p.line(t, `"outcome":"denied"`)
	assert.Equal(t, "WARN", line["level"])
	assert.Equal(t, 1.0, line[contract.MetricMisconfigured])
	require.Len(t, alarms, 1)
	assert.Equal(t, contract.MetricNamespace, alarms[0]["namespace"])
	for name, value := range alarms[0]["dimensions"].(map[string]any) {
		assert.Equal(t, line[name], value, name)
	}
}

// line waits for a line in the invoker's log that holds text.
func (p *prober) line(t *testing.T, text string) (line map[string]any) {
	t.Helper()
	require.Eventually(t, func() bool {
		lines := p.functionLog(contract.FunctionInvoker)
		i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, text) })
		return i >= 0 && json.Unmarshal([]byte(lines[i]), &line) == nil
	}, 30*time.Second, 10*time.Millisecond, "no line holds %s", text)
	return line
}
