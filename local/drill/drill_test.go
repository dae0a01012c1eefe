package drill

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// played is a drill in which a region was lost after 30 s of the cloud's time,
// ten times as fast as the machine's, and mended after 180 s.
func played() *drill {
	d := &drill{speed: 10, start: time.Unix(0, 0), regions: []string{"eu-central-1", "eu-west-1", "eu-north-1"}}
	d.places = d.regions
	d.scenario = scenario{name: "x", steps: []step{{at: 30 * time.Second, moves: true}, {at: 180 * time.Second, mends: true}}}
	for _, s := range d.steps {
		d.done = append(d.done, happened{s, d.start.Add(d.real(s.at))})
	}
	return d
}

// ask is a request at a moment of the cloud's time, answered by the region.
func (d *drill) ask(at time.Duration, place, region string, failures ...string) *sample {
	d.samples = append(d.samples, sample{
		place: place, at: d.start.Add(d.real(at)), took: d.real(time.Second), first: d.real(500 * time.Millisecond),
		region: region, target: region, failures: failures,
	})
	return &d.samples[len(d.samples)-1]
}

func TestPromisesAreHeldAgainstEverySample(t *testing.T) {
	const gone = "eu-central-1"
	tests := []struct {
		name   string
		sample func(*drill)
		broken string // "" if all promises held
	}{
		{"an answer at the first try", func(d *drill) { d.ask(10*time.Second, gone, gone) }, ""},
		{"an answer at the second", func(d *drill) { d.ask(10*time.Second, gone, gone, "503") }, ""},
		{"none, before anything broke", func(d *drill) { d.ask(10*time.Second, gone, "", "503", "503") }, "R2: at 10s"},
		{"none, underway as the region went", func(d *drill) { d.ask(29500*time.Millisecond, gone, "", "cut", "cut") }, ""},
		{"none, within the window", func(d *drill) { d.ask(129*time.Second, gone, "", "cut", "cut") }, ""},
		{"none, after the window", func(d *drill) { d.ask(132*time.Second, gone, "", "cut", "cut") }, "R2: at 2m12s"},
		{"none, after the mending", func(d *drill) { d.ask(200*time.Second, gone, "", "cut", "cut") }, "R2: at 3m20s"},
		{"an answer that forgot a turn", func(d *drill) { d.ask(50*time.Second, gone, "eu-west-1").lost = "turn 3" }, "R3: at 50s"},
		{"nothing asked", func(*drill) {}, "nothing was asked"},
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
	d.ask(20*time.Second, "eu-central-1", "eu-central-1")
	d.ask(60*time.Second, "eu-central-1", "", "cut", "cut")
	d.ask(70*time.Second, "eu-west-1", "eu-west-1")
	d.ask(90*time.Second, "eu-central-1", "eu-west-1")
	d.ask(190*time.Second, "eu-central-1", "eu-west-1")
	d.ask(220*time.Second, "eu-central-1", "eu-central-1")
	v := d.judge()
	assert.Equal(t, 61*time.Second, v.Away, "to the end of the first answer from elsewhere")
	assert.Equal(t, 41*time.Second, v.Back)
	assert.Equal(t, []int{6, 1, 1, 1, 5}, []int{v.Requests, v.First, v.Failed, v.Allowed, v.Turns})
	assert.Equal(t, 500*time.Millisecond, v.Latency["eu-central-1"])
}

func TestSomeMaySufferLonger(t *testing.T) {
	for _, name := range []string{"all-lost", "stale-dns"} {
		chosen, err := choose([]string{name})
		require.NoError(t, err)
		d := played()
		d.suffers = chosen[0].suffers
		d.ask(170*time.Second, "eu-central-1", "", "cut", "cut")
		assert.Empty(t, d.judge().Broken, name)
		d.ask(300*time.Second, "eu-central-1", "", "cut", "cut")
		assert.Len(t, d.judge().Broken, 1, "%s: long after the mending", name)
	}
}

func TestAReportShowsEveryRequest(t *testing.T) {
	d := played()
	d.ask(20*time.Second, "eu-central-1", "eu-central-1")
	d.ask(60*time.Second, "eu-central-1", "", "cut", "cut")
	d.ask(90*time.Second, "eu-central-1", "eu-west-1", "cut")
	d.health = []reading{{d.start.Add(d.real(40 * time.Second)), "eu-central-1", false}, {d.start.Add(d.real(200 * time.Second)), "eu-central-1", true}}
	var page bytes.Buffer
	require.NoError(t, writeReport(&page, []picture{d.picture(d.judge())}))
	for _, want := range []string{"x: held", `class="ok"`, `class="retried"`, `class="failed"`, `class="down"`, "served by eu-west-1"} {
		assert.Contains(t, page.String(), want)
	}
	assert.NotContains(t, page.String(), "http://", "it loads nothing")
	assert.NotContains(t, page.String(), "https://")
}

func TestEveryScenarioEndsWell(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range scenarios() {
		assert.False(t, seen[s.name], s.name)
		seen[s.name] = true
		assert.True(t, s.steps[len(s.steps)-1].mends, "%s leaves something broken", s.name)
		assert.Less(t, s.length(), 10*time.Minute, "%s takes over a minute at ten times the speed", s.name)
	}
}

func TestCommandRefuses(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"no-such"}, `no scenario is called "no-such"`},
		{[]string{"--speed", "0.5", "all"}, "give 1 to 20"},
		{[]string{"--nonsense"}, "see go run ./local drill -h"},
	} {
		err := Command(t.Context(), tt.args, Streams{io.Discard, io.Discard})
		assert.ErrorContains(t, err, tt.want)
	}
	var out bytes.Buffer
	require.NoError(t, Command(t.Context(), nil, Streams{&out, io.Discard}))
	assert.Contains(t, out.String(), "region-lost")
}
