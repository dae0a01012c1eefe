package bench

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/crossregion/crossregion/local/bench/upstream"
)

// portkeyPackage is what npm is asked for.
const portkeyPackage = "@portkey-ai/gateway@1.15.2"

// peer is what people would use instead.
type peer struct {
	name  string
	start func(context.Context, *bench, *stand) (*lane, error)
}

func allPeers() []peer {
	return []peer{{name: "portkey", start: startPortkey}, {name: "bifrost", start: startBifrost}}
}

// installLimit bounds what it takes to fetch and build a peer.
const installLimit = 3 * time.Minute

func (p peer) install(ctx context.Context, b *bench, s *stand) (*lane, error) {
	ctx, cancel := context.WithTimeout(ctx, installLimit)
	defer cancel()
	return p.start(ctx, b, s)
}

// peers measures the gateway and others side by side. Bedrock is reached over TLS
// by all, as it is.
func peers(ctx context.Context, b *bench) (_ []Figure, err error) {
	if !b.scale.slow && len(b.Parts) == 0 {
		b.note("peers: their packages take minutes to install and build, and are left out of a quick run; run them with --only peers.")
		return nil, nil
	}
	s, err := b.openStand(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = closing(err, s.close()) }()
	if _, err := s.add(ctx, b, "gateway", "gateway", []string{"AWS_ENDPOINT_URL_BEDROCK_RUNTIME=" + s.secure, "SSL_CERT_FILE=" + s.certificate}); err != nil {
		return nil, err
	}
	var figures []Figure
	for _, p := range allPeers() {
		l, err := p.install(ctx, b, s)
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			b.note("peers: %s is left out: %v", p.name, err)
			continue
		}
		l.spare = true
		s.lanes[p.name] = l
	}
	for _, n := range b.scale.flights {
		for _, stream := range []bool{false, true} {
			compared, err := s.compare(ctx, b, n, stream)
			if err != nil {
				return nil, fmt.Errorf("%d in flight: %w", n, err)
			}
			figures = append(figures, compared...)
		}
	}
	return figures, nil
}

// compare measures all that run under one load.
func (s *stand) compare(ctx context.Context, b *bench, n int, stream bool) ([]Figure, error) {
	model, kind := upstream.Instant, "whole"
	l := load{rounds: b.scale.rounds, slice: b.scale.slice, inFlight: n}
	if stream {
		model, kind = upstream.Paced, "streamed"
		l = words(b.scale.rounds, n)
	}
	lanes := []*lane{s.lanes["gateway"]}
	for _, p := range allPeers() {
		if ln := s.lanes[p.name]; ln != nil {
			lanes = append(lanes, ln)
		}
	}
	working := lanes[:0:0]
	for _, ln := range lanes {
		ln.ask(model, stream)
		if _, err := ln.call.do(ctx, http.DefaultClient); err != nil {
			if ln == lanes[0] {
				return nil, err
			}
			b.note("peers: %s does not answer %s: %.200v", ln.name, kind, err)
			continue
		}
		working = append(working, ln)
	}
	if err := l.run(ctx, working); err != nil {
		return nil, err
	}
	var figures []Figure
	for _, ln := range working[1:] {
		if ln.failed != nil {
			b.note("peers: %s failed under %s, %d in flight, and is left out there: %.200v", ln.name, kind, n, ln.failed)
			continue
		}
		figures = append(figures, beside(fmt.Sprintf("%s, %d in flight: ", kind, n), l, lanes[0].seen, ln)...)
	}
	return figures, nil
}

// ask points a lane at a question.
func (ln *lane) ask(model string, stream bool) {
	named := model
	if ln.name != "gateway" {
		named = "bench." + model
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(ln.call.url, "http://"), "/")
	header := ln.call.header
	if header == nil {
		header = jsonHeader
	}
	ln.call = call{url: "http://" + host + "/v1/chat/completions", body: ask(named, stream, message{"user", question}), header: header, words: wordsOf(model)}
}

// beside are the gateway's figures with a peer's as floor.
func beside(load string, l load, own tally, other *lane) []Figure {
	name := func(what string) string { return load + what + " beside " + other.name }
	what := "p50"
	if l.streamed {
		what = "first word p50"
	}
	return []Figure{
		figure(name(what), "µs", own.p50()).over(other.seen.p50()).less(),
		figure(name(strings.Replace(what, "p50", "p99", 1)), "µs", own.p99(l)).over(other.seen.p99(l)).less(),
		figure(name("CPU"), "µs", own.cpuEach()).over(other.seen.cpuEach()).less(),
		figure(name("memory"), "MB", own.memory).over(other.seen.memory).less(),
	}
}

// startBifrost builds the harness around Bifrost's core and starts it.
func startBifrost(ctx context.Context, b *bench, s *stand) (*lane, error) {
	path := filepath.Join(b.dir, "bifrost")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", path, ".")
	cmd.Dir = filepath.Join(b.Root, "local", "bench", "bifrost")
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOWORK=off", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build it: %w: %.300s", err, bytes.TrimSpace(out))
	}
	p, url, err := serve(path, []string{
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_REGION=" + home, "HTTPS_PROXY=" + s.url, "HOME=" + b.dir,
	})
	if err != nil {
		return nil, err
	}
	return &lane{name: "bifrost", proc: p, call: call{url: url}}, nil
}

// startPortkey installs Portkey's gateway and starts it.
func startPortkey(ctx context.Context, b *bench, s *stand) (*lane, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(b.dir, "portkey")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", dir, portkeyPackage)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("install it: %w: %.300s", err, bytes.TrimSpace(out))
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	run := exec.Command(node, filepath.Join(dir, "node_modules", "@portkey-ai", "gateway", "build", "start-server.js"), "--headless", "--port="+port)
	run.Dir = dir
	quiet, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	defer quiet.Close()
	run.Stderr = quiet // it writes of each stream that its own log cannot read it
	p, err := start(run, []string{"NODE_EXTRA_CA_CERTS=" + s.certificate, "NODE_ENV=production", "HOME=" + dir, "PATH=" + os.Getenv("PATH")})
	if err != nil {
		return nil, err
	}
	l := &lane{name: "portkey", proc: p, call: call{url: "http://127.0.0.1:" + port, header: http.Header{
		"Content-Type":                    {"application/json"},
		"X-Portkey-Provider":              {"bedrock"},
		"X-Portkey-Aws-Access-Key-Id":     {"AKIDEXAMPLE"},
		"X-Portkey-Aws-Secret-Access-Key": {"secret"},
		"X-Portkey-Aws-Region":            {home},
		"X-Portkey-Custom-Host":           {s.secure},
	}}}
	if err := l.wait(ctx); err != nil {
		p.stop()
		return nil, err
	}
	return l, nil
}

// comeUp is how long a peer may take to answer for the first time.
const comeUp = 30 * time.Second

// wait returns once the lane accepts connections.
func (ln *lane) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, comeUp)
	defer cancel()
	var dialer net.Dialer
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		conn, err := dialer.DialContext(ctx, "tcp", strings.TrimPrefix(ln.call.url, "http://"))
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ticker.C:
		case <-ln.proc.done:
			return fmt.Errorf("%s ended before it answered", ln.name)
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", ln.name, err)
		}
	}
}

// freePort is one that nobody listens on, for a process that cannot inherit a
// listener.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, closing(err, l.Close())
}
