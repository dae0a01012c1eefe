package up_test

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/crossregion/crossregion/local/cloud"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/local/up"
	"github.com/stretchr/testify/assert"
)

// registration is one resource on its way into the cloud.
type registration struct {
	token, region, name string
	inputs              map[string]any
	leftOut             bool // the program is told that it was made
}

// alteration is what a test does to a stack while it is deployed. Both
// functions are optional, and run in several goroutines.
type alteration struct {
	resource func(*registration)
	answer   func(token, region string, out map[string]any)
}

// altered is a cloud that gets other resources than the program registers.
type altered struct {
	deploy.Target
	alteration
	log lines

	mu     sync.Mutex
	groups map[string]string // ARNs of log groups, by logical name
}

func (a *altered) Create(ctx context.Context, token, region, name string, inputs map[string]any) (cloud.State, error) {
	r := registration{token: token, region: region, name: name, inputs: inputs}
	if a.resource != nil {
		a.resource(&r)
	}
	if r.leftOut {
		return cloud.State{ID: name}, nil
	}
	state, err := a.Target.Create(ctx, r.token, r.region, r.name, r.inputs)
	if err == nil && token == "aws:cloudwatch/logGroup:LogGroup" {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.groups[name] = state.Outputs["arn"].(string)
	}
	return state, err
}

func (a *altered) Call(ctx context.Context, token, region string, args map[string]any) (map[string]any, error) {
	out, err := a.Target.Call(ctx, token, region, args)
	if err == nil && a.answer != nil {
		a.answer(token, region, out)
	}
	return out, err
}

// lines collects what the embedded cloud logs.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// startAltered deploys a stack, that of eu unless o names another, otherwise than
// its program says, until the end of the test.
func startAltered(t *testing.T, how alteration, o up.Options) (*prober, error) {
	t.Helper()
	a := &altered{alteration: how, groups: map[string]string{}}
	o.Root, o.Stack = cmp.Or(o.Root, "../.."), cmp.Or(o.Stack, "eu")
	o.Listen, o.Log = "127.0.0.1:0", slog.New(slog.NewTextHandler(&a.log, nil))
	o.Target = func(inner deploy.Target) deploy.Target {
		a.Target = inner
		return a
	}
	r, err := up.Start(t.Context(), o)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	return newProber(t, o.Root, r, a), nil
}
