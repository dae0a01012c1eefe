package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crossregion/crossregion/local/account"
	"github.com/crossregion/crossregion/local/deploy"
	"github.com/crossregion/crossregion/local/engine"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

const root = "../.."

// needsEngine leaves a test out where -short asks for quick ones.
func needsEngine(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: NOT TESTED is what the real Pulumi engine makes of the program")
	}
}

// load reads a stack file, with some settings replaced.
func load(t *testing.T, name string, over map[string]any) *deploy.Stack {
	t.Helper()
	stack, err := deploy.Load(root, name)
	require.NoError(t, err)
	require.NoError(t, stack.Override(over))
	require.NoError(t, stack.ForThisMachine())
	return stack
}

// open prepares the engine for a stack, in an account with nothing in it.
func open(t *testing.T, stack *deploy.Stack) (*engine.Engine, *account.Account) {
	t.Helper()
	a, err := account.Open(account.Config{Port: "0", Viewer: stack.Settings.Regions[0].Name, Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	stack.Prepare(a)
	e, err := engine.Open(t.Context(), engine.Options{
		Stack: stack, Cloud: a, Dir: t.TempDir(), Progress: func(step string) { t.Log(step) },
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e, a
}

// configure gives the stack's next operation other settings, over those of its
// file.
func configure(t *testing.T, e *engine.Engine, name string, over map[string]any) {
	t.Helper()
	require.NoError(t, e.Configure(t.Context(), load(t, name, over)))
}

// step is one thing that the engine did to a resource.
type step struct{ op, kind, name, urn string }

func (s step) String() string { return s.op + " " + s.name }

// record is what one operation of the engine did and said.
type record struct {
	steps    []step   // in the order in which they were done; what stayed is left out
	warnings []string // and worse
	outputs  map[string]any
	took     time.Duration
}

// of are the names of what an operation was done to, sorted.
func (r record) of(op string) []string {
	names := []string{}
	for _, s := range r.steps {
		if s.op == op {
			names = append(names, s.name)
		}
	}
	slices.Sort(names)
	return names
}

// index is the place of a step, or -1.
func (r record) index(op, name string) int {
	return slices.IndexFunc(r.steps, func(s step) bool { return s.op == op && s.name == name })
}

var colours = regexp.MustCompile(`<\{%[^%]*%\}>`)

// listen collects the events of one operation until its channel is closed.
func listen(to *record) (chan<- events.EngineEvent, func()) {
	from, done := make(chan events.EngineEvent), make(chan struct{})
	go func() {
		defer close(done)
		for e := range from {
			switch {
			case e.DiagnosticEvent != nil && (e.DiagnosticEvent.Severity == "warning" || e.DiagnosticEvent.Severity == "error"):
				to.warnings = append(to.warnings, strings.TrimSpace(colours.ReplaceAllString(e.DiagnosticEvent.Message, "")))
			case e.ResOutputsEvent != nil && e.ResOutputsEvent.Metadata.Op != "same":
				m := e.ResOutputsEvent.Metadata
				_, name, _ := strings.Cut(m.URN[strings.LastIndex(m.URN, "::"):], "::")
				to.steps = append(to.steps, step{string(m.Op), m.Type, name, m.URN})
			}
		}
	}()
	return from, func() { <-done }
}

func preview(t *testing.T, e *engine.Engine) (r record, err error) {
	t.Helper()
	channel, wait := listen(&r)
	_, err = e.Preview(t.Context(), optpreview.EventStreams(channel))
	wait()
	return r, err
}

func update(t *testing.T, e *engine.Engine, opts ...optup.Option) (r record, err error) {
	t.Helper()
	began := time.Now()
	channel, wait := listen(&r)
	result, err := e.Up(t.Context(), append(opts, optup.EventStreams(channel))...)
	wait()
	r.outputs, r.took = map[string]any{}, time.Since(began)
	for name, value := range result.Outputs {
		r.outputs[name] = value.Value
	}
	return r, err
}

func refresh(t *testing.T, e *engine.Engine) record {
	t.Helper()
	var r record
	channel, wait := listen(&r)
	_, err := e.Refresh(t.Context(), optrefresh.EventStreams(channel), optrefresh.ExpectNoChanges())
	wait()
	require.NoError(t, err)
	return r
}

// destroy looks first, as the CLI does unless it is told to skip that: what is
// protected then refuses before anything is gone.
func destroy(t *testing.T, e *engine.Engine) (r record, err error) {
	t.Helper()
	if _, err := e.PreviewDestroy(t.Context()); err != nil {
		return record{}, err
	}
	channel, wait := listen(&r)
	_, err = e.Destroy(t.Context(), optdestroy.EventStreams(channel))
	wait()
	return r, err
}

// settled checks that nothing is left to do, neither for the program nor in the
// cloud.
func settled(t *testing.T, e *engine.Engine) {
	t.Helper()
	_, err := update(t, e, optup.ExpectNoChanges())
	require.NoError(t, err, "a second update has nothing to change")
	refresh(t, e)
}

// transform runs the project's program with each resource's arguments changed.
func transform(e *engine.Engine, s *deploy.Stack, f func(name string, args any)) {
	e.Workspace().SetProgram(func(ctx *pulumi.Context) error {
		if err := ctx.RegisterStackTransformation(func(r *pulumi.ResourceTransformationArgs) *pulumi.ResourceTransformationResult {
			f(r.Name, r.Props)
			return &pulumi.ResourceTransformationResult{Props: r.Props, Opts: r.Opts}
		}); err != nil {
			return err
		}
		return s.Program()(ctx)
	})
}

// matching are the names that fit a pattern of package path.
func matching(names []string, pattern string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		fits, err := path.Match(pattern, name)
		return err != nil || !fits
	})
}

// eventually waits for what comes with the cloud's time.
func eventually(ctx context.Context, what string, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, ctx.Err())
		}
	}
	return nil
}
