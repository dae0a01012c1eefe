package budget_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/lambda/budget"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// admitted is a request that was let through.
type admitted struct {
	budget.Reservation
	region         string
	windows        []string // minute and day, the region in front
	estimate, used int64
}

// world is one tenant's use of a stack.
type world struct {
	limits   contract.Budget // of each region
	now      time.Time
	regions  []string // those that are not gone
	replicas map[string]*replica
	counters map[string]*budget.Counter
	running  []admitted
	settled  map[string]int64   // by window, of what was counted
	history  map[string][]int64 // by window, use in the order of admission, of what was counted
	extra    map[string]int64   // by window, use of what was served uncounted
}

func newWorld(t *rapid.T) *world {
	w := &world{
		now: noon, regions: []string{"a", "b", "c"}, replicas: map[string]*replica{}, counters: map[string]*budget.Counter{},
		limits: contract.Budget{
			TokensPerMinute: rapid.Int64Range(1, 50).Draw(t, "per minute"), TokensPerDay: rapid.Int64Range(1, 200).Draw(t, "per day"),
		},
		settled: map[string]int64{}, history: map[string][]int64{}, extra: map[string]int64{},
	}
	for _, region := range w.regions {
		w.replicas[region] = newReplica()
		w.counters[region] = counter(t, w.replicas[region], region, &w.now, w.limits)
	}
	return w
}

// maxCost is the most that one request uses.
const maxCost = 40

// ask sends a request to a region that is there. Its estimate is not too low.
func (w *world) ask(t *rapid.T, exact bool) {
	a := admitted{region: rapid.SampledFrom(w.regions).Draw(t, "region"), estimate: rapid.Int64Range(0, maxCost).Draw(t, "estimate")}
	first := rapid.Int64Range(0, a.estimate).Draw(t, "estimate without history")
	a.used = rapid.Int64Range(0, a.estimate).Draw(t, "used")
	a.windows = []string{a.region + w.now.Format("#minute#2006-01-02T15:04"), a.region + w.now.Format("#day#2006-01-02")}
	room := w.counted(a.windows[0]) < w.limits.TokensPerMinute && w.counted(a.windows[1]) < w.limits.TokensPerDay
	res, err := w.counters[a.region].Reserve(t.Context(), "acme", first)
	var exceeded *budget.ExceededError
	if errors.As(err, &exceeded) {
		require.Positive(t, exceeded.RetryAfter)
		require.False(t, exact && room, "refused though there was room")
		return
	}
	require.NoError(t, err)
	require.False(t, exact && !room, "let through though there was no room")
	a.Reservation, err = w.counters[a.region].Raise(t.Context(), res, a.estimate)
	require.False(t, exact && err != nil)
	w.running = append(w.running, a)
	for _, window := range a.windows {
		if a.Uncounted {
			w.extra[window] += a.used
		} else {
			w.history[window] = append(w.history[window], a.used)
		}
	}
}

// counted is what a window's item says if no call fails.
func (w *world) counted(window string) int64 {
	sum := w.settled[window]
	for _, a := range w.running {
		if slices.Contains(a.windows, window) {
			sum += a.estimate
		}
	}
	return sum
}

// settle ends one of the running requests.
func (w *world) settle(t *rapid.T, exact bool) {
	if len(w.running) == 0 {
		return
	}
	i := rapid.IntRange(0, len(w.running)-1).Draw(t, "which")
	a := w.running[i]
	w.running = slices.Delete(w.running, i, i+1)
	err := w.counters[a.region].Settle(t.Context(), a.Reservation, budget.Usage{Output: a.used}, "claude")
	require.False(t, exact && err != nil)
	for _, window := range a.windows {
		w.settled[window] += a.used
	}
}

// check is what the package promises.
func (w *world) check(t *rapid.T) {
	total := map[string]int64{}
	for window, uses := range w.history {
		share, limit := w.limits.TokensPerDay, 3*w.limits.TokensPerDay
		if strings.Contains(window, "minute") {
			share, limit = w.limits.TokensPerMinute, 3*w.limits.TokensPerMinute
		}
		sum := int64(0)
		for _, used := range uses {
			sum += used
		}
		require.Less(t, sum-uses[len(uses)-1], share, "%s: less than the share and the last request", window)
		_, when, _ := strings.Cut(window, "#")
		total[when] += sum
		require.Less(t, total[when], limit+3*maxCost, "all regions: less than the limit and a request each")
	}
	for region, r := range w.replicas {
		for key := range r.all() {
			require.True(t, strings.HasPrefix(key, "usage#acme|"+region+"#"), "%s was written in %s", key, region)
		}
	}
}

func (w *world) wait(t *rapid.T) {
	w.now = w.now.Add(rapid.SampledFrom([]time.Duration{time.Second, 20 * time.Second, time.Minute, 6 * time.Hour}).Draw(t, "pause"))
}

// renew starts another environment in a region, which remembers nothing.
func (w *world) renew(t *rapid.T) {
	region := rapid.SampledFrom(w.regions).Draw(t, "renewed")
	w.counters[region] = counter(t, w.replicas[region], region, &w.now, w.limits)
}

// lose takes a region away for good; its clients go to the others.
func (w *world) lose(t *rapid.T) {
	if len(w.regions) == 3 {
		i := rapid.IntRange(0, 2).Draw(t, "lost")
		w.regions = slices.Delete(slices.Clone(w.regions), i, i+1)
	}
}

func TestCountsAreExactWhileNothingFails(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		t.Repeat(map[string]func(*rapid.T){
			"ask": func(t *rapid.T) { w.ask(t, true) }, "settle": func(t *rapid.T) { w.settle(t, true) },
			"wait": w.wait, "renew": w.renew, "lose": w.lose, "": w.check,
		})
	})
}

func TestBoundHoldsWhateverFails(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for _, region := range w.regions {
			var at int
			plan := rapid.SliceOfN(rapid.SampledFrom([]fault{none, none, none, refused, lostReply}), 1, 20).Draw(t, "faults of "+region)
			w.replicas[region].fault = func(string) fault { at++; return plan[at%len(plan)] }
		}
		t.Repeat(map[string]func(*rapid.T){
			"ask": func(t *rapid.T) { w.ask(t, false) }, "settle": func(t *rapid.T) { w.settle(t, false) },
			"wait": w.wait, "renew": w.renew, "lose": w.lose, "": w.check,
		})
	})
}

// TestAllRegionsAtOnce is the bound in numbers: clients that ask for as much as
// they are given, in every region, and in those that remain of them.
func TestAllRegionsAtOnce(t *testing.T) {
	const limit, cost = 900, 40
	for gone, want := range map[int]int64{0: 3 * 320, 1: 2 * 320} {
		now, served := noon, int64(0)
		for _, region := range []string{"a", "b", "c"}[gone:] {
			c := counter(t, newReplica(), region, &now, contract.Budget{TokensPerMinute: limit / 3})
			for {
				res, err := c.Reserve(t.Context(), "acme", cost)
				if err != nil {
					break
				}
				require.NoError(t, c.Settle(t.Context(), res, budget.Usage{Output: cost}, "claude"))
				served += cost
			}
		}
		assert.Equal(t, want, served, "with %d regions gone", gone)
		assert.Less(t, served, int64(limit+3*cost))
	}
}

// TestEstimatesThatAreTooLow come on top, while they run.
func TestEstimatesThatAreTooLow(t *testing.T) {
	now, r := noon, newReplica()
	c := counter(t, r, "a", &now, contract.Budget{TokensPerMinute: 10})
	var running []budget.Reservation
	for {
		res, err := c.Reserve(t.Context(), "acme", 4)
		if err != nil {
			break
		}
		running = append(running, res)
	}
	require.Len(t, running, 3, "4, 8, 12")
	for _, res := range running {
		require.NoError(t, c.Settle(t.Context(), res, budget.Usage{Output: 9}, "claude"))
	}
	assert.Equal(t, int64(10-2+9+2*(9-4)), r.all()["usage#acme|a#minute#2026-11-26T12:00"]["tokens"],
		"less than the share, the last one, and what the others were too low by")
}

// TestHistoriesThatLoadAtOnce are too low together, until they have loaded: what
// they add comes on top of the bound, and nothing more is let through.
func TestHistoriesThatLoadAtOnce(t *testing.T) {
	const share, question, history, atOnce = 100, 10, 200, 5
	now, r := noon, newReplica()
	c := counter(t, r, "a", &now, contract.Budget{TokensPerMinute: share})
	var loading []budget.Reservation
	for range atOnce {
		res, err := c.Reserve(t.Context(), "acme", question)
		require.NoError(t, err)
		loading = append(loading, res)
	}
	for i, res := range loading {
		var err error
		loading[i], err = c.Raise(t.Context(), res, question+history)
		require.NoError(t, err)
	}
	_, err := c.Reserve(t.Context(), "acme", question)
	require.Error(t, err, "all histories count before any answer has ended")
	for _, res := range loading {
		require.NoError(t, c.Settle(t.Context(), res, budget.Usage{Input: question + history}, "claude"))
	}
	counted := r.all()["usage#acme|a#minute#2026-11-26T12:00"]["tokens"]
	assert.Equal(t, int64(atOnce*(question+history)), counted)
	assert.Less(t, counted, int64(share+question+atOnce*history), "less than the share, the last one, and what loaded at once")
}
