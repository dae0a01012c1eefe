package bench_test

import (
	"errors"
	"testing"

	"github.com/crossregion/crossregion/local/bench"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQuantiles(t *testing.T) {
	hundred := make([]float64, 100)
	for i := range hundred {
		hundred[i] = float64(100 - i)
	}
	assert.InDelta(t, 50, bench.Quantile(hundred, 0.5), 0)
	assert.InDelta(t, 99, bench.Quantile(hundred, 0.99), 0)
	assert.InDelta(t, 100, bench.Quantile(hundred, 1), 0)
	assert.InDelta(t, 1, bench.Quantile(hundred, 0), 0)
	assert.InDelta(t, 7, bench.Quantile([]float64{7}, 0.99), 0)
	assert.Zero(t, bench.Quantile(nil, 0.5))
	assert.InDelta(t, 100, hundred[0], 0, "the values keep their order")
}

func TestMedian(t *testing.T) {
	assert.InDelta(t, 2, bench.Median([]float64{9, 1, 2}), 0)
	assert.InDelta(t, 1.5, bench.Median([]float64{2, 1}), 0)
	assert.Zero(t, bench.Median(nil))
}

func TestSlope(t *testing.T) {
	perX, explained := bench.Slope([]float64{1, 2, 3}, []float64{5, 7, 9})
	assert.InDelta(t, 2, perX, 1e-9)
	assert.InDelta(t, 1, explained, 1e-9)
	_, explained = bench.Slope([]float64{1, 2, 3, 4}, []float64{1, -1, 1, -1})
	assert.Less(t, explained, 0.5)
	perX, _ = bench.Slope([]float64{3, 3}, []float64{1, 2})
	assert.Zero(t, perX)
}

func TestRoundsAlternate(t *testing.T) {
	var order []int
	require.NoError(t, bench.Interleave(3, 2, func(i int) error { order = append(order, i); return nil }))
	assert.Equal(t, []int{0, 1, 1, 0, 0, 1}, order)
	broken := errors.New("broken")
	assert.ErrorIs(t, bench.Interleave(3, 2, func(int) error { return broken }), broken)
}

func TestProcFiles(t *testing.T) {
	cpu, err := bench.ParseStat([]byte("12 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20"))
	require.NoError(t, err)
	assert.Equal(t, "1.75s", cpu.String())
	_, err = bench.ParseStat([]byte("12 (a) S 1"))
	require.Error(t, err)
	memory, err := bench.ParseStatus("Name:\tx\nVmHWM:\t   20000 kB\nVmRSS:\t 1 kB\n")
	require.NoError(t, err)
	assert.InDelta(t, 20.48, memory, 1e-9)
	_, err = bench.ParseStatus("Name:\tx\n")
	require.Error(t, err)
}
