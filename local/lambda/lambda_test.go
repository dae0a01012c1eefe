package lambda_test

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/iam"
	"github.com/crossregion/crossregion/local/kms"
	"github.com/crossregion/crossregion/local/lambda"
	"github.com/stretchr/testify/require"
)

const (
	region = "eu-west-1"
	role   = "arn:aws:iam::123456789012:role/invoker"
	caller = "apigateway.amazonaws.com"
	source = "arn:aws:execute-api:eu-west-1:123456789012:api/prod/GET/"
)

// bootstrapZip is the deployment package of testdata/bootstrap.
var bootstrapZip string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "lambda")
	if err == nil {
		bootstrapZip, err = build(dir)
	}
	code := 1
	if err == nil {
		code = m.Run()
	} else {
		fmt.Fprintln(os.Stderr, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

func build(dir string) (string, error) {
	binary := filepath.Join(dir, "bootstrap")
	cmd := exec.Command("go", "build", "-buildvcs=false", "-tags", "lambda.norpc", "-o", binary, "./testdata/bootstrap")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	content, err := os.ReadFile(binary)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "code.zip")
	return path, writeZip(path, entry{name: "bootstrap", mode: 0o755, content: content})
}

type entry struct {
	name    string
	mode    os.FileMode
	content []byte
	claim   uint64 // unpacked size that the zip states falsely; 0 for the truth
}

func writeZip(path string, entries ...entry) error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{
			Name: e.name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(e.content),
			CompressedSize64: uint64(len(e.content)), UncompressedSize64: cmp.Or(e.claim, uint64(len(e.content))),
		}
		h.SetMode(e.mode)
		w, err := z.CreateRaw(h)
		if err != nil {
			return err
		}
		if _, err := w.Write(e.content); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}

// access is an IAM that knows one role and denies what it is told to.
type access struct {
	mu      sync.Mutex
	denied  []string
	noIssue bool
	asked   []string // action, resource
	caller  cloud.Caller
}

func (a *access) CheckTrust(roleARN, principal string) error {
	if roleARN != role || principal != "lambda.amazonaws.com" {
		return fmt.Errorf("%s does not trust %s", roleARN, principal)
	}
	return nil
}

func (a *access) Issue(_, home, session string) (iam.Credentials, error) {
	if a.noIssue {
		return iam.Credentials{}, fmt.Errorf("role is gone")
	}
	return iam.Credentials{AccessKeyID: "ASIA" + home, SecretAccessKey: "secret", SessionToken: session}, nil
}

func (a *access) Authorize(c cloud.Caller, action, resource string, _ cloud.Keys) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked, a.caller = append(a.asked, action, resource), c
	if slices.Contains(a.denied, action) {
		return cloud.Refuse("AccessDeniedException", "not authorized to perform: %s", action)
	}
	return nil
}

// keys lets every service use every key unless told otherwise, and keeps what it
// was asked last.
type keys struct {
	deny string // action
	use  kms.Use
}

func (k *keys) UseBy(u kms.Use) error {
	k.use = u
	if slices.Contains(u.Actions, k.deny) {
		return cloud.Refuse("AccessDeniedException", "not authorized to perform: %s", k.deny)
	}
	return nil
}

// world is a Lambda with what it stands on.
type world struct {
	*lambda.Service
	t     *testing.T
	clock *cloud.ManualClock
	iam   *access
	keys  *keys
	log   *bytes.Buffer // read it after Close only
	dir   string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: cloud.NewManualClock(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)), iam: &access{}, keys: &keys{}, log: &bytes.Buffer{}, dir: t.TempDir()}
	w.Service = lambda.New(lambda.Config{
		World: cloud.World{Clock: w.clock, Network: cloud.NewNetwork("0"), Log: slog.New(slog.NewTextHandler(w.log, nil))},
		IAM:   w.iam, Keys: w.keys, Endpoint: "http://127.0.0.1:4566", Dir: w.dir, Arch: runtime.GOARCH,
	})
	t.Cleanup(w.close)
	return w
}

func (w *world) close() { require.NoError(w.t, w.Close()) }

type props = map[string]any

func (w *world) create(token, name string, inputs props) (cloud.State, error) {
	for _, r := range w.Resources() {
		if r.Token == token {
			return r.Create(w.t.Context(), region, name, inputs)
		}
	}
	return cloud.State{}, fmt.Errorf("no resource %s", token)
}

func (w *world) must(token, name string, inputs props) cloud.State {
	w.t.Helper()
	state, err := w.create(token, name, inputs)
	require.NoError(w.t, err)
	return state
}

// settings are the inputs of a function that AWS accepts, with changes; nil
// removes a property.
func settings(changes props) props {
	in := props{
		"name": "f", "code": bootstrapZip, "role": role, "runtime": "provided.al2023", "handler": "bootstrap",
		"architectures": []any{map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]}, "timeout": 60.0,
	}
	for k, v := range changes {
		in[k] = v
		if v == nil {
			delete(in, k)
		}
	}
	return in
}

// function creates the function "f" and lets API Gateway invoke it.
func (w *world) function(changes props) string {
	w.t.Helper()
	state := w.must("aws:lambda/function:Function", "f", settings(changes))
	w.must("aws:lambda/permission:Permission", "p", permit(nil))
	return state.Outputs["arn"].(string)
}

func permit(changes props) props {
	in := props{"action": "lambda:InvokeFunction", "function": "f", "principal": caller}
	for k, v := range changes {
		in[k] = v
	}
	return in
}

type order map[string]any

func invocation(arn string, o order, stream bool) lambda.Invocation {
	b, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return lambda.Invocation{FunctionARN: arn, Payload: b, Principal: caller, SourceARN: source, Stream: stream}
}

// call invokes a function and returns its whole response.
func (w *world) call(arn string, o order) (body string, r *lambda.Result) {
	w.t.Helper()
	r, err := w.Invoke(w.t.Context(), invocation(arn, o, false))
	require.NoError(w.t, err)
	return w.read(r), r
}

func (w *world) read(r *lambda.Result) string {
	w.t.Helper()
	b, err := io.ReadAll(r.Body)
	require.NoError(w.t, err)
	require.NoError(w.t, r.Body.Close())
	return string(b)
}

// gate makes functions wait for the test.
type gate struct {
	url     string
	t       *testing.T
	arrived chan string
	open    chan struct{}
}

func newGate(t *testing.T) *gate {
	g := &gate{t: t, arrived: make(chan string), open: make(chan struct{})}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case g.arrived <- r.URL.Query().Get("word"):
		case <-t.Context().Done():
			return
		}
		select {
		case <-g.open:
		case <-t.Context().Done():
		}
	}))
	g.url = s.URL
	t.Cleanup(s.Close)
	return g
}

// await returns what the next process at the gate says.
func (g *gate) await() string {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), time.Minute)
	defer cancel()
	select {
	case word := <-g.arrived:
		return word
	case <-ctx.Done():
		require.FailNow(g.t, "nobody came to the gate")
		return ""
	}
}

// pass lets one process pass that has arrived.
func (g *gate) pass() { g.open <- struct{}{} }
