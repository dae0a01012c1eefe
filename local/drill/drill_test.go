package drill

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossregion/crossregion/local/up"
)

const gone, partner = "eu-central-1", "eu-west-1"

// played is a drill in which a region was lost after 30 s of the cloud's time,
// ten times as fast as the machine's, and mended after 180 s. All was well for
// one client before.
func played() *drill {
	d := &drill{record: &record{
		speed: 10, window: window, length: 5 * time.Minute, start: time.Unix(0, 0), regions: []string{gone, partner, "eu-north-1"},
	}}
	d.places = d.regions
	d.home = map[string]string{gone: gone, partner: partner, "eu-north-1": "eu-north-1"}
	d.scenario = scenario{name: "x", steps: []step{
		{at: 30 * time.Second, what: "region lost", loses: []int{0}}, {at: 180 * time.Second, what: "mended", mends: true},
	}}
	for _, s := range d.steps {
		d.done = append(d.done, happened{s, d.start.Add(d.real(s.at))})
	}
	d.ask(5*time.Second, "eu-north-1", "eu-north-1")
	return d
}

// ask is a request at a moment of the cloud's time, answered by the region.
func (d *drill) ask(at time.Duration, place, region string, failures ...string) *sample {
	d.samples = append(d.samples, sample{
		place: place, turn: true, checked: len(failures) < 2, at: d.start.Add(d.real(at)), took: d.real(time.Second), first: d.real(500 * time.Millisecond),
		region: region, target: region, failures: failures,
	})
	return &d.samples[len(d.samples)-1]
}

func TestPromisesAreHeldAgainstEverySample(t *testing.T) {
	tests := []struct {
		name   string
		sample func(*drill)
		broken string // "" if all promises held
	}{
		{"an answer at the first try", func(d *drill) { d.ask(10*time.Second, gone, gone) }, ""},
		{"an answer at the second", func(d *drill) { d.ask(10*time.Second, gone, gone, "503") }, ""},
		{"none, before anything broke", func(d *drill) { d.ask(10*time.Second, gone, "", "503", "503") }, "R2: at 10s"},
		{"none, underway as the region went", func(d *drill) { d.ask(29500*time.Millisecond, gone, "", "cut", "cut") }, ""},
		{"none, within the window", func(d *drill) { d.ask(147*time.Second, gone, "", "cut", "cut") }, ""},
		{"none, within the window, for a client of another region", func(d *drill) { d.ask(60*time.Second, partner, "", "cut", "cut") }, "R2: at 1m0s"},
		{"none, after the window", func(d *drill) { d.ask(150*time.Second, gone, "", "cut", "cut") }, "R2: at 2m30s"},
		{"none, after the mending", func(d *drill) { d.ask(200*time.Second, gone, "", "cut", "cut") }, "R2: at 3m20s"},
		{"an answer that forgot a turn", func(d *drill) { d.ask(50*time.Second, gone, partner).wrong = "turn 3" }, "R3: at 50s"},
		{"no turn checked", func(d *drill) { d.samples[0].checked = false }, "nothing was shown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := played()
			tt.sample(d)
			v := d.judge()
			if tt.broken == "" {
				assert.Empty(t, v.Broken)
				return
			}
			require.Len(t, v.Broken, 1)
			assert.Contains(t, v.Broken[0], tt.broken)
		})
	}
}

func TestAVerdictTellsWhenClientsMovedAndCameBack(t *testing.T) {
	d := played()
	d.ask(20*time.Second, gone, gone)
	d.ask(60*time.Second, gone, "", "cut", "cut")
	d.ask(70*time.Second, partner, partner)
	d.ask(90*time.Second, gone, partner)
	d.ask(190*time.Second, gone, partner)
	d.ask(220*time.Second, gone, gone)
	v := d.judge()
	assert.Equal(t, 61*time.Second, v.Away, "to the end of the first answer from elsewhere")
	assert.Equal(t, 41*time.Second, v.Back)
	assert.Equal(t, 31*time.Second, v.Gap, "from the first failure to the next answer")
	assert.Equal(t, []int{7, 1, 1, 1, 6}, []int{v.Requests, v.First, v.Failed, v.Allowed, v.Turns})
	assert.Equal(t, []int{5, 1, 1, 1, 4}, []int{v.Places[0].Requests, v.Places[0].First, v.Places[0].Failed, v.Places[0].Allowed, v.Places[0].Turns})
	assert.Equal(t, map[string]int{gone: 2, partner: 2}, v.Places[0].By)
	assert.Equal(t, 500*time.Millisecond, v.Places[0].Median)
}

// TestEachExpectationCanBeDisappointed gives every scenario's clients something
// that they may see, and something that they may not.
func TestEachExpectationCanBeDisappointed(t *testing.T) {
	moves := func(d *drill) {
		d.ask(90*time.Second, gone, partner)
		d.ask(220*time.Second, gone, gone)
	}
	tests := []struct {
		name, scenario string
		good, bad      func(*drill)
		broken         string
	}{
		{"nobody is led elsewhere", "region-lost", moves, func(d *drill) { d.ask(220*time.Second, gone, gone) }, "never served by another region"},
		{"they are led elsewhere too late", "region-lost", moves, func(d *drill) {
			d.ask(160*time.Second, gone, partner)
			d.ask(220*time.Second, gone, gone)
		}, "after 131.0 s, later than 118 s"},
		{"an isolated region was simply lost", "region-isolated", func(d *drill) { moves(d); d.wellInside = true }, moves, "not well within either"},
		{"nobody comes back", "drain-return", moves, func(d *drill) { d.ask(90*time.Second, gone, partner) }, "never back"},
		{"a drain is noticed", "drain-return", moves, func(d *drill) { moves(d); d.ask(100*time.Second, partner, partner, "503") }, "failed (503), though nothing was broken"},
		{"a stream is cut off and its client served elsewhere", "region-lost-streaming", func(d *drill) {
			d.ask(29500*time.Millisecond, gone, "", "cut", "cut").cut = gone
			moves(d)
		}, func(d *drill) {
			d.ask(29500*time.Millisecond, gone, gone, "cut").cut = gone
			moves(d)
		}, "was answered next at 30s, by eu-central-1"},
		{"no stream is cut off", "region-lost-streaming", func(d *drill) {
			d.ask(29500*time.Millisecond, gone, partner, "cut").cut = gone
			d.ask(220*time.Second, gone, gone)
		}, moves, "no stream was cut off"},
		{"what has not arrived may be refused", "two-regions-lost", func(d *drill) {
			moves(d)
			d.ask(170*time.Second, gone, "", "409 conversation_not_arrived", "409 conversation_not_arrived")
		}, func(d *drill) {
			moves(d)
			d.ask(170*time.Second, gone, "", "409 conversation_not_arrived", "503 unavailable")
		}, "failed twice"},
		{"nothing fails where all is lost", "all-lost", func(d *drill) { d.ask(170*time.Second, gone, "", "cut", "cut"); d.ask(220*time.Second, gone, gone) },
			func(d *drill) { d.ask(220*time.Second, gone, gone) }, "no request failed"},
		{"they fail long after the mending", "all-lost", func(d *drill) { d.ask(270*time.Second, gone, "", "cut", "cut"); d.ask(220*time.Second, gone, gone) },
			func(d *drill) { d.ask(299*time.Second, gone, "", "cut", "cut"); d.ask(220*time.Second, gone, gone) }, "R2: at 4m59s"},
		{"another client is stale", "stale-dns", func(d *drill) { moves(d); d.ask(170*time.Second, gone, "", "cut", "cut") },
			func(d *drill) {
				moves(d)
				d.ask(170*time.Second, gone, "", "cut", "cut")
				d.ask(170*time.Second, gone, "", "cut", "cut").client = 1
			}, "R2: at 2m50s"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			chosen, err := choose([]string{tt.scenario})
			require.NoError(t, err)
			d := played()
			d.expectation = chosen[0].expectation
			tt.good(d)
			assert.Empty(t, d.judge().Broken)
			d = played()
			d.expectation = chosen[0].expectation
			tt.bad(d)
			require.Len(t, d.judge().Broken, 1)
			assert.Contains(t, d.judge().Broken[0], tt.broken)
		})
	}
}

func TestAWatchedClientMayFailForTheWindowOnly(t *testing.T) {
	d := played()
	d.done, d.regions = nil, nil
	for at := 50 * time.Second; at < 140*time.Second; at += 10 * time.Second {
		d.ask(at, gone, "", "cut", "cut")
	}
	d.ask(140*time.Second, gone, partner)
	p := d.observed()
	assert.Empty(t, p.Verdict.Broken)
	assert.Equal(t, 91*time.Second, p.Verdict.Gap)
	assert.Equal(t, []string{"eu-north-1", partner}, p.Regions, "as they were seen")

	d.window = 90 * time.Second
	assert.Len(t, d.observed().Verdict.Broken, 9, "each failure of a gap that is too long")
	d.ask(150*time.Second, gone, "", "cut", "cut").client = 1
	assert.Len(t, d.observed().Verdict.Broken, 9, "another client's gap is its own")
}

func TestAReportShowsEveryRequest(t *testing.T) {
	d := played()
	d.ask(20*time.Second, gone, gone)
	d.ask(25*time.Second, gone, gone).target = partner
	d.ask(60*time.Second, gone, "", "cut", "cut")
	d.ask(90*time.Second, gone, partner, "cut")
	d.ask(200*time.Second, gone, "", "cut", "cut")
	d.ask(210*time.Second, gone, gone).wrong = "turn 2 is missing"
	d.health = []reading{{d.start.Add(d.real(40 * time.Second)), gone, false}, {d.start.Add(d.real(200 * time.Second)), gone, true}}
	var page bytes.Buffer
	p := d.record.picture(d.judge(), d.excused)
	p.What, p.Promises, p.Expected = "a <region> is gone", "R2", "it is served"
	require.NoError(t, writeReport(&page, []picture{p}))
	for _, want := range []string{
		"BROKEN", `href="#ok"`, `href="#moved"`, `href="#retried"`, `href="#failed"`, `href="#broken"`, `href="#wrong"`, `class="down"`,
		"served by eu-west-1", "region lost", "W = 118 s", "a &lt;region&gt; is gone", "no answer 1", "turn 2 is missing",
	} {
		assert.Contains(t, page.String(), want)
	}
	assert.NotContains(t, page.String(), "http://", "it loads nothing")
	assert.NotContains(t, page.String(), "https://")
}

func TestThePictureHasTheSizeOfItsTime(t *testing.T) {
	d := played()
	d.ask(150*time.Second, gone, partner)
	p := d.record.picture(d.judge(), d.excused)
	mark := p.Lanes[0].Marks[0]
	assert.Equal(t, left+width/2, mark.X, "half of the time")
	assert.Equal(t, top+rowHeight+rowHeight/2, mark.Y, "in the second region's row")
	assert.Equal(t, left, p.Ticks[0].X)
	assert.Equal(t, left+width, p.Ticks[len(p.Ticks)-1].X)
	assert.Equal(t, []extent{{left + width/10, width / 2}}, spansOf(p.Faults))
	assert.Equal(t, []extent{{left + width/10, 338}}, spansOf(p.Windows))
	requests := 0
	for _, part := range p.Slices {
		for _, place := range part.Places {
			requests += place.Requests
		}
	}
	assert.Equal(t, len(d.samples), requests, "the table tells of every request")
}

type extent struct{ x, w int }

func spansOf(marks []mark) []extent {
	var spans []extent
	for _, m := range marks {
		spans = append(spans, extent{m.X, m.W})
	}
	return spans
}

// TestARegionSuffersThatIsProbedFromWithin if there is one, where the scenario is
// about its checkers; the others keep their order.
func TestARegionSuffersThatIsProbedFromWithin(t *testing.T) {
	assert.Equal(t, []string{"eu-west-1", "eu-central-1", "eu-north-1"}, probedFirst([]string{"eu-central-1", "eu-west-1", "eu-north-1"}))
	assert.Equal(t, []string{"us-east-1", "us-west-2", "us-east-2"}, probedFirst([]string{"us-east-1", "us-east-2", "us-west-2"}))
	assert.Equal(t, []string{"eu-central-1", "eu-north-1"}, probedFirst([]string{"eu-central-1", "eu-north-1"}))
}

func TestEveryScenarioSaysWhatItExpects(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenarios() {
		assert.False(t, seen[s.name], s.name)
		seen[s.name] = true
		assert.True(t, s.steps[len(s.steps)-1].mends, "%s leaves something broken", s.name)
		assert.Less(t, s.lasts(), 6*time.Minute, "%s takes longer than 36 s at ten times the speed", s.name)
		assert.NotEmpty(t, s.text, s.name)
		assert.Regexp(t, `^R\d( R\d)*$`, s.promises, s.name)
	}
}

func TestCommandRefuses(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"region-lots"}, `no scenario is called "region-lots"; did you mean region-lost?`},
		{[]string{"drain"}, "did you mean drain-return?"},
		{[]string{"all", "typo"}, `no scenario is called "typo"`},
		{[]string{"region-lots", "all"}, "did you mean region-lost?"},
		{[]string{"al"}, "did you mean all?"},
		{[]string{"two-regions-lost", "--report", "/no/such/folder/r.html"}, "choose another file with --report"},
		{[]string{"all", "-speed=50"}, "give 1 to 20"},
		{[]string{"--speed", "0.5", "all"}, "give 1 to 20"},
		{[]string{"--speed", "NaN", "all"}, "give 1 to 20"},
		{[]string{"--nonsense"}, "see go run ./local drill -h"},
		{[]string{"watch", "--key", "k"}, "give the stack's URL"},
		{[]string{"watch", "--key", "k", "--endpoint", "ftp://x"}, "give the stack's URL"},
		{[]string{"watch", "--key", "k", "--endpoint", "http://127.0.0.1:1", "--clients", "51", "--pause", "1ms"}, "clients 51 is out of range: give 1 to 50\npause 1ms is too short"},
		{[]string{"watch", "--key", "k", "--endpoint", "http://127.0.0.1:1", "--for", "0s"}, "for 0s is too short"},
		{[]string{"watch", "--key", "k", "--endpoint", "http://127.0.0.1:1"}, "does not list its models (connection failed)"},
		{[]string{"watch", "--key", "k", "--endpoint", "http://127.0.0.1:1", "--report", "/no/such/folder/r.html"}, "choose another file with --report"},
		{[]string{"--report", "/no/such/folder/r.html", "all"}, "choose another file with --report"},
		{[]string{"watch", "me"}, `watch takes no argument "me"`},
	} {
		err := Command(t.Context(), tt.args, Streams{io.Discard, io.Discard})
		assert.ErrorContains(t, err, tt.want)
	}
	t.Setenv("OPENAI_API_KEY", "")
	assert.ErrorContains(t, Command(t.Context(), []string{"watch", "--endpoint", "http://127.0.0.1:1"}, Streams{io.Discard, io.Discard}), "no API key")
	for _, args := range [][]string{{"-h"}, {"watch", "--help"}} {
		var help bytes.Buffer
		require.NoError(t, Command(t.Context(), args, Streams{&help, io.Discard}))
		assert.Contains(t, help.String(), "usage: go run ./local drill")
	}
	var out bytes.Buffer
	require.NoError(t, Command(t.Context(), nil, Streams{&out, io.Discard}))
	assert.Contains(t, out.String(), "region-lost")
	assert.Contains(t, out.String(), "W = 118 s")
}

func TestAStackThatADrillCannotCallIsRefused(t *testing.T) {
	_, err := newDrill(scenario{}, &up.Running{Stack: "eu", RegionNames: []string{"a", "b", "c"}, APIKey: "k"}, 1)
	assert.ErrorContains(t, err, "stack eu: a drill needs a domain")
}

// TestAStackThatTakesNoKeysIsDrilled all the same.
func TestAStackThatTakesNoKeysIsDrilled(t *testing.T) {
	root := t.TempDir()
	for _, file := range []string{"Pulumi.yaml", "Pulumi.eu.yaml"} {
		content, err := os.ReadFile("../../" + file)
		require.NoError(t, err)
		signed := strings.Replace(string(content), "mode: apiKey", "mode: iam", 1)
		require.NoError(t, os.WriteFile(filepath.Join(root, file), []byte(signed), 0o600))
	}
	running, err := start(t.Context(), up.Options{Root: root, Stack: "eu", Listen: "127.0.0.1:0", Speed: 10, Settings: settings(10)})
	require.NoError(t, err)
	defer func() { require.NoError(t, running.Close()) }()
	assert.NotEmpty(t, running.APIKey)
	assert.Nil(t, running.Signer)
}

func TestAnInterruptedDrillIsReportedAsSuch(t *testing.T) {
	d := played()
	v := d.judge()
	v.Interrupted = true
	var out bytes.Buffer
	require.NoError(t, conclude([]picture{d.record.picture(v, d.excused)}, t.TempDir()+"/report.html", &out))
	assert.Contains(t, out.String(), "interrupted")
	assert.NotContains(t, out.String(), "held")
	assert.ErrorContains(t, conclude(nil, "/no/such/folder/report.html", io.Discard), "choose another file with --report")
}

func TestASleepEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	started := time.Now()
	sleep(ctx, time.Hour)
	assert.Less(t, time.Since(started), time.Minute)
}
