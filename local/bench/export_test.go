package bench

import (
	"context"
	"io"
	"time"

	"github.com/crossregion/crossregion/local/bench/upstream"
)

// Tiny measures each thing once, so that what measures is tried and not what is
// measured.
func Tiny(root string, parts ...string) Options {
	return Options{Root: root, Parts: parts, Progress: func(string) {}, scale: scale{rounds: 2, slice: time.Millisecond, flights: []int{2}, starts: 1,
		threads: []int{3, 5}, turns: []int{1, 3}, regions: []int{2, 3}}}
}

// What tests look at.
var (
	NewFigure    = figure
	Quantile     = quantile
	Median       = median
	Slope        = slope
	Interleave   = interleave
	WriteTable   = writeTable
	WriteJSON    = writeJSON
	WritePage    = writePage
	Amount       = amount
	Missed       = missed
	ParseStat    = parseStat
	ParseStatus  = parseStatus
	ItemBytes    = itemBytes
	NewLedger    = newLedger
	ReadPrices   = readPrices
	NewBill      = newBill
	AlarmMetrics = alarmMetrics
	Count        = count
	ProbePlaces  = probePlaces
)

type (
	Item   = item
	Ledger = ledger
	Made   = made
)

func (f Figure) Over(floor float64) Figure         { return f.over(floor) }
func (f Figure) AtMostTimes(n float64) Figure      { return f.atMostTimes(n) }
func (f Figure) AtMostBeyond(n float64) Figure     { return f.atMostBeyond(n) }
func (f Figure) AtMost(n float64) Figure           { return f.atMost(n) }
func (f Figure) Less() Figure                      { return f.less() }
func (f Figure) In(part string) Figure             { f.Part = part; return f }
func NewMade(token string, in map[string]any) Made { return made{token: token, inputs: in} }

// Billed is what a ledger has counted.
func (l *ledger) Billed() (reads, writes float64, calls int) {
	return l.billed.reads, l.billed.writes, l.billed.calls
}

func (b *bill) Add(service, price string, units float64) { b.add(service, price, units) }

func (b *bill) Figures(what string) ([]Figure, error) { return b.figures(what) }

// Ask makes one call and tells how many samples and gaps there were.
func Ask(ctx context.Context, url string, words, inFlight int) (samples, gaps int, err error) {
	c := call{url: url, body: "{}", words: words, header: jsonHeader}
	client := newClient(inFlight)
	defer client.CloseIdleConnections()
	all, err := c.slice(ctx, client, load{inFlight: inFlight})
	for _, s := range all {
		gaps += len(s.gaps)
	}
	return len(all), gaps, err
}

// AskAgain makes a call that may be made once more so often, and tells how often
// it was.
func AskAgain(ctx context.Context, url string, again int) (int, error) {
	client := newClient(1)
	defer client.CloseIdleConnections()
	s, err := call{url: url, words: 1, header: jsonHeader, again: again}.do(ctx, client)
	return s.again, err
}

// GoBuild builds packages of the project with a cache, and returns seconds and
// megabytes.
func GoBuild(ctx context.Context, root, cache string, packages ...string) (took, memory, largest float64, err error) {
	b := &bench{Options: Options{Root: root}}
	r, err := b.goBuild(ctx, cache, packages...)
	return r.took, r.memory, r.largest, err
}

// CountWords reads to the end.
func CountWords(r io.Reader) (int, error) {
	var seen reading
	_, err := seen.all(r, time.Now())
	return seen.words, err
}

// Word is what a call counts.
const Word = upstream.Word
