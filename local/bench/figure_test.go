package bench_test

import (
	"bytes"

	"strings"
	"testing"

	"github.com/crossregion/crossregion/local/bench"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVerdicts(t *testing.T) {
	f := func(value float64) bench.Figure { return bench.NewFigure("f", "ms", value) }
	tests := []struct {
		name string
		f    bench.Figure
		met  bool
		want string
	}{
		{"a ratio at its bound is met", f(5).Over(4).AtMostTimes(1.25), true, "≤ 1.25 × floor"},
		{"a ratio over its bound is missed", f(5.1).Over(4).AtMostTimes(1.25), false, "≤ 1.25 × floor"},
		{"a ratio without a floor is missed", f(5).AtMostTimes(1.25), false, "≤ 1.25 × floor"},
		{"a ratio over nothing is missed", f(5).Over(0).AtMostTimes(1.25), false, "≤ 1.25 × floor"},
		{"a difference at its bound is met", f(5).Over(4).AtMostBeyond(1), true, "≤ floor + 1 ms"},
		{"a difference over its bound is missed", f(5.1).Over(4).AtMostBeyond(1), false, "≤ floor + 1 ms"},
		{"a difference to nothing is missed", f(0).AtMostBeyond(1), false, "≤ floor + 1 ms"},
		{"a value at its bound is met", f(5).AtMost(5), true, "≤ 5 ms"},
		{"a value over its bound is missed", f(5.1).AtMost(5), false, "≤ 5 ms"},
		{"below the floor is ahead", f(3).Over(4).Less(), true, "< floor"},
		{"as much as the floor is not ahead", f(4).Over(4).Less(), false, "< floor"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.NotNil(t, tt.f.Met)
			assert.Equal(t, tt.met, *tt.f.Met)
			assert.Equal(t, tt.want, *tt.f.Target)
		})
	}
}

func TestFigureWithoutTargetHasNoVerdict(t *testing.T) {
	f := bench.NewFigure("f", "ms", 3).Over(2)
	assert.Nil(t, f.Met)
	assert.InDelta(t, 1.5, *f.Ratio, 1e-9)
	assert.Zero(t, bench.Missed([]bench.Figure{f}))
}

func TestJSONIsOneListOfTheSameMembers(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, bench.WriteJSON(&b, []bench.Figure{
		bench.NewFigure("with all", "ms", 5).Over(4).AtMostTimes(1.25).In("a"), bench.NewFigure("bare", "MB", 1).In("b"),
	}))
	assert.JSONEq(t, `[
		{"part":"a","name":"with all","unit":"ms","value":5,"floor":4,"ratio":1.25,"target":"≤ 1.25 × floor","met":true},
		{"part":"b","name":"bare","unit":"MB","value":1,"floor":null,"ratio":null,"target":null,"met":null}
	]`, b.String())
	b.Reset()
	require.NoError(t, bench.WriteJSON(&b, nil))
	assert.Equal(t, "[]\n", b.String())
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, bench.WriteTable(&b, []bench.Figure{
		bench.NewFigure("slow", "ms", 12.345).Over(4).AtMostTimes(2).In("first"),
		bench.NewFigure("small", "MB", 3).AtMost(48).In("first"),
		bench.NewFigure("plain", "", 67).In("second"),
	}))
	var rows [][]string
	for line := range strings.Lines(b.String()) {
		rows = append(rows, strings.Fields(line))
	}
	assert.Equal(t, [][]string{
		{},
		{"FIRST", "value", "floor", "ratio", "target"},
		{"slow", "12.3", "ms", "4", "ms", "3.09", "≤", "2", "×", "floor", "MISSED"},
		{"small", "3", "MB", "–", "–", "≤", "48", "MB", "met"},
		{},
		{"SECOND", "value", "floor", "ratio", "target"},
		{"plain", "67", "–", "–"},
	}, rows)
}

func TestAmountsKeepThreeDigits(t *testing.T) {
	for v, want := range map[float64]string{0: "0 s", 1234.5: "1234 s", 12.345: "12.3 s", 0.01234: "0.0123 s", 100: "100 s", 2.5: "2.5 s"} {
		assert.Equal(t, want, bench.Amount(v, "s"))
	}
}

func TestPage(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, bench.WritePage(&b, bench.Result{
		Figures: []bench.Figure{
			bench.NewFigure("far off", "ms", 12).Over(4).AtMostTimes(2).In("overhead"),
			bench.NewFigure("within", "MB", 3).Over(2).AtMost(48).In("overhead"),
			bench.NewFigure("no floor", "MB", 9).In("coldstart"),
		},
		Notes: []string{"something <was> left out"},
	}))
	page := b.String()
	assert.Contains(t, page, "3 figures, 1 targets missed")
	assert.Contains(t, page, "something &lt;was&gt; left out")
	assert.Contains(t, page, `class="missed"`)
	assert.Contains(t, page, "3.00 × (12 ms) MISSED", "the verdict is a word, not a colour")
	assert.Contains(t, page, "1.50 × (3 MB) met")
	assert.Contains(t, page, "no floor")
	assert.Equal(t, 1, strings.Count(page, "<svg"), "a part without ratios has no picture")
	for _, outside := range []string{"http:", "https:", "<script", "@import", "src="} {
		assert.NotContains(t, page, outside, "the page needs nothing else")
	}
}
