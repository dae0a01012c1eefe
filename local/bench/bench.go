// Package bench measures what the gateway costs: beside the least that could do
// the work, in the same run and on the same machine, and beside what people
// would use instead. It knows the gateway as its callers and Lambda do; what it
// compares with lies in the packages below.
package bench

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/crossregion/crossregion/command"
)

// Options configure [Run].
type Options struct {
	// Root is the project's folder. Required.
	Root string
	// Parts to run, by name; all if empty.
	Parts []string
	// Quick measures less often, and leaves out what takes minutes.
	Quick bool
	// Profiles names the folder into which the processes of part overhead write
	// what they spend their time on, each a file of its own; empty for none.
	Profiles string
	// Progress hears what is being done. Required.
	Progress func(string)

	scale scale
}

// scale is how much is measured.
type scale struct {
	rounds  int           // in which each subject has its turn
	slice   time.Duration // of a turn under a steady load
	flights []int         // requests at the same time
	starts  int           // of processes
	threads []int         // in a store
	turns   []int         // of a thread
	regions []int         // of a stack
	slow    bool          // with what takes minutes
}

var (
	full = scale{rounds: 5, slice: 600 * time.Millisecond, flights: []int{1, 32, 256}, starts: 25,
		threads: []int{1_000, 10_000, 100_000, 1_000_000}, turns: []int{1, 10, 100, 1000}, regions: []int{2, 5, 10, 15, 20}, slow: true}
	quick = scale{rounds: 3, slice: 300 * time.Millisecond, flights: []int{1, 32}, starts: 7,
		threads: []int{1_000, 10_000}, turns: []int{1, 10, 100}, regions: []int{2, 6}}
)

// Result is what a run has found.
type Result struct {
	Figures []Figure
	// Notes say what was left out, and why.
	Notes []string
}

// part is one chapter of the bench.
type part struct {
	name, what string
	run        func(context.Context, *bench) ([]Figure, error)
}

func parts() []part {
	return []part{
		{"overhead", "what a request takes beyond the least, in time, CPU and memory", overhead},
		{"peers", "the same load on what people would use instead", peers},
		{"coldstart", "how long a function takes to start, and to answer for the first time", coldstart},
		{"state", "what keeping a conversation takes, in time and in what DynamoDB bills", state},
		{"money", "what a stack costs a month, and a million requests", money},
		// The last, since a cold compile takes the time that is left.
		{"program", "what the program takes to compile and to preview", program},
	}
}

// bench is one run.
type bench struct {
	Options
	dir     string // for what is built and written; removed at the end
	started time.Time
	built   sync.Once
	err     error // of building

	notes []string
}

// note keeps what a reader of the figures must know.
func (b *bench) note(format string, args ...any) {
	b.notes = append(b.notes, fmt.Sprintf(format, args...))
}

// Run measures. The result holds what was found before an error, too.
func Run(ctx context.Context, o Options) (_ Result, err error) {
	if o.scale.rounds == 0 {
		o.scale = full
		if o.Quick {
			o.scale = quick
		}
	}
	chosen, err := choose(o.Parts)
	if err != nil {
		return Result{}, err
	}
	b := &bench{Options: o, started: time.Now()}
	if b.dir, err = os.MkdirTemp("", "crossregion-bench-"); err != nil {
		return Result{}, fmt.Errorf("make a folder to build in: %w", err)
	}
	defer func() {
		if removed := os.RemoveAll(b.dir); err == nil {
			err = removed
		}
	}()
	var r Result
	for _, p := range chosen {
		o.Progress(p.name + ": " + p.what)
		figures, err := p.run(ctx, b)
		if err != nil {
			return r, fmt.Errorf("%s: %w", p.name, err)
		}
		for i := range figures {
			figures[i].Part = p.name
		}
		r.Figures, r.Notes = append(r.Figures, figures...), b.notes
	}
	return r, nil
}

func choose(wanted []string) ([]part, error) {
	all := parts()
	if len(wanted) == 0 {
		return all, nil
	}
	var chosen []part
	for _, name := range wanted {
		i := 0
		for i < len(all) && all[i].name != name {
			i++
		}
		if i == len(all) {
			return nil, fmt.Errorf("no part is called %q; did you mean %s? go run ./local bench -h lists them", name,
				command.Nearest(name, names()))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// binary returns the path of one of the bench's own commands, built.
func (b *bench) binary(ctx context.Context, name string) (string, error) {
	b.built.Do(func() { b.err = build(ctx, b.Root, b.dir, "./local/bench/cmd/...") })
	return filepath.Join(b.dir, name), b.err
}
