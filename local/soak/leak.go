package soak

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/crossregion/crossregion/local/lambda"
)

// Bounds of what the processes of a function may keep. One has a request at a
// time, and a few connections to each region for the next.
const (
	maxFiles  = 40
	maxGrowth = 8 << 20 // bytes of memory, from the middle third of the load to the last
	// enough is how many invocations a process must have served in the load's last
	// two thirds, for its memory to tell anything.
	enough = 10
	// settleLimit bounds the wait for what the load has left underway.
	settleLimit = 30 * time.Second
)

// hasProc tells that the memory of a process can be read. Elsewhere none is
// measured.
const hasProc = runtime.GOOS == "linux"

// Leaks are what a load may have left of itself.
type Leaks struct {
	Processes int // that served
	Peak      int // at once
	Measured  int // whose memory was compared
	Memory    int // of the largest, in bytes
	Growth    int // median of those measured, in bytes
	Files     int // that the worst had open once all was quiet
	Stuck     int // were still busy long after the load
	Orphans   int // outlived the stack
}

// faults are the leaks among them.
func (l Leaks) faults() []string {
	var all []string
	if l.Growth > maxGrowth {
		all = append(all, fmt.Sprintf("leak: the memory of functions grew by %.1f MiB within a third of the time", mib(l.Growth)))
	}
	if l.Files > maxFiles {
		all = append(all, fmt.Sprintf("leak: a function that does nothing has %d files and connections open, more than %d", l.Files, maxFiles))
	}
	if l.Stuck > 0 {
		all = append(all, fmt.Sprintf("leak: %d environments are busy %s after the load", l.Stuck, settleLimit))
	}
	if l.Orphans > 0 {
		all = append(all, fmt.Sprintf("leak: %d processes run on after their stack", l.Orphans))
	}
	return all
}

func mib(bytes int) float64 { return float64(bytes) / (1 << 20) }

// processes are those of a stack's functions.
type processes interface {
	Processes() []lambda.Process
}

// sampler looks at the processes of a stack.
type sampler struct {
	service processes

	mu   sync.Mutex
	seen map[int][]reading // by process
	peak int
	from time.Time
	to   time.Time
}

// reading is a process at one time.
type reading struct {
	at     time.Time
	served int
	memory int // resident, in bytes
}

// watch reads until ctx ends.
func (s *sampler) watch(ctx context.Context) {
	s.from = time.Now()
	for wait(ctx, 250*time.Millisecond) {
		s.read()
	}
	s.to = time.Now()
}

func (s *sampler) read() {
	all := s.service.Processes()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[int][]reading{}
	}
	s.peak = max(s.peak, len(all))
	for _, p := range all {
		// One that has just ended has nothing to tell.
		if memory, err := resident(p.ID); err == nil {
			s.seen[p.ID] = append(s.seen[p.ID], reading{at: time.Now(), served: p.Served, memory: memory})
		}
	}
}

// resident is the memory of a process that is in use.
func resident(pid int) (int, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "statm"))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(b)
	if len(fields) < 2 {
		return 0, fmt.Errorf("statm of process %d: %q", pid, b)
	}
	pages, err := strconv.Atoi(string(fields[1]))
	return pages * os.Getpagesize(), err
}

// quiet is what is left once the load has ended.
type quiet struct{ stuck, files int }

// settle waits until every process has been idle once.
func (s *sampler) settle(ctx context.Context) quiet {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleLimit)
	defer cancel()
	busy := map[int]bool{}
	for _, p := range s.service.Processes() {
		busy[p.ID] = true
	}
	for len(busy) > 0 && wait(ctx, 20*time.Millisecond) {
		still := map[int]bool{}
		for _, p := range s.service.Processes() {
			if p.Busy && busy[p.ID] {
				still[p.ID] = true
			}
		}
		busy = still
	}
	q := quiet{stuck: len(busy)}
	for _, p := range s.service.Processes() {
		if open, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(p.ID), "fd")); err == nil {
			q.files = max(q.files, len(open))
		}
	}
	return q
}

// leaks works out what was left, after the stack is gone.
func (s *sampler) leaks(q quiet) Leaks {
	l := Leaks{Processes: len(s.seen), Peak: s.peak, Files: q.files, Stuck: q.stuck}
	var growths []int
	third := s.to.Sub(s.from) / 3
	for pid, readings := range s.seen {
		for _, r := range readings {
			l.Memory = max(l.Memory, r.memory)
		}
		if growth, ok := grown(readings, s.from.Add(third), s.from.Add(2*third)); ok {
			growths = append(growths, growth)
		}
		if child(pid) {
			l.Orphans++
		}
	}
	if l.Measured = len(growths); l.Measured > 0 {
		slices.Sort(growths)
		l.Growth = growths[len(growths)/2]
	}
	return l
}

// grown is by how much a process needed more memory after the second moment than
// between both, if it served enough to tell.
func grown(readings []reading, first, second time.Time) (int, bool) {
	var middle, last []reading
	for _, r := range readings {
		switch {
		case r.at.After(second):
			last = append(last, r)
		case r.at.After(first):
			middle = append(middle, r)
		}
	}
	if len(middle) == 0 || len(last) == 0 || last[len(last)-1].served-middle[0].served < enough {
		return 0, false
	}
	return most(last) - most(middle), true
}

func most(readings []reading) int {
	return slices.MaxFunc(readings, func(a, b reading) int { return a.memory - b.memory }).memory
}

// child tells whether a process runs that this one has started.
func child(pid int) bool {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return false
	}
	return strings.Contains(string(status), fmt.Sprintf("\nPPid:\t%d\n", os.Getpid()))
}
