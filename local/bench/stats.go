package bench

import (
	"math"
	"slices"
)

// quantile returns the value below which the share q of the values lie, by the
// nearest rank; 0 of none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	rank := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)]
}

// median is the middle of the values, or between the two in the middle; 0 of
// none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// slope is that of the straight line that fits the points best, and the share of
// what differs in y that it explains; 0 and 1 if x never differs.
func slope(x, y []float64) (perX, explained float64) {
	meanX, meanY := mean(x), mean(y)
	var xx, xy, yy float64
	for i := range x {
		xx += (x[i] - meanX) * (x[i] - meanX)
		xy += (x[i] - meanX) * (y[i] - meanY)
		yy += (y[i] - meanY) * (y[i] - meanY)
	}
	if xx == 0 {
		return 0, 1
	}
	if yy == 0 {
		return 0, 1
	}
	return xy / xx, xy * xy / (xx * yy)
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(max(1, len(values)))
}

// interleave runs each of n subjects once in each round, forwards and backwards
// in turn, so that what changes on the machine meanwhile changes it for all, and
// none is always the one that comes after the same other.
func interleave(rounds, n int, run func(subject int) error) error {
	for round := range rounds {
		for i := range n {
			if round%2 == 1 {
				i = n - 1 - i
			}
			if err := run(i); err != nil {
				return err
			}
		}
	}
	return nil
}
