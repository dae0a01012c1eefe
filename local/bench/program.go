package bench

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/crossregion/crossregion/components/invoker"
	"github.com/crossregion/crossregion/local/account"
	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/deploy"
)

// program measures the program itself: what it takes to compile, and to preview.
func program(ctx context.Context, b *bench) ([]Figure, error) {
	figures, err := b.previews(ctx)
	if err != nil {
		return nil, err
	}
	if !b.scale.slow {
		b.note("program: a cold compile takes minutes, and is left out of a quick run.")
		return figures, nil
	}
	cold, err := b.compile(ctx)
	return append(figures, cold...), err
}

// previews measures previews of stacks of several sizes beside the build of the
// handlers that each begins with, which finds nothing to do.
func (b *bench) previews(ctx context.Context) ([]Figure, error) {
	sizes := b.scale.regions
	took, last := make([][]float64, len(sizes)+1), make([]previewed, len(sizes))
	err := interleave(max(1, b.scale.rounds/2), len(sizes)+1, func(i int) error {
		started := time.Now()
		var err error
		if i < len(sizes) {
			last[i], err = b.preview(ctx, sizes[i])
		} else {
			_, err = invoker.Build(ctx, filepath.Join(b.Root, ".build"), invoker.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH})
		}
		took[i] = append(took[i], micros(time.Since(started))/1e3)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("preview: %w", err)
	}
	var figures []Figure
	var regions, millis []float64
	each := func(p previewed) float64 { return float64(len(p.made)) / float64(p.regions) }
	for i, p := range last {
		regions, millis = append(regions, float64(p.regions)), append(millis, median(took[i]))
		figures = append(figures,
			figure(fmt.Sprintf("preview of %d regions", p.regions), "ms", millis[i]).over(median(took[len(sizes)])),
			figure(fmt.Sprintf("resources for each of %d regions", p.regions), "", each(p)).over(each(last[0])).atMostTimes(1))
	}
	perRegion, _ := slope(regions, millis)
	return append(figures, figure("preview: for each region more", "ms", perRegion)), nil
}

// previewed is one run of the program.
type previewed struct {
	regions int
	made    []made
}

// made is a resource that the program registers.
type made struct {
	token, region string
	inputs        map[string]any
}

// recorder passes resources on to the embedded account, and remembers them.
type recorder struct {
	deploy.Target
	mu   sync.Mutex
	made []made
}

// Create implements [deploy.Target].
func (r *recorder) Create(ctx context.Context, token, region, name string, inputs map[string]any) (cloud.State, error) {
	r.mu.Lock()
	r.made = append(r.made, made{token, region, inputs})
	r.mu.Unlock()
	return r.Target.Create(ctx, token, region, name, inputs)
}

// sourceRegions are those in which the global profile can be called, as many as
// a preview needs.
var sourceRegions = strings.Fields("us-east-1 us-west-2 us-east-2 us-west-1 eu-central-1 eu-west-1 eu-north-1 eu-west-3 eu-south-1 eu-south-2 " +
	"ca-central-1 sa-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 eu-west-2")

// preview runs the program for a stack of n regions, each of which has the next
// as its partner, into an account of its own.
func (b *bench) preview(ctx context.Context, n int) (_ previewed, err error) {
	stack, err := deploy.Load(b.Root, "prod")
	if err != nil {
		return previewed{}, err
	}
	var regions []any
	for i, name := range sourceRegions[:n] {
		regions = append(regions, map[string]any{"name": name, "failover": []string{sourceRegions[(i+1)%n]}})
	}
	if err := stack.Override(map[string]any{
		"jurisdiction": "global", "regions": regions,
		"models": []any{map[string]any{"name": "claude", "profile": "global.anthropic.claude-sonnet-4-5-20250929-v1:0"}},
	}); err != nil {
		return previewed{}, err
	}
	a, err := account.Open(account.Config{Port: "0", Viewer: home, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return previewed{}, err
	}
	defer func() { err = closing(err, a.Close()) }()
	stack.Prepare(a)
	r := &recorder{Target: a}
	if _, err := stack.Deploy(ctx, r, func(deploy.Resource) {}); err != nil {
		return previewed{}, err
	}
	return previewed{n, r.made}, nil
}

// runLimit is when a cold compile is given up, counted from the start of the run:
// so a full run ends in ten minutes on a busy machine, too.
const runLimit = 9*time.Minute + 30*time.Second

// compile builds the program with an empty cache: first the packages of others,
// which are its floor, then its own.
func (b *bench) compile(ctx context.Context) ([]Figure, error) {
	others, err := b.dependencies(ctx)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithDeadline(ctx, b.started.Add(runLimit))
	defer cancel()
	cache := filepath.Join(b.dir, "gocache")
	floor, err := b.goBuild(limited, cache, others...)
	var own building
	if err == nil {
		own, err = b.goBuild(limited, cache, "-o", os.DevNull, ".")
	}
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		b.note("program: a cold compile did not end in the time that the other parts left of ten minutes, and is left out; run it with --only program.")
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	total := floor.took + own.took
	return []Figure{
		figure("cold compile of main.go", "s", total).over(floor.took).atMostTimes(1.25),
		figure("cold compile: CPU", "s", floor.cpu+own.cpu).over(floor.cpu),
		figure("cold compile: memory of all processes", "MB", max(floor.memory, own.memory)).over(floor.memory).atMostTimes(1.25),
		figure("cold compile: memory of the largest process", "MB", max(floor.largest, own.largest)).over(floor.largest),
	}, nil
}

// dependencies are the packages of other modules that the program compiles.
func (b *bench) dependencies(ctx context.Context) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-f", "{{if .Module}}{{if not .Module.Main}}{{.ImportPath}}{{end}}{{end}}", ".")
	cmd.Dir = b.Root
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list the program's packages: %w", err)
	}
	return strings.Fields(string(out)), nil
}

// building is what a build took: seconds and MB.
type building struct {
	took, cpu, memory, largest float64
}

// goBuild builds with a cache of its own, and watches the memory of all that the
// build starts.
func (b *bench) goBuild(ctx context.Context, cache string, args ...string) (building, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build"}, args...)...)
	cmd.Dir = b.Root
	cmd.Env = append(os.Environ(), "GOCACHE="+cache, "GOFLAGS=-mod=readonly -buildvcs=false")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = grace
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return building{}, err
	}
	done := make(chan struct{})
	most := make(chan float64)
	go func() { most <- watchGroup(cmd.Process.Pid, done) }()
	err := cmd.Wait()
	close(done)
	r := building{took: time.Since(started).Seconds(), memory: <-most}
	if err != nil {
		return r, fmt.Errorf("go build: %w\n%s", err, bytes.TrimSpace(complaint.Bytes()))
	}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.largest = float64(usage.Maxrss) * 1024 / 1e6
		r.memory = max(r.memory, r.largest) // which may have peaked between two looks
	}
	r.cpu = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	return r, nil
}

// watchInterval is how often the memory of a build is looked at.
const watchInterval = 100 * time.Millisecond

// watchGroup returns the most memory, in MB, that the processes of a group have
// had together until done.
func watchGroup(group int, done <-chan struct{}) float64 {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	most := 0.0
	for {
		most = max(most, groupMemory(group))
		select {
		case <-done:
			return most
		case <-ticker.C:
		}
	}
}

// groupMemory is the resident memory of a process group, in MB. Processes that
// end meanwhile have none.
func groupMemory(group int) float64 {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0
	}
	pages := 0.0
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		const pgrp, rss = 2, 21 // the fifth and the 24th field
		if len(fields) > rss && fields[pgrp] == strconv.Itoa(group) {
			n, err := strconv.ParseFloat(fields[rss], 64)
			if err == nil {
				pages += n
			}
		}
	}
	return pages * float64(os.Getpagesize()) / 1e6
}

// count tells how many of the resources have a token and, if any are named, a
// value of the input type.
func count(all []made, token string, kinds ...string) int {
	n := 0
	for _, m := range all {
		kind, _ := m.inputs["type"].(string)
		if m.token == token && (len(kinds) == 0 || slices.Contains(kinds, kind)) {
			n++
		}
	}
	return n
}
