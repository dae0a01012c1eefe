package budget

import (
	"slices"
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
	full // has no room for it
)

// window is one of the windows that a request counts against.
type window struct {
	name    string // as people call it
	sort    string // sort key of its item
	limit   func(contract.Budget) int64
	ends    time.Time
	share   int64 // 0 for no limit
	outcome outcome
	tokens  int64 // of the request, known to be counted
}

// allWindows are those around at, the one that ends last at the end.
func allWindows(region string, at time.Time) []window {
	minute, today := at.Truncate(time.Minute), at.Truncate(day)
	return []window{
		{name: "minute", sort: contract.MinuteSort(region, minute.Format("2006-01-02T15:04")), ends: minute.Add(time.Minute),
			limit: func(b contract.Budget) int64 { return b.TokensPerMinute }},
		{name: "day", sort: contract.DaySort(region, today.Format(time.DateOnly)), ends: today.Add(day),
			limit: func(b contract.Budget) int64 { return b.TokensPerDay }},
	}
}

// windows are those of allWindows that have a limit.
func windows(region string, limits contract.Budget, at time.Time) []window {
	all := allWindows(region, at)
	for i := range all {
		all[i].share = all[i].limit(limits)
	}
	return slices.DeleteFunc(all, func(w window) bool { return w.share == 0 })
}
