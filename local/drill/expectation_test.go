package drill

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/crossregion/crossregion/local/talk"
)

// streaming is a drill of region-lost-streaming, whose clients moved as they
// should.
func streaming(t *testing.T) *drill {
	t.Helper()
	chosen, err := choose([]string{"region-lost-streaming"})
	require.NoError(t, err)
	d := played()
	d.expectation = chosen[0].expectation
	d.ask(29500*time.Millisecond, gone, "", "cut", "cut").cut = gone
	d.ask(90*time.Second, gone, partner)
	d.ask(220*time.Second, gone, gone)
	require.Empty(t, d.judge().Broken)
	return d
}

func TestADrillIsJudgedBeforeItsFirstStep(t *testing.T) {
	for _, s := range scenarios() {
		d := played()
		d.expectation, d.done = s.expectation, nil
		assert.NotPanics(t, func() { d.judge() }, s.name)
	}
}

// TestAStreamMayNotEndAsIfWhole, whatever would excuse that it failed.
func TestAStreamMayNotEndAsIfWhole(t *testing.T) {
	end := talk.ErrNoEnd.Error()
	for _, tt := range []struct {
		name     string
		failures []string
	}{
		{"and is answered at the retry", []string{end}},
		{"and fails at the retry, within the window", []string{end, "cut"}},
		{"at the retry, within the window", []string{"cut", end}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := streaming(t)
			s := d.ask(40*time.Second, gone, partner, tt.failures...)
			s.wrong = end
			v := d.judge()
			require.Len(t, v.Broken, 1)
			assert.Contains(t, v.Broken[0], "R3: at 40s a client in eu-central-1: the stream ended as if it were whole")
			assert.Equal(t, 1, v.Allowed, "the one that was cut off")
			p := d.record.picture(v, d.excused)
			marks := p.Lanes[0].Marks
			assert.Equal(t, "wrong", marks[1].Kind)
			assert.Contains(t, marks[1].Text, end)
		})
	}
}

// TestADrillThatBreaksNothingFails where what is broken need not show in any
// answer.
func TestADrillThatBreaksNothingFails(t *testing.T) {
	tests := []struct {
		scenario string
		bites    func(*drill)
		none     func(*drill)
		want     string
	}{
		{"table-unreachable", func(d *drill) { d.heldUp = 1 }, func(*drill) {}, "nothing was held up"},
		{"keys-disabled", func(d *drill) { d.heldUp = 1 }, func(*drill) {}, "nothing was held up"},
		{"replication-cut", func(d *drill) { d.heldUp = 1 }, func(*drill) {}, "nothing was held up"},
		{"stale-dns", func(d *drill) { d.ask(170*time.Second, gone, "", "cut", "cut") }, func(d *drill) {
			d.ask(140*time.Second, gone, "", "cut", "cut")
		}, "did not fail after the window"},
	}
	for _, tt := range tests {
		t.Run(tt.scenario, func(t *testing.T) {
			chosen, err := choose([]string{tt.scenario})
			require.NoError(t, err)
			judged := func(do func(*drill)) []string {
				d := played()
				d.expectation = chosen[0].expectation
				d.ask(90*time.Second, gone, partner).client = 1
				d.ask(220*time.Second, gone, gone)
				do(d)
				return d.judge().Broken
			}
			assert.Empty(t, judged(tt.bites))
			broken := judged(tt.none)
			require.Len(t, broken, 1)
			assert.Contains(t, broken[0], tt.want)
		})
	}
}
