package bench

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/crossregion/crossregion/components/invoker"
	"github.com/crossregion/crossregion/contract"
	"github.com/crossregion/crossregion/local/bench/door"
	"github.com/crossregion/crossregion/local/bench/upstream"
)

// Targets of part coldstart.
const (
	timesEmpty   = 1.5
	zipMegabytes = 10
)

// starter is a function that is started over and over.
type starter struct {
	name      string
	bootstrap string
	env       []string
	event     []byte
	want      string // in its answer

	asked, answered, memory []float64
}

// coldstart measures from the start of a process to its first question for an
// event, and to its first answer.
func coldstart(ctx context.Context, b *bench) (_ []Figure, err error) {
	s, err := b.openStand(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = closing(err, s.close()) }()
	zips, err := invoker.Build(ctx, b.dir, invoker.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH})
	if err != nil {
		return nil, err
	}
	starters, err := s.starters(ctx, b, zips)
	if err != nil {
		return nil, err
	}
	err = interleave(b.scale.starts, len(starters), func(i int) error {
		if err := starters[i].start(ctx); err != nil {
			return fmt.Errorf("%s: %w", starters[i].name, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	sizes, err := b.zipSizes(ctx, zips)
	return append(startFigures(starters), sizes...), err
}

// Starters, by their place.
const (
	startEmpty = iota
	startFloor
	startModels
	startChat
	startHealth
	startAuthorizer
)

func (s *stand) starters(ctx context.Context, b *bench, zips invoker.Zips) ([]*starter, error) {
	empty, err := b.binary(ctx, "empty")
	if err != nil {
		return nil, err
	}
	env, err := s.data.environment(s.url)
	if err != nil {
		return nil, err
	}
	health, err := contract.Encode(contract.Health{Stack: "bench", Region: home, Regions: []string{home, partner}, Table: controlTable})
	if err != nil {
		return nil, err
	}
	authorizer, err := contract.Encode(contract.Authorizer{Stack: "bench", Region: home,
		Partners: []string{partner}, Table: controlTable})
	if err != nil {
		return nil, err
	}
	bootstrap, err := unpack(zips.Invoker, filepath.Join(b.dir, "invoker-bootstrap"))
	if err != nil {
		return nil, err
	}
	authorizes, err := unpack(zips.Authorizer, filepath.Join(b.dir, "authorizer-bootstrap"))
	if err != nil {
		return nil, err
	}
	chat := ask(upstream.Instant, false, message{"user", question})
	bare := ask(profileARN(home, upstream.Instant), false, message{"user", question})
	return []*starter{
		startEmpty:      {name: "empty handler", bootstrap: empty, env: env, event: []byte("{}"), want: "ok"},
		startFloor:      {name: "floor, a chat", bootstrap: filepath.Join(b.dir, "floor"), env: env, event: event(http.MethodPost, "/v1/chat/completions", bare), want: upstream.Word},
		startModels:     {name: "invoker, the models", bootstrap: bootstrap, env: env, event: event(http.MethodGet, "/v1/models", ""), want: upstream.Paced},
		startChat:       {name: "invoker, a chat", bootstrap: bootstrap, env: env, event: event(http.MethodPost, "/v1/chat/completions", chat), want: upstream.Word},
		startHealth:     {name: "health", bootstrap: bootstrap, env: replaced(env, health), event: event(http.MethodGet, contract.HealthPath, ""), want: `"status":"ok"`},
		startAuthorizer: {name: "authorizer", bootstrap: authorizes, env: replaced(env, authorizer), event: credential(), want: ""},
	}, nil
}

// replaced returns env with the given variables in place of its own.
func replaced(env []string, by map[string]string) []string {
	var out []string
	for _, v := range env {
		name, _, _ := strings.Cut(v, "=")
		if _, ok := by[name]; !ok {
			out = append(out, v)
		}
	}
	for k, v := range by {
		out = append(out, k+"="+v)
	}
	return out
}

// event is what API Gateway hands to the invoker for a request of the tenant.
func event(method, path, body string) []byte {
	r, err := http.NewRequest(method, "http://api.example.com"+path, strings.NewReader(body))
	if err == nil {
		r.Header = jsonHeader
		ev, failed := door.Event(r, tenant, "bench-1")
		if encoded, err := json.Marshal(ev); failed == nil && err == nil {
			return encoded
		}
	}
	return nil // none of this fails for what the bench asks
}

// credential is an event of the authorizer with a key that does not exist: it
// reads the table, and refuses.
func credential() []byte {
	return []byte(`{"type":"TOKEN","methodArn":"arn:aws:execute-api:` + home + `:123456789012:a/v1/POST/v1/chat/completions",` +
		`"authorizationToken":"Bearer cr_aaaaaaaaaaaaaaaa.` + strings.Repeat("a", 43) + `"}`)
}

// start starts the function once and has it answer.
func (s *starter) start(ctx context.Context) (err error) {
	f, err := startFunction(ctx, s.bootstrap, s.env)
	if err != nil {
		return err
	}
	defer func() { err = closing(err, f.stop()) }()
	r, err := f.api.invoke(ctx, s.event)
	if s.want == "" && errors.Is(err, errFunction) {
		err = nil // it is to refuse
	}
	if err != nil {
		return err
	}
	if !bytes.Contains(r.body, []byte(s.want)) {
		return fmt.Errorf("answered %.300q, want %q in it", r.body, s.want)
	}
	memory, err := f.proc.memory()
	if err != nil {
		return err
	}
	s.asked = append(s.asked, micros(f.asked.Sub(f.started))/1e3)
	s.answered = append(s.answered, micros(r.at.Sub(f.started))/1e3)
	s.memory = append(s.memory, memory)
	return nil
}

func startFigures(all []*starter) []Figure {
	empty := all[startEmpty]
	var figures []Figure
	for _, s := range all[startModels:] {
		answer := figure(s.name+": to its first answer", "ms", median(s.answered)).over(median(empty.answered))
		if s == all[startModels] {
			answer = answer.atMostTimes(timesEmpty)
		}
		figures = append(figures,
			figure(s.name+": to its first call of the Runtime API", "ms", median(s.asked)).over(median(empty.asked)).atMostTimes(timesEmpty),
			answer, figure(s.name+": memory after it", "MB", median(s.memory)).over(median(empty.memory)))
	}
	floor := all[startFloor]
	return append(figures,
		figure("invoker: to its first call of the Runtime API, beside the floor's", "ms", median(all[startChat].asked)).over(median(floor.asked)).atMostTimes(timesEmpty),
		figure("invoker, a chat: to its first answer, beside the floor's", "ms", median(all[startChat].answered)).over(median(floor.answered)).atMostTimes(timesEmpty))
}

// zipSizes are those of the archives, for this machine and for Lambda's default.
func (b *bench) zipSizes(ctx context.Context, native invoker.Zips) ([]Figure, error) {
	zips := map[string]invoker.Zips{runtime.GOARCH: native}
	order := []string{runtime.GOARCH}
	if b.scale.slow && runtime.GOARCH != "arm64" {
		deployed, err := invoker.Build(ctx, b.dir, invoker.Platform{OS: "linux", Arch: "arm64"})
		if err != nil {
			return nil, err
		}
		zips["arm64"], order = deployed, append(order, "arm64")
	}
	var figures []Figure
	for _, arch := range order {
		for _, z := range []struct{ name, path string }{{"invoker", zips[arch].Invoker}, {"authorizer", zips[arch].Authorizer}} {
			info, err := os.Stat(z.path)
			if err != nil {
				return nil, err
			}
			figures = append(figures, figure(z.name+": zip for "+arch, "MB", float64(info.Size())/1e6).atMost(zipMegabytes))
		}
	}
	return figures, nil
}

// unpack writes the bootstrap of a zip to a path, as Lambda does.
func unpack(path, to string) (string, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return "", err
	}
	defer z.Close()
	in, err := z.Open("bootstrap")
	if err != nil {
		return "", err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(out, in)
	return to, errors.Join(err, in.Close(), out.Close())
}
