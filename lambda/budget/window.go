package budget

import (
	"time"

	"github.com/crossregion/crossregion/contract"
)

const day = 24 * time.Hour

// A window's item is kept for longer than any request runs, so that it can be
// settled after the window's end.
const keep = day

// outcome is what became of an attempt to count a request.
type outcome int

const (
	unknown outcome = iota // the table did not answer: perhaps counted
	counted
	full // not counted
)

// window is one of the windows that a request counts against.
type window struct {
	name    string // as people call it
	sort    string // sort key of its item
	share   int64
	ends    time.Time
	outcome outcome
}

// windows are those around at that have a limit, the one that ends last at the
// end.
func windows(region string, limits contract.Budget, at time.Time) []window {
	minute, today := at.Truncate(time.Minute), at.Truncate(day)
	var all []window
	if share := limits.TokensPerMinute; share != 0 {
		all = append(all, window{
			name: "minute", sort: contract.MinuteSort(region, minute.Format("2006-01-02T15:04")), share: share, ends: minute.Add(time.Minute),
		})
	}
	if share := limits.TokensPerDay; share != 0 {
		all = append(all, window{
			name: "day", sort: contract.DaySort(region, today.Format(time.DateOnly)), share: share, ends: today.Add(day),
		})
	}
	return all
}
